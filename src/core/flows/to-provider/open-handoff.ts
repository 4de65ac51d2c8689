import type { OpeningStep, ProviderDelivery } from '../../delivery';
import { isOpen, type HandoffRecord } from '../../handoff';
import type { HandoffId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { SessionTransaction } from '../../ports/session-transaction';
import type { ConversationView } from '../../conversation-view';
import { transitionHandoff, sendLineToEndUser } from '../handoff/transition';
import {
  beginStatusWrite,
  beginStatusWriteIn,
  UNTOUCHED_VIEW,
  loadProviderContext,
  conversationFor,
  conversationAccessOf,
  deletedMeanwhile,
  ensureConversation,
  endedStatusWrites,
  isUntouched,
  lookAfterOf,
  recordPostTime,
} from '../provider-context';
import { accessOf, type FlowDeps } from '../deps';
import { droppedNote } from '../dropped-note';
import type { Lease } from '../lease';
import { openWithAcceptedTarget, type OpenedConversation } from './open-with-target';
import { contextNote } from '../handoff/opening';
import { timerSyncDelayMs } from '../from-provider/scan-account';
import { isRefused, linkConversation } from './history';
import { trustedLastView } from '../handoff/while-disabled';

/**
 * The steps of a handoff's opening, but for its history: each is one delivery. Whatever is over by then is dropped; what follows
 * in the lane returns the conversation.
 */
export async function takeOpeningStep(
  deps: FlowDeps,
  delivery: ProviderDelivery,
  step: Exclude<OpeningStep, { readonly kind: 'POST_TRANSCRIPT' }>,
  lease: Lease,
): Promise<void> {
  const handoff = await deps.stores.handoffs.get(delivery.organizationId, step.handoffId);
  if (handoff === null || !isWanted(handoff, step)) {
    if (delivery.previousAttempts > 0)
      await linkConversation(
        deps,
        await loadProviderContext(deps, delivery.organizationId, delivery.sessionId),
        delivery,
        lease,
      );
    return;
  }
  switch (step.kind) {
    case 'RETURN_TO_BOT':
      return returnToBot(deps, delivery, lease);
    case 'POST_CONTEXT_NOTE':
      return postContextNote(deps, delivery, handoff, lease);
    case 'OPEN_HANDOFF':
      return openHandoff(deps, delivery, handoff, lease);
  }
}

/** Once it is opened it is the agents'. A note that was set aside is posted all the same when it is sent again. */
function isWanted({ state, openedForAgents }: HandoffRecord, { kind }: OpeningStep): boolean {
  const isOpened = openedForAgents === 'YES';
  return kind === 'POST_CONTEXT_NOTE' ? isOpened || isOpen(state) : !isOpened && isOpen(state);
}

/** Takes away what an earlier handoff left. A provider that refuses it opens the conversation with what is on it. */
async function returnToBot(
  deps: FlowDeps,
  { organizationId, sessionId }: ProviderDelivery,
  lease: Lease,
): Promise<void> {
  const context = await loadProviderContext(deps, organizationId, sessionId);
  const { provider, inbox, session } = context;
  const conversation = conversationAccessOf(deps, context);
  // A return that stood before this one in the lane has done it.
  if (conversation === null || isUntouched(trustedLastView(inbox, session))) return;
  await beginStatusWrite(deps, session);
  await lease.ensureHeld();
  let isDone = true;
  try {
    await provider.returnToBot(conversation, lease.signal(deps.limits.callMs));
  } catch (error) {
    if (!isRefused(error)) throw error;
    isDone = false;
  }
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    if (tx.session.conversationId !== conversation.conversationId) throw deletedMeanwhile();
    await tx.updateSession({
      statusWrites: endedStatusWrites(tx.session.statusWrites),
      ...(isDone && { lastView: UNTOUCHED_VIEW }),
    });
  });
}

/** Our id of a handoff's context note, as the provider keeps it. */
const noteIdOf = (handoffId: HandoffId): string => `handoff:${handoffId}`;

