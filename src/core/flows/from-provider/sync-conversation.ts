import { shortenText } from '../../checks/text';
import { ProviderRefusedError } from '../../errors';
import { fitReceivedFiles } from '../../content/validate-attachments';
import { refusalReason } from '../../files';
import { canMove, type HandoffCause } from '../../handoff-transitions';
import { isOpen, type HandoffAgent, type HandoffRecord } from '../../handoff';
import {
  isUuid,
  type AccountId,
  type OrganizationId,
  type ProviderAgentId,
  type ProviderMessageId,
  type SessionId,
} from '../../ids';
import { instantOf } from '../../ports/clock';
import type { SessionTransaction } from '../../ports/session-transaction';
import type { SyncCause } from '../../ports/lane-store';
import { hasNewHint, hintAfterSync } from '../../sync-hint';
import type { ConversationSnapshot } from '../../ports/provider/read-verbs';
import type { ConversationView } from '../../conversation-view';
import type { Observation } from '../../ports/provider/observation';
import {
  beginTakeover,
  endIfDrained,
  endLiveHandoff,
  transitionHandoff,
  updateControlWhileDraining,
} from '../handoff/transition';
import { loadProviderContext, conversationAccessOf, createCallSignal } from '../provider-context';
import { receiveChange, receiveReadMark, notifyAgents } from './receive-change';
import { handleLostConversation } from '../handoff/conversation-lost';
import { clearFailedMarks } from './clear-failed-marks';
import {
  recordEndingByAgents,
  endedHandoffOf,
  isAfterReturn,
  isReturnInProgress,
  isSyncedEnding,
  recordLastAgentMessage,
} from '../handoff/last-ending';
import type { FlowDeps } from '../deps';
import { needsSync } from './needs-sync';
import { canonicalJson } from '../canonical-json';
import { mayBeRead } from '../read-mark-timer';
import { stateFreshnessMs, timerSyncDelayMs } from './scan-account';
import { recordPosted } from '../undelivered';
import { isFromWhileDisabled, trustedLastView } from '../handoff/while-disabled';

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
  const { sessions } = deps.stores;
  const context = await loadProviderContext(deps, organizationId, sessionId);
  const { provider, account, session } = context;
  const isTimer = cause === 'TIMER';
  const conversation = conversationAccessOf(deps, context, isTimer);
  if (conversation === null) return null;
  const timers = {
    canBeScanned: provider.listChangedConversations !== undefined,
    liveScanIntervalMs: deps.limits.liveScanIntervalMs,
    random: deps.clock.random(),
  };
  const signal = createCallSignal(deps);
  const people = createAgentLookup(deps, account.id);
  const keepsFiles = deps.files !== undefined && provider.openFile !== undefined;

  const { recheckIds } = session;
  const readAt = instantOf(deps.clock.now());
  const stateAge = session.stateReadAt === null ? Infinity : deps.clock.now() - Date.parse(session.stateReadAt);
  // However many messages arrive, the state is read as often as the timer would read it. A timer's sync of messages
  // comes from a scan, which has seen the state.
  const onlyWords = session.syncHint === 'MESSAGES' && (isTimer || stateAge < stateFreshnessMs(timers));
  let seen: ConversationSnapshot | null = null;
  let after = session.syncCursor;
  let newest = session.syncCursor;
  const failed = new Map<ProviderMessageId, Observation>();
  /** Records that a timer found news that no webhook reported. */
  const reportMissedWebhook = async (hasFound: boolean, hasHint: boolean): Promise<void> => {
    if (isTimer && hasFound && !hasHint)
      await deps.stores.scans.recordMissedWebhook(account.id, deps.limits.liveScanIntervalMs);
  };
  let hasFound = false;
  try {
    if (!onlyWords) seen = await provider.readConversation(conversation, signal());
    let more = true;
    for (let page = 0; more && page < MAX_PAGES; page++) {
      const read = await provider.listMessages({ conversation, after }, signal());
      const agents = await people(read.observations.flatMap(o => ('agent' in o && o.agent ? [o.agent] : [])));
      await sessions.transact(organizationId, sessionId, async tx => {
        if (tx.session.conversationId !== conversation.conversationId) return;
        const { lastMessageSeq } = tx.session;
        for (const observation of read.observations)
          await receiveObservation(tx, deps, observation, {
            agents,
            archivesFiles: keepsFiles,
            ...(seen !== null && { assigneeId: seen.agent?.externalId ?? null }),
          });
        if (tx.session.lastMessageSeq !== lastMessageSeq) hasFound = true;
        await tx.updateSession({
          syncCursor: read.after,
          lastSeenMessageId: read.observations.at(-1)?.id ?? tx.session.lastSeenMessageId,
        });
      });
      for (const observation of read.observations)
        if (observation.isMarkedFailed) failed.set(observation.id, observation);
      newest = read.observations.at(-1)?.id ?? newest;
      after = read.after;
      more = read.hasMore;
    }
    if (more) return 0;
    if (recheckIds.length > 0) {
      const changed = (await provider.readMessages?.(conversation, recheckIds, signal())) ?? [];
      await sessions.transact(organizationId, sessionId, async tx => {
        for (const observation of changed)
          await receiveObservation(tx, deps, observation, { agents: new Map(), archivesFiles: keepsFiles });
        // Each may have changed again since it was read.
        if (!hasNewHint(session, tx.session))
          await tx.updateSession({ recheckIds: tx.session.recheckIds.filter(id => !recheckIds.includes(id)) });
      });
      for (const observation of changed) if (observation.isMarkedFailed) failed.set(observation.id, observation);
    }
    await clearFailedMarks(deps, context, conversation, { marked: [...failed.values()], cause, signal });
  } catch (error) {
    if (!(error instanceof ProviderRefusedError && error.gone)) throw error;
    await handleLostConversation(deps, organizationId, sessionId, conversation.conversationId);
    return null;
  }

  // Only the state is compared and stored.
  const view: ConversationView | null = seen && {
    status: seen.status,
    agent: seen.agent,
    teamId: seen.teamId,
    ...(seen.hasResidue && { hasResidue: true }),
  };
  const agents = await people(view?.agent ? [view.agent] : []);
  let hasHint = false;
  const { result } = await sessions.transact(organizationId, sessionId, async tx => {
    hasHint = hasNewHint(session, tx.session);
    const finish = (isStateBelieved: boolean) =>
      tx.updateSession({ syncHint: hintAfterSync(session, tx.session, isStateBelieved) });
    // As of the end of the sync: who has the conversation, and what agents have read.
    const timerMs = async () => timerSyncDelayMs({ ...timers, expectsReadMark: await mayBeRead(tx, deps) });
    if (isSyncedEnding(tx.liveHandoff, session))
      await endIfDrained(tx, deps, await tx.updateHandoff(tx.liveHandoff.id, { syncBy: null }));
    if (view === null) {
      await finish(true);
      if (tx.liveHandoff !== null && isOpen(tx.liveHandoff.state)) return Math.max(1, (await timerMs()) - stateAge);
      // While it drains, and once more after it, as below.
      return tx.liveHandoff !== null || session.liveHandoffId !== null ? deps.limits.liveScanIntervalMs : null;
    }
    const overlapped =
      session.statusWrites % 2 === 1 ||
      tx.session.statusWrites !== session.statusWrites ||
      // A replica that outlived its lease has read another view in between, and it is unknown which of the two is
      // older.
      tx.session.stateReadAt !== session.stateReadAt ||
      canonicalJson(tx.session.lastView) !== canonicalJson(session.lastView);
    const isBelieved = !overlapped && tx.session.conversationId === conversation.conversationId;
    await finish(isBelieved);
    if (!isBelieved) return RESYNC_MS;
    const live = tx.liveHandoff;
    if (
      session.lastView !== null &&
      needsSync(session, { status: view.status, teamId: view.teamId, agentId: view.agent?.externalId ?? null })
    )
      hasFound = true;
    await receiveView(tx, deps, view, agents);
    if (live !== null && isOpen(live.state) && (tx.liveHandoff === null || !isOpen(tx.liveHandoff.state)))
      await recordEndingByAgents(tx, live.id, readAt, newest);
    await tx.updateSession({ stateReadAt: readAt });
    await receiveReadMark(tx, deps, seen?.agentsReadAt ?? null);
    // ENDING too, because agents' actions during the drain are handled after its end. And once more after it, because
    // surveys come a moment later.
    if (tx.liveHandoff !== null && isOpen(tx.liveHandoff.state)) return timerMs();
    return tx.liveHandoff !== null || session.liveHandoffId !== null ? deps.limits.liveScanIntervalMs : null;
  });
  await reportMissedWebhook(hasFound, hasHint);
  return result;
}

