import { setTimeout } from 'node:timers/promises';
import { LeaseLostError } from '../core/errors';

const FIRST_WAIT_MS = 200;
const MAX_WAIT_MS = 2_000;

/**
 * How long a process tries to record the result of its work. This may exceed a lease, because the record proves its
 * claim.
 */
export const RECORD_RESULT_MS = 60_000;

/**
 * Retries recording the result of claimed work. After a restart of the database the result is then known at once,
 * without a lookup. `work` must be repeatable and prove the claim.
 * @throws the last error, when the time is over or the process stops; LeaseLostError at once, because the claim is lost
 * for good
 */
export async function retryUntil<T>(limitMs: number, stopped: AbortSignal, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + limitMs;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(MAX_WAIT_MS, waitMs * 2)) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof LeaseLostError || stopped.aborted || performance.now() + waitMs >= until) throw error;
    }
    await setTimeout(waitMs, undefined, { signal: stopped }).catch(() => undefined);
  }
}
