import {
  EndpointError,
  OutcomeUnknownError,
  OverloadedError,
  ProviderAuthError,
  ProviderDamagedError,
  ProviderRefusedError,
  ProviderUnavailableError,
  SupportError,
  UnsupportedByProviderError,
} from '../core/errors';
import type { LaneDelivery, AttemptOutcome } from '../core/delivery';
import type { FlowDeps } from '../core/flows/deps';
import type { Reachability } from './remote-limiter';

/** The decision about a delivery after an error. `code` is stable and contains no message text. */
export type Verdict =
  /** `isNotCounted`: the attempt does not count toward parking. */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly code: string; readonly isNotCounted?: true }
  /** The conversation is gone: remove the link to it, then retry in a new one. */
  | { readonly kind: 'recreate'; readonly afterMs: number; readonly code: string }
  | { readonly kind: 'park'; readonly code: string };

/**
 * Counted from the first failed attempt. It covers a weekend and a night.
 */
export const PARK_AFTER_MS = 75 * 3_600_000;
const FIRST_MS = 500;
/**
 * The circuit breaker protects a remote that does not respond. This is the longest time that a session may wait after
 * it responds again.
 */
const MAX_WAIT_MS = 60_000;
/** A person has to repair a role or a token, so frequent attempts do not help. */
const CREDENTIALS_MS = { first: 5_000, longest: 10 * 60_000 };
/** A conversation that is repeatedly gone means that something above it is gone. */
const MAX_RECREATIONS = 5;

/**
 * A conversation that fails alone for this long, and at two attempts in a row, is damaged. An outage would end for the
 * whole account at once.
 */
const DAMAGED = { afterMs: 15 * 60_000, code: 'PROVIDER_DAMAGED' } as const;

/**
 * Returns the wait with jitter: between a tenth and all of the exponential wait, so that replicas and sessions spread.
 */
export function backoffMs(error: unknown, attempt: number, random: number): number {
  const { first, longest } =
    error instanceof ProviderAuthError ? CREDENTIALS_MS : { first: FIRST_MS, longest: MAX_WAIT_MS };
  const cap = Math.min(longest, first * 2 ** Math.min(attempt, 20));
  return Math.round(cap * (0.1 + 0.9 * random));
}

/** The earlier attempts of a delivery. `failingMs`: milliseconds since the first failed one; 0 if none failed. */
export interface AttemptHistory {
  readonly previousAttempts: number;
  readonly failingMs: number;
  readonly lastErrorCode: string | null;
  readonly random: number;
}

export const attemptHistoryOf = (
  { clock }: Pick<FlowDeps, 'clock'>,
  {
    previousAttempts: attempts,
    failingSince,
    lastErrorCode,
  }: Pick<LaneDelivery<'PROVIDER'>, 'previousAttempts' | 'failingSince' | 'lastErrorCode'>,
): AttemptHistory => ({
  previousAttempts: attempts,
  failingMs: failingSince === null ? 0 : clock.now() - Date.parse(failingSince),
  lastErrorCode,
  random: clock.random(),
});

export function verdictFor(
  error: unknown,
  { previousAttempts, failingMs, lastErrorCode, random }: AttemptHistory,
): Verdict {
  const code = isConversationOnly(error) ? DAMAGED.code : codeOf(error);
  // An earlier failure for another reason does not describe the conversation.
  if (
    error instanceof ProviderRefusedError &&
    error.gone &&
    (previousAttempts < MAX_RECREATIONS || lastErrorCode !== code)
  )
    return { kind: 'recreate', afterMs: backoffMs(error, previousAttempts, random), code };
  const isNotCounted = isRateLimited(error);
  if (
    error instanceof ProviderRefusedError ||
    error instanceof OutcomeUnknownError ||
    error instanceof ProviderDamagedError ||
    error instanceof UnsupportedByProviderError ||
    (failingMs > PARK_AFTER_MS && !isNotCounted)
  )
    return { kind: 'park', code };
  if (isConversationOnly(error) && lastErrorCode === DAMAGED.code && failingMs > DAMAGED.afterMs)
    return { kind: 'park', code };
  const { retryAfterMs: wanted, ambiguousForMs } =
    error instanceof ProviderUnavailableError ? error : { retryAfterMs: undefined, ambiguousForMs: 0 };
  const afterMs =
    wanted === undefined ? backoffMs(error, previousAttempts, random) : wanted + Math.round(1_000 * random);
  return {
    kind: 'retry',
    afterMs: Math.max(afterMs, ambiguousForMs),
    code,
    ...(isNotCounted && { isNotCounted: isNotCounted }),
  };
}

const isConversationOnly = (error: unknown): boolean =>
  error instanceof ProviderUnavailableError && error.isConversationOnly;

/**
 * Returns whether our own limit or the remote's limit postponed the call: neither the delivery nor the remote is at
 * fault.
 */
const isRateLimited = (error: unknown): boolean =>
  error instanceof ProviderUnavailableError && (error.isOwnRateLimit || error.isRateLimited);

/** Returns whether a signal ended the call. */
const isTimedOut = (error: unknown): boolean =>
  ['TimeoutError', 'AbortError'].includes((error as { name?: string } | null)?.name ?? '');

/** Statuses that a proxy returns for an endpoint that it cannot reach. */
const UNREACHABLE_STATUSES: readonly (number | null)[] = [502, 503, 504];

/** Returns whether a runtime's endpoint failed as a whole, independent of the pushed message. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof EndpointError &&
  (error.code === 'ENDPOINT_UNREACHABLE' || UNREACHABLE_STATUSES.includes(error.status));

/**
 * Returns what an error shows about the remote as a whole. A wait that the remote requests is a response; a wait of our
 * own rate limit shows nothing.
 */
export function reachabilityAfter(error: unknown): Reachability {
  if (isConversationOnly(error)) return 'yes';
  if (error instanceof ProviderUnavailableError)
    return error.isRateLimited ? 'yes' : error.retryAfterMs === undefined ? 'no' : 'unknown';
  if (error instanceof EndpointError)
    return !isUnreachable(error) ? 'yes' : error.retryAfterMs === undefined ? 'no' : 'unknown';
  if (isTimedOut(error)) return 'no';
  return error instanceof ProviderRefusedError ||
    error instanceof OutcomeUnknownError ||
    error instanceof ProviderDamagedError ||
    error instanceof ProviderAuthError ||
    error instanceof UnsupportedByProviderError
    ? 'yes'
    : 'unknown';
}

/**
 * Returns what an error shows about the outcome. Our own errors state it. A write may have taken effect after any other
 * error, after a push without a response of the runtime itself, and if our database had no connection to record the
 * result.
 */
export function outcomeAfter(error: unknown): AttemptOutcome {
  if (
    error instanceof OutcomeUnknownError ||
    error instanceof ProviderDamagedError ||
    (error instanceof ProviderUnavailableError && error.delivered === 'unknown') ||
    isUnreachable(error)
  )
    return 'UNKNOWN';
  if (!(error instanceof SupportError) || error instanceof OverloadedError) return 'UNKNOWN';
  // A write into something that is gone is gone with it.
  return error.hasNoEarlierWrite || (error instanceof ProviderRefusedError && error.gone) ? 'NOT_DELIVERED' : null;
}

/** Returns a stable code for the log and the dead letter. Never a message, which could quote somebody. */
export function codeOf(error: unknown): string {
  if (error instanceof SupportError) return error.code;
  if (isTimedOut(error)) return 'PROVIDER_UNAVAILABLE';
  return 'INTERNAL';
}
