import { ProviderRefusedError } from '../../errors';
import { isOpen, type HandoffAgent } from '../../handoff';
import type { AccountId, Instant, OrganizationId, ProviderMessageId, SessionId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { LockedSession, HandoffRows, MessageRows } from '../../ports/session-transaction';
import type { SyncCause } from '../../ports/lane-store';
import type { ConversationAccess } from '../../ports/provider/access';
import type { ConversationSnapshot } from '../../ports/provider/read-verbs';
import type { ConversationView } from '../../conversation-view';
import type { Observation } from '../../ports/provider/observation';
import type { SessionRecord } from '../../session';
import { hasNewHint, hintAfterSync } from '../../sync-hint';
import { endIfDrained } from '../handoff/transition';
import { loadProviderContext, conversationAccessOf, createCallSignal, type ProviderContext } from '../provider-context';
import { receiveReadMark } from './receive-change';
import { handleLostConversation } from '../handoff/conversation-lost';
import { clearFailedMarks } from './clear-failed-marks';
import { recordEndingByAgents, isSyncedEnding } from '../handoff/last-ending';
import type { FlowDeps, StoreDeps } from '../deps';
import { needsSync } from './needs-sync';
import { canonicalJson } from '../canonical-json';
import { mayBeRead } from '../read-mark-timer';
import { stateFreshnessMs, timerSyncDelayMs } from './scan-account';
import { receiveObservation, type AgentsByExternalId } from './receive-observation';
import { receiveView } from './changes-state';

/** The maximum number of pages per sync. The rest follows at the next claim, before the state is believed. */
const MAX_PAGES = 20;
/** The wait after a view that overlapped our own status write. */
const RESYNC_MS = 1_000;

/**
 * Syncs one session's conversation and applies what it finds. Called after each webhook, at start and on a timer while
 * a handoff is live; any number of times, by one replica at a time. The order matters: the state is read before the
 * messages and applied after them, so that an agent's messages from before resolving always come first.
 *
 * @param cause TIMER: it yields to all work that somebody waits for, and changes that it finds were not reported by a
 * webhook
 * @returns milliseconds until the next sync, or null if only a hint should cause one
 */
export async function syncConversation(
  deps: FlowDeps,
  organizationId: OrganizationId,
  sessionId: SessionId,
  cause: SyncCause = 'HINT',
): Promise<number | null> {
  const context = await loadProviderContext(deps, organizationId, sessionId);
  const conversation = conversationAccessOf(deps, context, cause === 'TIMER');
  if (conversation === null) return null;
  const sync = beginSync(deps, context, conversation, cause);
  let seen: ConversationSnapshot | null = null;
  let found: FoundMessages;
  try {
    if (sync.readsState) seen = await context.provider.readConversation(conversation, sync.signal());
    found = await receiveMessages(sync, seen);
    if (!found.isComplete) return 0;
    const marked = [...found.marked, ...(await receiveRecheckedMessages(sync)).filter(one => one.isMarkedFailed)];
    const byId = new Map(marked.map(one => [one.id, one]));
    await clearFailedMarks(deps, context, conversation, { marked: [...byId.values()], cause, signal: sync.signal });
  } catch (error) {
    if (!(error instanceof ProviderRefusedError && error.gone)) throw error;
    await handleLostConversation(deps, organizationId, sessionId, conversation.conversationId);
    return null;
  }
  const { nextMs, hasNews, hasHint } = await finishSync(sync, seen, found.newest);
  if (cause === 'TIMER' && (found.hasNews || hasNews) && !hasHint)
    await deps.stores.scans.recordMissedWebhook(context.account.id, deps.limits.liveScanIntervalMs);
  return nextMs;
}

/**
 * Returns the cause of the next sync that `syncConversation` requested. Null: it continues this sync, for the same
 * cause.
 */
export const nextSyncCause = (nextMs: number | null): SyncCause | null =>
  nextMs !== null && nextMs > RESYNC_MS ? 'TIMER' : null;

/** One sync: what it began with. */
interface Sync {
  readonly deps: FlowDeps;
  /** As it was before anything was read from the provider. */
  readonly context: ProviderContext;
  readonly conversation: ConversationAccess;
  readonly timers: { readonly canBeScanned: boolean; readonly liveScanIntervalMs: number; readonly random: number };
  readonly readAt: Instant;
  /** How old the last believed state is, in milliseconds. */
  readonly stateAgeMs: number;
  /** False: only messages are read. */
  readonly readsState: boolean;
  readonly archivesFiles: boolean;
  signal(): AbortSignal;
}

function beginSync(deps: FlowDeps, context: ProviderContext, conversation: ConversationAccess, cause: SyncCause): Sync {
  const { provider, session } = context;
  const timers = {
    canBeScanned: provider.listChangedConversations !== undefined,
    liveScanIntervalMs: deps.limits.liveScanIntervalMs,
    random: deps.clock.random(),
  };
  const now = deps.clock.now();
  const stateAgeMs = session.stateReadAt === null ? Infinity : now - Date.parse(session.stateReadAt);
  // However many messages arrive, the state is read as often as the timer would read it. A timer's sync of messages
  // comes from a scan, which has seen the state.
  const isStateKnown = cause === 'TIMER' || stateAgeMs < stateFreshnessMs(timers);
  return {
    deps,
    context,
    conversation,
    timers,
    readAt: instantOf(now),
    stateAgeMs,
    readsState: session.syncHint !== 'MESSAGES' || !isStateKnown,
    archivesFiles: deps.files !== undefined && provider.openFile !== undefined,
    signal: createCallSignal(deps),
  };
}

interface FoundMessages {
  /** Observations that agents see marked as failed. */
  readonly marked: readonly Observation[];
  /** The newest message of the conversation as far as it was read. */
  readonly newest: ProviderMessageId | null;
  /** False: more messages follow, and the next sync continues with them. */
  readonly isComplete: boolean;
  readonly hasNews: boolean;
}

/** Reads the messages since the last sync and applies them, one transaction per page. */
async function receiveMessages(sync: Sync, seen: ConversationSnapshot | null): Promise<FoundMessages> {
  const { deps, context, conversation, archivesFiles } = sync;
  const { provider, account, session } = context;
  const marked: Observation[] = [];
  let hasNews = false;
  let [after, newest] = [session.syncCursor, session.syncCursor];
  let more = true;
  for (let page = 0; more && page < MAX_PAGES; page++) {
    const read = await provider.listMessages({ conversation, after }, sync.signal());
    const speakers = read.observations.flatMap(one => ('agent' in one && one.agent ? [one.agent] : []));
    const agents = await findAgents(deps, account.id, speakers);
    await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
      if (tx.session.conversationId !== conversation.conversationId) return;
      const { lastMessageSeq } = tx.session;
      for (const observation of read.observations)
        await receiveObservation(tx, deps, observation, {
          agents,
          archivesFiles,
          ...(seen !== null && { assigneeId: seen.agent?.externalId ?? null }),
        });
      if (tx.session.lastMessageSeq !== lastMessageSeq) hasNews = true;
      await tx.updateSession({
        syncCursor: read.after,
        lastSeenMessageId: read.observations.at(-1)?.id ?? tx.session.lastSeenMessageId,
      });
    });
    marked.push(...read.observations.filter(one => one.isMarkedFailed));
    newest = read.observations.at(-1)?.id ?? newest;
    after = read.after;
    more = read.hasMore;
  }
  return { marked, newest, isComplete: !more, hasNews };
}

