import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { readAtMost } from '../core/bounded-read';

export interface KeySetOptions {
  readonly url: string;
  /** For one fetch, from the name to the last byte. Milliseconds. */
  readonly limitMs: number;
  /** Milliseconds of a clock that is never set back. */
  readonly now: () => number;
}

/** A set of a thousand keys has some 500 KB. */
const LIMIT_BYTES = 1024 * 1024;
/** As `createRemoteJWKSet` of jose has them: how long a set serves, and how often an unknown key id may cause a fetch. */
const SERVES_MS = 600_000;
const COOLDOWN_MS = 30_000;
/** How long a set serves while no newer one can be fetched. A key that its issuer takes back in an outage is trusted no longer than that. */
const SERVES_IN_OUTAGE_MS = 2 * 60 * 60_000;
/** From a failed fetch to the next one; doubles with each failure. */
const FIRST_RETRY_MS = 1_000;

/**
 * The keys that a JWKS URL serves, fetched when a token needs them, by one fetch at a time. While that fails the last set serves on.
 * jose has this too, but reads answers of any length, asks anew for each token in an outage, and forgets the set that it had.
 * @returns what `jwtVerify` asks for the key of each token; rejects when the set cannot be fetched or has no such key
 */
export function remoteKeySet(options: KeySetOptions): JWTVerifyGetKey {
  const set = new RemoteKeys(options);
  return async (header, token) => {
    const keys = await set.current();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      return (await set.newerThan(keys, error))(header, token);
    }
  };
}

class RemoteKeys {
  private known: { readonly keys: JWTVerifyGetKey; readonly at: number } | null = null;
  private failure: { readonly error: unknown; readonly waitMs: number; readonly retryAt: number } | null = null;
  private fetching: Promise<void> | null = null;
  private askedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: KeySetOptions) {}

  /** Called for each token. @throws the last fetch's error while no set serves */
  async current(): Promise<JWTVerifyGetKey> {
    if (this.ageMs() >= SERVES_MS && this.isDue()) {
      // An outage is noticed by whoever waits for its first failure; from then on the old set serves at once.
      const servesMeanwhile = this.failure !== null && this.ageMs() < SERVES_IN_OUTAGE_MS;
      const fetched = this.fetch();
      if (!servesMeanwhile) await fetched;
    }
    if (this.known !== null && this.ageMs() < SERVES_IN_OUTAGE_MS) return this.known.keys;
    throw this.failure!.error;
  }

  /**
   * Called for a key id that a set does not have: it may be new.
   * @throws `noKey`, or the last fetch's error while nobody knows whether there is such a key
   */
  async newerThan(keys: JWTVerifyGetKey, noKey: Error): Promise<JWTVerifyGetKey> {
    const mayAsk = this.isDue() && this.options.now() - this.askedAt >= COOLDOWN_MS;
    if (this.known!.keys === keys && (mayAsk || this.fetching !== null)) await this.fetch();
    if (this.known!.keys !== keys) return this.known!.keys;
    throw this.failure === null ? noKey : this.failure.error;
  }

  /** Joins the fetch that is under way. Never rejects. */
  private fetch(): Promise<void> {
    return this.fetching ??= this.fetchNow().finally(() => { this.fetching = null; });
  }

  private async fetchNow(): Promise<void> {
    const { url, limitMs, now } = this.options;
    this.askedAt = now();
    try {
      this.known = { keys: await fetchKeys(url, limitMs), at: now() };
      this.failure = null;
    } catch (error) {
      const waitMs = Math.min(this.failure === null ? FIRST_RETRY_MS : this.failure.waitMs * 2, COOLDOWN_MS);
      this.failure = { error, waitMs, retryAt: now() + waitMs };
    }
  }

  private isDue(): boolean { return this.failure === null || this.options.now() >= this.failure.retryAt; }

  private ageMs(): number { return this.known === null ? Number.POSITIVE_INFINITY : this.options.now() - this.known.at; }
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
