import { type ProviderRefusedError, UnsupportedByProviderError } from '../../errors';
import { isOpen } from '../../handoff';
import type { MessageRecord } from '../../message';
import { enqueueOpeningAgain } from '../handoff/opening';
import { messagesInFile, sortPosts } from '../handoff/unfinished-posts';
import { noteAllPosted } from '../undelivered';
import { isStillWanted } from './deliver-message';
import {
  isConversationLost,
  isRefused,
  lookupAfterOf,
  recordPostTime,
  recordWrite,
  type DeliveryContext,
} from './delivery-context';
import { ensureConversation, linkConversation } from './ensure-conversation';
import { collectTranscriptFiles } from './transcript-files';
import { transcriptPlaceId, transcriptId, renderTranscript, type PostTranscript } from './transcript';

/**
 * Posts the beginning of a long history as one file; then its messages count as posted. Messages that an operator has
 * to decide about stay out of it. If the provider does not take the file, it gets the messages one by one instead.
 * @throws the provider's errors; OutcomeUnknownError if an earlier attempt may have posted it and nobody can tell
 */
export async function deliverTranscript(context: DeliveryContext, work: PostTranscript): Promise<void> {
  const { deps, provider } = context;
  if (!(await isStillWanted(context, work))) return linkConversation(context);
  // A new conversation gets the whole history.
  if (isConversationLost(context)) return;
  const early = await messagesOfTranscript(context, work);
  if (early.length === 0) return;
  if (provider.postTranscript === undefined)
    return postOneByOne(context, work, new UnsupportedByProviderError('This provider takes no transcripts.'));
  const conversation = await ensureConversation(context);
  await context.ensureHeld();
  const { attachments } = context.account.capabilities;
  const attached = await collectTranscriptFiles(deps, early, attachments, deps.limits.uploadMs);
  const { text: title, content } = renderTranscript(early, work.followedBy, attached);
  let transcript: string;
  try {
    transcript = await provider.postTranscript({
      conversation,
      noteId: transcriptId(work),
      title,
      fileName: 'transcript.txt',
      content,
      files: attached.files,
      mayExist: !context.isFirstAttempt,
      lookupAfter: lookupAfterOf(context, conversation),
    });
  } catch (error) {
    if (!isRefused(error)) throw error;
    return postOneByOne(context, work, error);
  }
  await recordWrite(context, conversation, async tx => {
    await noteAllPosted(
      tx,
      early.map(message => ({ id: message.id, providerMessageId: transcriptPlaceId(transcript, message) })),
    );
    if (!context.isFirstAttempt) await tx.forgetOutcome(context.delivery.id);
    for (const file of attached.pendingFiles) await tx.enqueueFileWork({ kind: 'FETCH_FILE_TO_POST', ...file });
    await recordPostTime(tx, deps);
  });
}

const messagesOfTranscript = ({ transact }: DeliveryContext, work: PostTranscript): Promise<readonly MessageRecord[]> =>
  transact(async tx => {
    const messages = await tx.findUnpostedMessages(work.throughSeq);
    return messages.length === 0 ? [] : messagesInFile(sortPosts(await tx.unfinishedPosts()), work, messages);
  });

/**
 * Enqueues the messages of a refused transcript one by one, and then the later steps again. If the handoff is open
 * already, the transcript becomes a dead letter.
 */
const postOneByOne = (
  { transact, delivery }: DeliveryContext,
  { handoffId }: PostTranscript,
  refusal: ProviderRefusedError | UnsupportedByProviderError,
): Promise<void> =>
  transact(async tx => {
    const handoff = await tx.findHandoff(handoffId);
    if (handoff === null || handoff.openedForAgents !== 'NO') throw refusal;
    // The lookup did not find it, so no attempt has posted it.
    await tx.forgetOutcome(delivery.id);
    const historyThroughSeq = tx.session.lastMessageSeq;
    // The transcript's handoff may have ended; then the steps of the live handoff wait after it.
    const live = tx.liveHandoff;
    const opening = live !== null && live.openedForAgents !== 'YES' ? live : handoff;
    await enqueueOpeningAgain(
      tx,
      isOpen(opening.state) ? await tx.updateHandoff(opening.id, { historyThroughSeq }) : opening,
      Infinity,
      delivery.id,
    );
  });
