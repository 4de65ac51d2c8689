import { setTimeout } from 'node:timers/promises';

const ATTEMPTS = 5;

/** A serialization failure or a deadlock: the other one went on, and the same may work now. */
export function isConflict(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === '40001' || code === '40P01';
}

/** Does again what others were in the way of. `work` is one statement or one transaction: nothing of a failed one has stayed. */
export async function tryAgain<T>(work: () => Promise<T>, random: () => number, mayWorkNextTime = isConflict): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !mayWorkNextTime(error)) throw error;
      await setTimeout(random() * 20 * attempt);
    }
  }
}
