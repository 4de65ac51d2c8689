import { AccessError, OverloadedError } from '../core/errors';
import { errorAnswer, jsonAnswer, type Answer } from './answer';

/** The answer to a call that a room could not finish. What went wrong inside stays in the log. */
export function answerOfError(error: unknown): Answer {
  if (error instanceof AccessError)
    return error.code === 'UNAUTHENTICATED'
      ? errorAnswer(401, error.code, error.message, { 'www-authenticate': 'Bearer' })
      : errorAnswer(403, error.code, error.message);
  if (error instanceof OverloadedError) {
    const { code, message, retryAfterMs } = error;
    return jsonAnswer(503, { error: { code, message, retryAfterMs } }, { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) });
  }
  if (hasCode(error, 'IDENTITY_UNAVAILABLE')) return errorAnswer(503, 'IDENTITY_UNAVAILABLE', 'Who calls cannot be checked now; try again.', { 'retry-after': '5' });
  return errorAnswer(500, 'INTERNAL_SERVER_ERROR', 'The request failed inside the service; the log has it under this request id.');
}

const hasCode = (error: unknown, code: string): boolean => error instanceof Error && (error as { code?: unknown }).code === code;
