import { ProviderUnavailableError } from '../../core/errors';
import type { ConversationAccess } from '../../core/ports/support-provider';
import { throwIfOver } from './client';

/** What we allow ourselves, all processes together, in one place. Chatwoot 4.10 takes 3,000 requests a minute from one address, and 200 messages a minute in a conversation, everybody's together. */
export const PACE = {
  requestsPerMinute: 2_400,
  /** Of the requests to one server, what one account may have while nobody else asks. With others: an equal part each. */
  mostOfOneAccount: 0.75,
  /** Of the requests, how many may come at once. */
  burst: 200,
  /** Of what may come at once, the part that requests leave alone for which nobody waits. */
  leftToPeople: 0.5,
  /** A request that would wait longer is given back, to be tried again. */
  longestWaitMs: 2_000,
  /** After a 429, which says nothing about when: nobody asks that server before. */
  pauseMs: 20_000,
  /** Our share of a conversation's 200, of all processes together; should two of them spend it within one minute, there is still room for the agent. */
  postsPerMinute: 90,
  /** Of our share, what history may not use: the end-user's next words come at once. */
  reservedForTalk: 20,
} as const;

type RecentPosts = NonNullable<ConversationAccess['recentPosts']>;

const MINUTE = 60_000;

/** Fills with time, and may be spent into the red as far as somebody waits. */
interface Bucket { tokens: number; at: number }
interface Server extends Bucket { pausedUntil: number; readonly accounts: Map<string, Bucket> }

/** Requests to one server, and of each account on it; each process of ours has an equal part. */
export class ServerPace {
  private readonly servers = new Map<string, Server>();

  constructor(private readonly now: () => number, private readonly replicas: () => number) {}

  /**
   * Milliseconds that the next request of this account to this server has to wait; it is counted.
   * @param isBackground nobody waits for it: it takes only what is beyond the part that is left to people
   * @throws ProviderUnavailableError when it would wait too long; it is not counted
   */
  take(server: string, account: string, isBackground = false): number {
    const all = this.serverOf(server);
    const now = this.now();
    if (now < all.pausedUntil) throw tooFast(all.pausedUntil - now);
    const own = this.accountOf(all, account);
    const part = 1 / this.replicas();
    const waitMs = Math.max(this.waitOf(all, part, isBackground), this.waitOf(own, part * shareOf(all.accounts.size), isBackground));
    if (waitMs > PACE.longestWaitMs) throw tooFast(waitMs);
    all.tokens -= 1;
    own.tokens -= 1;
    return Math.ceil(waitMs);
  }

  pause(server: string): void {
    this.serverOf(server).pausedUntil = this.now() + PACE.pauseMs;
  }

  /** Fills up to now, and answers how long until there is one more. */
  private waitOf(bucket: Bucket, share: number, isBackground: boolean): number {
    const perMs = PACE.requestsPerMinute / MINUTE * share;
    bucket.tokens = Math.min(PACE.burst * share, bucket.tokens + Math.max(0, this.now() - bucket.at) * perMs);
    bucket.at = this.now();
    const needed = isBackground ? Math.max(1, PACE.burst * share * PACE.leftToPeople) : 1;
    return bucket.tokens >= needed ? 0 : (needed - bucket.tokens) / perMs;
  }

  private serverOf(server: string): Server {
    let known = this.servers.get(server);
    if (known === undefined) this.servers.set(server, known = { tokens: PACE.burst / this.replicas(), at: this.now(), pausedUntil: 0, accounts: new Map() });
    return known;
  }

  /** Only who has asked within the last minute counts, and is remembered. */
  private accountOf({ accounts }: Server, account: string): Bucket {
    for (const [id, { at }] of accounts) if (at <= this.now() - MINUTE) accounts.delete(id);
    let known = accounts.get(account);
    if (known === undefined) accounts.set(account, known = { tokens: PACE.burst, at: this.now() });
    return known;
  }
}

/** What one of so many accounts may have of the server's requests: an equal part, and alone not all. */
const shareOf = (accounts: number): number => Math.min(PACE.mostOfOneAccount, 1 / accounts);

const tooFast = (waitMs: number) =>
  new ProviderUnavailableError('Chatwoot has had its requests of this minute from us.', { retryAfterMs: Math.ceil(waitMs), isOwnPace: true });

/** `fetch` for one account, which keeps the pace of the server asked and stops asking one that said "Retry later". */
export type FetchFor = (accountId: string, isBackground?: boolean) => typeof globalThis.fetch;

export function paced(fetch: typeof globalThis.fetch, now: () => number, replicas: () => number): FetchFor {
  const pace = new ServerPace(now, replicas);
  return (accountId, isBackground = false) => async (input, init) => {
    const server = new URL(input instanceof Request ? input.url : String(input)).origin;
    const waitMs = pace.take(server, accountId, isBackground);
    if (waitMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (init?.signal) throwIfOver(init.signal);
    }
    const response = await fetch(input, init);
    if (response.status === 429) pace.pause(server);
    return response;
  };
}

const MOST_CONVERSATIONS = 10_000;

/**
 * Our posts of the last minute, by conversation: those that the Session remembers, of whatever process, and those that
 * this process has made since that was read.
 */
export class PostingPace {
  private readonly posts = new Map<string, number[]>();

  constructor(private readonly now: () => number) {}

  room(conversation: string, stored?: RecentPosts): number {
    return PACE.postsPerMinute - this.recent(conversation, stored).length;
  }

  /** @throws ProviderUnavailableError when our share of this minute is spent; nothing was sent */
  take(conversation: string, stored?: RecentPosts): void {
    const recent = this.recent(conversation, stored);
    if (recent.length >= PACE.postsPerMinute)
      throw new ProviderUnavailableError('We have posted our share of this minute into the conversation; the rest is left to its agents.', { retryAfterMs: Math.max(1, recent[0]! + MINUTE - this.now()), isOwnPace: true });
    const own = [...this.own(conversation), this.now()];
    this.posts.delete(conversation);
    this.posts.set(conversation, own);
    if (this.posts.size > MOST_CONVERSATIONS) this.posts.delete(this.posts.keys().next().value!);
  }

  /** Ascending. Clocks of processes differ a little, and a post whose answer was cut is in our own memory only: the fuller list counts. */
  private recent(conversation: string, stored: RecentPosts = { at: [], asOf: 0 }): readonly number[] {
    const own = this.own(conversation);
    const all = [...stored.at.filter((at) => at > this.now() - MINUTE), ...own.filter((at) => at > stored.asOf)].sort((one, other) => one - other);
    return all.length >= own.length ? all : own;
  }

  private own(conversation: string): readonly number[] {
    return (this.posts.get(conversation) ?? []).filter((at) => at > this.now() - MINUTE);
  }
}
