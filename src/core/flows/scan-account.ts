import type { AccountId, ProviderConversationId } from '../ids';
import type { ClaimedScan } from '../ports/stores';
import type { ChangedPage, SupportProvider } from '../ports/support-provider';
import type { AccountRecord } from '../setup';
import { timeLimit } from '../time-limit';
import { accessOf, type FlowDeps } from './deps';
import { isNews } from './hint-news';

/** After how long a claimed scan or look of a process that has died comes again, in milliseconds: a little more than one call. Two at once do no harm. */
export const watchClaimMs = ({ limits }: Pick<FlowDeps, 'limits'>): number => limits.callMs + 2_000;
/** Further back than the last scan: a change may become visible late. */
const OVERLAP_MS = 15_000;
/** Of a provider that answers in pages; what does not fit is left to the look (look-over.ts). */
const MOST_PAGES = 20;
/** A webhook may still be on its way: what it would say is not asked for before. */
const WEBHOOK_MS = 5_000;
/** How much rarer scans become while webhooks prove themselves, against `livePollMs`. */
const RAREST = 6;
/** A scan takes at most this part of the time: a large answer is asked for more rarely. */
const SHARE_OF_TIME = 1 / 20;
const LONGEST_EVERY_MS = 5 * 60_000;

export interface Scanned { readonly accountId: AccountId; readonly changed: number; readonly syncs: number }

/**
 * Asks an account which of its conversations changed, and asks for a sync of those that show something which nobody has
 * read. One call finds what no webhook brought, however many handoffs are live. Called for each claimed scan, by one replica;
 * an account without live handoffs is never claimed and left to the look.
 *
 * @returns what it found; null when it was stopped
 * @throws the provider's error; then each live handoff of the account is synced on a timer instead
 */
export async function scanAccount(deps: FlowDeps, scan: ClaimedScan, stopped: AbortSignal): Promise<Scanned | null> {
  const { watches, setup, lanes } = deps.stores;
  const { accountId, organizationId, startedAt, unscannedMs } = scan;
  const account = await setup.account(organizationId, accountId);
  const instance = account && deps.providers.get(account.provider)?.instance;
  if (!account || !instance?.changedConversations) {
    // Its live handoffs have timers of their own; this is for what was said while no replica ran.
    const syncs = await lanes.wantReadingOfLive(accountId, deps.limits.livePollMs);
    await watches.finishScan(accountId, startedAt, LONGEST_EVERY_MS);
    return { accountId, changed: 0, syncs };
  }
  const hasWebhooks = accessOf(deps, account).webhookUrl !== '';
  const from = deps.clock.now();
  const every = (): number => nextScanMs({ everyMs: scan.everyMs, livePollMs: deps.limits.livePollMs, hasWebhooks, tookMs: deps.clock.now() - from, random: deps.clock.random() });
  try {
    const found = await changedIn(deps, account, instance, unscannedMs + OVERLAP_MS, stopped);
    const unread = await unreadOf(deps, accountId, found, hasWebhooks);
    const afterMs = hasWebhooks ? WEBHOOK_MS : 0;
    const syncs = await watches.wantSyncOf(accountId, unread.all, afterMs, 'CHECK') + await watches.wantSyncOf(accountId, unread.messages, afterMs, 'MESSAGES');
    await watches.finishScan(accountId, startedAt, every());
    return { accountId, changed: found.reduce((sum, page) => sum + page.conversationIds.length, 0), syncs };
  } catch (error) {
    if (!stopped.aborted) await lanes.wantReadingOfLive(accountId, every());
    await watches.finishScan(accountId, null, stopped.aborted ? 0 : every());
    if (stopped.aborted) return null;
    throw error;
  }
}

/**
 * How long after a scan the next one comes, in milliseconds. While nothing says that webhooks fail, each wait is twice the one
 * before, up to six times the shortest.
 * @param everyMs the wait before this scan; null: a start, or a timer has just found what no webhook had said
 */
