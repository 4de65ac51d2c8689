import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';

/** Signals actors to stop. After `over` they begin nothing new; they finish what they began until `givenUp`. */
export class Curtain {
  private readonly closing = new AbortController();
  private readonly leaving = new AbortController();

  constructor() { setMaxListeners(0, this.closing.signal, this.leaving.signal); }

  get isOver(): boolean { return this.closing.signal.aborted; }
  get isGivenUp(): boolean { return this.leaving.signal.aborted; }
  fall(): void { this.closing.abort(); }
  giveUp(): void { this.leaving.abort(); }

  /** Waits, at most until the shutdown begins. */
  async pause(ms: number): Promise<void> { await setTimeout(ms, undefined, { signal: this.closing.signal }).catch(() => undefined); }
  /** Waits between two attempts of the same action. */
  async rest(ms: number): Promise<void> { await setTimeout(ms, undefined, { signal: this.leaving.signal }).catch(() => undefined); }
}
