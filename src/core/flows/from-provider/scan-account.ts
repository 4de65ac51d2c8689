import type { AccountId, ProviderConversationId } from '../../ids';
import type { ClaimedScan } from '../../ports/scan-store';
import type { ChangedPage } from '../../ports/provider/read-verbs';
import type { SupportProvider } from '../../ports/provider/support-provider';
import type { AccountRecord } from '../../setup';
import { createTimeLimit } from '../../time-limit';
import { accessOf, type FlowDeps, type StoreDeps, type ProviderDeps } from '../deps';
import { needsSync } from './needs-sync';

/**
 * Returns after how long the claimed scan of a dead process becomes due again, in milliseconds: a little more than one
 * call. Two scans at once do no harm.
 */
export const scanClaimMs = ({ limits }: Pick<FlowDeps, 'limits'>): number => limits.callMs + 2_000;
/** A scan reaches further back than the last one, because a change may become visible late. */
const OVERLAP_MS = 15_000;
/** For a provider that returns pages; the rest is left to the full scan (full-scan.ts). */
const MAX_PAGES = 20;
/** A webhook may still be on its way, so its news is not synced before. */
const WEBHOOK_GRACE_MS = 5_000;
/** How much rarer scans may become while webhooks prove themselves, as a factor of `liveScanIntervalMs`. */
const MAX_SLOWDOWN = 6;
/** A scan takes at most this share of the time, so an account with large responses is scanned less often. */
const MAX_TIME_SHARE = 1 / 20;
const MAX_SCAN_INTERVAL_MS = 5 * 60_000;

export interface ScanResult {
  readonly accountId: AccountId;
  readonly changed: number;
  readonly syncs: number;
}

/**
 * Scans an account for changed conversations, and requests syncs of those with a state or message that no sync has
 * read. One call finds what no webhook brought, however many handoffs are live. Called for each claimed scan, by one
 * replica. An account without live handoffs is never claimed and is left to the full scan.
 *
 * @returns the result; null if it was stopped
 * @throws the provider's error; then each live handoff of the account is synced on a timer instead
 */
export async function scanAccount(
  deps: ProviderDeps,
  scan: ClaimedScan,
  stopped: AbortSignal,
): Promise<ScanResult | null> {
  const { scans, setup, lanes } = deps.stores;
  const { accountId, organizationId, startedAt, unscannedMs } = scan;
  const account = await setup.findAccount(organizationId, accountId);
  const instance = account && deps.providers.get(account.provider)?.instance;
  if (!account || !instance?.listChangedConversations) {
    // Its live handoffs have their own timers. This is for messages that were sent while no replica ran.
    const syncs = await lanes.requestTimerSyncsOfLive(accountId, deps.limits.liveScanIntervalMs);
    await scans.finishScan(accountId, startedAt, MAX_SCAN_INTERVAL_MS);
    return { accountId, changed: 0, syncs };
  }
  const hasWebhooks = accessOf(deps, account).webhookUrl !== '';
  const from = deps.clock.now();
  const nextIntervalMs = (): number =>
    nextScanDelayMs({
      everyMs: scan.everyMs,
      liveScanIntervalMs: deps.limits.liveScanIntervalMs,
      hasWebhooks,
      tookMs: deps.clock.now() - from,
      random: deps.clock.random(),
    });
  try {
    const found = await findChanged(deps, account, instance, unscannedMs + OVERLAP_MS, stopped);
    const unread = await findUnsynced(deps, accountId, found, hasWebhooks);
    const afterMs = hasWebhooks ? WEBHOOK_GRACE_MS : 0;
    const syncs =
      (await scans.requestTimerSyncs(accountId, unread.all, afterMs, 'CHECK')) +
      (await scans.requestTimerSyncs(accountId, unread.messages, afterMs, 'MESSAGES'));
    await scans.finishScan(accountId, startedAt, nextIntervalMs());
    return { accountId, changed: found.reduce((sum, page) => sum + page.conversationIds.length, 0), syncs };
  } catch (error) {
    if (!stopped.aborted) await lanes.requestTimerSyncsOfLive(accountId, nextIntervalMs());
    await scans.finishScan(accountId, null, stopped.aborted ? 0 : nextIntervalMs());
    if (stopped.aborted) return null;
    throw error;
  }
}

/**
 * Returns the wait between a scan and the next one, in milliseconds. While nothing indicates that webhooks fail, each
 * wait is twice the one before, up to six times the shortest.
 * @param everyMs the wait before this scan; null: at start, or after a timer found news that no webhook brought
 */
