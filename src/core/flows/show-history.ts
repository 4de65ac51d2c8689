import { OutcomeUnknownError, ProviderDamagedError, ProviderRefusedError, UnsupportedByProviderError } from '../errors';
import type { ProviderDelivery } from '../delivery';
import type { HandoffRecord } from '../handoff';
import type { HandoffId, MessageId } from '../ids';
import { NOTHING_SHOWN, type MessageRecord } from '../message';
import type { TalkSetAside } from '../ports/stores';
import type { ConversationAccess } from '../ports/support-provider';
import { textWithTime } from '../said-at';
import { stepDone } from './change-handoff';
import { TAKEN_BACK } from './change-lines';
import { connect, conversationOf, ensureConversation, notePost, type Connected } from './conversation';
import { isOpenedAgain } from './conversation-lost';
import { showReactions } from './deliver-change';
import type { FlowDeps } from './deps';
import { filesToPost } from './files-to-post';
import type { Lease } from './lease';
import { requestReadMark } from './read-mark-timer';
import { filesOfTranscript } from './transcript-files';
import { HISTORY_MESSAGES, placeInTranscript, transcriptId, transcriptOf } from './transcript';
import { notePosted } from './undelivered';
import { setAsidePart, writeOnce } from './write-once';

/** Whether an earlier try may have posted it, and how far back that may lie: of one that was set aside since, readings have gone past it. */
type Earlier = 'NONE' | 'RECENT' | 'EVER';

/** @param earlierTries how many tries at this message have failed */
async function post(deps: FlowDeps, connected: Connected, conversation: ConversationAccess, message: MessageRecord, earlier: Earlier, earlierTries: number, lease: Lease): Promise<void> {
  const { session, provider } = connected;
  const answered = message.replyToMessageId === null ? null : await deps.stores.messages.get(session.organizationId, message.replyToMessageId);
  const takenBack = message.deletedAt !== null;
  const said = takenBack ? { ...message, text: TAKEN_BACK, content: null, attachments: [] } : { ...message, text: textWithTime(message) };
  const lookAfter = earlier === 'EVER' ? null : session.readAfter;
  const ready = await filesToPost(deps, said, connected.account.capabilities.attachments, deps.limits.uploadMs);
  if (said.attachments.length > 0) await lease.held();
  const timeMs = ready.files.length > 0 ? deps.limits.uploadMs : deps.limits.callMs;
  const text = [said.text, ...ready.lines].filter(line => line !== '').join('\n');
  const providerMessageId = await writeOnce(deps, session, lease, earlier !== 'NONE', mayExist => provider.postMessage({
    conversation, message: { ...said, text, attachments: ready.files, replyTo: answered?.providerMessageId ?? null }, earlierTries, mayExist, lookAfter,
  }, lease.signal(timeMs)));
  await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    if (tx.session.conversationId !== conversation.conversationId) throw deletedMeanwhile();
    await notePosted(tx, message, providerMessageId);
    await notePost(tx, deps);
    if (message.author === 'END_USER') await requestReadMark(tx, deps, provider);
    for (const index of ready.follow) await tx.oweMedia({ kind: 'BRING_FILE', messageId: message.id, index });
    // An earlier try may have shown it as it was then: what has changed since is told behind it.
    if (earlier === 'NONE' && (takenBack || message.version > 1)) await tx.updateMessage(message.id, { shown: { ...NOTHING_SHOWN, version: message.version, takenBack } });
  });
}

/** A reading has found it deleted since: what was written there counts for nothing. */
export const deletedMeanwhile = () => new ProviderRefusedError('The conversation was deleted while it was written to.', { gone: true });

