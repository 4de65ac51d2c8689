const ENDS = new WeakMap<AbortSignal, number>();

/** A signal that aborts after so many milliseconds. */
export function timeLimit(ms: number): AbortSignal {
  const signal = AbortSignal.timeout(ms);
  ENDS.set(signal, performance.now() + ms);
  return signal;
}

/**
 * Whether a call must not begin any more; providers ask before each request that they send. Asks the clock: a process that
 * was paused may go on with what has arrived meanwhile before its timers ring, and somebody else may have gone on with its work.
 */
export const isOver = (signal: AbortSignal): boolean => signal.aborted || performance.now() >= (ENDS.get(signal) ?? Infinity);
