import { ProviderUnavailableError } from '../../core/errors';
import type { ConversationAccess } from '../../core/ports/provider/access';
import { throwIfOver } from './client';

/**
 * The limits that this service sets itself, for all its processes together. Chatwoot 4.10 allows 3,000 requests a
 * minute from one address, and 200 messages a minute in a conversation from all authors together.
 */
export const RATE_LIMITS = {
  requestsPerMinute: 2_400,
  /**
   * Largest part of a server's requests that one account may use while no other makes requests. Otherwise each account
   * has an equal part.
   */
  mostOfOneAccount: 0.75,
  /** How many requests may be sent at once. */
  burst: 200,
  /** The part of the burst that background requests must leave to requests that a caller waits for. */
  leftToPeople: 0.5,
  /** A request that would have to wait longer is refused, to be retried. */
  longestWaitMs: 2_000,
  /** How long no request is sent to a server after its 429, which names no time. */
  pauseMs: 20_000,
  /**
   * This service's part of a conversation's 200, for all processes together. Even if two processes spend it within one
   * minute, agents' messages still fit.
   */
  postsPerMinute: 90,
  /** The part of our posts that history may not use, so that the end-user's next message is posted at once. */
  reservedForTalk: 20,
} as const;

type RecentPosts = NonNullable<ConversationAccess['recentPosts']>;

const MINUTE = 60_000;

/** A token bucket. It refills with time, and may become negative while requests wait. */
interface Bucket {
  tokens: number;
  at: number;
}
interface Server extends Bucket {
  pausedUntil: number;
  readonly accounts: Map<string, Bucket>;
}

/** Limits the requests to each server, and of each account to it. Each of our processes has an equal part. */
export class ServerRateLimiter {
  private readonly servers = new Map<string, Server>();

  constructor(
    private readonly now: () => number,
    private readonly replicas: () => number,
  ) {}

  /**
   * Counts the account's next request to this server and returns for how many milliseconds it must wait.
   * @param isBackground no caller waits for it, so it uses only what exceeds `leftToPeople`
   * @throws ProviderUnavailableError if it would wait too long; it is not counted
   */
  reserve(server: string, account: string, isBackground = false): number {
    const all = this.serverOf(server);
    const now = this.now();
    if (now < all.pausedUntil) throw rateLimitedError(all.pausedUntil - now);
    const own = this.accountOf(all, account);
    const part = 1 / this.replicas();
    const waitMs = Math.max(
      this.refillAndWait(all, part, isBackground),
      this.refillAndWait(own, part * shareOf(all.accounts.size), isBackground),
    );
    if (waitMs > RATE_LIMITS.longestWaitMs) throw rateLimitedError(waitMs);
    all.tokens -= 1;
    own.tokens -= 1;
    return Math.ceil(waitMs);
  }

  pause(server: string): void {
    this.serverOf(server).pausedUntil = this.now() + RATE_LIMITS.pauseMs;
  }

  /** Refills a bucket and returns the milliseconds until it has enough tokens. */
  private refillAndWait(bucket: Bucket, share: number, isBackground: boolean): number {
    const perMs = (RATE_LIMITS.requestsPerMinute / MINUTE) * share;
    bucket.tokens = Math.min(RATE_LIMITS.burst * share, bucket.tokens + Math.max(0, this.now() - bucket.at) * perMs);
    bucket.at = this.now();
    const needed = isBackground ? Math.max(1, RATE_LIMITS.burst * share * RATE_LIMITS.leftToPeople) : 1;
    return bucket.tokens >= needed ? 0 : (needed - bucket.tokens) / perMs;
  }

  private serverOf(server: string): Server {
    let known = this.servers.get(server);
    if (known === undefined)
      this.servers.set(
        server,
        (known = { tokens: RATE_LIMITS.burst / this.replicas(), at: this.now(), pausedUntil: 0, accounts: new Map() }),
      );
    return known;
  }

  /** Returns an account's bucket. Only accounts with requests in the last minute are kept and counted. */
  private accountOf({ accounts }: Server, account: string): Bucket {
    for (const [id, { at }] of accounts) if (at <= this.now() - MINUTE) accounts.delete(id);
    let known = accounts.get(account);
    if (known === undefined) accounts.set(account, (known = { tokens: RATE_LIMITS.burst, at: this.now() }));
    return known;
  }
}

/** Returns the part of a server's requests that one of `accounts` accounts may use: an equal part, and never all. */
const shareOf = (accounts: number): number => Math.min(RATE_LIMITS.mostOfOneAccount, 1 / accounts);

const rateLimitedError = (waitMs: number) =>
  new ProviderUnavailableError(
    'This service has reached its own limit of requests to this Chatwoot. Deliveries are retried; repeat any other call later.',
    { retryAfterMs: Math.ceil(waitMs), isOwnRateLimit: true },
  );

/** Returns a `fetch` for one account that keeps to the server's limit, and pauses after a 429. */
export type FetchFor = (accountId: string, isBackground?: boolean) => typeof globalThis.fetch;

export function createRateLimitedFetch(
  fetch: typeof globalThis.fetch,
  now: () => number,
  replicas: () => number,
): FetchFor {
  const pace = new ServerRateLimiter(now, replicas);
  return (accountId, isBackground = false) =>
    async (input, init) => {
      const server = new URL(input instanceof Request ? input.url : String(input)).origin;
      const waitMs = pace.reserve(server, accountId, isBackground);
      if (waitMs > 0) {
        await new Promise(resolve => setTimeout(resolve, waitMs));
        if (init?.signal) throwIfOver(init.signal);
      }
      const response = await fetch(input, init);
      if (response.status === 429) pace.pause(server);
      return response;
    };
}

const MAX_CONVERSATIONS = 10_000;

/**
 * Counts our posts of the last minute per conversation: those recorded with the session by any process, and those that
 * this process has made since that record was read.
 */
export class PostRateLimiter {
  private readonly posts = new Map<string, number[]>();

  constructor(private readonly now: () => number) {}

  capacity(conversation: string, stored?: RecentPosts): number {
    return RATE_LIMITS.postsPerMinute - this.recentPosts(conversation, stored).length;
  }

  /** @throws ProviderUnavailableError if our posts of this minute are used up; nothing was sent */
  record(conversation: string, stored?: RecentPosts): void {
    const recent = this.recentPosts(conversation, stored);
    if (recent.length >= RATE_LIMITS.postsPerMinute)
      throw new ProviderUnavailableError(
        'This service has posted its limit of messages per minute in this conversation, which leaves room for its agents; the post is retried later.',
        { retryAfterMs: Math.max(1, recent[0]! + MINUTE - this.now()), isOwnRateLimit: true },
      );
    const own = [...this.ownPosts(conversation), this.now()];
    this.posts.delete(conversation);
    this.posts.set(conversation, own);
    if (this.posts.size > MAX_CONVERSATIONS) this.posts.delete(this.posts.keys().next().value!);
  }

  /**
   * Returns the times of recent posts, ascending. Processes' clocks differ a little, and a post whose response was cut
   * is only in this process's memory, so the longer list counts.
   */
  private recentPosts(conversation: string, stored: RecentPosts = { at: [], asOf: 0 }): readonly number[] {
    const own = this.ownPosts(conversation);
    const all = [...stored.at.filter(at => at > this.now() - MINUTE), ...own.filter(at => at > stored.asOf)].sort(
      (one, other) => one - other,
    );
    return all.length >= own.length ? all : own;
  }

  private ownPosts(conversation: string): readonly number[] {
    return (this.posts.get(conversation) ?? []).filter(at => at > this.now() - MINUTE);
  }
}
