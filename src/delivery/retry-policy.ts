import { EndpointError, OutcomeUnknownError, OverloadedError, ProviderAuthError, ProviderDamagedError, ProviderRefusedError, ProviderUnavailableError, SupportError, UnsupportedByProviderError } from '../core/errors';
import type { LaneDelivery, OutcomeOfTry } from '../core/delivery';
import type { FlowDeps } from '../core/flows/deps';
import type { Answered } from './far-sides';

/** What becomes of a delivery after an error. `code` is stable and free of people's words. */
export type Verdict =
  /** `wasNoTry`: it does not count towards giving up. */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly code: string; readonly wasNoTry?: true }
  /** The conversation is gone: drop the link, then try again in a new one. */
  | { readonly kind: 'remake'; readonly afterMs: number; readonly code: string }
  | { readonly kind: 'park'; readonly code: string };

/** Since the first try that failed. DESIGN promise 4 asks for at least 72 h; a weekend and a night fit. */
export const GIVE_UP_AFTER_MS = 75 * 3_600_000;
const FIRST_MS = 500;
/** A far side that is away is spared by its circuit. This is how long a Session may wait for nothing once it is back. */
const LONGEST_MS = 60_000;
/** Somebody has to repair a role or a token: asking often does not help. */
const CREDENTIALS_MS = { first: 5_000, longest: 10 * 60_000 };
/** A conversation that is "gone" again and again means that something above it is gone. */
const MAX_REMAKES = 5;

/** A conversation that fails alone for this long, and at two tries in a row, is damaged: an outage ends for all of an account at once. */
const DAMAGED = { afterMs: 15 * 60_000, code: 'PROVIDER_DAMAGED' } as const;

/** Full jitter: anywhere between a tenth and all of the exponential wait, so that replicas and Sessions spread. */
export function backoffMs(error: unknown, attempt: number, random: number): number {
  const { first, longest } = error instanceof ProviderAuthError ? CREDENTIALS_MS : { first: FIRST_MS, longest: LONGEST_MS };
  const cap = Math.min(longest, first * 2 ** Math.min(attempt, 20));
  return Math.round(cap * (0.1 + 0.9 * random));
}

/** Of a delivery, in milliseconds and tries before this one. `failingMs`: since the first that failed; 0 when none has. */
export interface Tried { readonly attempts: number; readonly failingMs: number; readonly lastErrorCode: string | null; readonly random: number }

export const triedOf = ({ clock }: Pick<FlowDeps, 'clock'>, { earlierAttempts: attempts, failingSince, lastErrorCode }: Pick<LaneDelivery<'PROVIDER'>, 'earlierAttempts' | 'failingSince' | 'lastErrorCode'>): Tried =>
  ({ attempts, failingMs: failingSince === null ? 0 : clock.now() - Date.parse(failingSince), lastErrorCode, random: clock.random() });

export function verdictOn(error: unknown, { attempts, failingMs, lastErrorCode, random }: Tried): Verdict {
  const code = isOnlyHere(error) ? DAMAGED.code : codeOf(error);
  // What failed before for another reason says nothing of the conversation.
  if (error instanceof ProviderRefusedError && error.gone && (attempts < MAX_REMAKES || lastErrorCode !== code))
    return { kind: 'remake', afterMs: backoffMs(error, attempts, random), code };
  const wasNoTry = isToldToWait(error);
  if (error instanceof ProviderRefusedError || error instanceof OutcomeUnknownError || error instanceof ProviderDamagedError || error instanceof UnsupportedByProviderError || (failingMs > GIVE_UP_AFTER_MS && !wasNoTry)) return { kind: 'park', code };
  if (isOnlyHere(error) && lastErrorCode === DAMAGED.code && failingMs > DAMAGED.afterMs) return { kind: 'park', code };
  const { retryAfterMs: wanted, settlesAfterMs } = error instanceof ProviderUnavailableError ? error : { retryAfterMs: undefined, settlesAfterMs: 0 };
  const afterMs = wanted === undefined ? backoffMs(error, attempts, random) : wanted + Math.round(1_000 * random);
  return { kind: 'retry', afterMs: Math.max(afterMs, settlesAfterMs), code, ...(wasNoTry && { wasNoTry }) };
}

const isOnlyHere = (error: unknown): boolean => error instanceof ProviderUnavailableError && error.onlyHere;

/** By our own pace or by the far side's limit: nothing is wrong with what waits, nor with whom it goes to. */
const isToldToWait = (error: unknown): boolean => error instanceof ProviderUnavailableError && (error.isOwnPace || error.answered);

/** A signal ended the call. */
const isOutOfTime = (error: unknown): boolean => ['TimeoutError', 'AbortError'].includes((error as { name?: string } | null)?.name ?? '');

/** Statuses that stand for an endpoint that is not there, said by whoever stands before it. */
const AWAY_STATUSES: readonly (number | null)[] = [502, 503, 504];

/** Whether a runtime's endpoint failed altogether, whatever was sent. */
export const isAway = (error: unknown): boolean => error instanceof EndpointError && (error.code === 'ENDPOINT_UNREACHABLE' || AWAY_STATUSES.includes(error.status));

/** What an error says of the far side as a whole. A wait that it asks for is an answer; one that our own pace asks for says nothing. */
export function answeredAfter(error: unknown): Answered {
  if (isOnlyHere(error)) return 'yes';
  if (error instanceof ProviderUnavailableError) return error.answered ? 'yes' : error.retryAfterMs === undefined ? 'no' : 'unknown';
  if (error instanceof EndpointError) return !isAway(error) ? 'yes' : error.retryAfterMs === undefined ? 'no' : 'unknown';
  if (isOutOfTime(error)) return 'no';
  return error instanceof ProviderRefusedError || error instanceof OutcomeUnknownError || error instanceof ProviderDamagedError || error instanceof ProviderAuthError || error instanceof UnsupportedByProviderError ? 'yes' : 'unknown';
}

/**
 * What an error says of what was owed. Our own errors know. After any other, after a push that got no answer of the runtime's
 * own, and where our database had no connection to record the result with, there may have been a write.
 */
export function outcomeAfter(error: unknown): OutcomeOfTry {
  if (error instanceof OutcomeUnknownError || error instanceof ProviderDamagedError || (error instanceof ProviderUnavailableError && error.delivered === 'unknown') || isAway(error)) return 'UNKNOWN';
  if (!(error instanceof SupportError) || error instanceof OverloadedError) return 'UNKNOWN';
  // Whatever was written to what is gone is gone with it.
  return error.nothingEarlier || (error instanceof ProviderRefusedError && error.gone) ? 'NOT_DELIVERED' : null;
}

/** A stable code for the log and the dead letter: never a message, which could quote somebody. */
export function codeOf(error: unknown): string {
  if (error instanceof SupportError) return error.code;
  if (isOutOfTime(error)) return 'PROVIDER_UNAVAILABLE';
  return 'INTERNAL';
}
