import type { ProviderChange } from '../../delivery';
import type { ProviderMessageId } from '../../ids';
import { NOTHING_FORWARDED, type MessageRecord, type ReactionSide, type ForwardedState } from '../../message';
import { instantOf } from '../../ports/clock';
import type { ConversationAccess } from '../../ports/provider/access';
import type { PostedFile } from '../../ports/provider/post-verbs';
import { canBeRepliedTo, editLine, fileLine, reactionLine, DELETED_BEFORE_POSTED, deletionLine } from './change-lines';
import { conversationOfDelivery, isRefused, lookupAfterOf, type DeliveryContext } from './delivery-context';
import { isInTranscript } from './transcript';

/** One message as it is now, and where agents see it. */
interface ChangeContext {
  readonly context: DeliveryContext;
  readonly conversation: ConversationAccess;
  readonly message: MessageRecord;
  /** Whether an earlier attempt may have forwarded the change. Then it is completed, even if it is outdated by now. */
  readonly mayExist: boolean;
  /** See lookupAfterOf. */
  readonly lookupAfter: ProviderMessageId | null;
}

/**
 * Forwards one change of a recorded message to agents: an edit, a reaction, a deletion or a late file. A change that a
 * later one has replaced is skipped, because the later one waits in the lane.
 */
export async function deliverChange(context: DeliveryContext, change: ProviderChange): Promise<void> {
  const conversation = conversationOfDelivery(context);
  const message = await context.deps.stores.messages.get(context.delivery.organizationId, change.messageId);
  if (conversation === null || message === null) return;
  // An unposted message is posted later, with its changes. Lines of this service to the end-user are never posted.
  if (message.providerMessageId === null && message.author !== 'SYSTEM') return;
  const changed: ChangeContext = {
    context,
    conversation,
    message,
    mayExist: !context.isFirstAttempt,
    lookupAfter: lookupAfterOf(context, conversation),
  };
  switch (change.kind) {
    case 'FORWARD_EDIT':
      return forwardEdit(changed, change.postId, change.version);
    case 'FORWARD_REACTION':
      return forwardReaction(changed, change.postId, change.by, change.emoji);
    case 'DELETE':
      return deleteCopies(changed, change.postId);
    case 'POST_FILE':
      return forwardFile(changed, change.postId, change.index);
  }
}

async function forwardEdit(changed: ChangeContext, postId: string, version: number): Promise<void> {
  const { message, mayExist } = changed;
  if ((message.forwarded?.version ?? 1) >= version) return;
  if (!mayExist && (message.version !== version || message.deletedAt !== null)) return;
  const id = await postLine(
    changed,
    postId,
    message.author,
    message.deletedAt === null ? editLine(message) : DELETED_BEFORE_POSTED,
  );
  await updateForwarded(changed, forwarded => ({ ...forwarded, version, postIds: [...forwarded.postIds, id] }));
}

async function forwardReaction(
  changed: ChangeContext,
  postId: string,
  by: ReactionSide,
  emoji: string | null,
): Promise<void> {
  const { message, mayExist } = changed;
  const before = message.forwarded?.reactions[by] ?? null;
  if (before === emoji) return;
  const now = message.reactions.find(reaction => reaction.by === by)?.emoji ?? null;
  if (!mayExist && (now !== emoji || message.deletedAt !== null)) return;
  await postLine(changed, postId, by, reactionLine(message, before, emoji));
  await updateForwarded(changed, shown => {
    const { [by]: _before, ...others } = shown.reactions;
    return { ...shown, reactions: emoji === null ? others : { ...others, [by]: emoji } };
  });
}

/** Posts a file that was archived after its message was posted. Deleting the message deletes this post, too. */
async function forwardFile(changed: ChangeContext, postId: string, index: number): Promise<void> {
  const { context, message, mayExist } = changed;
  const isDeleted = message.deletedAt !== null;
  if (isDeleted && !mayExist) return;
  const file = message.attachments[index];
  const posted =
    isDeleted || file === undefined || !context.account.capabilities.attachments
      ? null
      : ((await context.deps.files?.postedFileOf({ messageId: message.id, index }, file)) ?? null);
  // Retention has removed the file.
  if (posted === null && !mayExist) return;
  const id = await postLine(
    changed,
    postId,
    message.author,
    posted === null ? DELETED_BEFORE_POSTED : fileLine(message, posted.name),
    posted === null ? [] : [posted],
  );
  await updateForwarded(changed, shown => ({
    ...shown,
    version: Math.max(shown.version, 1),
    postIds: [...shown.postIds, id],
  }));
}

/** Deletes the message and all posts with its text. If one cannot be deleted, posts a line that says so. */
async function deleteCopies(changed: ChangeContext, postId: string): Promise<void> {
  const { message } = changed;
  if (message.forwarded?.isDeleted) return;
  const inTranscript = isInTranscript(message);
  const posts = [...(inTranscript ? [] : [message.providerMessageId!]), ...(message.forwarded?.postIds ?? [])];
  const areGone = await deletePosts(changed, posts);
  if (inTranscript || !areGone) await postLine(changed, postId, message.author, deletionLine(message));
  await updateForwarded(changed, forwarded => ({ ...forwarded, isDeleted: true }));
}

async function deletePosts(
  { context: { provider }, conversation }: ChangeContext,
  posts: readonly ProviderMessageId[],
): Promise<boolean> {
  if (provider.deleteMessage === undefined) return false;
  try {
    for (const messageId of posts) await provider.deleteMessage({ conversation, messageId });
    return true;
  } catch (error) {
    if (!isRefused(error)) throw error;
    return false;
  }
}

/** Posts a line in the name of the author, as a reply to the message if the provider can show that. */
async function postLine(
  { context, conversation, message, mayExist, lookupAfter }: ChangeContext,
  postId: string,
  author: MessageRecord['author'],
  text: string,
  files: readonly PostedFile[] = [],
): Promise<ProviderMessageId> {
  const { deps, provider, session } = context;
  return provider.postMessage({
    conversation,
    mayExist,
    lookupAfter: canBeRepliedTo(message) ? message.providerMessageId : lookupAfter,
    message: {
      id: postId,
      author,
      visibility: message.visibility,
      text,
      attachments: files,
      authorName: author === 'END_USER' ? session.endUser.name : null,
      createdAt: instantOf(deps.clock.now()),
      replyTo: canBeRepliedTo(message) ? message.providerMessageId : null,
    },
  });
}

async function updateForwarded(
  { context, message }: ChangeContext,
  next: (forwarded: ForwardedState) => ForwardedState,
): Promise<void> {
  await context.transact(async tx => {
    const now = await tx.findMessage(message.id);
    if (now !== null) await tx.updateMessage(now.id, { forwarded: next(now.forwarded ?? NOTHING_FORWARDED) });
  });
}