async function postContextNote(
  deps: FlowDeps,
  delivery: ProviderDelivery,
  handoff: HandoffRecord,
  lease: Lease,
): Promise<void> {
  const { organizationId, sessionId, previousAttempts } = delivery;
  const context = await loadProviderContext(deps, organizationId, sessionId);
  const text = contextNote(handoff);
  if (text === null || !context.account.capabilities.privateNotes) return;
  // Its conversation was lost since: the next one has a note of its own.
  if (delivery.conversationId !== null && conversationFor(deps, context, delivery) === null) return;
  const conversation = await ensureConversation(deps, context, previousAttempts === 0, lease);
  await lease.ensureHeld();
  await context.provider.postNote(
    {
      conversation,
      noteId: noteIdOf(handoff.id),
      text,
      mayExist: previousAttempts > 0,
      lookupAfter: lookAfterOf(delivery, conversation),
    },
    lease.signal(deps.limits.callMs),
  );
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    if (tx.session.conversationId !== conversation.conversationId) throw deletedMeanwhile();
    await recordPostTime(tx, deps);
  });
}

/** Calls the agents: everything that they should read first stands there by now. */
async function openHandoff(
  deps: FlowDeps,
  delivery: ProviderDelivery,
  { id: handoffId }: HandoffRecord,
  lease: Lease,
): Promise<void> {
  const { organizationId, sessionId, previousAttempts } = delivery;
  const { sessions } = deps.stores;
  const context = await loadProviderContext(deps, organizationId, sessionId);
  const { provider, account } = context;
  const conversation = await ensureConversation(deps, context, previousAttempts === 0, lease);
  await lease.ensureHeld();
  // Whoever ended it before this transaction did not wait for agents, who must not see it then.
  const { result: begun } = await sessions.transact(organizationId, sessionId, async tx => {
    const live = tx.liveHandoff;
    if (live === null || live.id !== handoffId || !isOpen(live.state)) return null;
    await beginStatusWriteIn(tx);
    if (live.openedForAgents === 'NO') await tx.updateHandoff(handoffId, { openedForAgents: 'MAYBE' });
    return { handoff: live, stateHintCount: tx.session.stateHintCount };
  });
  if (begun === null) return;
  const { handoff } = begun;
  // A try that was cut off here may have opened it. When people had it since, and are done with it, it must not come back to them.
  const mayBeDoneWith = handoff.openedForAgents === 'MAYBE' && handoff.state !== 'REQUESTED';
  if (mayBeDoneWith) await lease.ensureHeld();
  const isFinished =
    mayBeDoneWith &&
    (await provider.readConversation(conversation, lease.signal(deps.limits.callMs))).status === 'RESOLVED';
  const opened = await openWithAcceptedTarget(deps, context, conversation, handoff, lease, isFinished);
  await sessions.transact(organizationId, sessionId, async tx => {
    if (tx.session.conversationId !== conversation.conversationId) throw deletedMeanwhile();
    await tx.updateSession({ statusWrites: endedStatusWrites(tx.session.statusWrites) });
    // A replica that outlived its lease, or has the lane after us, was quicker: the end-user has been told, and what people did since stands.
    if ((await tx.findHandoff(handoffId))?.openedForAgents === 'YES') return;
    await recordOpened(tx, deps, handoffId, opened, account.capabilities.privateNotes);
    // What is as we wrote it need not be read at once: whatever people do to it is told to us. Not so by an account that cannot
    // reach us, nor of an agent whom we assigned ourselves, nor of what happened between an earlier try and this one, nor of what a
    // hint showed while we wrote.
    const isWebhookExpected =
      accessOf(deps, account).webhookUrl !== '' &&
      !opened.hasAgent &&
      previousAttempts === 0 &&
      tx.session.stateHintCount === begun.stateHintCount;
    if (tx.liveHandoff?.id !== handoffId || !isOpen(tx.liveHandoff.state)) return;
    const now = deps.clock.now();
    const timerMs = timerSyncDelayMs({
      canBeScanned: provider.listChangedConversations !== undefined,
      liveScanIntervalMs: deps.limits.liveScanIntervalMs,
      random: deps.clock.random(),
    });
    await tx.requestSync(instantOf(isWebhookExpected ? now + timerMs : now), isWebhookExpected ? 'TIMER' : 'ALL');
  });
}

