import { setTimeout } from 'node:timers/promises';

const MAX_ATTEMPTS = 5;

/** Returns whether an error is a serialization failure or a deadlock, after which a retry may succeed. */
export function isConflict(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === '40001' || code === '40P01';
}

/**
 * Retries work that conflicted with other transactions. `work` is one statement or one transaction, so a failed attempt
 * leaves nothing behind.
 */
export async function retryConflicts<T>(
  work: () => Promise<T>,
  random: () => number,
  mayWorkNextTime = isConflict,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !mayWorkNextTime(error)) throw error;
      await setTimeout(random() * 20 * attempt);
    }
  }
}