/**
 * Returns the cause of the next sync that `readForward` requested. Null: it continues this sync, for the same
 * cause.
 */
export const nextSyncCause = (nextMs: number | null): SyncCause | null =>
  nextMs !== null && nextMs > RESYNC_MS ? 'TIMER' : null;

type AgentsByExternalId = ReadonlyMap<string, HandoffAgent>;

/** Returns agents by the provider's id, with our ids where they are listed. */
function createAgentLookup(deps: FlowDeps, accountId: AccountId) {
  return async (seen: readonly { externalId: string; name: string }[]): Promise<AgentsByExternalId> => {
    const people = new Map<string, HandoffAgent>();
    for (const { externalId, name } of seen)
      if (!people.has(externalId))
        people.set(externalId, {
          id: (await deps.stores.setup.findAgent(accountId, externalId))?.id ?? null,
          externalId,
          name,
        });
    return people;
  };
}

/** What a sync knows besides its observations. */
interface SyncContext {
  readonly agents: AgentsByExternalId;
  /** Whether agents' files are archived. */
  readonly archivesFiles: boolean;
  /** The agent who has the conversation now. If omitted: not read, so the last known one. */
  readonly assigneeId?: ProviderAgentId | null;
}

/** Applies one observation. Repeats stop at the provider's message id. */
export async function receiveObservation(
  tx: SessionTransaction,
  deps: FlowDeps,
  observation: Observation,
  { agents, archivesFiles, assigneeId = trustedLastView(tx.inbox, tx.session)?.agent?.externalId ?? null }: SyncContext,
): Promise<void> {
  if (observation.kind === 'ignored' || observation.kind === 'note') return;
  if (observation.kind === 'echo') {
    // Found before the poster could record it, because it died or was slower. The post is known from now on.
    const ours = isUuid(observation.ourId) ? await tx.findMessage(observation.ourId) : null;
    if (ours !== null && ours.providerMessageId === null) await recordPosted(tx, ours, observation.id);
    return;
  }
  if (isRemovedFromHistory(tx, observation)) return;
  if (isFromWhileDisabled(tx.inbox, observation)) return receiveFromWhileDisabled(tx, deps, observation);
  if (observation.kind !== 'agentMessage') return receiveChange(tx, deps, observation);
  if ((await tx.findMessageByProviderId(observation.id)) !== null) return;
  const agent = agents.get(observation.agent.externalId) ?? { id: null, ...observation.agent };

  const attachments = fitReceivedFiles(observation.attachments, archivesFiles ? deps.files!.rules : null);

  // The conversation was returned, so the message begins something new instead of joining the handoff that still
  // drains.
  if (isAfterReturn(tx.session, tx.liveHandoff, observation.id))
    await transitionHandoff(tx, deps, tx.liveHandoff!, 'DRAINED');
  // The message was sent before the end of an ended handoff, so it begins nothing.
  const ended = endedHandoffOf(tx, deps.clock.now(), observation);
  let live = ended === null ? tx.liveHandoff : null;
  if (ended === null && live === null && tx.session.closedAt === null && tx.inbox.state !== 'DISABLED')
    live = await beginTakeover(tx, deps, 'ACTIVE', agent);
  const handoffId = ended ?? live?.id ?? null;
  const message = await tx.insertMessage({
    id: deps.clock.newId(),
    author: 'AGENT',
    visibility: 'PUBLIC',
    text: observation.text,
    content: observation.content ?? null,
    attachments,
    authorName: agent.name,
    agentId: agent.id,
    handoffId,
    callerMessageId: null,
    providerMessageId: observation.id,
    replyToMessageId:
      observation.replyTo == null ? null : ((await tx.findMessageByProviderId(observation.replyTo))?.id ?? null),
    createdAt: observation.at,
  });
  const at = instantOf(deps.clock.now());
  // The assigned agent keeps the session even if another agent replies.
  const isAssigned = live?.agent != null && live.agent.externalId === assigneeId;
  if (live !== null && canMove(live.state, 'AGENT_REPLIED'))
    await transitionHandoff(tx, deps, live, 'AGENT_REPLIED', { agent: isAssigned ? live.agent : agent });
  await tx.appendEvent(
    { type: 'MESSAGE_RECORDED', messageId: message.id, author: 'AGENT', visibility: 'PUBLIC' },
    handoffId,
    at,
  );
  await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: message.id });
  await recordLastAgentMessage(tx, handoffId, observation.id, agent);
  if (live?.state === 'ENDING') await receiveMessageWhileEnding(tx, deps, live, agent);
  if (archivesFiles)
    for (const [index, { name, refused }] of attachments.entries())
      await (refused
        ? notifyAgents(
            tx,
            observation.id,
            `the file ${shortenText(name, 150)}, because ${refusalReason(refused)}`,
            index,
          )
        : tx.enqueueFileWork({ kind: 'ARCHIVE_FILE', messageId: message.id, index }));
  if (observation.omittedContent) await notifyAgents(tx, observation.id, observation.omittedContent);
}

