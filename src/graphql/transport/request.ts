import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import { RequestRefusedError, statusOf } from '../errors';

/** The gateway's own id of the request when it is harmless, so that its log and ours can be read together. */
export function givenRequestId(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : undefined;
}

/** @throws RequestRefusedError BODY_TOO_LARGE | BAD_REQUEST | UNSUPPORTED_MEDIA_TYPE */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<Readonly<Record<string, unknown>>> {
  // A page of another origin can send text/plain without asking, whatever it says it accepts.
  if (!/^application\/(json|graphql\+json)\b/i.test(request.headers['content-type'] ?? ''))
    throw new RequestRefusedError('UNSUPPORTED_MEDIA_TYPE', 'Send the operation as application/json.');
  const text = await readText(request, maxBytes);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new RequestRefusedError('BAD_REQUEST', 'The body is not JSON.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new RequestRefusedError('BAD_REQUEST', 'The body must be one JSON object with query, variables and operationName.');
  return body as Record<string, unknown>;
}

/** The client went away before the request was whole: nobody is left to answer. */
export class ClientGoneError extends Error {}

/** Not `for await`: leaving that early destroys the connection, and the client never reads why it was refused. */
function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) { reject(tooLarge(maxBytes)); return; }
    const parts: Buffer[] = [];
    let size = 0;
    const settle = (): void => { request.off('data', take).off('end', whole).off('close', gone).off('error', gone); };
    const take = (part: Buffer): void => {
      size += part.length;
      if (size <= maxBytes) { parts.push(part); return; }
      settle();
      reject(tooLarge(maxBytes));
    };
    const whole = (): void => { settle(); resolve(Buffer.concat(parts).toString('utf8')); };
    const gone = (): void => { settle(); reject(new ClientGoneError()); };
    request.on('data', take).on('end', whole).on('close', gone).on('error', gone);
  });
}

const tooLarge = (maxBytes: number): RequestRefusedError =>
  new RequestRefusedError('BODY_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`);

/** Answers a whole request with one error. */
export function sendError(request: IncomingMessage, response: ServerResponse, error: GraphQLError): void {
  if (response.headersSent) { response.destroy(); return; }
  const status = statusOf(error);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store',
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}), ...(status === 405 ? { allow: 'GET, POST' } : {}), ...(status === 503 ? { 'retry-after': '1' } : {}),
  });
  response.end(JSON.stringify({ errors: [error.toJSON()] }));
  // What is left of the body is read and thrown away, so that the answer arrives; the server's request timeout ends it.
  request.resume();
}

/** Resolves when the client can take more, or is gone. */
export const drained = (response: ServerResponse): Promise<void> => new Promise((resolve) => {
  if (!response.writableNeedDrain || response.destroyed) { resolve(); return; }
  const done = (): void => {
    response.off('drain', done).off('close', done);
    resolve();
  };
  response.once('drain', done).once('close', done);
});
