import { NOTHING_FORWARDED, type MessageRecord } from '../../message';
import type { ConversationAccess } from '../../ports/provider/access';
import type { PostMessage } from '../../ports/provider/post-verbs';
import { textWithTime } from '../../said-at';
import { requestReadMark } from '../read-mark-timer';
import { recordPosted } from '../undelivered';
import { DELETED_BEFORE_POSTED } from './change-lines';
import { lookupAfterOf, recordPostTime, recordWrite, type DeliveryContext } from './delivery-context';
import { collectFilesToPost, type FilesToPost } from './files-to-post';

/**
 * Posts one recorded message as it is now, and records the provider's id of it. Called by the delivery of the message,
 * once the conversation exists.
 * @throws the provider's errors; OutcomeUnknownError if an earlier attempt may have posted it and nobody can tell
 */
export async function postMessage(
  context: DeliveryContext,
  conversation: ConversationAccess,
  message: MessageRecord,
): Promise<void> {
  const { deps, provider, account, isFirstAttempt } = context;
  const { previousAttempts } = context.delivery;
  const repliedTo =
    message.replyToMessageId === null
      ? null
      : await deps.stores.messages.get(message.organizationId, message.replyToMessageId);
  const isDeleted = message.deletedAt !== null;
  const shown = isDeleted
    ? { ...message, text: DELETED_BEFORE_POSTED, content: null, attachments: [] }
    : { ...message, text: textWithTime(message) };
  if (shown.attachments.length > 0) await context.ensureHeld();
  const files = await collectFilesToPost(deps, shown, account.capabilities.attachments, deps.limits.uploadMs);
  const providerMessageId = await provider.postMessage({
    conversation,
    message: { ...postedFields(shown, files), replyTo: repliedTo?.providerMessageId ?? null },
    previousAttempts,
    mayExist: !isFirstAttempt,
    lookupAfter: lookupAfterOf(context, conversation),
  });
  await recordWrite(context, conversation, async tx => {
    await recordPosted(tx, message, providerMessageId);
    await recordPostTime(tx, deps);
    if (message.author === 'END_USER') await requestReadMark(tx, deps, context.canBeScanned);
    for (const index of files.pendingIndexes)
      await tx.enqueueFileWork({ kind: 'FETCH_FILE_TO_POST', messageId: message.id, index });
    // An earlier attempt may have posted an older version; the changes are forwarded separately.
    if (isFirstAttempt && (isDeleted || message.version > 1))
      await tx.updateMessage(message.id, {
        forwarded: { ...NOTHING_FORWARDED, version: message.version, isDeleted: isDeleted },
      });
  });
}

const postedFields = (
  { id, author, visibility, text, content, authorName, createdAt, saidAt }: MessageRecord,
  { files, lines }: FilesToPost,
): PostMessage['message'] => ({
  id,
  author,
  visibility,
  text: [text, ...lines].filter(line => line !== '').join('\n'),
  content,
  attachments: files,
  authorName,
  createdAt,
  saidAt,
});
