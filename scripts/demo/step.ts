import { setTimeout } from 'node:timers/promises';

/**
 * One step of the demo: an action and the expected observation. Both are plain data, so that any runner can compare
 * them.
 */
export interface Step<Context> {
  readonly title: string;
  act(story: Context): Promise<unknown>;
  expected(story: Context): unknown;
}

// Longer than any step takes, also on a busy machine: it ends what will never come and decides nothing.
const MAX_WAIT_MS = 120_000;
const POLL_MS = 40;

/**
 * Describes the first difference between two plain values; null if they are equal. The order of keys does not matter,
 * and an undefined key counts as absent.
 */
export function firstDifference(seen: unknown, expected: unknown, at = 'seen'): string | null {
  if (Object.is(seen, expected)) return null;
  if (Array.isArray(seen) && Array.isArray(expected)) {
    for (let i = 0; i < Math.max(seen.length, expected.length); i++) {
      const difference = firstDifference(seen[i], expected[i], `${at}[${i}]`);
      if (difference !== null) return difference;
    }
    return null;
  }
  if (isRecord(seen) && isRecord(expected)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(seen)])) {
      const difference = firstDifference(seen[key], expected[key], `${at}.${key}`);
      if (difference !== null) return difference;
    }
    return null;
  }
  return `${at} is ${shown(seen)}, expected ${shown(expected)}`;
}

/**
 * Observes repeatedly until the result is as expected or the time limit has passed. Returns the last observation for
 * the runner to compare.
 */
export async function pollUntilEqual<T>(look: () => Promise<T>, expected: T): Promise<T> {
  for (const until = Date.now() + MAX_WAIT_MS; ; ) {
    const seen = await look();
    if (Date.now() > until || firstDifference(seen, expected) === null) return seen;
    await setTimeout(POLL_MS);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));
