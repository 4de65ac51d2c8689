import { ProviderRefusedError, UnsupportedByProviderError } from '../../errors';
import type { PostMessage, ProviderDelivery } from '../../delivery';
import { isOpen } from '../../handoff';
import { NOTHING_FORWARDED, type MessageRecord } from '../../message';
import type { ConversationAccess } from '../../ports/provider/access';
import { textWithTime } from '../../said-at';
import { DELETED_BEFORE_POSTED } from './change-lines';
import {
  loadProviderContext,
  conversationFor,
  deletedMeanwhile,
  ensureConversation,
  lookAfterOf,
  recordPostTime,
  type ProviderContext,
} from '../provider-context';
import type { FlowDeps } from '../deps';
import { collectFilesToPost } from './files-to-post';
import type { Lease } from '../lease';
import { enqueueInOrder, enqueueOpeningAgain, isWanted } from '../handoff/opening';
import { messagesInFile, sortPosts } from '../handoff/unfinished-posts';
import { requestReadMark } from '../read-mark-timer';
import { collectTranscriptFiles } from './transcript-files';
import { transcriptPlaceId, transcriptId, renderTranscript, type PostTranscript } from './transcript';
import { noteAllPosted, recordPosted } from '../undelivered';

/** Posts one message, if agents do not have it yet: what was said just now, or a part of a handoff's history. */
export async function postMessage(
  deps: FlowDeps,
  delivery: ProviderDelivery,
  work: PostMessage,
  lease: Lease,
): Promise<void> {
  const [context, message] = await Promise.all([
    loadProviderContext(deps, delivery.organizationId, delivery.sessionId),
    deps.stores.messages.get(delivery.organizationId, work.messageId),
  ]);
  if (message === null || message.providerMessageId !== null) return;
  if (!(await isStillWanted(deps, context, work))) return linkConversation(deps, context, delivery, lease);
  let isEnqueuedAnew = false;
  const conversation = await ensureConversation(deps, context, delivery.previousAttempts === 0, lease, async tx => {
    if (message.seq > 1) isEnqueuedAnew = await enqueueInOrder(tx, message, delivery.id);
  });
  if (isEnqueuedAnew) return;
  await lease.ensureHeld();
  await postRecordedMessage(deps, context, conversation, message, delivery, lease);
}

async function postRecordedMessage(
  deps: FlowDeps,
  context: ProviderContext,
  conversation: ConversationAccess,
  message: MessageRecord,
  delivery: ProviderDelivery,
  lease: Lease,
): Promise<void> {
  const { session, provider } = context;
  const { previousAttempts } = delivery;
  const answered =
    message.replyToMessageId === null
      ? null
      : await deps.stores.messages.get(session.organizationId, message.replyToMessageId);
  const isDeleted = message.deletedAt !== null;
  const said = isDeleted
    ? { ...message, text: DELETED_BEFORE_POSTED, content: null, attachments: [] }
    : { ...message, text: textWithTime(message) };
  const ready = await collectFilesToPost(deps, said, context.account.capabilities.attachments, deps.limits.uploadMs);
  if (said.attachments.length > 0) await lease.ensureHeld();
  const timeMs = ready.files.length > 0 ? deps.limits.uploadMs : deps.limits.callMs;
  const text = [said.text, ...ready.lines].filter(line => line !== '').join('\n');
  const { id, author, visibility, content, authorName, createdAt, saidAt } = said;
  const providerMessageId = await provider.postMessage(
    {
      conversation,
      message: {
        id,
        author,
        visibility,
        text,
        content,
        attachments: ready.files,
        authorName,
        createdAt,
        saidAt,
        replyTo: answered?.providerMessageId ?? null,
      },
      previousAttempts,
      mayExist: previousAttempts > 0,
      lookupAfter: lookAfterOf(delivery, conversation),
    },
    lease.signal(timeMs),
  );
  await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    if (tx.session.conversationId !== conversation.conversationId) throw deletedMeanwhile();
    await recordPosted(tx, message, providerMessageId);
    await recordPostTime(tx, deps);
    if (message.author === 'END_USER') await requestReadMark(tx, deps, provider);
    for (const index of ready.pendingIndexes)
      await tx.enqueueFileWork({ kind: 'FETCH_FILE_TO_POST', messageId: message.id, index });
    // An earlier try may have shown it as it was then: what has changed since is told after it.
    if (previousAttempts === 0 && (isDeleted || message.version > 1))
      await tx.updateMessage(message.id, {
        forwarded: { ...NOTHING_FORWARDED, version: message.version, isDeleted: isDeleted },
      });
  });
}

type Historic = Pick<PostMessage, 'handoffId' | 'onlyForHandoff'>;

/** Most history is of a live handoff: that needs no lookup. */
async function isStillWanted(deps: FlowDeps, { session }: ProviderContext, work: Historic): Promise<boolean> {
  if (work.handoffId === undefined || session.liveHandoffId === work.handoffId) return true;
  return (await deps.stores.sessions.transact(session.organizationId, session.id, tx => isWanted(tx, work))).result;
}

