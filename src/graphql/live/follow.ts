import type { Clock } from '../../core/ports/clock';
import type { Stores } from '../../core/ports/stores';

/** Says that committed work of these Sessions is there to be read; `'all'`: wake-ups may have been missed. */
export type WakeListener = (sessionIds: readonly string[] | 'all') => void;
export interface WakeSource { onWake(listener: WakeListener): () => void }

/** What subscriptions read from. */
export interface LiveSources {
  readonly stores: Stores;
  readonly wake: WakeSource;
  readonly clock: Clock;
  readonly pollMs: number;
  readonly open: OpenReaders;
}

/** How many subscriptions are being followed now. */
export class OpenReaders { count = 0; }

/** Rings when there may be something to read, and remembers a ring that comes while nobody waits. */
export class Bell {
  #hasRung = false;
  #isClosed = false;
  #waiting: (() => void) | undefined;
  readonly #forget: () => void;

  constructor(private readonly sources: LiveSources, concerns: (sessionIds: readonly string[]) => boolean) {
    sources.open.count += 1;
    this.#forget = sources.wake.onWake((ids) => { if (ids === 'all' || concerns(ids)) this.#ring(); });
  }

  get isClosed(): boolean { return this.#isClosed; }

  /** Resolves at the next ring, after the poll interval, or when closed. */
  async rung(): Promise<void> {
    if (!this.#hasRung && !this.#isClosed) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
        timer = setTimeout(resolve, this.sources.pollMs);
      });
      clearTimeout(timer);
      this.#waiting = undefined;
    }
    this.#hasRung = false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.sources.open.count -= 1;
    this.#forget();
    this.#waiting?.();
  }

  #ring(): void {
    this.#hasRung = true;
    this.#waiting?.();
  }
}

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