export function nextScanDelayMs({
  everyMs,
  liveScanIntervalMs,
  hasWebhooks,
  tookMs,
  random,
}: {
  readonly everyMs: number | null;
  readonly liveScanIntervalMs: number;
  readonly hasWebhooks: boolean;
  readonly tookMs: number;
  readonly random: number;
}): number {
  const proven =
    hasWebhooks && everyMs !== null ? Math.min(liveScanIntervalMs * MAX_SLOWDOWN, everyMs * 2) : liveScanIntervalMs;
  const spread = proven * (0.9 + 0.2 * random);
  return Math.round(
    Math.max(
      Math.min(spread, liveScanIntervalMs * MAX_SLOWDOWN),
      Math.min(MAX_SCAN_INTERVAL_MS, tookMs / MAX_TIME_SHARE),
    ),
  );
}

async function findChanged(
  deps: ProviderDeps,
  account: AccountRecord,
  instance: SupportProvider,
  withinMs: number,
  stopped: AbortSignal,
): Promise<readonly ChangedPage[]> {
  const pages: ChangedPage[] = [];
  for (let page = 1, more = true; more; page++) {
    if (page > MAX_PAGES) {
      await deps.stores.scans.requestFullScan(account.id);
      break;
    }
    const found = await instance.listChangedConversations!(
      { access: accessOf(deps, account), withinMs, page },
      AbortSignal.any([stopped, createTimeLimit(deps.limits.callMs)]),
    );
    pages.push(found);
    ({ hasMore: more } = found);
  }
  return pages;
}

/** Conversations that need a sync. `all`: of everything; `messages`: their state is known as the list shows it. */
interface Unread {
  readonly all: readonly ProviderConversationId[];
  readonly messages: readonly ProviderConversationId[];
}

/**
 * Returns the conversations whose state or last message in the list differs from what syncs have seen. One without an
 * entry may have changed in any way.
 */
async function findUnsynced(
  deps: StoreDeps,
  accountId: AccountId,
  pages: readonly ChangedPage[],
  hasWebhooks: boolean,
): Promise<Unread> {
  const shown = new Map(pages.flatMap(page => [...(page.hints ?? [])]));
  // The list does not show whether an agent's message precedes a newer post of ours. While agents have the
  // conversation, and where no webhooks come, one call for its messages finds that out.
  const known = new Map(
    (await deps.stores.scans.findKnownConversations(accountId, shown, hasWebhooks)).map(one => [
      one.conversationId,
      one,
    ]),
  );
  const unread: { [K in keyof Unread]: ProviderConversationId[] } = { all: [], messages: [] };
  for (const id of pages.flatMap(page => page.conversationIds)) {
    const one = known.get(id);
    if (one === undefined || needsSync(one, shown.get(id)!.state)) unread.all.push(id);
    else if (!one.isLastMessageSynced) unread.messages.push(id);
  }
  return unread;
}

/**
 * The inputs of the timers. `mayBeRead`: agents have not been seen to read the end-user's latest messages.
 * Reading does not change a conversation, so no scan shows it.
 */
export interface SyncTimers {
  readonly canBeScanned: boolean;
  readonly expectsReadMark?: boolean;
  readonly liveScanIntervalMs: number;
  readonly random: number;
}

/** The interval of a live handoff's syncs where scans find changes. These syncs find what no scan shows. */
export const MAX_SYNC_INTERVAL_MS = 15 * 60_000;
/** The same interval while a read mark is expected. */
export const READ_MARK_SYNC_MS = 3 * 60_000;
/** For messages older than this, no read mark is expected. */
export const READ_MARK_EXPECTED_MS = 30 * 60_000;

/**
 * Returns after how long a live handoff is synced without a request, in milliseconds. It is spread, so that the syncs
 * of many handoffs do not coincide.
 */
export const timerSyncDelayMs = ({
  canBeScanned,
  expectsReadMark = false,
  liveScanIntervalMs,
  random,
}: SyncTimers): number =>
  canBeScanned
    ? Math.round(
        Math.max(liveScanIntervalMs, expectsReadMark ? READ_MARK_SYNC_MS : MAX_SYNC_INTERVAL_MS) *
          (0.75 + 0.5 * random),
      )
    : liveScanIntervalMs;

/**
 * Returns for how long a conversation's state counts as known when only messages are requested, in milliseconds. Scans
 * show other changes.
 */
export const stateFreshnessMs = ({
  canBeScanned,
  liveScanIntervalMs,
}: Pick<SyncTimers, 'canBeScanned' | 'liveScanIntervalMs'>): number =>
  canBeScanned ? 3 * liveScanIntervalMs : liveScanIntervalMs;
