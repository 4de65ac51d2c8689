/** Maximum wait. An endpoint that requests more is called again after a day. */
const LONGEST_MS = 24 * 3_600_000;

/** Parses the header's seconds or date. Returns milliseconds, or null if it is absent or invalid. */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const wanted = /^\s*\d{1,10}\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(wanted) ? null : Math.min(LONGEST_MS, Math.max(0, wanted));
}
