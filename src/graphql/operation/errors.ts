import { GraphQLError, Kind } from 'graphql';
import type { Control } from '../../core/control';
import { AccessError } from '../../core/request-errors';
import {
  ControlLostError,
  databaseTooBusy,
  InProgressError,
  isUserFacing,
  OverloadedError,
  SupportError,
  type UserFacingError,
} from '../../core/errors';
import { isDatabaseBusy } from '../../database-errors';

/**
 * Creates all errors of the API, for HTTP, WebSocket and SSE alike. An error that the caller can act on becomes an
 * entry in `userErrors` of a payload. Every other error is a top-level error, masked unless its message is meant for
 * callers. Every code has a row in docs/errors.md.
 */

/** Codes of `userErrors` with their descriptions in the schema. */
export const USER_ERROR_CODES: Readonly<Record<UserFacingError['code'], string>> = {
  TEXT_TOO_LONG: 'The text exceeds the maximum length of a message.',
  TEXT_EMPTY: 'The message has neither a visible character nor an attachment.',
  TOO_MANY_ATTACHMENTS: 'The message has too many attachments.',
  INPUT_INVALID: 'A value is invalid for its field.',
  ID_TOO_LONG: 'An id or key that you gave is empty or too long.',
  TARGET_AMBIGUOUS: 'The target names both a team and an agent.',
  CURSOR_INVALID: 'The cursor does not come from this field.',
  CURSOR_EXPIRED: 'Items after the cursor were removed because they were older than the retention period.',
  ENDPOINT_URL_REFUSED: 'The URL may not be used for pushes.',
  SESSION_NOT_FOUND: 'The session does not exist in your organization.',
  HANDOFF_NOT_FOUND: 'The handoff does not exist in your organization.',
  INBOX_NOT_FOUND: 'The inbox does not exist in your organization.',
  CHATBOT_NOT_ENABLED: 'The chatbot has no support inbox; enable it first.',
  ACCOUNT_NOT_FOUND: 'The support account does not exist in your organization.',
  TEAM_NOT_FOUND: "The account has no such team, neither by our id nor by the provider's id.",
  AGENT_NOT_FOUND: "The account has no such agent, neither by our id nor by the provider's id.",
  ORGANIZATION_NOT_ENABLED: 'The organization has no support account; enable it first.',
  PROVIDER_UNKNOWN: 'No provider with this name is installed.',
  DELIVERY_NOT_FOUND: 'The delivery does not exist in your organization.',
  ENDPOINT_NOT_FOUND: 'The runtime endpoint does not exist in your organization.',
  SESSION_CLOSED: 'The session is closed and accepts no more changes.',
  NO_LIVE_HANDOFF: 'The session has no live handoff.',
  IDEMPOTENCY_KEY_REUSED: 'The key was used before with another input.',
  IDEMPOTENCY_IN_PROGRESS: 'The same call is still in progress; wait for retryAfterMs.',
  NO_SURVEY: 'The provider offered no survey for the handoff.',
  MESSAGE_DELETED: 'The message was deleted and can no longer be changed.',
  ACCOUNT_DISABLED: 'The support account is disabled, or was disabled during the call.',
  PROVIDER_FIXED: 'The chatbot is connected to another support account and cannot be moved.',
  WOULD_DELETE_PERSON:
    'The agent can only be removed by deleting their user at the provider; set deletePerson to permit it.',
  MEMBERSHIP_NOT_SET: 'The agent is in the account, but not yet a member of this inbox or team.',
  SETUP_IN_PROGRESS: 'Another call is setting up the same account or inbox; repeat the call in a minute.',
  LOGIN_LINK_REFUSED:
    'Only the agent or an operator may create a login link, and only for an agent that this service created.',
  ENDPOINT_EXISTS: 'The chatbot, or the organization as a whole, already has a runtime endpoint.',
  ENDPOINT_NOT_VERIFIED: 'The endpoint did not pass verification.',
  CONTROL_LOST: 'The bot may not answer now, or its epoch is outdated; the error carries control and epoch.',
  HANDOFF_TRANSITION_REFUSED: 'The handoff cannot change from its current state in this way.',
  UNSUPPORTED_BY_PROVIDER: "The organization's provider cannot do this.",
};

/**
 * Codes of top-level errors with the HTTP status of a request that fails as a whole. 200 where gateways would not read
 * the code otherwise.
 */
export const TOP_LEVEL_CODES = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  BAD_REQUEST: 400,
  METHOD_NOT_ALLOWED: 405,
  BODY_TOO_LARGE: 413,
  BODY_TOO_SLOW: 408,
  UNSUPPORTED_MEDIA_TYPE: 415,
  CONTENT_ENCODING_UNSUPPORTED: 415,
  BAD_USER_INPUT: 400,
  GRAPHQL_PARSE_FAILED: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  OPERATION_RESOLUTION_FAILURE: 400,
  OPERATION_TOO_LARGE: 400,
  OPERATION_TOO_COSTLY: 400,
  TOO_MANY_REPRESENTATIONS: 400,
  TOO_MUCH_INTROSPECTION: 400,
  RESULT_TOO_LARGE: 200,
  OPERATION_TIMED_OUT: 200,
  SUBSCRIPTION_NEEDS_STREAM: 400,
  PERSISTED_QUERY_NOT_SUPPORTED: 200,
  TOO_MANY_SUBSCRIPTIONS: 429,
  OVERLOADED: 503,
  IDENTITY_UNAVAILABLE: 503,
  PROVIDER_UNAVAILABLE: 503,
  PROVIDER_REFUSED: 502,
  PROVIDER_AUTH: 502,
  INTERNAL_SERVER_ERROR: 500,
} as const satisfies Readonly<Record<string, number>>;
export type TopLevelCode = keyof typeof TOP_LEVEL_CODES;

