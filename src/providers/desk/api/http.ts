import type { z } from 'zod';
import type { ProviderHttpRequest, ProviderHttpResponse } from '../../../core/ports/provider/definition';

/** A refusal that the caller can act on. */
export class DeskApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export const notFoundError = (what: string) =>
  new DeskApiError(404, 'NOT_FOUND', `There is no such ${what} in your organization; reload the lists and try again.`);

const ALWAYS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

export const json = (body: unknown, status = 200): ProviderHttpResponse => ({
  status,
  headers: { ...ALWAYS, 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(body),
});

export const refusal = ({ status, code, message }: DeskApiError): ProviderHttpResponse =>
  json({ error: { code, message } }, status);

/** Returns a response that continues until its reader disconnects. */
export const eventStream = (body: AsyncIterableIterator<string>): ProviderHttpResponse => ({
  status: 200,
  headers: { ...ALWAYS, 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' },
  body,
});

export const content = (
  body: string | Buffer,
  contentType: string,
  headers: Readonly<Record<string, string>> = {},
): ProviderHttpResponse => ({ status: 200, headers: { ...ALWAYS, 'content-type': contentType, ...headers }, body });

/** Validates an input. The error names all problems, each with its field. */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new DeskApiError(400, 'INPUT_INVALID', problems.join('; '));
}

/**
 * Parses a JSON body. Requiring the JSON media type makes browsers ask before another site's page sends it, so such a
 * page can change nothing at the desk.
 */
export async function jsonBody<T>(
  schema: z.ZodType<T>,
  { headers, readBody }: Pick<ProviderHttpRequest, 'headers' | 'readBody'>,
): Promise<T> {
  if (!/^application\/json\b/.test(headers['content-type'] ?? ''))
    throw new DeskApiError(415, 'JSON_REQUIRED', 'The body is not declared as JSON; send it as application/json.');
  const text = (await readBody()).toString('utf8');
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    throw new DeskApiError(400, 'INPUT_INVALID', 'The body is not valid JSON; correct it and send it again.');
  }
  return parseInput(schema, input);
}
