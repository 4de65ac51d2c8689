import { setTimeout } from 'node:timers/promises';

/**
 * No wait has a limit of its own, because on a busy machine that limit would decide the test. This one only ends a wait
 * shortly before jest would (`testTimeout`), so that the failure names the awaited condition.
 */
const LIMIT_MS = 290_000;

/** Waits until `isSo` returns true; checks at once, then repeatedly. @throws Error with the condition's source text */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + LIMIT_MS; !(await isSo()); ) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${isSo.toString()}`);
    await setTimeout(5);
  }
}

/** Repeats `check` until it throws nothing. @throws its last error */
export async function eventually<T>(check: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + LIMIT_MS; ; ) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await setTimeout(50);
    }
  }
}
