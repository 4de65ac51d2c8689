import type { ProviderChange, ProviderDelivery } from '../../delivery';
import { ProviderRefusedError, UnsupportedByProviderError } from '../../errors';
import type { ProviderMessageId } from '../../ids';
import { NOTHING_FORWARDED, type MessageRecord, type ReactionSide, type ForwardedState } from '../../message';
import { instantOf } from '../../ports/clock';
import type { ConversationAccess, PostedFile } from '../../ports/provider/support-provider';
import { canBeRepliedTo, editLine, fileLine, reactionLine, DELETED_BEFORE_POSTED, deletionLine } from './change-lines';
import { loadProviderContext, conversationFor, lookAfterOf, type ProviderContext } from '../provider-context';
import type { Lease } from '../lease';
import type { FlowDeps } from '../deps';
import { isInTranscript } from './transcript';

/** One message as it is now, and where agents see it. */
interface ChangeContext {
  readonly deps: FlowDeps;
  readonly context: ProviderContext;
  readonly conversation: ConversationAccess;
  readonly message: MessageRecord;
  readonly lease: Lease;
  /** An earlier try may have told it: then nothing of it is left out, whatever has happened since. */
  readonly mayExist: boolean;
  /** See lookAfterOf. */
  readonly lookAfter: ProviderMessageId | null;
}

/**
 * Shows agents what happened to a message after it was said. What was overtaken before its turn came is not shown: the
 * delivery of what overtook it stands behind it in the lane.
 */
export async function deliverChange(
  deps: FlowDeps,
  delivery: ProviderDelivery,
  change: ProviderChange,
  lease: Lease,
): Promise<void> {
  const { organizationId, sessionId, earlierAttempts } = delivery;
  const context = await loadProviderContext(deps, organizationId, sessionId);
  const conversation = conversationFor(deps, context, delivery);
  const message = await deps.stores.messages.get(organizationId, change.messageId);
  if (conversation === null || message === null) return;
  // Not there yet: whoever brings it brings it as it is then. Our own lines to the end-user are never brought.
  if (message.providerMessageId === null && message.author !== 'SYSTEM') return;
  const changed: ChangeContext = {
    deps,
    context,
    conversation,
    message,
    lease,
    mayExist: earlierAttempts > 0,
    lookAfter: lookAfterOf(delivery, conversation),
  };
  switch (change.kind) {
    case 'SHOW_EDIT':
      return forwardEdit(changed, change.lineId, change.version);
    case 'SHOW_REACTION':
      return forwardReaction(changed, change.lineId, change.by, change.emoji);
    case 'TAKE_BACK':
      return deleteCopies(changed, change.lineId);
    case 'POST_FILE':
      return forwardFile(changed, change.lineId, change.index);
  }
}

async function forwardEdit(changed: ChangeContext, lineId: string, version: number): Promise<void> {
  const { message, mayExist } = changed;
  if ((message.shown?.version ?? 1) >= version) return;
  if (!mayExist && (message.version !== version || message.deletedAt !== null)) return;
  const id = await postLine(
    changed,
    lineId,
    message.author,
    message.deletedAt === null ? editLine(message) : DELETED_BEFORE_POSTED,
  );
  await updateForwarded(changed, shown => ({ ...shown, version, lines: [...shown.lines, id] }));
}

async function forwardReaction(
  changed: ChangeContext,
  lineId: string,
  by: ReactionSide,
  emoji: string | null,
): Promise<void> {
  const { message, mayExist } = changed;
  const before = message.shown?.reactions[by] ?? null;
  if (before === emoji) return;
  const now = message.reactions.find(reaction => reaction.by === by)?.emoji ?? null;
  if (!mayExist && (now !== emoji || message.deletedAt !== null)) return;
  await postLine(changed, lineId, by, reactionLine(message, before, emoji));
  await updateForwarded(changed, shown => {
    const { [by]: _before, ...others } = shown.reactions;
    return { ...shown, reactions: emoji === null ? others : { ...others, [by]: emoji } };
  });
}

/** A file that comes behind its message. It is taken back with the message: its line is one of those that hold its words. */
async function forwardFile(changed: ChangeContext, lineId: string, index: number): Promise<void> {
  const { deps, context, message, mayExist } = changed;
  const isDeleted = message.deletedAt !== null;
  if (isDeleted && !mayExist) return;
  const file = message.attachments[index];
  const posted =
    isDeleted || file === undefined || !context.account.capabilities.attachments
      ? null
      : ((await deps.files?.postedFileOf({ messageId: message.id, index }, file)) ?? null);
  // Removed since for its age.
  if (posted === null && !mayExist) return;
  const id = await postLine(
    changed,
    lineId,
    message.author,
    posted === null ? DELETED_BEFORE_POSTED : fileLine(message, posted.name),
    posted === null ? [] : [posted],
  );
  await updateForwarded(changed, shown => ({
    ...shown,
    version: Math.max(shown.version, 1),
    lines: [...shown.lines, id],
  }));
}

/** The message and every line that holds its words. What cannot be deleted there is told to be void. */
async function deleteCopies(changed: ChangeContext, lineId: string): Promise<void> {
  const { message } = changed;
  if (message.shown?.takenBack) return;
  const inTranscript = isInTranscript(message);
  const posts = [...(inTranscript ? [] : [message.providerMessageId!]), ...(message.shown?.lines ?? [])];
  const areGone = await deletePosts(changed, posts);
  if (inTranscript || !areGone) await postLine(changed, lineId, message.author, deletionLine(message));
  await updateForwarded(changed, shown => ({ ...shown, takenBack: true }));
}

async function deletePosts(
  { deps, context: { provider }, conversation, lease }: ChangeContext,
  posts: readonly ProviderMessageId[],
): Promise<boolean> {
  if (provider.deleteMessage === undefined) return false;
  try {
    for (const messageId of posts) {
      await lease.ensureHeld();
      await provider.deleteMessage({ conversation, messageId }, lease.signal(deps.limits.callMs));
    }
    return true;
  } catch (error) {
    if (error instanceof UnsupportedByProviderError || (error instanceof ProviderRefusedError && !error.gone))
      return false;
    throw error;
  }
}

/** One line in somebody's own name, answering the message where that can be done. */
async function postLine(
  { deps, context, conversation, message, lease, mayExist, lookAfter }: ChangeContext,
  lineId: string,
  author: MessageRecord['author'],
  text: string,
  files: readonly PostedFile[] = [],
): Promise<ProviderMessageId> {
  const { provider, session } = context;
  await lease.ensureHeld();
  return provider.postMessage(
    {
      conversation,
      mayExist,
      lookAfter: canBeRepliedTo(message) ? message.providerMessageId : lookAfter,
      message: {
        id: lineId,
        author,
        visibility: message.visibility,
        text,
        attachments: files,
        authorName: author === 'END_USER' ? session.endUser.name : null,
        createdAt: instantOf(deps.clock.now()),
        replyTo: canBeRepliedTo(message) ? message.providerMessageId : null,
      },
    },
    lease.signal(files.length > 0 ? deps.limits.uploadMs : deps.limits.callMs),
  );
}

async function updateForwarded(
  { deps, message }: ChangeContext,
  next: (shown: ForwardedState) => ForwardedState,
): Promise<void> {
  await deps.stores.sessions.transact(message.organizationId, message.sessionId, async tx => {
    const now = await tx.findMessage(message.id);
    if (now !== null) await tx.updateMessage(now.id, { shown: next(now.shown ?? NOTHING_FORWARDED) });
  });
}