/** A request that was refused before or during execution, with a message for its caller. */
export class RequestRefusedError extends SupportError {
  constructor(
    readonly code: TopLevelCode,
    message: string,
  ) {
    super(message);
  }
}

export interface UserErrorView {
  readonly code: UserFacingError['code'];
  readonly field: string | null;
  readonly message: string;
  readonly control: Control | null;
  readonly epoch: number | null;
  readonly retryAfterMs: number | null;
}

/** Converts an error that the caller can act on to an entry of `userErrors`. Throws any other error again. */
export function toUserError(error: unknown): UserErrorView {
  if (!isUserFacing(error)) throw error;
  const lost = error instanceof ControlLostError ? error : null;
  const retryAfterMs = error instanceof InProgressError ? error.retryAfterMs : null;
  return {
    code: error.code,
    field: error.field,
    message: error.message,
    control: lost?.control ?? null,
    epoch: lost?.epoch ?? null,
    retryAfterMs,
  };
}

/** Logs an event. Reduces `err` to parts without secrets or message text. The level is `error` if omitted. */
export type Log = (fields: Readonly<Record<string, unknown>>, message: string, level?: 'info' | 'warn') => void;

/** Converts an error to the one that the caller may see. A masked error is logged with the same request id. */
export function toPublicError(error: unknown, requestId: string, log: Log): GraphQLError {
  const located = error instanceof GraphQLError ? error : undefined;
  const thrown = rootError(error);
  const isBusy = isDatabaseBusy(thrown);
  if (isBusy)
    log(
      { requestId, field: located?.path?.join('.'), err: thrown },
      'the database was too busy for an operation',
      'warn',
    );
  const cause = isBusy ? databaseTooBusy() : thrown;
  const retryAfterMs = cause instanceof OverloadedError ? cause.retryAfterMs : undefined;
  const createError = (code: string, message: string, retryable: boolean): GraphQLError =>
    new GraphQLError(message, {
      nodes: located?.nodes,
      source: located?.source,
      positions: located?.positions,
      path: located?.path,
      extensions: { code, requestId, retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) },
    });

  // Messages of SupportError are written for callers and contain no secrets; see core/errors.ts.
  if (cause instanceof SupportError)
    return createError(cause.code, cause.message, RETRYABLE_CODES.includes(cause.code));
  if (cause instanceof GraphQLError && (isRequestError(cause) || isBeforeExecution(cause, located)))
    return createError(codeOf(cause), cause.message, false);
  log({ requestId, field: located?.path?.join('.'), err: cause }, 'operation failed');
  return createError('INTERNAL_SERVER_ERROR', 'Internal error', isTransientDatabaseError(cause));
}

/** Returns the HTTP status of a request that fails as a whole. */
export const httpStatusOf = (error: GraphQLError): number =>
  TOP_LEVEL_CODES[error.extensions.code as TopLevelCode] ?? 400;

export const isAccessError = (error: unknown): boolean => error instanceof AccessError;

/** Returns the error that was thrown first. Only Apollo's wrapper of graphql-js's request errors carries their code. */
function rootError(error: unknown): unknown {
  let at = error;
  while (at instanceof GraphQLError && at.originalError && !isKnownCode(at.extensions.code) && !isAboutVariable(at))
    at = at.originalError;
  return at;
}

/** graphql-js wraps the error of a scalar that refuses the caller's value, and only the wrapper names the variable. */
const isAboutVariable = ({ path, nodes }: GraphQLError): boolean =>
  path === undefined && nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION;

const isKnownCode = (code: unknown): boolean =>
  typeof code === 'string' && code in TOP_LEVEL_CODES && code !== 'INTERNAL_SERVER_ERROR';

/**
 * True for errors of graphql-js or Apollo about the document or its variables. A scalar that fails on our data has no
 * nodes.
 */
const isRequestError = (error: GraphQLError): boolean =>
  error.nodes !== undefined ||
  (error.extensions.code !== undefined && error.extensions.code !== 'INTERNAL_SERVER_ERROR');

/**
 * After 50 invalid variables, graphql-js fails with an error that names none of them. An error of a field has a path,
 * or is wrapped in one that has.
 */
const isBeforeExecution = (cause: GraphQLError, located: GraphQLError | undefined): boolean =>
  cause === located &&
  cause.path === undefined &&
  cause.originalError === undefined &&
  cause.extensions.code === undefined;

function codeOf(error: GraphQLError): string {
  if (error.extensions.limit !== undefined) return 'OPERATION_TOO_LARGE';
  const { code } = error.extensions;
  return isKnownCode(code) ? (code as TopLevelCode) : code === undefined ? 'BAD_USER_INPUT' : 'BAD_REQUEST';
}

/** Codes after which the same call may succeed later, unchanged. */
const RETRYABLE_CODES: readonly string[] = [
  'PROVIDER_UNAVAILABLE',
  'IDENTITY_UNAVAILABLE',
  'OVERLOADED',
  'BODY_TOO_SLOW',
  'OPERATION_TIMED_OUT',
];

/**
 * True for Postgres classes 08, 40, 53, 57, expired waits, a standby (another server accepts writes), and broken
 * sockets: the same call may succeed in a moment.
 */
const isTransientDatabaseError = (error: unknown): boolean => {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string')
    return (
      /^(08|40|53|57)[0-9A-Z]{3}$|^(25006|25P0[2-4]|55P03)$/.test(code) ||
      /^(ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN)/.test(code)
    );
  // Errors of the driver itself have no code.
  return typeof message === 'string' && /^Connection terminated|is not queryable|^Query read timeout/.test(message);
};
