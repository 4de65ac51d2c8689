import { ProviderRefusedError, UnsupportedByProviderError } from '../errors';
import type { ProviderDelivery } from '../delivery';
import type { HandoffRecord } from '../handoff';
import { NOTHING_SHOWN, type MessageRecord } from '../message';
import { instantOf } from '../ports/clock';
import type { ConversationAccess } from '../ports/support-provider';
import { stepDone } from './change-handoff';
import { TAKEN_BACK } from './change-lines';
import { connect, ensureConversation, notePost, type Connected } from './conversation';
import { isOpenedAgain } from './conversation-lost';
import { showReactions } from './deliver-change';
import type { FlowDeps } from './deps';
import type { Lease } from './lease';
import { HISTORY_MESSAGES, placeInTranscript, transcriptId, transcriptOf } from './transcript';

async function post(deps: FlowDeps, connected: Connected, conversation: ConversationAccess, message: MessageRecord, mayExist: boolean, lease: Lease): Promise<void> {
  const { session, provider } = connected;
  const answered = message.replyToMessageId === null ? null : await deps.stores.messages.get(session.organizationId, message.replyToMessageId);
  const takenBack = message.deletedAt !== null;
  const said = takenBack ? { ...message, text: TAKEN_BACK, content: null, attachments: [] } : message;
  const timeMs = said.attachments.length > 0 ? deps.limits.uploadMs : deps.limits.callMs;
  const providerMessageId = await provider.postMessage({
    conversation, message: { ...said, replyTo: answered?.providerMessageId ?? null }, timeMs, mayExist, lookAfter: session.readAfter,
  }, lease.signal(timeMs));
  await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    if (tx.session.conversationId !== conversation.conversationId) throw deletedMeanwhile();
    await tx.setProviderMessageId(message.id, providerMessageId);
    await notePost(tx, deps);
    // An earlier try may have shown it as it was then: what has changed since is told behind it.
    if (!mayExist && (takenBack || message.version > 1)) await tx.updateMessage(message.id, { shown: { ...NOTHING_SHOWN, version: message.version, takenBack } });
  });
}

/** A reading has found it deleted since: what was written there counts for nothing. */
export const deletedMeanwhile = () => new ProviderRefusedError('The conversation was deleted while it was written to.', { gone: true });

export async function postOne(deps: FlowDeps, delivery: ProviderDelivery, messageId: string, lease: Lease): Promise<void> {
  // The session before the message: a reading that records the message in between has then not moved the `readAfter` we look from.
  const connected = await connect(deps, delivery.organizationId, delivery.sessionId, lease);
  const message = await deps.stores.messages.get(delivery.organizationId, messageId);
  if (message === null || message.providerMessageId !== null) return;
  if (await isBroughtLater(deps, connected, message)) return;
  const conversation = await ensureConversation(deps, connected, delivery.earlierAttempts === 0, lease);
  if (await isAheadOfHistory(deps, connected, message)) await bringHistory(deps, connected, conversation, message.seq - 1, lease);
  await lease.held();
  await post(deps, connected, conversation, message, delivery.earlierAttempts > 0, lease);
}

/** Whether it is part of what a handoff that is opened again brings along: behind this one in the lane, and a long talk as a file. */
async function isBroughtLater(deps: FlowDeps, { session }: Connected, { seq }: MessageRecord): Promise<boolean> {
  if (session.liveHandoffId === null) return false;
  const live = await deps.stores.handoffs.get(session.organizationId, session.liveHandoffId);
  return live !== null && isOpenedAgain(live) && seq <= live.historyThroughSeq;
}

/** Whether what was said before this message was not brought: its handoff ended before that, or the policy has changed. */
async function isAheadOfHistory(deps: FlowDeps, { session }: Connected, { seq, handoffId }: MessageRecord): Promise<boolean> {
  if (session.conversationId === null || session.tellsAgain) return seq > 1;
  const handoff = handoffId === null ? null : await deps.stores.handoffs.get(session.organizationId, handoffId);
  return handoff !== null && !handoff.stepsDone.includes('history');
}

/** Shows what the provider has not seen yet, in order. What it refuses for good does not keep the rest from the agents. */
export async function bringHistory(deps: FlowDeps, connected: Connected, conversation: ConversationAccess, throughSeq: number, lease: Lease): Promise<void> {
  const { sessions } = deps.stores;
  const { id, organizationId, conversationId } = connected.session;
  const { answer: history } = await sessions.transact(organizationId, id, tx => tx.unpostedMessages(throughSeq));
  // Posts are recorded one by one: only the first unrecorded one can be there already, and that by an earlier handoff's try too.
  let mayExist = conversationId !== null;
  for (const message of history) {
    // Our own lines to the end-user are not part of the talk that agents continue.
    if (message.author === 'SYSTEM') continue;
    await lease.held();
    try {
      await post(deps, connected, conversation, message, mayExist, lease);
      mayExist = false;
      if (message.reactions.length > 0) await showReactions(deps, connected, conversation, message.id, lease);
    } catch (error) {
      if (!(error instanceof UnsupportedByProviderError || (error instanceof ProviderRefusedError && !error.gone))) throw error;
      const { code } = error;
      await sessions.transact(organizationId, id, async tx => {
        const letter = await tx.setAside({ kind: 'POST_MESSAGE', messageId: message.id }, code);
        if (letter !== null) await tx.appendEvent({ type: 'DELIVERY_PARKED', deliveryId: letter.id, kind: letter.kind, code }, message.handoffId, instantOf(deps.clock.now()));
      });
    }
  }
  if (connected.session.tellsAgain)
    await sessions.transact(organizationId, id, async tx => { if (tx.session.conversationId === conversation.conversationId) await tx.updateSession({ tellsAgain: false }); });
}

/** The beginning of a long talk, as one file before the messages that follow it; then those count as shown. */
export async function bringTranscript(deps: FlowDeps, { provider, session }: Connected, conversation: ConversationAccess, handoff: HandoffRecord, mayExist: boolean, lease: Lease): Promise<void> {
  if (provider.postTranscript === undefined) return;
  const { sessions } = deps.stores;
  const { answer: history } = await sessions.transact(session.organizationId, session.id, tx => tx.unpostedMessages(handoff.historyThroughSeq));
  const said = history.filter(message => message.author !== 'SYSTEM');
  // Decided once, before anything is posted: a repeat must not move a message from one way to the other.
  let split = handoff.stepsDone.find(step => step.startsWith('split:'));
  if (split === undefined) {
    const room = Math.min(HISTORY_MESSAGES, Math.max(1, provider.postingRoom?.(conversation) ?? HISTORY_MESSAGES));
    const decided = split = `split:${said.at(-room - 1)?.seq ?? 0}`;
    await sessions.transact(session.organizationId, session.id, tx => stepDone(tx, handoff.id, decided));
  }
  const throughSeq = Number(split.slice('split:'.length));
  const early = said.filter(message => message.seq <= throughSeq);
  if (early.length === 0) return;
  await lease.held();
  // Looked for from the start: its echo leaves no mark here, and a reading may have gone past it since.
  const { text: title, content } = transcriptOf(early, said.length - early.length);
  const transcript = await provider.postTranscript({
    conversation, noteId: transcriptId(handoff.id), title, fileName: 'transcript.txt', content, mayExist, lookAfter: null,
  }, lease.signal(deps.limits.uploadMs));
  await sessions.transact(session.organizationId, session.id, async tx => {
    for (const message of early) await tx.setProviderMessageId(message.id, placeInTranscript(transcript, message));
    await notePost(tx, deps);
  });
}
