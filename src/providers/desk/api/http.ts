import type { z } from 'zod';
import type { ProviderHttpRequest, ProviderHttpResponse } from '../../../core/ports/support-provider';

/** A refusal that the caller can act on. */
export class DeskApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) { super(message); }
}

export const notFound = (what: string) => new DeskApiError(404, 'NOT_FOUND', `There is no such ${what}.`);

const ALWAYS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

export const json = (body: unknown, status = 200): ProviderHttpResponse =>
  ({ status, headers: { ...ALWAYS, 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(body) });

export const refusal = ({ status, code, message }: DeskApiError): ProviderHttpResponse => json({ error: { code, message } }, status);

/** An answer that goes on until its reader leaves. */
export const eventStream = (body: AsyncIterableIterator<string>): ProviderHttpResponse =>
  ({ status: 200, headers: { ...ALWAYS, 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }, body });

export const content = (body: string | Buffer, contentType: string, headers: Readonly<Record<string, string>> = {}): ProviderHttpResponse =>
  ({ status: 200, headers: { ...ALWAYS, 'content-type': contentType, ...headers }, body });

/** All problems at once, each with its field. */
export function checked<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new DeskApiError(400, 'INPUT_INVALID', problems.join('; '));
}

/**
 * JSON only: another site's form or script cannot send it without asking first, so a visit to a foreign page does
 * nothing here.
 */
export async function jsonBody<T>(schema: z.ZodType<T>, { headers, readBody }: Pick<ProviderHttpRequest, 'headers' | 'readBody'>): Promise<T> {
  if (!/^application\/json\b/.test(headers['content-type'] ?? ''))
    throw new DeskApiError(415, 'JSON_REQUIRED', 'Send the body as application/json.');
  const text = (await readBody()).toString('utf8');
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    throw new DeskApiError(400, 'INPUT_INVALID', 'The body is not JSON.');
  }
  return checked(schema, input);
}