/**
 * Records the agent of a message that arrived while the handoff ends, because the outcome names them, and keeps the bot
 * silent until the message is delivered.
 */
async function receiveMessageWhileEnding(
  tx: SessionTransaction,
  deps: FlowDeps,
  live: HandoffRecord,
  agent: HandoffAgent,
): Promise<void> {
  await updateControlWhileDraining(tx, deps, live.agent === null ? await tx.updateHandoff(live.id, { agent }) : live);
}

/**
 * Notifies the author of a message to the end-user from while support was disabled. Other observations from then have
 * no effect.
 */
async function receiveFromWhileDisabled(
  tx: SessionTransaction,
  deps: FlowDeps,
  observation: Observation,
): Promise<void> {
  if (observation.kind === 'agentMessage' || observation.kind === 'unsupported')
    await receiveChange(tx, deps, {
      kind: 'unsupported',
      id: observation.id,
      description: 'support was switched off when you wrote it',
    });
  // A survey that was offered before is still answered.
  if (observation.kind === 'survey' && (await tx.findHandoffOfSurvey(observation.id)) !== null)
    await receiveChange(tx, deps, observation);
}

/** Returns whether retention removed the message's record, so that it is not new. */
function isRemovedFromHistory({ session }: SessionTransaction, observation: Observation): boolean {
  const before = session.removedHistory?.messagesBefore ?? null;
  if (
    before === null ||
    !['agentMessage', 'unsupported', 'automaticReply'].includes(observation.kind) ||
    !('at' in observation)
  )
    return false;
  return observation.at !== undefined && Date.parse(observation.at) < Date.parse(before);
}

