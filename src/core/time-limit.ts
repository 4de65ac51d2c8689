const END_OF_SIGNAL = new WeakMap<AbortSignal, () => number>();

/**
 * Creates a signal that aborts after `ms` milliseconds.
 * @param hold other ends of the signal: another signal, and a time of `performance.now()` that may be moved until it
 * has come
 */
export function createTimeLimit(ms: number, hold?: { readonly signal: AbortSignal; until(): number }): AbortSignal {
  const end = performance.now() + ms;
  const signal = hold ? AbortSignal.any([AbortSignal.timeout(ms), hold.signal]) : AbortSignal.timeout(ms);
  END_OF_SIGNAL.set(signal, () => Math.min(end, hold?.until() ?? Infinity));
  return signal;
}

/**
 * Returns whether a call must not begin any more. Providers check it before each request. It reads the clock, because a
 * process that was paused may continue before its timers fire, when another process may already have taken over its
 * work.
 */
export const isOver = (signal: AbortSignal): boolean =>
  signal.aborted || performance.now() >= (END_OF_SIGNAL.get(signal)?.() ?? Infinity);
