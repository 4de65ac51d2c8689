import { GraphQLError, Kind } from 'graphql';
import type { Control } from '../core/control';
import {
  AccessError, ControlLostError, databaseTooBusy, InProgressError, isUserFacing, OverloadedError, SupportError, type UserFacingError,
} from '../core/errors';
import { isDatabaseBusy } from '../database-errors';

/**
 * The one place where the API's errors are made, for HTTP, WebSocket and SSE alike. What the caller can act on is a
 * `userErrors` entry of a payload; everything else is a top-level error, masked unless it was written to be read.
 * Every code has its row in docs/errors.md.
 */

/** Codes of `userErrors`, with what the schema says about each. */
export const USER_ERROR_CODES: Readonly<Record<UserFacingError['code'], string>> = {
  TEXT_TOO_LONG: 'The text is longer than one message may be.',
  TEXT_EMPTY: 'Neither a visible character nor an attachment.',
  TOO_MANY_ATTACHMENTS: 'More attachments than go with one message.',
  INPUT_INVALID: 'A value is not what the field takes.',
  ID_TOO_LONG: 'An id or key of yours is longer than allowed, or empty.',
  TARGET_AMBIGUOUS: 'A target names more than one of team and agent.',
  CURSOR_INVALID: 'The cursor was not made by this field.',
  CURSOR_EXPIRED: 'What follows the cursor was removed since, because it was older than it is kept.',
  ENDPOINT_URL_REFUSED: 'The address is none that we push to.',
  SESSION_NOT_FOUND: 'No such session in your organization.',
  HANDOFF_NOT_FOUND: 'No such handoff in your organization.',
  INBOX_NOT_FOUND: 'No such inbox in your organization.',
  CHATBOT_NOT_ENABLED: 'The chatbot has no support inbox; enable it first.',
  ACCOUNT_NOT_FOUND: 'No such support account in your organization.',
  TEAM_NOT_FOUND: 'No such team at the account, neither by our id nor by the provider\'s.',
  AGENT_NOT_FOUND: 'No such agent at the account, neither by our id nor by the provider\'s.',
  ORGANIZATION_NOT_ENABLED: 'The organization has no support account; enable it first.',
  PROVIDER_UNKNOWN: 'No provider of that name is installed.',
  DELIVERY_NOT_FOUND: 'No such delivery in your organization.',
  ENDPOINT_NOT_FOUND: 'No such runtime endpoint in your organization.',
  SESSION_CLOSED: 'The session is closed and takes nothing any more.',
  NO_LIVE_HANDOFF: 'The session has no live handoff.',
  IDEMPOTENCY_KEY_REUSED: 'The key was used before with another input.',
  IDEMPOTENCY_IN_PROGRESS: 'The same call is still under way; the entry carries retryAfterMs.',
  NO_SURVEY: 'Nobody asked for a rating of the handoff.',
  MESSAGE_DELETED: 'The message was taken back; nothing is changed on it any more.',
  ACCOUNT_DISABLED: 'The support account is disabled, or was while the call was setting it up.',
  PROVIDER_FIXED: 'What exists cannot be moved to another provider.',
  WOULD_DELETE_PERSON: 'Here the agent can only be removed by deleting the person from the provider; say so with deletePerson.',
  MEMBERSHIP_NOT_SET: 'The agent is in the account, and not yet a member of this inbox or team.',
  SETUP_IN_PROGRESS: 'The same account or inbox is being set up by another call; call again in a minute.',
  LOGIN_LINK_REFUSED: 'A login link is only for the person themselves or an operator, and only for people whom we made.',
  ENDPOINT_EXISTS: 'The chatbot, or the organization as a whole, has a runtime endpoint.',
  ENDPOINT_NOT_VERIFIED: 'The endpoint did not prove itself.',
  CONTROL_LOST: 'The bot may not speak now, or believes in an older epoch; the entry carries control and epoch.',
  HANDOFF_TRANSITION_REFUSED: 'The handoff\'s state has no such step.',
  UNSUPPORTED_BY_PROVIDER: 'The organization\'s provider cannot do this.',
};

/** Codes of top-level errors, and the HTTP status where a whole request is answered by one. 200: gateways read the code only then. */
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

/** A request that never became an operation. */
export class RequestRefusedError extends SupportError {
  constructor(readonly code: TopLevelCode, message: string) { super(message); }
}

export interface UserErrorView {
  readonly code: UserFacingError['code'];
  readonly field: string | null;
  readonly message: string;
  readonly control: Control | null;
  readonly epoch: number | null;
  readonly retryAfterMs: number | null;
}