/** Reads single messages again that hints reported as changed, and applies them. */
async function receiveRecheckedMessages(sync: Sync): Promise<readonly Observation[]> {
  const { deps, context, conversation, archivesFiles } = sync;
  const { provider, session } = context;
  const { recheckIds } = session;
  if (recheckIds.length === 0) return [];
  const changed = (await provider.readMessages?.(conversation, recheckIds, sync.signal())) ?? [];
  await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    for (const observation of changed)
      await receiveObservation(tx, deps, observation, { agents: new Map(), archivesFiles });
    // Each may have changed again since it was read.
    if (!hasNewHint(session, tx.session))
      await tx.updateSession({ recheckIds: tx.session.recheckIds.filter(id => !recheckIds.includes(id)) });
  });
  return changed;
}

interface FinishedSync {
  readonly nextMs: number | null;
  readonly hasNews: boolean;
  /** Whether a hint arrived while the sync ran. */
  readonly hasHint: boolean;
}

/** Applies the state, if it can be believed, and decides when the next sync is due. All in one transaction. */
async function finishSync(
  sync: Sync,
  seen: ConversationSnapshot | null,
  newest: ProviderMessageId | null,
): Promise<FinishedSync> {
  const { deps, conversation, readAt } = sync;
  const { account, session } = sync.context;
  const view = seen && comparedPartOf(seen);
  const agents = await findAgents(deps, account.id, view?.agent ? [view.agent] : []);
  const { result } = await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    const hasHint = hasNewHint(session, tx.session);
    const isBelieved =
      view === null ||
      (isViewCurrent(session, tx.session) && tx.session.conversationId === conversation.conversationId);
    if (isSyncedEnding(tx.liveHandoff, session))
      await endIfDrained(tx, deps, await tx.updateHandoff(tx.liveHandoff.id, { syncBy: null }));
    await tx.updateSession({ syncHint: hintAfterSync(session, tx.session, isBelieved) });
    if (!isBelieved) return { nextMs: RESYNC_MS, hasNews: false, hasHint };
    if (view === null) return { nextMs: await nextSyncMs(sync, tx, sync.stateAgeMs), hasNews: false, hasHint };
    const live = tx.liveHandoff;
    const hasNews =
      session.lastView !== null &&
      needsSync(session, { status: view.status, teamId: view.teamId, agentId: view.agent?.externalId ?? null });
    await receiveView(tx, deps, view, agents);
    if (live !== null && isOpen(live.state) && (tx.liveHandoff === null || !isOpen(tx.liveHandoff.state)))
      await recordEndingByAgents(tx, live.id, readAt, newest);
    await tx.updateSession({ stateReadAt: readAt });
    await receiveReadMark(tx, deps, seen?.agentsReadAt ?? null);
    return { nextMs: await nextSyncMs(sync, tx, 0), hasNews, hasHint };
  });
  return result;
}

