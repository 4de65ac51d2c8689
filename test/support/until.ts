import { setTimeout } from 'node:timers/promises';

/**
 * Nothing that is waited for has a limit of its own: on a busy machine it would decide the test. This one only ends a wait that
 * jest would end a little later (`testTimeout`), so that the failure says what was waited for.
 */
const LIMIT_MS = 290_000;

/** Waits until `isSo` answers true; asks at once, then again and again. @throws Error with the condition's source text */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + LIMIT_MS; !(await isSo());) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${isSo.toString()}`);
    await setTimeout(5);
  }
}

/** Tries until `check` throws nothing. @throws its last failure */
export async function eventually<T>(check: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + LIMIT_MS; ;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await setTimeout(50);
    }
  }
}