/** The payload's entry for an error that the caller can act on; anything else is thrown on. */
export function userErrorOf(error: unknown): UserErrorView {
  if (!isUserFacing(error)) throw error;
  const lost = error instanceof ControlLostError ? error : null;
  const retryAfterMs = error instanceof InProgressError ? error.retryAfterMs : null;
  return { code: error.code, field: error.field, message: error.message, control: lost?.control ?? null, epoch: lost?.epoch ?? null, retryAfterMs };
}

/** Cuts `err` down to what cannot hold secrets or what people said. The level is `error` unless it says otherwise. */
export type Log = (fields: Readonly<Record<string, unknown>>, message: string, level?: 'info' | 'warn') => void;

/** The error as the caller may see it. What had to be masked is logged under the same request id. */
export function publicError(error: unknown, requestId: string, log: Log): GraphQLError {
  const located = error instanceof GraphQLError ? error : undefined;
  const thrown = rootOf(error);
  const isBusy = isDatabaseBusy(thrown);
  if (isBusy) log({ requestId, field: located?.path?.join('.'), err: thrown }, 'the database was too busy for an operation', 'warn');
  const cause = isBusy ? databaseTooBusy() : thrown;
  const retryAfterMs = cause instanceof OverloadedError ? cause.retryAfterMs : undefined;
  const made = (code: string, message: string, retryable: boolean): GraphQLError => new GraphQLError(message, {
    nodes: located?.nodes, source: located?.source, positions: located?.positions, path: located?.path,
    extensions: { code, requestId, retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) },
  });

  // Messages of this family are written for callers and hold no secrets; see core/errors.ts.
  if (cause instanceof SupportError) return made(cause.code, cause.message, PASSING_CODES.includes(cause.code));
  if (cause instanceof GraphQLError && (speaksOfTheRequest(cause) || isBeforeExecution(cause, located))) return made(codeOf(cause), cause.message, false);
  log({ requestId, field: located?.path?.join('.'), err: cause }, 'operation failed');
  return made('INTERNAL_SERVER_ERROR', 'Internal error', isTransient(cause));
}

/** HTTP status of a request that fails as a whole. */
export const statusOf = (error: GraphQLError): number =>
  TOP_LEVEL_CODES[error.extensions.code as TopLevelCode] ?? 400;

export const isAccessError = (error: unknown): boolean => error instanceof AccessError;

/** What was thrown first. Apollo wraps graphql-js's errors about a request, and only its wrapper has their code. */
function rootOf(error: unknown): unknown {
  let at = error;
  while (at instanceof GraphQLError && at.originalError && !isKnown(at.extensions.code) && !isAboutVariable(at)) at = at.originalError;
  return at;
}

/** graphql-js wraps the error of a scalar that refuses a caller's value, and only its wrapper names the variable. */
const isAboutVariable = ({ path, nodes }: GraphQLError): boolean => path === undefined && nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION;

const isKnown = (code: unknown): boolean => typeof code === 'string' && code in TOP_LEVEL_CODES && code !== 'INTERNAL_SERVER_ERROR';

/** Made by graphql-js or Apollo about the document or its variables; a scalar that fails on OUR data has no nodes. */
const speaksOfTheRequest = (error: GraphQLError): boolean =>
  error.nodes !== undefined || (error.extensions.code !== undefined && error.extensions.code !== 'INTERNAL_SERVER_ERROR');

/** graphql-js gives up after 50 wrong variables with an error that names none of them. One that comes from a field has a path, or stands within one that has. */
const isBeforeExecution = (cause: GraphQLError, located: GraphQLError | undefined): boolean =>
  cause === located && cause.path === undefined && cause.originalError === undefined && cause.extensions.code === undefined;

function codeOf(error: GraphQLError): string {
  if (error.extensions.limit !== undefined) return 'OPERATION_TOO_LARGE';
  const { code } = error.extensions;
  return isKnown(code) ? (code as TopLevelCode) : code === undefined ? 'BAD_USER_INPUT' : 'BAD_REQUEST';
}

/** The same call may succeed later, unchanged. */
const PASSING_CODES: readonly string[] = ['PROVIDER_UNAVAILABLE', 'IDENTITY_UNAVAILABLE', 'OVERLOADED', 'BODY_TOO_SLOW', 'OPERATION_TIMED_OUT'];

/** Postgres classes 08, 40, 53, 57, its waits that ran out, a standby (another server takes writes), and broken sockets: the same call may work in a moment. */
const isTransient = (error: unknown): boolean => {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return /^(08|40|53|57)[0-9A-Z]{3}$|^(25006|25P0[2-4]|55P03)$/.test(code) || /^(ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN)/.test(code);
  // The driver's own, which have no code.
  return typeof message === 'string' && /^Connection terminated|is not queryable|^Query read timeout/.test(message);
};
