import type { IncomingHttpHeaders } from 'node:http';
import { AccessError } from '../core/request-errors';
import { isLoopbackHost } from './loopback-host';
import type { Credentials } from './identity-values';

const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * Requires that the caller is a program on this machine. Called if callers need no credentials. Refuses pages of other
 * sites in a local browser, and proxies, which forward requests from elsewhere.
 * @throws AccessError FORBIDDEN
 */
export function requireLocalCaller({ headers, remoteAddress }: Credentials): void {
  if (remoteAddress !== undefined && !isLoopbackHost(remoteAddress)) refuse('it comes from another machine');
  if (PROXY_HEADERS.some(name => headers[name] !== undefined)) refuse('it comes through a proxy');
  // DNS rebinding: a foreign name that resolves to 127.0.0.1 makes a browser treat this service as that site.
  if (!isLoopbackHost(hostnameOf(`http://${headers.host ?? ''}`))) refuse('its Host is not this machine');
  if (headers.origin !== undefined && !isLoopbackHost(hostnameOf(headers.origin))) refuse('it comes from another site');
  if (isCrossSiteRead(headers)) refuse('it comes from another site');
}

/**
 * Browsers send no Origin with an image or script of another site, but they send these headers. Navigation is harmless.
 */
const isCrossSiteRead = (headers: IncomingHttpHeaders): boolean =>
  headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate';

const hostnameOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : '');

function refuse(why: string): never {
  throw new AccessError(
    'FORBIDDEN',
    `Without identity settings only programs on this machine are served, and this call is refused because ${why}. See docs/settings.md.`,
  );
}