/**
 * Applies the conversation's state to the handoff. It is compared with the last view, so that residue does not count as
 * a change.
 */
export async function receiveView(
  tx: SessionTransaction,
  deps: FlowDeps,
  view: ConversationView,
  people: AgentsByExternalId,
): Promise<void> {
  const before = trustedLastView(tx.inbox, tx.session);
  const agent = view.agent === null ? null : (people.get(view.agent.externalId) ?? { id: null, ...view.agent });
  // Without an earlier view, a new assignment cannot be told from residue. This view is the reference for later ones.
  const isNewAgent = agent !== null && before !== null && agent.externalId !== before.agent?.externalId;
  const live = tx.liveHandoff;

  if (live === null) {
    // Our own return is still running, or support is disabled: the state is what the last handoff left.
    if (tx.inbox.state === 'DISABLED' || isReturnInProgress(tx.session, deps.clock.now())) return;
    if (tx.session.closedAt === null) await receiveTakeover(tx, deps, view, before, { agent, isNewAgent });
  } else if (!isOpen(live.state)) {
    return;
  } else if (live.openedForAgents === 'YES') {
    // Until then the conversation is still as the bot, or an earlier handoff, left it.
    await applyViewToHandoff(tx, deps, live, view, before, agent);
  }
  await tx.updateSession({ lastView: view });
}

