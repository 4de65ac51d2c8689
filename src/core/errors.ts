import type { CallerRole } from './caller';
import { PRIVATE_ADDRESS } from './checks/url';
import type { Control } from './control';
import type { EndpointFailureCode } from './runtime-endpoint';

/**
 * The one family of errors. `code` is stable and documented in docs/errors.md; `message` names the thing and the
 * next step, and never holds a token, a secret or what people said.
 */
export abstract class SupportError extends Error {
  abstract readonly code: string;
  /** Of a provider's write that looked for earlier tries of itself first: there are none, so this error alone says what there is. */
  nothingEarlier = false;
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

export type InvalidInputCode =
  | 'TEXT_TOO_LONG' | 'TEXT_EMPTY' | 'TOO_MANY_ATTACHMENTS' | 'INPUT_INVALID' | 'ID_TOO_LONG'
  | 'TARGET_AMBIGUOUS' | 'CURSOR_INVALID' | 'CURSOR_EXPIRED' | 'ENDPOINT_URL_REFUSED';

/** The caller's input is wrong in itself; the same call can never succeed. */
export class InvalidInputError extends SupportError {
  constructor(readonly code: InvalidInputCode, readonly field: string, message: string) { super(message); }
}

export type NotFoundCode =
  | 'SESSION_NOT_FOUND' | 'HANDOFF_NOT_FOUND' | 'INBOX_NOT_FOUND' | 'CHATBOT_NOT_ENABLED' | 'ACCOUNT_NOT_FOUND'
  | 'TEAM_NOT_FOUND' | 'AGENT_NOT_FOUND' | 'ORGANIZATION_NOT_ENABLED' | 'PROVIDER_UNKNOWN' | 'DELIVERY_NOT_FOUND' | 'ENDPOINT_NOT_FOUND';

/** Unknown, or another organization's: the two are answered alike. */
export class NotFoundError extends SupportError {
  constructor(readonly code: NotFoundCode, readonly field: string, message: string) { super(message); }
}

export type ConflictCode =
  | 'SESSION_CLOSED' | 'NO_LIVE_HANDOFF' | 'IDEMPOTENCY_KEY_REUSED' | 'ACCOUNT_DISABLED' | 'PROVIDER_FIXED'
  | 'NO_SURVEY' | 'MESSAGE_DELETED' | 'WOULD_DELETE_PERSON' | 'MEMBERSHIP_NOT_SET' | 'LOGIN_LINK_REFUSED' | 'ENDPOINT_EXISTS' | 'ENDPOINT_NOT_VERIFIED'
  | 'SETUP_IN_PROGRESS';

/** The input is right but the state of the thing forbids it. */
export class ConflictError extends SupportError {
  constructor(readonly code: ConflictCode, readonly field: string, message: string) { super(message); }
}

/** The same call, under the same key, is still under way. Nothing was done this time. */
export class InProgressError extends SupportError {
  readonly code = 'IDEMPOTENCY_IN_PROGRESS';
  readonly field = 'idempotencyKey';
  constructor(message: string, readonly retryAfterMs: number) { super(message); }
}

/** A bot-side write that believed in an older epoch, or that may not speak now. Nothing was written. */
export class ControlLostError extends SupportError {
  readonly code = 'CONTROL_LOST';
  readonly field = 'epoch';
  constructor(readonly control: Control, readonly epoch: number) {
    super(`Control is ${control} at epoch ${epoch}; stay silent until control returns to BOT, then use the new epoch.`);
  }
}

export class HandoffTransitionRefusedError extends SupportError {
  readonly code = 'HANDOFF_TRANSITION_REFUSED';
  readonly field = 'handoffId';
  constructor(readonly from: string, readonly cause_: string) {
    super(`A handoff that is ${from} cannot take ${cause_}; read its state and choose a step that it has.`);
  }
}

/** A write behind a look that found no earlier try of it: its error alone says what is there. */
export async function writeAfterLook<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof SupportError) error.nothingEarlier = true;
    throw error;
  }
}

/** The far side could not be reached or answered that it may work later. */
export class ProviderUnavailableError extends SupportError {
  readonly code = 'PROVIDER_UNAVAILABLE';
  /** `unknown` after a timed-out or cut write: look it up by our id before writing again. */
  readonly delivered: 'no' | 'unknown';
  readonly retryAfterMs: number | undefined;
  /** For how long what was sent may still take effect over there: until then, not to be found says nothing. */
  readonly settlesAfterMs: number;
  /** It is there and said itself that it has had enough for now. Our own pace says nothing of that. */
  readonly answered: boolean;
  /** Only this conversation fails: the rest of the account answers. Again and again, it is damaged and stays so. */
  readonly onlyHere: boolean;
  /** It was not asked: we keep to a pace of our own, and its turn comes later. */
  readonly isOwnPace: boolean;
  constructor(message: string, options: { delivered?: 'no' | 'unknown'; retryAfterMs?: number; settlesAfterMs?: number; answered?: boolean; onlyHere?: boolean; isOwnPace?: boolean; cause?: unknown } = {}) {
    super(message, options);
    this.delivered = options.delivered ?? 'no';
    this.retryAfterMs = options.retryAfterMs;
    this.settlesAfterMs = options.settlesAfterMs ?? 0;
    this.answered = options.answered ?? false;
    this.onlyHere = options.onlyHere ?? false;
    this.isOwnPace = options.isOwnPace ?? false;
  }
}

/** The far side will never take this; no retry helps. `gone`: the thing itself no longer exists there. */
export class ProviderRefusedError extends SupportError {
  readonly code = 'PROVIDER_REFUSED';
  readonly gone: boolean;
  constructor(message: string, options: { gone?: boolean; cause?: unknown } = {}) {
    super(message, options);
    this.gone = options.gone ?? false;
  }
}

