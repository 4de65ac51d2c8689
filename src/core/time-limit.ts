const ENDS = new WeakMap<AbortSignal, () => number>();

/**
 * A signal that aborts after so many milliseconds.
 * @param hold what it also ends with: another signal, and a moment of `performance.now()` that may be put off until it has come
 */
export function timeLimit(ms: number, hold?: { readonly signal: AbortSignal; until(): number }): AbortSignal {
  const end = performance.now() + ms;
  const signal = hold ? AbortSignal.any([AbortSignal.timeout(ms), hold.signal]) : AbortSignal.timeout(ms);
  ENDS.set(signal, () => Math.min(end, hold?.until() ?? Infinity));
  return signal;
}

/**
 * Whether a call must not begin any more; providers ask before each request that they send. Asks the clock: a process that
 * was paused may go on with what has arrived meanwhile before its timers ring, and somebody else may have gone on with its work.
 */
export const isOver = (signal: AbortSignal): boolean => signal.aborted || performance.now() >= (ENDS.get(signal)?.() ?? Infinity);
