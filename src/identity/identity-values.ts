import type { IncomingHttpHeaders } from 'node:http';
import { AccessError } from '../core/request-errors';

/** The credentials of a request, or of a WebSocket: its upgrade headers and the payload of `connection_init`. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  readonly connectionParams?: Readonly<Record<string, unknown>> | null | undefined;
  /** Address of the TCP connection. Used only if callers need no credentials. */
  readonly remoteAddress?: string | undefined;
}

const PROOFS = ['x-support-gateway-secret', 'x-support-bot-key', 'authorization'] as const;
const CLAIMS = ['x-organization-id', 'x-support-role', 'x-user-id'] as const;
type Name = (typeof PROOFS)[number] | (typeof CLAIMS)[number];

/** Values that identify the caller, all from one source. */
export type IdentityValues = Readonly<Partial<Record<Name, string>>>;

/**
 * Reads all values from `connection_init` if it has credentials, otherwise all from the headers. Never mixes them:
 * credentials that a gateway put into the headers must not confirm claims that a browser put into the payload.
 */
export function readIdentityValues({ headers, connectionParams }: Credentials): IdentityValues {
  const inParams = pickValues(Object.entries(connectionParams ?? {}));
  return PROOFS.some(name => inParams[name] !== undefined) ? inParams : pickValues(Object.entries(headers));
}

/** Reads claims if callers need no credentials: from `connection_init` first, because browsers cannot set headers. */
export function readClaims({ headers, connectionParams }: Credentials): IdentityValues {
  const inParams = pickValues(Object.entries(connectionParams ?? {}));
  return CLAIMS.some(name => inParams[name] !== undefined) ? inParams : pickValues(Object.entries(headers));
}

function pickValues(entries: readonly (readonly [string, unknown])[]): IdentityValues {
  const picked: Partial<Record<Name, string>> = {};
  for (const [given, value] of entries) {
    const name = given.toLowerCase() as Name;
    if (!PROOFS.includes(name as never) && !CLAIMS.includes(name as never)) continue;
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' || picked[name] !== undefined)
      throw new AccessError(
        'UNAUTHENTICATED',
        `${name} is given more than once or is not a string. Give it once, as a string.`,
      );
    picked[name] = value.trim();
  }
  return picked;
}
