import { EndpointError } from '../core/errors';
import type { Instant } from '../core/ids';
import { codeOf, isAway, type Verdict } from './retry-policy';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The waits of the Standard Webhooks specification behind the first try, which is made at once. */
export const PUSH_RETRIES_MS: readonly number[] = [
  5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
];
const WHOLE_TABLE_MS = PUSH_RETRIES_MS.reduce((sum, wait) => sum + wait, 0);
/** How much longer than the table a wait may be, so that what failed together does not come again together. */
const JITTER = 0.1;

export interface FailedPush {
  /** Tries before this one. */
  readonly attempts: number;
  /** The endpoint's. */
  readonly firstFailureAt: Instant | null;
  readonly now: number;
  readonly random: number;
}

/**
 * What becomes of a push that failed. What an endpoint answered to goes through the table and is then set aside. While it
 * cannot be reached at all, that is no fault of the delivery: it stays at its place with the table's longest wait, until the
 * endpoint is back, or is switched off and everything stays in the inbox.
 */
export function pushVerdict(error: unknown, { attempts, firstFailureAt, now, random }: FailedPush): Exclude<Verdict, { kind: 'remake' }> {
  const code = codeOf(error);
  const isThrough = attempts >= PUSH_RETRIES_MS.length;
  const failsAltogether = isAway(error) && firstFailureAt !== null && now - Date.parse(firstFailureAt) >= WHOLE_TABLE_MS;
  if (isThrough && !failsAltogether) return { kind: 'park', code };
  const wait = PUSH_RETRIES_MS[Math.min(attempts, PUSH_RETRIES_MS.length - 1)]!;
  const wanted = error instanceof EndpointError ? error.retryAfterMs ?? 0 : 0;
  return { kind: 'retry', afterMs: Math.round(Math.max(wait, wanted) * (1 + JITTER * random)), code };
}
