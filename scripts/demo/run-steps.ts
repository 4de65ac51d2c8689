import { firstDifference, type Step } from './step';

/**
 * Runs the steps and prints the observation of each, with its time.
 * @returns the exit code: 0 if all were as expected, 1 after the first difference, which is printed
 */
export async function runSteps<Context>(
  steps: readonly Step<Context>[],
  story: Context,
  out: Pick<Console, 'log' | 'error'>,
): Promise<0 | 1> {
  const startedAt = performance.now();
  for (const [i, { title, act, expected }] of steps.entries()) {
    const seen = await act(story);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2).padStart(6);
    const difference = firstDifference(seen, expected(story));
    out.log(`${seconds} s  ${String(i + 1).padStart(2)}. ${title}\n${lines(seen)}`);
    if (difference !== null) {
      out.error(`Step ${i + 1}, "${title}", is not as expected:\n  ${difference}`);
      return 1;
    }
  }
  out.log(`All ${steps.length} steps are as expected.`);
  return 0;
}

/** Prints one line per observed value, and one per entry of a list. */
function lines(seen: unknown, indent = ' '.repeat(14)): string {
  if (typeof seen !== 'object' || seen === null) return `${indent}${JSON.stringify(seen)}\n`;
  return Object.entries(seen)
    .map(([key, value]) =>
      Array.isArray(value) && value.length > 0
        ? `${indent}${key}:\n${value.map(one => `${indent}  ${typeof one === 'string' ? one.replaceAll('\n', ' | ') : JSON.stringify(one)}\n`).join('')}`
        : `${indent}${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}\n`,
    )
    .join('');
}
