import { ProviderUnavailableError } from '../../core/errors';

/** What we allow ourselves, in one place. Chatwoot 4.10 takes 3,000 requests a minute from one address, and 200 messages a minute in a conversation, everybody's together. */
export const PACE = {
  requestsPerMinute: 2_400,
  /** Of the requests, how many may come at once. */
  burst: 200,
  /** A request that would wait longer is given back, to be tried again. */
  longestWaitMs: 2_000,
  /** After a 429, which says nothing about when: nobody asks that server before. */
  pauseMs: 20_000,
  /** Our share of a conversation's 200. Two processes that each spend it within one minute still leave the agent room. */
  postsPerMinute: 90,
  /** Of our share, what history may not use: the end-user's next words come at once. */
  reservedForTalk: 20,
} as const;

interface Bucket { tokens: number; at: number; pausedUntil: number }

/** Requests to one server, of all accounts on it. */
export class ServerPace {
  private readonly buckets = new Map<string, Bucket>();

  constructor(private readonly now: () => number) {}

  /** Milliseconds that the next request to this server has to wait; it is counted. */
  take(server: string): number {
    const bucket = this.bucketOf(server);
    const now = this.now();
    if (now < bucket.pausedUntil) throw tooFast(bucket.pausedUntil - now);
    const perMs = PACE.requestsPerMinute / 60_000;
    bucket.tokens = Math.min(PACE.burst, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
    bucket.at = now;
    const waitMs = bucket.tokens >= 1 ? 0 : (1 - bucket.tokens) / perMs;
    if (waitMs > PACE.longestWaitMs) throw tooFast(waitMs);
    bucket.tokens -= 1;
    return Math.ceil(waitMs);
  }

  pause(server: string): void {
    this.bucketOf(server).pausedUntil = this.now() + PACE.pauseMs;
  }

  private bucketOf(server: string): Bucket {
    let bucket = this.buckets.get(server);
    if (bucket === undefined) this.buckets.set(server, bucket = { tokens: PACE.burst, at: this.now(), pausedUntil: 0 });
    return bucket;
  }
}

const tooFast = (waitMs: number) =>
  new ProviderUnavailableError('Chatwoot has had its requests of this minute from us.', { retryAfterMs: Math.ceil(waitMs) });

/** `fetch` that keeps the pace of the server asked, and stops asking one that said "Retry later". */
export function paced(fetch: typeof globalThis.fetch, now: () => number): typeof globalThis.fetch {
  const pace = new ServerPace(now);
  return async (input, init) => {
    const server = new URL(input instanceof Request ? input.url : String(input)).origin;
    const waitMs = pace.take(server);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const response = await fetch(input, init);
    if (response.status === 429) pace.pause(server);
    return response;
  };
}

const MINUTE = 60_000;
const MOST_CONVERSATIONS = 10_000;

/** Our posts of the last minute, by conversation. */
export class PostingPace {
  private readonly posts = new Map<string, number[]>();

  constructor(private readonly now: () => number) {}

  room(conversation: string): number {
    return PACE.postsPerMinute - this.recent(conversation).length;
  }

  /** @throws ProviderUnavailableError when our share of this minute is spent; nothing was sent */
  take(conversation: string): void {
    const recent = this.recent(conversation);
    if (recent.length >= PACE.postsPerMinute)
      throw new ProviderUnavailableError('We have posted our share of this minute into the conversation; the rest is left to its agents.', { retryAfterMs: recent[0]! + MINUTE - this.now() });
    recent.push(this.now());
    this.posts.delete(conversation);
    this.posts.set(conversation, recent);
    if (this.posts.size > MOST_CONVERSATIONS) this.posts.delete(this.posts.keys().next().value!);
  }

  private recent(conversation: string): number[] {
    const since = this.now() - MINUTE;
    return (this.posts.get(conversation) ?? []).filter((at) => at > since);
  }
}
