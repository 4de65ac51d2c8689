import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const VALID_REQUEST_ID = /^[A-Za-z0-9._:-]{1,100}$/;

/** Returns the request id from the caller or a gateway if it is harmless in a log, otherwise a new one. */
export function adoptRequestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && VALID_REQUEST_ID.test(given) ? given : randomUUID();
  // Handlers that read the headers see the same id as the log.
  request.headers['x-request-id'] = id;
  return id;
}

/** Sets headers for all responses; handlers may set stricter ones. TLS, and so HSTS, is up to the proxy in front. */
export function setSecurityHeaders(response: ServerResponse): void {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-frame-options', 'SAMEORIGIN');
  response.setHeader('referrer-policy', 'no-referrer');
}
