import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';

/** Signals actors to stop. After `over` they begin nothing new; they finish what they began until `givenUp`. */
export class ShutdownSignal {
  private readonly stopping = new AbortController();
  private readonly aborting = new AbortController();

  constructor() {
    setMaxListeners(0, this.stopping.signal, this.aborting.signal);
  }

  get isOver(): boolean {
    return this.stopping.signal.aborted;
  }
  get isAborted(): boolean {
    return this.aborting.signal.aborted;
  }
  stop(): void {
    this.stopping.abort();
  }
  abort(): void {
    this.aborting.abort();
  }

  /** Waits, at most until the shutdown begins. */
  async pause(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
  /** Waits between two attempts of the same action. */
  async waitForRetry(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.aborting.signal }).catch(() => undefined);
  }
}
