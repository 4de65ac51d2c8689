import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { readAtMost } from '../core/bounded-read';

export interface KeySetOptions {
  readonly url: string;
  /** For one fetch, from the name to the last byte. Milliseconds. */
  readonly limitMs: number;
  readonly now: () => number;
}

/** A set of a thousand keys has some 500 KB. */
const LIMIT_BYTES = 1024 * 1024;
/** As `createRemoteJWKSet` of jose has them: how long a set serves, and how often an unknown key id may cause a fetch. */
const SERVES_MS = 600_000;
const COOLDOWN_MS = 30_000;

/**
 * The keys that a JWKS URL serves, fetched when a token needs them. jose has this too, but reads answers of any length and for any time.
 * @returns what `jwtVerify` asks for the key of each token; rejects when the set cannot be fetched or has no such key
 */
export function remoteKeySet({ url, limitMs, now }: KeySetOptions): JWTVerifyGetKey {
  let known: { readonly keys: JWTVerifyGetKey; readonly at: number } | null = null;
  let fetching: Promise<JWTVerifyGetKey> | null = null;

  const fetched = (): Promise<JWTVerifyGetKey> => fetching ??= fetchKeys(url, limitMs)
    .then((keys) => { known = { keys, at: now() }; return keys; })
    .finally(() => { fetching = null; });

  return async (header, token) => {
    const isFresh = known !== null && now() - known.at < SERVES_MS;
    const keys = isFresh ? known!.keys : await fetched();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || now() - known!.at < COOLDOWN_MS) throw error;
      return (await fetched())(header, token);
    }
  };
}

async function fetchKeys(url: string, limitMs: number): Promise<JWTVerifyGetKey> {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(limitMs), headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`The key set was answered with status ${response.status}.`);
  }
  const text = (await readAtMost(response.body, LIMIT_BYTES)).toString('utf8');
  return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
}
