import { SupportError } from '../core/errors';

const MAX_CAUSES = 4;
const MAX_MESSAGE = 300;

export interface DescribedError {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  /** The database constraint that was violated. */
  readonly constraint?: string;
  readonly stack?: string;
  readonly cause?: DescribedError;
}

/**
 * Describes an error for the log. Our own messages contain neither secrets nor message text. Of other errors only known
 * fields are copied: a driver's error also has the statement's parameters, and a parser's message quotes its input.
 */
export function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: 'a value that is not an Error was thrown' };
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: quotesInput(error) ? '(may quote its input)' : error.message.slice(0, MAX_MESSAGE),
    ...(typeof constraint === 'string' ? { constraint } : {}),
    ...framesOf(error),
    ...(error.cause === undefined || depth >= MAX_CAUSES ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}

/** JSON.parse and Postgres's class 22 (data exceptions) quote the invalid value. */
const quotesInput = (error: Error & { code?: unknown }): boolean =>
  !(error instanceof SupportError) &&
  (error instanceof SyntaxError || (typeof error.code === 'string' && /^22[0-9A-Z]{3}$/.test(error.code)));

/** Returns the stack's frames without the message, which has its own field and limits. */
function framesOf(error: Error): { stack?: string } {
  const frames = (error.stack ?? '').split('\n').filter(line => /^\s+at /.test(line));
  return frames.length === 0 ? {} : { stack: frames.map(line => line.trim()).join('\n') };
}
