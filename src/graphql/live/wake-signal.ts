import type { AgentTyping, TypingTopic } from '../../core/ports/typing';

/** Called when committed work of these sessions can be read; `'all'`: wake-ups may have been missed. */
export type WakeListener = (sessionIds: readonly string[] | 'all') => void;

export interface WakeSource {
  onWake(listener: WakeListener): () => void;
}

/** Reports agents who type, from this and all other replicas; ephemeral. */
export interface TypingSource {
  onTyping(topic: TypingTopic, listener: (typing: AgentTyping) => void): () => void;
}

/** For a process without a source of typing. */
export const NO_TYPING: TypingSource = { onTyping: () => () => undefined };

/** The number of open subscriptions. */
export class OpenSubscriptions {
  count = 0;
}

/** Signals that there may be something to read. Remembers a signal that comes while the subscription does not wait. */
export class WakeSignal {
  private isPending = false;
  private closed = false;
  private waiting: (() => void) | undefined;
  private readonly disconnect: () => void;

  /** @param connect subscribes the given callback to wake-ups, and returns a function that unsubscribes it */
  constructor(
    private readonly open: OpenSubscriptions,
    connect: (notify: () => void) => () => void,
  ) {
    open.count += 1;
    this.disconnect = connect(() => {
      this.isPending = true;
      this.waiting?.();
    });
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Resolves at the next signal, or on close. */
  async wait(): Promise<void> {
    if (!this.isPending && !this.closed)
      await new Promise<void>(resolve => {
        this.waiting = resolve;
      });
    this.waiting = undefined;
    this.isPending = false;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.open.count -= 1;
    this.disconnect();
    this.waiting?.();
  }
}

/**
 * Creates the signal of a subscription over many sessions, any of which may matter. Also polls, so that a lost wake-up
 * only delays.
 */
export const createFeedSignal = ({
  wake,
  pollMs,
  openSubscriptions,
}: {
  readonly wake: WakeSource;
  readonly pollMs: number;
  readonly openSubscriptions: OpenSubscriptions;
}): WakeSignal =>
  new WakeSignal(openSubscriptions, notify => {
    const forget = wake.onWake(notify);
    const poll = setInterval(notify, pollMs).unref();
    return () => {
      forget();
      clearInterval(poll);
    };
  });

/**
 * Creates the iterator of a subscription. An error of `prepare` refuses the subscription. Afterwards `read` advances
 * only when the subscriber asks for an item, so nothing is buffered for a slow one. `return()` ends it immediately,
 * also while it waits for the signal.
 */
export async function createIterator<S, T>(
  wakeSignal: WakeSignal,
  prepare: () => Promise<S>,
  read: (start: S) => AsyncGenerator<T, void>,
): Promise<AsyncIterableIterator<T>> {
  let start: S;
  try {
    start = await prepare();
  } catch (error) {
    wakeSignal.close();
    throw error;
  }
  const inner = (async function* (): AsyncGenerator<T, void> {
    try {
      yield* read(start);
    } finally {
      wakeSignal.close();
    }
  })();
  const items: AsyncIterableIterator<T> = {
    [Symbol.asyncIterator]: () => items,
    next: () => inner.next(),
    return: () => {
      wakeSignal.close();
      return inner.return();
    },
    throw: (error: unknown) => {
      wakeSignal.close();
      return inner.throw(error);
    },
  };
  return items;
}
