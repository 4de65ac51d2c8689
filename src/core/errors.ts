import { PRIVATE_ADDRESS } from './checks/url';
import type { Control } from './control';
import type { EndpointFailureCode } from './runtime-endpoint';

/**
 * The base class of this service's errors. `code` is stable and documented in docs/errors.md. `message` names the thing
 * and the next step, and never contains a token, a secret or message text.
 */
export abstract class SupportError extends Error {
  abstract readonly code: string;
  /**
   * True: the provider's write followed a lookup that found no earlier attempt, so this error alone describes the
   * outcome.
   */
  hasNoEarlierWrite = false;
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

export type InvalidInputCode =
  | 'TEXT_TOO_LONG'
  | 'TEXT_EMPTY'
  | 'TOO_MANY_ATTACHMENTS'
  | 'INPUT_INVALID'
  | 'ID_TOO_LONG'
  | 'TARGET_AMBIGUOUS'
  | 'CURSOR_INVALID'
  | 'CURSOR_EXPIRED'
  | 'ENDPOINT_URL_REFUSED';

/** The caller's input is invalid in itself; the same call can never succeed. */
export class InvalidInputError extends SupportError {
  constructor(
    readonly code: InvalidInputCode,
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

export type NotFoundCode =
  | 'SESSION_NOT_FOUND'
  | 'HANDOFF_NOT_FOUND'
  | 'INBOX_NOT_FOUND'
  | 'CHATBOT_NOT_ENABLED'
  | 'ACCOUNT_NOT_FOUND'
  | 'TEAM_NOT_FOUND'
  | 'AGENT_NOT_FOUND'
  | 'ORGANIZATION_NOT_ENABLED'
  | 'PROVIDER_UNKNOWN'
  | 'DELIVERY_NOT_FOUND'
  | 'ENDPOINT_NOT_FOUND';

/** The id is unknown or belongs to another organization. The error is the same in both cases. */
export class NotFoundError extends SupportError {
  constructor(
    readonly code: NotFoundCode,
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

export type ConflictCode =
  | 'SESSION_CLOSED'
  | 'NO_LIVE_HANDOFF'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'ACCOUNT_DISABLED'
  | 'PROVIDER_FIXED'
  | 'NO_SURVEY'
  | 'MESSAGE_DELETED'
  | 'WOULD_DELETE_PERSON'
  | 'MEMBERSHIP_NOT_SET'
  | 'LOGIN_LINK_REFUSED'
  | 'ENDPOINT_EXISTS'
  | 'ENDPOINT_NOT_VERIFIED'
  | 'SETUP_IN_PROGRESS';

/** The input is valid, but the current state forbids the operation. */
export class ConflictError extends SupportError {
  constructor(
    readonly code: ConflictCode,
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

/** The same call with the same key is still running. This call did nothing. */
export class InProgressError extends SupportError {
  readonly code = 'IDEMPOTENCY_IN_PROGRESS';
  readonly field = 'idempotencyKey';
  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

/** A bot-side write used an outdated epoch, or the bot may not speak now. Nothing was written. */
export class ControlLostError extends SupportError {
  readonly code = 'CONTROL_LOST';
  readonly field = 'epoch';
  constructor(
    readonly control: Control,
    readonly epoch: number,
  ) {
    super(
      `The bot may not write with this epoch: control is ${control} at epoch ${epoch}. Drop the message, and use the epoch of the next event or notice that gives control to the bot.`,
    );
  }
}

export class HandoffTransitionRefusedError extends SupportError {
  readonly code = 'HANDOFF_TRANSITION_REFUSED';
  readonly field = 'handoffId';
  constructor(
    readonly from: string,
    readonly cause_: string,
  ) {
    super(`A handoff that is ${from} does not allow ${cause_}. Read its state and choose a step that it allows.`);
  }
}

/** Runs a write after a lookup found no earlier attempt. Marks its errors, because they alone describe the outcome. */
export async function writeAfterLookup<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof SupportError) error.hasNoEarlierWrite = true;
    throw error;
  }
}

/** The remote could not be reached, or reported that it may work later. */
export class ProviderUnavailableError extends SupportError {
  readonly code = 'PROVIDER_UNAVAILABLE';
  /** `unknown` after a write that timed out or was cut off: look it up by our id before writing again. */
  readonly delivered: 'no' | 'unknown';
  readonly retryAfterMs: number | undefined;
  /**
   * How long the write may still take effect at the remote, in milliseconds. Until then, a failed lookup does not prove
   * that the write is missing.
   */
  readonly ambiguousForMs: number;
  /** True: the remote is up and has rate-limited us. Our own rate limit does not set this. */
  readonly isRateLimited: boolean;
  /**
   * True: only this conversation fails; the rest of the account works. If it fails repeatedly, it is damaged and stays
   * so.
   */
  readonly isConversationOnly: boolean;
  /** True: no call was made, because our own rate limit postponed it. */
  readonly isOwnRateLimit: boolean;
  constructor(
    message: string,
    options: {
      delivered?: 'no' | 'unknown';
      retryAfterMs?: number;
      ambiguousForMs?: number;
      isRateLimited?: boolean;
      isConversationOnly?: boolean;
      isOwnRateLimit?: boolean;
      cause?: unknown;
    } = {},
  ) {
    super(message, options);
    this.delivered = options.delivered ?? 'no';
    this.retryAfterMs = options.retryAfterMs;
    this.ambiguousForMs = options.ambiguousForMs ?? 0;
    this.isRateLimited = options.isRateLimited ?? false;
    this.isConversationOnly = options.isConversationOnly ?? false;
    this.isOwnRateLimit = options.isOwnRateLimit ?? false;
  }
}

/** The remote will never accept this; no retry helps. `gone`: the thing itself no longer exists there. */
export class ProviderRefusedError extends SupportError {
  readonly code = 'PROVIDER_REFUSED';
  readonly gone: boolean;
  constructor(message: string, options: { gone?: boolean; cause?: unknown } = {}) {
    super(message, options);
    this.gone = options.gone ?? false;
  }
}

/**
 * A lookup could not tell whether an earlier attempt of this write exists, because agents have changed the candidate or
 * the lookup was refused. Another write could duplicate it, so none is made until an operator has checked.
 */
export class OutcomeUnknownError extends SupportError {
  readonly code = 'OUTCOME_UNKNOWN';
}

/**
 * A tenant's address is private, or its host name leads to a private address. Thrown on connecting; nothing was sent.
 */
export class AddressRefusedError extends SupportError {
  readonly code = 'ADDRESS_REFUSED';
  constructor() {
    super(PRIVATE_ADDRESS);
  }
}

/**
 * The provider stored a write but cannot show it, nor the conversation that contains it. The write is parked and not
 * repeated automatically, because it would damage the next conversation too.
 */
export class ProviderDamagedError extends SupportError {
  readonly code = 'PROVIDER_DAMAGED';
}

/** Our credentials there are wrong, revoked, or lack a right. A person has to act; then the work continues. */
export class ProviderAuthError extends SupportError {
  readonly code = 'PROVIDER_AUTH';
}

/**
 * Support was disabled for the chatbot or the organization while deliveries to its provider were pending. They are
 * obsolete.
 */
export class SupportDisabledError extends SupportError {
  readonly code = 'SUPPORT_DISABLED';
}

/** The process or its database is overloaded. The requested operation was not done. */
export class OverloadedError extends SupportError {
  readonly code = 'OVERLOADED';
  constructor(
    readonly retryAfterMs: number,
    what: string,
  ) {
    super(`${what} Send the same call again in ${retryAfterMs} ms, with the same idempotency key.`);
  }
}

/** Returns the error for a statement that the database canceled because of other load. */
export const databaseTooBusy = (): OverloadedError =>
  new OverloadedError(1_000, 'The database was too busy to finish this call.');

/** Another replica has claimed the lane. Stop, and leave all work on it to that replica. */
export class LeaseLostError extends SupportError {
  readonly code = 'LEASE_LOST';
}

/** The provider's capabilities do not include this verb. */
export class UnsupportedByProviderError extends SupportError {
  readonly code = 'UNSUPPORTED_BY_PROVIDER';
  readonly field = 'provider';
}

/** A runtime's endpoint did not accept a push. */
export class EndpointError extends SupportError {
  /** The HTTP status, if there was a response. */
  readonly status: number | null;
  readonly retryAfterMs: number | undefined;
  constructor(
    readonly code: EndpointFailureCode,
    message: string,
    options: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options);
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The endpoint is not active, so nothing is pushed to it. Its deliveries wait in the inbox. */
export class EndpointNotActiveError extends SupportError {
  readonly code = 'ENDPOINT_NOT_ACTIVE';
}

/** Errors that a mutation returns as `userErrors`, because the caller can act on each. */
export type UserFacingError =
  | InvalidInputError
  | NotFoundError
  | ConflictError
  | InProgressError
  | ControlLostError
  | HandoffTransitionRefusedError
  | UnsupportedByProviderError;

export const isUserFacing = (error: unknown): error is UserFacingError =>
  error instanceof InvalidInputError ||
  error instanceof NotFoundError ||
  error instanceof ConflictError ||
  error instanceof InProgressError ||
  error instanceof ControlLostError ||
  error instanceof HandoffTransitionRefusedError ||
  error instanceof UnsupportedByProviderError;
