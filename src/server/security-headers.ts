import type { ServerResponse } from 'node:http';

/** On every answer; a room may set stricter ones. TLS, and so HSTS, belongs to whatever stands in front. */
export function setSecurityHeaders(response: ServerResponse): void {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-frame-options', 'SAMEORIGIN');
  response.setHeader('referrer-policy', 'no-referrer');
}
