import type { IncomingHttpHeaders } from 'node:http';
import { AccessError } from '../core/errors';
import { isLoopbackHost } from './loopback-host';
import type { Credentials } from './presented';

const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * Where nobody has to prove who they are, the caller must be a program of this machine, and not a stranger's page in a
 * browser of this machine, nor a proxy that brings strangers in.
 * @throws AccessError FORBIDDEN
 */
export function requireLocalCaller({ headers, remoteAddress }: Credentials): void {
  if (remoteAddress !== undefined && !isLoopbackHost(remoteAddress)) refuse('it comes from another machine');
  if (PROXY_HEADERS.some(name => headers[name] !== undefined)) refuse('it comes through a proxy');
  // A name that a stranger's DNS points at 127.0.0.1 makes a browser take us for that stranger's own site.
  if (!isLoopbackHost(hostnameOf(`http://${headers.host ?? ''}`))) refuse('its Host is not this machine');
  if (headers.origin !== undefined && !isLoopbackHost(hostnameOf(headers.origin))) refuse('it comes from another site');
  if (isCrossSiteRead(headers)) refuse('it comes from another site');
}

/** Browsers send no Origin with an image or script of another site, but they say this. Following a link is harmless. */
const isCrossSiteRead = (headers: IncomingHttpHeaders): boolean =>
  headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate';

const hostnameOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : '');

function refuse(why: string): never {
  throw new AccessError('FORBIDDEN', `Without identity settings only programs on this machine are served, and this call is refused because ${why}; see docs/settings.md.`);
}