/** Links a conversation that an earlier try of a dropped delivery may have made without living to record it: people may speak there. */
export async function linkConversation(
  deps: FlowDeps,
  context: ProviderContext,
  { previousAttempts }: ProviderDelivery,
  lease: Lease,
): Promise<void> {
  const { contactId, conversationId } = context.session;
  if (previousAttempts > 0 && contactId !== null && conversationId === null)
    await ensureConversation(deps, context, false, lease);
}

/**
 * Posts the beginning of a long history as one file; then its messages count as posted. What an operator has to decide about
 * stays out of it. A provider that does not take the file gets its messages one by one instead.
 * @throws the provider's errors; OutcomeUnknownError when an earlier try may be there, and nobody can tell
 */
export async function deliverParkedTranscript(
  deps: FlowDeps,
  delivery: ProviderDelivery,
  work: PostTranscript,
  lease: Lease,
): Promise<void> {
  const context = await loadProviderContext(deps, delivery.organizationId, delivery.sessionId);
  const { provider, session } = context;
  if (!(await isStillWanted(deps, context, work))) return linkConversation(deps, context, delivery, lease);
  // Its conversation was lost since: the next one has all of it.
  if (delivery.conversationId !== null && conversationFor(deps, context, delivery) === null) return;
  const early = await messagesOfTranscript(deps, context, work);
  if (early.length === 0) return;
  if (provider.postTranscript === undefined)
    return postOneByOne(
      deps,
      context,
      delivery,
      work,
      new UnsupportedByProviderError('This provider takes no transcripts.'),
    );
  const conversation = await ensureConversation(deps, context, delivery.previousAttempts === 0, lease);
  await lease.ensureHeld();
  const attached = await collectTranscriptFiles(
    deps,
    early,
    context.account.capabilities.attachments,
    deps.limits.uploadMs,
  );
  await lease.ensureHeld();
  const { text: title, content } = renderTranscript(early, work.followedBy, attached);
  let transcript: string;
  try {
    transcript = await provider.postTranscript(
      {
        conversation,
        noteId: transcriptId(work),
        title,
        fileName: 'transcript.txt',
        content,
        files: attached.files,
        mayExist: delivery.previousAttempts > 0,
        lookupAfter: lookAfterOf(delivery, conversation),
      },
      lease.signal(deps.limits.uploadMs),
    );
  } catch (error) {
    if (!isRefused(error)) throw error;
    return postOneByOne(deps, context, delivery, work, error);
  }
  await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    if (tx.session.conversationId !== conversation.conversationId) throw deletedMeanwhile();
    await noteAllPosted(
      tx,
      early.map(message => ({ id: message.id, providerMessageId: transcriptPlaceId(transcript, message) })),
    );
    if (delivery.previousAttempts > 0) await tx.forgetOutcome(delivery.id);
    for (const file of attached.pendingFiles) await tx.enqueueFileWork({ kind: 'FETCH_FILE_TO_POST', ...file });
    await recordPostTime(tx, deps);
  });
}

async function messagesOfTranscript(
  deps: FlowDeps,
  { session: { organizationId, id } }: ProviderContext,
  work: PostTranscript,
): Promise<readonly MessageRecord[]> {
  const { result } = await deps.stores.sessions.transact(organizationId, id, async tx => {
    const messages = await tx.findUnpostedMessages(work.throughSeq);
    return messages.length === 0 ? [] : messagesInFile(sortPosts(await tx.unfinishedPosts()), work, messages);
  });
  return result;
}

/** Enqueues the messages of a transcript that was refused, and what follows it after them. A handoff that is open already keeps its dead letter. */
async function postOneByOne(
  deps: FlowDeps,
  { session: { organizationId, id } }: ProviderContext,
  { id: deliveryId }: ProviderDelivery,
  { handoffId }: PostTranscript,
  refusal: ProviderRefusedError | UnsupportedByProviderError,
): Promise<void> {
  await deps.stores.sessions.transact(organizationId, id, async tx => {
    const handoff = await tx.findHandoff(handoffId);
    if (handoff === null || handoff.openedForAgents !== 'NO') throw refusal;
    const historyThroughSeq = tx.session.lastMessageSeq;
    // It was refused after a lookup, so no attempt has posted it.
    await tx.forgetOutcome(deliveryId);
    // This one may have ended, and the steps of the next one wait after it.
    const live = tx.liveHandoff;
    const opening = live !== null && live.openedForAgents !== 'YES' ? live : handoff;
    await enqueueOpeningAgain(
      tx,
      isOpen(opening.state) ? await tx.updateHandoff(opening.id, { historyThroughSeq }) : opening,
      Infinity,
      deliveryId,
    );
  });
}

/** Whether the provider never takes it, and the conversation is there all the same. */
export const isRefused = (error: unknown): error is ProviderRefusedError | UnsupportedByProviderError =>
  error instanceof UnsupportedByProviderError || (error instanceof ProviderRefusedError && !error.gone);