export function nextScanMs({ everyMs, livePollMs, hasWebhooks, tookMs, random }: { readonly everyMs: number | null; readonly livePollMs: number; readonly hasWebhooks: boolean; readonly tookMs: number; readonly random: number }): number {
  const proven = hasWebhooks && everyMs !== null ? Math.min(livePollMs * RAREST, everyMs * 2) : livePollMs;
  const spread = proven * (0.9 + 0.2 * random);
  return Math.round(Math.max(Math.min(spread, livePollMs * RAREST), Math.min(LONGEST_EVERY_MS, tookMs / SHARE_OF_TIME)));
}

async function changedIn(deps: FlowDeps, account: AccountRecord, instance: SupportProvider, withinMs: number, stopped: AbortSignal): Promise<readonly ChangedPage[]> {
  const pages: ChangedPage[] = [];
  for (let page = 1, more = true; more; page++) {
    if (page > MOST_PAGES) {
      await deps.stores.watches.wantLookOf(account.id);
      break;
    }
    const found = await instance.changedConversations!({ access: accessOf(deps, account), withinMs, page }, AbortSignal.any([stopped, timeLimit(deps.limits.callMs)]));
    pages.push(found);
    ({ more } = found);
  }
  return pages;
}

/** Conversations that need a sync. `all`: of everything; `messages`: their state was read as the list shows it. */
interface Unread { readonly all: readonly ProviderConversationId[]; readonly messages: readonly ProviderConversationId[] }

/** Those that show another state, or another last message, than syncs have seen. One of which nothing is shown may hold anything. */
async function unreadOf(deps: FlowDeps, accountId: AccountId, pages: readonly ChangedPage[], hasWebhooks: boolean): Promise<Unread> {
  const shown = new Map(pages.flatMap((page) => [...page.shown ?? []]));
  // Nothing that the list shows tells whether an agent's message lies below a newer post of ours. While human agents have the
  // conversation, and where no webhooks come, one call for its messages does.
  const known = new Map((await deps.stores.watches.knownOf(accountId, shown, hasWebhooks)).map((one) => [one.conversationId, one]));
  const unread: { [K in keyof Unread]: ProviderConversationId[] } = { all: [], messages: [] };
  for (const id of pages.flatMap((page) => page.conversationIds)) {
    const one = known.get(id);
    if (one === undefined || isNews(one, shown.get(id)!.state)) unread.all.push(id);
    else if (!one.hasSeenLast) unread.messages.push(id);
  }
  return unread;
}

/** `mayBeRead`: the end-user has said something lately that agents have not been seen to read; reading changes no conversation, so no scan shows it. */
export interface SyncTimers { readonly canBeScanned: boolean; readonly mayBeRead?: boolean; readonly livePollMs: number; readonly random: number }

/** A sync of a live handoff that nothing asks for, where scans find what changes: it finds what no scan shows. */
export const RAREST_SYNC_MS = 15 * 60_000;
/** The same, for a read mark. */
export const READ_MARK_SYNC_MS = 3 * 60_000;
/** Of what was said longer ago, nobody waits to see that it was read. */
export const READ_MARK_WAIT_MS = 30 * 60_000;

/** After how long a live handoff is synced when nothing asks for it, in milliseconds; spread, so that those of many handoffs never come together. */
export const timerSyncMs = ({ canBeScanned, mayBeRead = false, livePollMs, random }: SyncTimers): number =>
  (canBeScanned ? Math.round(Math.max(livePollMs, mayBeRead ? READ_MARK_SYNC_MS : RAREST_SYNC_MS) * (0.75 + 0.5 * random)) : livePollMs);

/** For how long the state of a conversation counts as read, in milliseconds, when only words are asked for: scans show what else changes. */
export const stateIsKnownMs = ({ canBeScanned, livePollMs }: Pick<SyncTimers, 'canBeScanned' | 'livePollMs'>): number => (canBeScanned ? 3 * livePollMs : livePollMs);

