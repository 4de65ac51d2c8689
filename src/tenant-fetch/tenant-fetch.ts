import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, fetch as undiciFetch, type RequestInit as UndiciInit } from 'undici';
import { normalizeHost, LookupTimeoutError, tenantNameLookups, type NameLookups } from '../addresses';
import { PRIVATE_ADDRESS } from '../core/checks/url';
import { AddressRefusedError } from '../core/errors';
import { AddressCache } from './address-cache';
import { AddressPolicy, type PrivateAddresses } from './address-policy';

export interface TenantFetchOptions {
  readonly allowed: PrivateAddresses;
  readonly now: () => number;
  /** Limit of establishing one connection, with TLS. In milliseconds. */
  readonly connectMs: number;
  /** If omitted: the limited lookups of this process. */
  readonly names?: Pick<NameLookups, 'addressesOf'>;
}

/** All requests to addresses that tenants gave. */
export interface TenantFetch {
  /**
   * A `fetch` that connects to permitted addresses only. The address that is checked is the one to which the socket
   * connects, for each connection, and so also after each redirect.
   * @throws AddressRefusedError if the host is private or resolves to a private address; nothing was sent
   * @throws TypeError as `fetch` does
   */
  readonly fetch: typeof globalThis.fetch;
  /** The same, with a separate connection for each request. */
  readonly fetchOnce: typeof globalThis.fetch;
  /**
   * Returns the reason why an address may not be called, with the next step; otherwise null. May take seconds, because
   * it resolves the name.
   */
  addressProblem(url: string): Promise<string | null>;
  close(): Promise<void>;
}

/** Creates the fetch for tenants' addresses. Called once, by the composition root. */
export function createTenantFetch({
  allowed,
  now,
  connectMs,
  names = tenantNameLookups,
}: TenantFetchOptions): TenantFetch {
  const policy = new AddressPolicy(allowed);
  const known = new AddressCache(names, now);

  /** Node calls this for each connection and connects to the result. Not called for hosts that are IP addresses. */
  const lookup: LookupFunction = (hostname, { all }, done) => {
    known.addressesOf(hostname).then(
      addresses => {
        if (!policy.permitsAll(hostname, addresses)) return done(new AddressRefusedError(), '');
        if (all) return done(null, addresses as never);
        const [first] = addresses;
        if (first === undefined)
          return done(Object.assign(new Error('No address was found.'), { code: 'ENOTFOUND' }), '');
        done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) =>
        done(error instanceof LookupTimeoutError ? Object.assign(error, { code: 'EAI_AGAIN' }) : error, ''),
    );
  };
  const connector = buildConnector({ lookup, timeout: connectMs });
  const connect: buildConnector.connector = (options, done) => {
    if (policy.permitsHost(options.hostname)) connector(options, done);
    else done(new AddressRefusedError(), null);
  };

  const kept = new Agent({ connect });
  const single = new Agent({ connect, pipelining: 0 });
  return {
    fetch: fetchThrough(kept),
    fetchOnce: fetchThrough(single),
    async addressProblem(url) {
      const host = normalizeHost(new URL(url).hostname);
      if (!policy.permitsHost(host)) return PRIVATE_ADDRESS;
      // A name that does not resolve yet may do so later; each connection checks again.
      const addresses = isIP(host) === 0 ? await known.addressesOf(host).catch(() => []) : [];
      return policy.permitsAll(host, addresses) ? null : PRIVATE_ADDRESS;
    },
    close: async () => {
      await Promise.all([kept.destroy(), single.destroy()]);
    },
  };
}

/** Uses undici's own `fetch`, because Node's built-in one comes from another version than these agents. */
function fetchThrough(dispatcher: Agent): typeof globalThis.fetch {
  return async (input, init) => {
    try {
      const response: unknown = await undiciFetch(input as string, { ...init, dispatcher } as UndiciInit);
      return response as Response;
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      throw cause instanceof AddressRefusedError ? cause : error;
    }
  };
}
