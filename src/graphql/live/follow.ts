import type { Clock } from '../../core/ports/clock';
import type { Stores } from '../../core/ports/stores';
import type { AgentTyping, TypingTopic } from '../../core/ports/typing';
import type { SessionRounds } from './session-rounds';

/** Says that committed work of these Sessions is there to be read; `'all'`: wake-ups may have been missed. */
export type WakeListener = (sessionIds: readonly string[] | 'all') => void;
export interface WakeSource { onWake(listener: WakeListener): () => void }

/** Tells of agents who type, here and on other replicas; ephemeral. */
export interface TypingSource { onTyping(topic: TypingTopic, listener: (typing: AgentTyping) => void): () => void }
/** For a process that hears of nobody. */
export const NOBODY_TYPES: TypingSource = { onTyping: () => () => undefined };

/** What subscriptions read from. */
export interface LiveSources {
  readonly stores: Stores;
  readonly wake: WakeSource;
  readonly typing: TypingSource;
  readonly clock: Clock;
  readonly pollMs: number;
  readonly open: OpenReaders;
  readonly rounds: SessionRounds;
}

/** How many subscriptions are being followed now. */
export class OpenReaders { count = 0; }

/** Rings when there may be something to read, and remembers a ring that comes while nobody waits. */
export class Bell {
  private hasRung = false;
  private closed = false;
  private waiting: (() => void) | undefined;
  private readonly disconnect: () => void;

  /** `connect` gets what rings the bell, and returns what takes it off again. */
  constructor(private readonly open: OpenReaders, connect: (ring: () => void) => () => void) {
    open.count += 1;
    this.disconnect = connect(() => {
      this.hasRung = true;
      this.waiting?.();
    });
  }

  get isClosed(): boolean { return this.closed; }

  /** Resolves at the next ring, or when closed. */
  async rung(): Promise<void> {
    if (!this.hasRung && !this.closed) await new Promise<void>((resolve) => { this.waiting = resolve; });
    this.waiting = undefined;
    this.hasRung = false;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.open.count -= 1;
    this.disconnect();
    this.waiting?.();
  }
}

/** For what runs over many Sessions: any of them may matter. Looks by itself too, so that a lost wake-up costs only time. */
export const feedBell = ({ wake, pollMs, open }: LiveSources): Bell => new Bell(open, (ring) => {
  const forget = wake.onWake(ring);
  const poll = setInterval(ring, pollMs).unref();
  return () => {
    forget();
    clearInterval(poll);
  };
});

/**
 * A subscription's iterator. What `prepare` throws refuses the subscription; then `read` runs only as far as the
 * subscriber asks, so a slow one lags and nothing is kept for it in memory. `return()` ends it at once, also while it
 * waits for the bell.
 */
export async function follow<S, T>(bell: Bell, prepare: () => Promise<S>, read: (start: S) => AsyncGenerator<T, void>): Promise<AsyncIterableIterator<T>> {
  let start: S;
  try {
    start = await prepare();
  } catch (error) {
    bell.close();
    throw error;
  }
  const inner = (async function* (): AsyncGenerator<T, void> {
    try { yield* read(start); } finally { bell.close(); }
  })();
  const items: AsyncIterableIterator<T> = {
    [Symbol.asyncIterator]: () => items,
    next: () => inner.next(),
    return: () => { bell.close(); return inner.return(); },
    throw: (error: unknown) => { bell.close(); return inner.throw(error); },
  };
  return items;
}
