import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import { RequestRefusedError, httpStatusOf } from '../operation/errors';

/** Returns the request id of the gateway if its characters are harmless, so that both logs can be correlated. */
export function requestIdFromHeaders(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : undefined;
}

/**
 * Reads an operation that was sent by POST.
 * @param readBody reads the whole body, inflated and within the limit
 * @throws RequestRefusedError BAD_REQUEST | UNSUPPORTED_MEDIA_TYPE, and any error of `readBody`
 */
export async function readJsonBody(
  request: IncomingMessage,
  readBody: () => Promise<Buffer>,
): Promise<Readonly<Record<string, unknown>>> {
  // A page of another origin can send text/plain without a CORS preflight, whatever its accept header.
  if (!/^application\/(json|graphql\+json)\b/i.test(request.headers['content-type'] ?? ''))
    throw new RequestRefusedError(
      'UNSUPPORTED_MEDIA_TYPE',
      'The content type must be application/json. Set the content-type header.',
    );
  const text = (await readBody()).toString('utf8');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new RequestRefusedError(
      'BAD_REQUEST',
      'The body is not valid JSON. Send one JSON object with query, variables and operationName.',
    );
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new RequestRefusedError(
      'BAD_REQUEST',
      'The body is not a JSON object. Send one with query, variables and operationName.',
    );
  return body as Record<string, unknown>;
}

/** Creates the response to a request that failed as a whole. */
export function errorResponse(error: GraphQLError): {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const status = httpStatusOf(error);
  return {
    status,
    body: JSON.stringify({ errors: [error.toJSON()] }),
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(status === 405 ? { allow: 'GET, POST' } : {}),
      ...(status === 503 ? { 'retry-after': '1' } : {}),
      ...(error.extensions['code'] === 'CONTENT_ENCODING_UNSUPPORTED'
        ? { 'accept-encoding': 'gzip, deflate, br' }
        : {}),
    },
  };
}

/** Resolves when the operating system has taken the whole response, or the client disconnected. */
export const sent = (response: ServerResponse): Promise<void> =>
  new Promise(resolve => {
    if (response.writableFinished || response.destroyed) resolve();
    else response.once('finish', resolve).once('close', resolve);
  });

/** Resolves when the client can take more, or disconnected. */
export const waitForDrain = (response: ServerResponse): Promise<void> =>
  new Promise(resolve => {
    if (!response.writableNeedDrain || response.destroyed) {
      resolve();
      return;
    }
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
