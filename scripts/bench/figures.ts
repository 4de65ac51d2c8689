/** Durations of repeated measurements, in milliseconds. */
export type Samples = readonly number[];

export function quantile(samples: Samples, q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
export const median = (samples: Samples): number => quantile(samples, 0.5);

export async function timed<T>(samples: number[], work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const result = await work();
  samples.push(performance.now() - from);
  return result;
}

export const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
export const ratio = (value: number, to: number): string => `${(value / to).toFixed(2)}×`;

/** Returns a table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Runs `work` in `width` parallel loops for `forMs` milliseconds, and returns the completions per second. */
export async function rate(width: number, forMs: number, work: (worker: number) => Promise<unknown>): Promise<number> {
  const end = performance.now() + forMs;
  let done = 0;
  const from = performance.now();
  await Promise.all(
    Array.from({ length: width }, async (_, worker) => {
      while (performance.now() < end) {
        await work(worker);
        done += 1;
      }
    }),
  );
  return (done * 1_000) / (performance.now() - from);
}