export async function postOne(deps: FlowDeps, delivery: ProviderDelivery, messageId: string, lease: Lease): Promise<void> {
  // The session before the message: a reading that records the message in between has then not moved the `readAfter` we look from.
  const connected = await connect(deps, delivery.organizationId, delivery.sessionId);
  const message = await deps.stores.messages.get(delivery.organizationId, messageId);
  if (message === null || message.providerMessageId !== null) return;
  if (await isBroughtLater(deps, connected, message)) return;
  const conversation = await ensureConversation(deps, connected, delivery.earlierAttempts === 0, lease);
  if (await isAheadOfHistory(deps, connected, message)) await bringHistory(deps, connected, conversation, message.seq - 1, lease);
  await lease.held();
  const earlier = delivery.earlierAttempts === 0 ? 'NONE' : delivery.lastErrorCode === 'OUTCOME_UNKNOWN' ? 'EVER' : 'RECENT';
  await post(deps, connected, conversation, message, earlier, delivery.earlierAttempts, lease);
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

/** What the provider has not seen yet. What waits for an operator to say whether it has is left to them. `aside`: those of it that have a dead letter. */
async function unposted({ stores: { sessions } }: FlowDeps, { session: { organizationId, id } }: Connected, throughSeq: number) {
  const { answer } = await sessions.transact(organizationId, id, async tx => {
    const messages = await tx.unpostedMessages(throughSeq);
    const aside = new Map<MessageId, TalkSetAside>();
    let inLeftFile = 0;
    for (const one of await tx.talkSetAside()) {
      if (one.messageId !== null) aside.set(one.messageId, one);
      else if (one.isLeft && one.handoffId !== null) inLeftFile = Math.max(inLeftFile, splitSeqOf(await tx.handoff(one.handoffId)));
    }
    const isLeft = ({ id: messageId, seq }: MessageRecord) => aside.get(messageId)?.isLeft ?? seq <= inLeftFile;
    return { history: messages.filter(message => !isLeft(message)), aside };
  });
  return answer;
}

/** Shows what the provider has not seen yet, in order. What it refuses for good, or cannot tell of, does not keep the rest from the agents. */
export async function bringHistory(deps: FlowDeps, connected: Connected, conversation: ConversationAccess, throughSeq: number, lease: Lease, earlierTries = 0): Promise<void> {
  const { sessions } = deps.stores;
  const { id, organizationId, conversationId } = connected.session;
  const { history, aside } = await unposted(deps, connected, throughSeq);
  // Posts are recorded one by one: only the first unrecorded one can be there already, and that by an earlier handoff's try too.
  let mayExist = conversationId !== null;
  let isFirst = true;
  for (const message of history) {
    // Our own lines to the end-user are not part of the talk that agents continue.
    if (message.author === 'SYSTEM') continue;
    const before = aside.get(message.id);
    await lease.held();
    try {
      await post(deps, connected, conversation, message, before?.isUnknown ? 'EVER' : mayExist ? 'RECENT' : 'NONE', isFirst ? earlierTries : 0, lease);
      if (!before) mayExist = false;
      isFirst = false;
      if (message.reactions.length > 0) await showReactions(deps, connected, conversation, message.id, lease);
    } catch (error) {
      isFirst = false;
      const isUnknown = error instanceof OutcomeUnknownError;
      const isDamaged = error instanceof ProviderDamagedError;
      if (!(isUnknown || isDamaged || error instanceof UnsupportedByProviderError || (error instanceof ProviderRefusedError && !error.gone))) throw error;
      const failure = { code: error.code, outcome: isUnknown || isDamaged ? 'UNKNOWN' : 'NOT_DELIVERED', handoffId: message.handoffId } as const;
      await sessions.transact(organizationId, id, tx => setAsidePart(tx, deps, { kind: 'POST_MESSAGE', messageId: message.id }, failure));
      // It was this one that the earlier try had come to, unless it had been set aside before. What made us doubt it says nothing of those behind it.
      if (isUnknown && !before) mayExist = false;
    }
  }
  if (connected.session.tellsAgain)
    await sessions.transact(organizationId, id, async tx => { if (tx.session.conversationId === conversation.conversationId) await tx.updateSession({ tellsAgain: false }); });
}

const SPLIT = 'split:';
const splitOf = ({ stepsDone }: HandoffRecord): string | undefined => stepsDone.find(step => step.startsWith(SPLIT));
const splitSeqOf = (handoff: HandoffRecord | null): number => Number((handoff && splitOf(handoff))?.slice(SPLIT.length) ?? 0);

/**
 * The beginning of a long talk, as one file before the messages that follow it; then those count as shown.
 * @throws OutcomeUnknownError when an earlier try of the file may be there, and nobody can tell
 */
export async function bringTranscript(deps: FlowDeps, connected: Connected, conversation: ConversationAccess, handoff: HandoffRecord, mayExist: boolean, lease: Lease): Promise<void> {
  const { provider, session } = connected;
  if (provider.postTranscript === undefined) return;
  const { sessions } = deps.stores;
  const { history, aside } = await unposted(deps, connected, handoff.historyThroughSeq);
  const said = history.filter(message => message.author !== 'SYSTEM');
  // Decided once, before anything is posted: a repeat must not move a message from one way to the other.
  let split = splitOf(handoff);
  if (split === undefined) {
    const room = Math.min(HISTORY_MESSAGES, Math.max(1, provider.postingRoom?.(conversation) ?? HISTORY_MESSAGES));
    const decided = split = `${SPLIT}${said.at(-room - 1)?.seq ?? 0}`;
    await sessions.transact(session.organizationId, session.id, tx => stepDone(tx, handoff.id, decided));
  }
  const throughSeq = Number(split.slice(SPLIT.length));
  // What may be there by itself is looked for by itself, behind the file.
  const early = said.filter(message => message.seq <= throughSeq && !aside.get(message.id)?.isUnknown);
  if (early.length === 0) return;
  await lease.held();
  // Looked for from the start: its echo leaves no mark here, and a reading may have gone past it since.
  const attached = await filesOfTranscript(deps, early, connected.account.capabilities.attachments, deps.limits.uploadMs);
  await lease.held();
  const { text: title, content } = transcriptOf(early, said.length - early.length, attached);
  const postTranscript = provider.postTranscript.bind(provider);
  const transcript = await writeOnce(deps, session, lease, mayExist, mayExist => postTranscript({
    conversation, noteId: transcriptId(handoff.id), title, fileName: 'transcript.txt', content, files: attached.files, mayExist, lookAfter: null,
  }, lease.signal(deps.limits.uploadMs)));
  await sessions.transact(session.organizationId, session.id, async tx => {
    for (const message of early) await notePosted(tx, message, placeInTranscript(transcript, message));
    for (const file of attached.follow) await tx.oweMedia({ kind: 'BRING_FILE', ...file });
    await notePost(tx, deps);
  });
}

/** One that was set aside and is sent again. What another handoff has brought since is not brought twice. */
export async function postTranscript(deps: FlowDeps, { organizationId, sessionId, earlierAttempts }: ProviderDelivery, handoffId: HandoffId, lease: Lease): Promise<void> {
  const connected = await connect(deps, organizationId, sessionId);
  const conversation = conversationOf(deps, connected);
  const handoff = await deps.stores.handoffs.get(organizationId, handoffId);
  // Without the split its conversation was lost since, and it was opened again with all of its talk.
  if (conversation === null || handoff === null || splitOf(handoff) === undefined) return;
  await bringTranscript(deps, connected, conversation, handoff, earlierAttempts > 0, lease);
}
