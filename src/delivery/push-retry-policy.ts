import { EndpointError } from '../core/errors';
import type { Instant } from '../core/ids';
import { codeOf, isUnreachable, type Verdict } from './retry-policy';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The waits of the Standard Webhooks specification after the first attempt, which is made at once. */
export const PUSH_RETRIES_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];
const TOTAL_RETRY_MS = PUSH_RETRIES_MS.reduce((sum, wait) => sum + wait, 0);
/** The share by which a wait may exceed the table, so that pushes that failed together are not retried together. */
const JITTER = 0.1;

export interface PushAttempt {
  /** Attempts before this one. */
  readonly previousAttempts: number;
  /** The endpoint's value. */
  readonly firstFailureAt: Instant | null;
  readonly now: number;
  readonly random: number;
}

/**
 * Decides about a failed push. If the endpoint responded, the push is retried through the table and then parked. If the
 * endpoint cannot be reached at all, the delivery is not at fault: it stays in its place and is retried at the table's
 * longest wait, until the endpoint responds, or is disabled and everything stays in the inbox.
 */
export function verdictForPush(
  error: unknown,
  { previousAttempts, firstFailureAt, now, random }: PushAttempt,
): Exclude<Verdict, { kind: 'recreate' }> {
  const code = codeOf(error);
  const isThrough = previousAttempts >= PUSH_RETRIES_MS.length;
  const failsAltogether =
    isUnreachable(error) && firstFailureAt !== null && now - Date.parse(firstFailureAt) >= TOTAL_RETRY_MS;
  if (isThrough && !failsAltogether) return { kind: 'park', code };
  const wait = PUSH_RETRIES_MS[Math.min(previousAttempts, PUSH_RETRIES_MS.length - 1)]!;
  const wanted = error instanceof EndpointError ? (error.retryAfterMs ?? 0) : 0;
  return { kind: 'retry', afterMs: Math.round(Math.max(wait, wanted) * (1 + JITTER * random)), code };
}
