import { setTimeout } from 'node:timers/promises';

const FIRST_MS = 200;
const LONGEST_MS = 2_000;

/**
 * Keeps trying to write down what became of claimed work, while the lease lasts: after a restart of the database the
 * work goes on at once, and not only when the lease has ended. What is tried must be safe to repeat.
 * @param until on the clock of `performance.now()`
 * @throws the last error, when the time is over or the process stops
 */
export async function patiently<T>(until: number, stopped: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let waitMs = FIRST_MS; ; waitMs = Math.min(LONGEST_MS, waitMs * 2)) {
    try {
      return await work();
    } catch (error) {
      if (stopped.aborted || performance.now() + waitMs >= until) throw error;
    }
    await setTimeout(waitMs, undefined, { signal: stopped }).catch(() => undefined);
  }
}