/** Only this part of the state is compared and stored. */
const comparedPartOf = ({ status, agent, teamId, hasResidue }: ConversationSnapshot): ConversationView => ({
  status,
  agent,
  teamId,
  ...(hasResidue && { hasResidue: true }),
});

/**
 * Returns whether a view that was read after `began` can be believed now: no status write of ours overlapped it, and no
 * replica that outlived its lease has read another view in between, because it is unknown which of the two is older.
 */
export const isViewCurrent = (
  began: Pick<SessionRecord, 'statusWrites' | 'stateReadAt' | 'lastView'>,
  now: Pick<SessionRecord, 'statusWrites' | 'stateReadAt' | 'lastView'>,
): boolean =>
  began.statusWrites % 2 === 0 &&
  now.statusWrites === began.statusWrites &&
  now.stateReadAt === began.stateReadAt &&
  canonicalJson(now.lastView) === canonicalJson(began.lastView);

/**
 * Returns when the next sync is due, as of the end of this one: who has the conversation, and what agents have read.
 * ENDING is synced too, because agents' actions during the drain are handled after its end. And it is synced once more
 * after the end, because surveys come a moment later.
 */
async function nextSyncMs(
  { deps, timers, context: { session } }: Sync,
  tx: LockedSession & HandoffRows & MessageRows,
  stateAgeMs: number,
): Promise<number | null> {
  if (tx.liveHandoff !== null && isOpen(tx.liveHandoff.state)) {
    const timerMs = timerSyncDelayMs({ ...timers, expectsReadMark: await mayBeRead(tx, deps) });
    return Math.max(1, timerMs - stateAgeMs);
  }
  return tx.liveHandoff !== null || session.liveHandoffId !== null ? deps.limits.liveScanIntervalMs : null;
}

/** Returns agents by the provider's id, with our ids where they are listed. */
async function findAgents(
  deps: StoreDeps,
  accountId: AccountId,
  seen: readonly { externalId: string; name: string }[],
): Promise<AgentsByExternalId> {
  const agents = new Map<string, HandoffAgent>();
  for (const { externalId, name } of seen)
    if (!agents.has(externalId))
      agents.set(externalId, {
        id: (await deps.stores.setup.findAgent(accountId, externalId))?.id ?? null,
        externalId,
        name,
      });
  return agents;
}