const TARGET_DROPPED =
  'Not all that was asked for could be set here; the conversation is open to everybody who sees this inbox:';

async function recordOpened(
  tx: SessionTransaction,
  deps: FlowDeps,
  handoffId: HandoffId,
  opened: OpenedConversation,
  showsNotes: boolean,
): Promise<void> {
  await tx.updateSession({ lastView: opened.view, stateReadAt: instantOf(deps.clock.now()) });
  const live = tx.liveHandoff;
  // Ended in the meantime: the delivery after this one returns the conversation.
  if (live === null || live.id !== handoffId || !isOpen(live.state)) return;
  const shown = await tx.updateHandoff(handoffId, { openedForAgents: 'YES' });
  if (opened.droppedLines.length > 0 && showsNotes)
    await tx.enqueueForProvider(droppedNote(`target:${handoffId}`, TARGET_DROPPED, opened.droppedLines));
  const accepted = await transitionHandoff(tx, deps, shown, 'PROVIDER_ACCEPTED');
  // Only now is the promise true, and only if nobody has spoken yet. Once is enough for a handoff that is opened again.
  if (accepted.state === 'QUEUED' && live.queuedAt === null)
    await sendLineToEndUser(tx, deps, tx.inbox.policy.lines.queued, accepted);
}

/** An agent spoke to, or took, a bot-held conversation: open it in their name, unless they have resolved it already. */
export async function openTakeover(
  deps: FlowDeps,
  delivery: ProviderDelivery,
  handoffId: string,
  lease: Lease,
): Promise<void> {
  const { organizationId, sessionId } = delivery;
  const context = await loadProviderContext(deps, organizationId, sessionId);
  const conversation = conversationAccessOf(deps, context);
  const handoff = await deps.stores.handoffs.get(organizationId, handoffId);
  // Only the delivery's own completion was lost: what they have done with it since stands.
  if (handoff?.openedForAgents === 'YES') return;
  let lastView: ConversationView | null = context.session.lastView;
  if (conversation !== null && handoff !== null && isOpen(handoff.state)) {
    // A return that stood before us in the lane may have made it even.
    await beginStatusWrite(deps, context.session);
    await lease.ensureHeld();
    const view = await context.provider.readConversation(conversation, lease.signal(deps.limits.callMs));
    // Whom we find or put on it is not one who takes it once more.
    lastView = view;
    // One that was opened for the queue, and is not open any more, was given back.
    if (view.status === 'BOT_HELD' && (view.agent ?? handoff.agent) !== null) {
      const agent = view.agent ?? (handoff.agent && { externalId: handoff.agent.externalId, name: handoff.agent.name });
      await lease.ensureHeld();
      const open = (agentId: string | null) =>
        context.provider.openForAgents(
          { conversation, teamId: null, agentId, priority: null },
          lease.signal(deps.limits.callMs),
        );
      const toAssign = view.agent === null ? (agent?.externalId ?? null) : null;
      let isAssigned = true;
      // An agent who cannot be assigned has spoken all the same: the conversation is opened for everybody.
      await open(toAssign).catch((error: unknown) => {
        if (toAssign === null || !isRefused(error)) throw error;
        isAssigned = false;
        return open(null);
      });
      lastView = { status: 'OPEN', agent: isAssigned ? agent : null, teamId: view.teamId };
    }
  }
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    await tx.updateSession({ statusWrites: endedStatusWrites(tx.session.statusWrites) });
    // Lost meanwhile, it is opened again from its beginning, if at all.
    if (conversation !== null && tx.session.conversationId !== conversation.conversationId) return;
    if (conversation === null && tx.liveHandoff?.id === handoffId && tx.liveHandoff.state === 'REQUESTED') return;
    await tx.updateSession({ lastView });
    if ((await tx.findHandoff(handoffId)) !== null) await tx.updateHandoff(handoffId, { openedForAgents: 'YES' });
    await tx.requestSync(instantOf(deps.clock.now()));
  });
}
