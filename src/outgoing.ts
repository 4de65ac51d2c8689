import { isIP } from 'node:net';
import { bareHost, isLoopback, NoAnswerInTimeError, type NameLookups } from './addresses';

/** For how long a name that was found counts as found, and for how long it is used while it is looked up again. */
const FRESH_MS = 30_000;
const USABLE_MS = 10 * 60_000;
const MOST_NAMES = 10_000;

/**
 * `fetch` for addresses that tenants gave. By itself it would look up a name for each connection, on one of the process's
 * few threads: a support system whose name no server answers for would hold all of them, and every other tenant up. So
 * names are looked up in turns first, and ones that work are not waited for.
 */
export function fetchOfTenants(fetch: typeof globalThis.fetch, names: Pick<NameLookups, 'addressesOf'>, now: () => number): typeof globalThis.fetch {
  const foundAt = new Map<string, number>();
  const look = async (host: string): Promise<void> => {
    try {
      await names.addressesOf(host);
    } catch (error) {
      foundAt.delete(host);
      throw error;
    }
    if (foundAt.has(host) || foundAt.size < MOST_NAMES) foundAt.set(host, now());
  };
  return async (input, init) => {
    const host = bareHost(new URL(input instanceof Request ? input.url : input).hostname);
    if (isIP(host) === 0 && !isLoopback(host)) {
      const ageMs = now() - (foundAt.get(host) ?? Number.NEGATIVE_INFINITY);
      if (ageMs > USABLE_MS) await look(host).catch(asFetchSays);
      else if (ageMs > FRESH_MS) look(host).catch(() => undefined);
    }
    return fetch(input, init);
  };
}

/** As when fetch itself did not find the name: nothing was sent. */
function asFetchSays(error: unknown): never {
  throw new TypeError('fetch failed', { cause: error instanceof NoAnswerInTimeError ? Object.assign(error, { code: 'EAI_AGAIN' }) : error });
}
