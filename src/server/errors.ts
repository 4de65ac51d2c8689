import { AccessError, BodyRefusedError, type BodyRefusal } from '../core/request-errors';
import { databaseTooBusy, OverloadedError } from '../core/errors';
import { isDatabaseBusy } from '../database-errors';
import { errorResponse, jsonResponse, type PlainResponse } from './plain-response';
import { ACCEPTED_ENCODINGS } from './inflate';

const STATUS_OF_BODY: Readonly<Record<BodyRefusal, number>> = {
  BODY_TOO_LARGE: 413,
  BODY_TOO_SLOW: 408,
  CONTENT_ENCODING_UNSUPPORTED: 415,
  BAD_REQUEST: 400,
};

/** Returns the response to a failed call. Details of internal errors stay in the log. */
export function responseForError(thrown: unknown): PlainResponse {
  const error = isDatabaseBusy(thrown) ? databaseTooBusy() : thrown;
  if (error instanceof AccessError)
    return error.code === 'UNAUTHENTICATED'
      ? errorResponse(401, error.code, error.message, { 'www-authenticate': 'Bearer' })
      : errorResponse(403, error.code, error.message);
  if (error instanceof OverloadedError) {
    const { code, message, retryAfterMs } = error;
    return jsonResponse(
      503,
      { error: { code, message, retryAfterMs } },
      { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) },
    );
  }
  if (error instanceof BodyRefusedError)
    return errorResponse(
      STATUS_OF_BODY[error.code],
      error.code,
      error.message,
      error.code === 'CONTENT_ENCODING_UNSUPPORTED' ? { 'accept-encoding': ACCEPTED_ENCODINGS } : {},
    );
  if (hasCode(error, 'IDENTITY_UNAVAILABLE'))
    return errorResponse(
      503,
      'IDENTITY_UNAVAILABLE',
      'The identity provider is unavailable, so the caller cannot be verified. Try again later.',
      { 'retry-after': '5' },
    );
  return errorResponse(
    500,
    'INTERNAL_SERVER_ERROR',
    'The request failed inside the service. The log has the error under this request id.',
  );
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as { code?: unknown }).code === code;
