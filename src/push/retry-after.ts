/** An endpoint that asks for more is asked again after a day all the same. */
const LONGEST_MS = 24 * 3_600_000;

/** The header's seconds or date, as a wait. Null: not given, or not understood. */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const wanted = /^\s*\d{1,10}\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(wanted) ? null : Math.min(LONGEST_MS, Math.max(0, wanted));
}
