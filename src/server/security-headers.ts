import type { ServerResponse } from 'node:http';

/** Sets headers for all responses; handlers may set stricter ones. TLS, and so HSTS, is up to the proxy in front. */
export function setSecurityHeaders(response: ServerResponse): void {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-frame-options', 'SAMEORIGIN');
  response.setHeader('referrer-policy', 'no-referrer');
}
