import { setTimeout } from 'node:timers/promises';
import { LeaseLostError } from '../core/errors';

const FIRST_MS = 200;
const LONGEST_MS = 2_000;

/** How long a process tries to record what became of its work. Longer than a lease: what is recorded proves its claim. */
export const RECORDING_MS = 60_000;

/**
 * Keeps trying to write down what became of claimed work: after a restart of the database it is known at once, and nobody
 * has to find out. What is tried must be safe to repeat, and prove the claim.
 * @throws the last error, when the time is over or the process stops; LeaseLostError at once: the claim is another's for good
 */
export async function patiently<T>(limitMs: number, stopped: AbortSignal, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + limitMs;
  for (let waitMs = FIRST_MS; ; waitMs = Math.min(LONGEST_MS, waitMs * 2)) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof LeaseLostError || stopped.aborted || performance.now() + waitMs >= until) throw error;
    }
    await setTimeout(waitMs, undefined, { signal: stopped }).catch(() => undefined);
  }
}
