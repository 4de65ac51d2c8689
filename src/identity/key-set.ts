import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { readAtMost } from '../core/read-at-most';

export interface KeySetOptions {
  readonly url: string;
  /** Limit of one fetch, from name resolution to the last byte. In milliseconds. */
  readonly limitMs: number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** Maximum size of a key set. A thousand keys take some 500 KB. */
const LIMIT_BYTES = 1024 * 1024;
/**
 * Maximum age of a set, and minimum time between fetches for unknown key ids. Same values as jose's
 * `createRemoteJWKSet`.
 */
const MAX_AGE_MS = 600_000;
const COOLDOWN_MS = 30_000;
/**
 * Maximum age of a set while fetches fail. Limits how long a key that its issuer revoked during an outage is trusted.
 */
const SERVES_IN_OUTAGE_MS = 2 * 60 * 60_000;
/** Delay after the first failed fetch; doubles with each further failure. */
const FIRST_RETRY_MS = 1_000;

/**
 * Returns the keys of a JWKS URL. Fetches them when a token needs them, at most once at a time, and uses the last set
 * while fetches fail. jose's own implementation reads responses of any length, fetches for each token during an outage,
 * and drops the last set.
 * @returns the key lookup of `jwtVerify`; rejects if the set cannot be fetched or lacks the key
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

  /** Returns a usable set. Called for each token. @throws the last fetch's error if there is none */
  async current(): Promise<JWTVerifyGetKey> {
    if (this.ageMs() >= MAX_AGE_MS && this.isDue()) {
      // The caller that starts the first fetch of an outage waits for its failure; later callers get the old set
      // immediately.
      const servesMeanwhile = this.failure !== null && this.ageMs() < SERVES_IN_OUTAGE_MS;
      const fetched = this.fetch();
      if (!servesMeanwhile) await fetched;
    }
    if (this.known !== null && this.ageMs() < SERVES_IN_OUTAGE_MS) return this.known.keys;
    throw this.failure!.error;
  }

  /**
   * Returns a newer set. Called for a key id that the given set lacks, because the key may be new.
   * @throws `noKey`, or the last fetch's error while it is unknown whether the key exists
   */
  async newerThan(keys: JWTVerifyGetKey, noKey: Error): Promise<JWTVerifyGetKey> {
    const mayAsk = this.isDue() && this.options.now() - this.askedAt >= COOLDOWN_MS;
    if (this.known!.keys === keys && (mayAsk || this.fetching !== null)) await this.fetch();
    if (this.known!.keys !== keys) return this.known!.keys;
    throw this.failure === null ? noKey : this.failure.error;
  }

  /** Starts a fetch or joins the running one. Never rejects. */
  private fetch(): Promise<void> {
    return (this.fetching ??= this.fetchNow().finally(() => {
      this.fetching = null;
    }));
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

  private isDue(): boolean {
    return this.failure === null || this.options.now() >= this.failure.retryAt;
  }

  private ageMs(): number {
    return this.known === null ? Number.POSITIVE_INFINITY : this.options.now() - this.known.at;
  }
}

async function fetchKeys(url: string, limitMs: number): Promise<JWTVerifyGetKey> {
  const response = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(limitMs),
    headers: { accept: 'application/json' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`The key set URL responded with status ${response.status}. Check SUPPORT_JWT_JWKS_URL.`);
  }
  const text = (await readAtMost(response.body, LIMIT_BYTES)).toString('utf8');
  return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
}
