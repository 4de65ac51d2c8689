import type { IncomingHttpHeaders } from 'node:http';
import { AccessError } from '../core/errors';

/** What arrives with a request, or with a WebSocket: its upgrade's headers and the payload of `connection_init`. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  readonly connectionParams?: Readonly<Record<string, unknown>> | null | undefined;
  /** Of the TCP connection. Looked at only where nobody has to prove who they are. */
  readonly remoteAddress?: string | undefined;
}

const PROOFS = ['x-support-gateway-secret', 'x-support-bot-key', 'authorization'] as const;
const CLAIMS = ['x-organization-id', 'x-support-role', 'x-user-id'] as const;
type Name = (typeof PROOFS)[number] | (typeof CLAIMS)[number];

/** The values that identity looks at, all from one source. */
export type Presented = Readonly<Partial<Record<Name, string>>>;

/**
 * Takes everything from `connection_init` when it holds a proof, else everything from the headers. Never from both:
 * a proof that a gateway put into the headers must not vouch for claims that a browser put into the payload.
 */
export function presentedBy({ headers, connectionParams }: Credentials): Presented {
  const inParams = pick(Object.entries(connectionParams ?? {}));
  return PROOFS.some(name => inParams[name] !== undefined) ? inParams : pick(Object.entries(headers));
}

/** Where no proof is asked for: claims of `connection_init` first, for browsers, which cannot set headers. */
export function claimedBy({ headers, connectionParams }: Credentials): Presented {
  const inParams = pick(Object.entries(connectionParams ?? {}));
  return CLAIMS.some(name => inParams[name] !== undefined) ? inParams : pick(Object.entries(headers));
}

function pick(entries: readonly (readonly [string, unknown])[]): Presented {
  const picked: Partial<Record<Name, string>> = {};
  for (const [given, value] of entries) {
    const name = given.toLowerCase() as Name;
    if (!PROOFS.includes(name as never) && !CLAIMS.includes(name as never)) continue;
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' || picked[name] !== undefined)
      throw new AccessError('UNAUTHENTICATED', `${name} must be given once, as text.`);
    picked[name] = value.trim();
  }
  return picked;
}