/**
 * An earlier try of this write was looked for, and what is there may be it or not: people have changed it, or the look was
 * refused. Writing again could double it, so nobody does before an operator has looked.
 */
export class OutcomeUnknownError extends SupportError {
  readonly code = 'OUTCOME_UNKNOWN';
}

/** An address of a tenant is private or its name leads to a private address. Thrown when it is connected to; nothing was sent. */
export class AddressRefusedError extends SupportError {
  readonly code = 'ADDRESS_REFUSED';
  constructor() { super(PRIVATE_ADDRESS); }
}

/**
 * The provider stored a write and cannot show it, and with it the conversation that it stands in. It is parked and never written
 * again by itself: it would damage the next conversation too.
 */
export class ProviderDamagedError extends SupportError {
  readonly code = 'PROVIDER_DAMAGED';
}

/** Our credentials there are wrong, revoked, or lack a right: a person has to act, then the work goes on. */
export class ProviderAuthError extends SupportError {
  readonly code = 'PROVIDER_AUTH';
}

/** Support was switched off for the chatbot or the organization while something was still owed to its provider: nothing is, any more. */
export class SupportDisabledError extends SupportError {
  readonly code = 'SUPPORT_DISABLED';
}

/** More than this process or its database takes at once. What was asked for was not done. */
export class OverloadedError extends SupportError {
  readonly code = 'OVERLOADED';
  constructor(readonly retryAfterMs: number, what: string) {
    super(`${what} Send the same call again in ${retryAfterMs} ms, with the same idempotency key.`);
  }
}

/** What a caller hears of a statement that the database gave up because others were in its way. */
export const databaseTooBusy = (): OverloadedError => new OverloadedError(1_000, 'The database was too busy to finish this call.');

export type BodyRefusal = 'BODY_TOO_LARGE' | 'BODY_TOO_SLOW' | 'CONTENT_ENCODING_UNSUPPORTED' | 'BAD_REQUEST';

/** The body of a request was not taken, and nothing was done. */
export class BodyRefusedError extends SupportError {
  constructor(readonly code: BodyRefusal, message: string) { super(message); }
}

export const bodyTooLarge = (limitBytes: number): BodyRefusedError =>
  new BodyRefusedError('BODY_TOO_LARGE', `The body is larger than ${limitBytes} bytes, inflated; send less at once.`);

/** The caller went away before the request was whole; nobody is left to answer. */
export class ClientGoneError extends Error {}

/** Whether an error of reading a body is about the request itself: a page or receiver lets it through, and the server answers it. */
export const isAboutRequest = (error: unknown): boolean =>
  error instanceof BodyRefusedError || error instanceof OverloadedError || error instanceof ClientGoneError;

export type FileRefusal = 'FILE_MISSING' | 'FILE_TOO_LARGE' | 'FILE_TYPE_REFUSED';

/** The host of an end-user's or a bot's file cannot be reached now, or says that it may work later. */
export class FileUnavailableError extends SupportError {
  readonly code = 'FILE_UNAVAILABLE';
}

/** A file that is not kept: it is not where it should be, or more than our limits allow. */
export class FileRefusedError extends SupportError {
  constructor(readonly code: FileRefusal, message: string) { super(message); }
}

/** Kept files cannot be reached or written now; a later try may succeed. */
export class MediaStoreError extends SupportError {
  readonly code = 'MEDIA_STORE_UNAVAILABLE';
}

/** Another replica has the lane by now: stop, and leave everything to it. */
export class LeaseLostError extends SupportError {
  readonly code = 'LEASE_LOST';
}

/** The provider's manifest does not declare this verb. */
export class UnsupportedByProviderError extends SupportError {
  readonly code = 'UNSUPPORTED_BY_PROVIDER';
  readonly field = 'provider';
}

/** A runtime's endpoint did not take what was pushed to it. */
export class EndpointError extends SupportError {
  /** The HTTP status, if it answered. */
  readonly status: number | null;
  readonly retryAfterMs: number | undefined;
  constructor(readonly code: EndpointFailureCode, message: string, options: { status?: number; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options);
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Nothing is pushed to this endpoint now: what was to be pushed waits in the inbox. */
export class EndpointNotActiveError extends SupportError {
  readonly code = 'ENDPOINT_NOT_ACTIVE';
}

export type WebhookRejection = 'badSignature' | 'stale' | 'unknownConnection' | 'malformed' | 'tooLarge';

export class WebhookRejectedError extends SupportError {
  readonly code = 'WEBHOOK_REJECTED';
  constructor(readonly why: WebhookRejection, message: string) { super(message); }
}

/** The caller is nobody we know, or may not do this. */
export class AccessError extends SupportError {
  constructor(readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN', message: string) { super(message); }
}

/** The caller has proved who it is and names no organization: it may read the schema and nothing else. */
export class NoOrganizationError extends AccessError {
  constructor(readonly role: CallerRole, message: string) { super('FORBIDDEN', message); }
}

/** Errors that a mutation answers as `userErrors`: the caller can act on each. */
export type UserFacingError =
  | InvalidInputError | NotFoundError | ConflictError | InProgressError | ControlLostError | HandoffTransitionRefusedError
  | UnsupportedByProviderError;

export const isUserFacing = (error: unknown): error is UserFacingError =>
  error instanceof InvalidInputError || error instanceof NotFoundError || error instanceof ConflictError ||
  error instanceof InProgressError || error instanceof ControlLostError || error instanceof HandoffTransitionRefusedError ||
  error instanceof UnsupportedByProviderError;
