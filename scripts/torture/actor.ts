import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';

/** When actors stop: `over` ends new deeds; what has been begun is finished until `givenUp`. */
export class Curtain {
  private readonly closing = new AbortController();
  private readonly leaving = new AbortController();

  constructor() { setMaxListeners(0, this.closing.signal, this.leaving.signal); }

  get isOver(): boolean { return this.closing.signal.aborted; }
  get isGivenUp(): boolean { return this.leaving.signal.aborted; }
  fall(): void { this.closing.abort(); }
  giveUp(): void { this.leaving.abort(); }

  /** Waits, no longer than until the curtain falls. */
  async pause(ms: number): Promise<void> { await setTimeout(ms, undefined, { signal: this.closing.signal }).catch(() => undefined); }
  /** Between two tries of one deed. */
  async rest(ms: number): Promise<void> { await setTimeout(ms, undefined, { signal: this.leaving.signal }).catch(() => undefined); }
}