/** Handles a view without a live handoff. The conversation may differ from how the bot or the last agents left it. */
async function receiveTakeover(
  tx: SessionTransaction,
  deps: FlowDeps,
  view: ConversationView,
  before: ConversationView | null,
  { agent, isNewAgent }: { readonly agent: HandoffAgent | null; readonly isNewAgent: boolean },
): Promise<void> {
  if (isNewAgent && (view.status === 'BOT_HELD' || view.status === 'OPEN'))
    return void (await beginTakeover(tx, deps, 'ASSIGNED', agent));
  if (view.status !== 'OPEN' || before === null || before.status === 'OPEN') return;
  // An end-user's message may open a resolved or snoozed conversation; the bot answers it. Anyone else who opens it
  // takes it, for themselves or for the queue.
  if (
    before.status !== 'BOT_HELD' &&
    tx.session.stateReadAt !== null &&
    (await tx.hasEndUserMessageSince(tx.session.stateReadAt))
  )
    await tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', how: 'RETURN_TO_BOT', handoffId: null });
  else await beginTakeover(tx, deps, agent === null ? 'QUEUED' : 'ASSIGNED', agent);
}

async function applyViewToHandoff(
  tx: SessionTransaction,
  deps: FlowDeps,
  live: HandoffRecord,
  view: ConversationView,
  before: ConversationView | null,
  agent: HandoffAgent | null,
): Promise<void> {
  const transitionIfAllowed = async (
    handoff: HandoffRecord,
    cause: HandoffCause,
    patch: { agent?: HandoffAgent | null } = {},
  ) => (canMove(handoff.state, cause) ? transitionHandoff(tx, deps, handoff, cause, patch) : handoff);
  switch (view.status) {
    case 'RESOLVED':
      await endLiveHandoff(
        tx,
        deps,
        agent === null ? live : await transitionIfAllowed(live, 'ASSIGNED', { agent }),
        'AGENT_RESOLVED',
      );
      return;
    case 'BOT_HELD':
      await endLiveHandoff(tx, deps, live, 'AGENT_RETURNED');
      if (view.hasResidue)
        await tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', how: 'RETURN_TO_BOT', handoffId: live.id });
      return;
    case 'ON_HOLD':
      await transitionIfAllowed(live, 'SNOOZED', agent === null ? {} : { agent });
      return;
    case 'OPEN': {
      // It was put on hold while in the queue, and is in the queue again.
      if (live.state === 'ON_HOLD' && agent === null && live.agent === null) {
        await transitionIfAllowed(live, 'UNASSIGNED');
        return;
      }
      const awake = live.state === 'ON_HOLD' ? await transitionIfAllowed(live, 'UNSNOOZED') : live;
      if (agent !== null) await transitionIfAllowed(awake, 'ASSIGNED', { agent });
      // A reply does not assign an agent, so an agent who was never assigned cannot become unassigned.
      else if (before?.agent)
        await transitionIfAllowed(awake, view.teamId !== before.teamId ? 'TEAM_CHANGED' : 'UNASSIGNED');
      // It was passed to another team, not only removed from one that may have been deleted.
      else if (before !== null && view.teamId !== null && view.teamId !== before.teamId && awake.agent !== null)
        await transitionIfAllowed(awake, 'TEAM_CHANGED');
    }
  }
}
