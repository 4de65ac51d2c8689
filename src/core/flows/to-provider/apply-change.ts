import type { ProviderChange, ProviderDelivery } from '../../delivery';
import { ProviderRefusedError, UnsupportedByProviderError } from '../../errors';
import type { ProviderMessageId } from '../../ids';
import { NOTHING_SHOWN, type MessageRecord, type ReactionSide, type ShownToAgents } from '../../message';
import { instantOf } from '../../ports/clock';
import type { ConversationAccess, PostedFile } from '../../ports/support-provider';
import { canBeAnswered, editLine, fileLine, reactionLine, TAKEN_BACK, takenBackLine } from './change-lines';
import { connect, conversationFor, lookAfterOf, type Connected } from '../provider-context';
import type { Lease } from '../lease';
import type { FlowDeps } from '../deps';
import { isInTranscript } from './transcript';

/** One message as it is now, and where agents see it. */
interface Changed {
  readonly deps: FlowDeps;
  readonly connected: Connected;
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
export async function deliverChange(deps: FlowDeps, delivery: ProviderDelivery, change: ProviderChange, lease: Lease): Promise<void> {
  const { organizationId, sessionId, earlierAttempts } = delivery;
  const connected = await connect(deps, organizationId, sessionId);
  const conversation = conversationFor(deps, connected, delivery);
  const message = await deps.stores.messages.get(organizationId, change.messageId);
  if (conversation === null || message === null) return;
  // Not there yet: whoever brings it brings it as it is then. Our own lines to the end-user are never brought.
  if (message.providerMessageId === null && message.author !== 'SYSTEM') return;
  const changed: Changed = { deps, connected, conversation, message, lease, mayExist: earlierAttempts > 0, lookAfter: lookAfterOf(delivery, conversation) };
  switch (change.kind) {
    case 'SHOW_EDIT': return showEdit(changed, change.lineId, change.version);
    case 'SHOW_REACTION': return showReaction(changed, change.lineId, change.by, change.emoji);
    case 'TAKE_BACK': return takeBack(changed, change.lineId);
    case 'POST_FILE': return showFile(changed, change.lineId, change.index);
  }
}

async function showEdit(changed: Changed, lineId: string, version: number): Promise<void> {
  const { message, mayExist } = changed;
  if ((message.shown?.version ?? 1) >= version) return;
  if (!mayExist && (message.version !== version || message.deletedAt !== null)) return;
  const id = await tell(changed, lineId, message.author, message.deletedAt === null ? editLine(message) : TAKEN_BACK);
  await remember(changed, shown => ({ ...shown, version, lines: [...shown.lines, id] }));
}

async function showReaction(changed: Changed, lineId: string, by: ReactionSide, emoji: string | null): Promise<void> {
  const { message, mayExist } = changed;
  const before = message.shown?.reactions[by] ?? null;
  if (before === emoji) return;
  const now = message.reactions.find(reaction => reaction.by === by)?.emoji ?? null;
  if (!mayExist && (now !== emoji || message.deletedAt !== null)) return;
  await tell(changed, lineId, by, reactionLine(message, before, emoji));
  await remember(changed, shown => {
    const { [by]: _before, ...others } = shown.reactions;
    return { ...shown, reactions: emoji === null ? others : { ...others, [by]: emoji } };
  });
}

/** A file that comes behind its message. It is taken back with the message: its line is one of those that hold its words. */
async function showFile(changed: Changed, lineId: string, index: number): Promise<void> {
  const { deps, connected, message, mayExist } = changed;
  const isDeleted = message.deletedAt !== null;
  if (isDeleted && !mayExist) return;
  const file = message.attachments[index];
  const posted = isDeleted || file === undefined || !connected.account.capabilities.attachments ? null : await deps.files?.posted({ messageId: message.id, index }, file) ?? null;
  // Removed since for its age.
  if (posted === null && !mayExist) return;
  const id = await tell(changed, lineId, message.author, posted === null ? TAKEN_BACK : fileLine(message, posted.name), posted === null ? [] : [posted]);
  await remember(changed, shown => ({ ...shown, version: Math.max(shown.version, 1), lines: [...shown.lines, id] }));
}

/** The message and every line that holds its words. What cannot be deleted there is told to be void. */
async function takeBack(changed: Changed, lineId: string): Promise<void> {
  const { message } = changed;
  if (message.shown?.takenBack) return;
  const inTranscript = isInTranscript(message);
  const posts = [...(inTranscript ? [] : [message.providerMessageId!]), ...(message.shown?.lines ?? [])];
  const areGone = await deletePosts(changed, posts);
  if (inTranscript || !areGone) await tell(changed, lineId, message.author, takenBackLine(message));
  await remember(changed, shown => ({ ...shown, takenBack: true }));
}

async function deletePosts({ deps, connected: { provider }, conversation, lease }: Changed, posts: readonly ProviderMessageId[]): Promise<boolean> {
  if (provider.deleteMessage === undefined) return false;
  try {
    for (const messageId of posts) {
      await lease.held();
      await provider.deleteMessage({ conversation, messageId }, lease.signal(deps.limits.callMs));
    }
    return true;
  } catch (error) {
    if (error instanceof UnsupportedByProviderError || (error instanceof ProviderRefusedError && !error.gone)) return false;
    throw error;
  }
}

/** One line in somebody's own name, answering the message where that can be done. */
async function tell({ deps, connected, conversation, message, lease, mayExist, lookAfter }: Changed, lineId: string, author: MessageRecord['author'], text: string, files: readonly PostedFile[] = []): Promise<ProviderMessageId> {
  const { provider, session } = connected;
  await lease.held();
  return provider.postMessage({
    conversation, mayExist, lookAfter: canBeAnswered(message) ? message.providerMessageId : lookAfter,
    message: {
      id: lineId, author, visibility: message.visibility, text, attachments: files, authorName: author === 'END_USER' ? session.endUser.name : null,
      createdAt: instantOf(deps.clock.now()), replyTo: canBeAnswered(message) ? message.providerMessageId : null,
    },
  }, lease.signal(files.length > 0 ? deps.limits.uploadMs : deps.limits.callMs));
}

async function remember({ deps, message }: Changed, next: (shown: ShownToAgents) => ShownToAgents): Promise<void> {
  await deps.stores.sessions.transact(message.organizationId, message.sessionId, async tx => {
    const now = await tx.message(message.id);
    if (now !== null) await tx.updateMessage(now.id, { shown: next(now.shown ?? NOTHING_SHOWN) });
  });
}
