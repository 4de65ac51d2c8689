import { validateMessageContent } from '../../content/validate-content';
import { withoutLinks } from '../../files';
import { ConflictError, ControlLostError, InvalidInputError } from '../../errors';
import type { ProviderChange } from '../../delivery';
import type { MessageChange, MessageRecord, ReactionSide } from '../../message';
import { instantOf } from '../../ports/clock';
import type { MessageRows, LockedSession, HandoffRows, DeliveryQueue } from '../../ports/session-transaction';
import type { DeleteMessageInput, EditMessageInput, MessageReference, ReactToMessageInput } from '../api/messages';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import type { MutationDeps } from '../deps';
import { canonicalJson, comparableContent, withoutUrlSignatures } from '../canonical-json';
import { validateId, idempotencyScopeOf, isMirrored, mayReply, refuseClosed, transactMessage } from './record-message';

const MAX_EMOJI = 100;

const invalidInput = (field: string, message: string) => new InvalidInputError('INPUT_INVALID', field, message);

/** Finds the named message. @throws InvalidInputError if it is no message of this session */
async function findMessage(tx: MessageRows, { messageId, callerMessageId }: MessageReference): Promise<MessageRecord> {
  if ((messageId === null) === (callerMessageId === null))
    throw invalidInput(
      'messageId',
      'Name the message either by messageId, our id, or by callerMessageId, your own id.',
    );
  const message =
    messageId === null ? await tx.findMessageByCallerId(callerMessageId!) : await tx.findMessage(messageId);
  if (message === null)
    throw invalidInput(
      messageId === null ? 'callerMessageId' : 'messageId',
      'The session has no such message. Give the id that was returned for it, or your own id of it.',
    );
  return message;
}

/** Finds the named message if it is the end-user's or the bot's, because only their messages can be changed here. */
async function findOwnMessage(tx: MessageRows, name: MessageReference): Promise<MessageRecord> {
  const message = await findMessage(tx, name);
  if (message.author !== 'END_USER' && message.author !== 'BOT')
    throw invalidInput(
      'messageId',
      "The message is not the end-user's or the bot's. Only their own messages can be changed here.",
    );
  return message;
}

function refuseDeleted({ id, deletedAt }: MessageRecord): void {
  if (deletedAt !== null)
    throw new ConflictError(
      'MESSAGE_DELETED',
      'messageId',
      `Message ${id} was deleted at ${deletedAt} and cannot be changed any more.`,
    );
}

function refuseInternal({ visibility }: MessageRecord): void {
  if (visibility === 'INTERNAL')
    throw invalidInput('messageId', 'The end-user never saw this message; it can only be deleted.');
}

/** Refuses a change by the bot unless it may speak, because the end-user sees the change. */
function refuseStale(tx: LockedSession, side: ReactionSide, epoch: number | null): void {
  if (side === 'END_USER') return;
  if (epoch === null)
    throw invalidInput(
      'epoch',
      'epoch is missing. Give the epoch that the bot knows, because this is a change by the bot.',
    );
  if (epoch !== tx.session.epoch || !mayReply(tx)) throw new ControlLostError(tx.session.control, tx.session.epoch);
}

/** Enqueues a change if agents see the session now or may have seen the message before. The delivery decides which. */
async function enqueueChange(tx: LockedSession & HandoffRows & DeliveryQueue, change: ProviderChange): Promise<void> {
  if (isMirrored(tx) || (tx.session.conversationId !== null && tx.inbox.state !== 'DISABLED'))
    await tx.enqueueForProvider(change);
}

async function applyChange(tx: MessageRows, message: MessageRecord, change: MessageChange): Promise<MessageRecord> {
  await tx.updateMessage(message.id, change);
  return { ...message, ...change };
}

function validateEmoji(emoji: string | null): string | null {
  const clean = emoji?.trim() ?? null;
  if (clean !== null && (clean === '' || clean.length > MAX_EMOJI || /[\p{Cc}\u2028\u2029]/u.test(clean)))
    throw invalidInput(
      'emoji',
      `emoji is invalid. Give 1 to ${MAX_EMOJI} visible characters on one line, or null to remove the reaction.`,
    );
  return clean;
}

async function editMessage(deps: MutationDeps, scope: Scope, input: EditMessageInput) {
  const now = () => instantOf(deps.clock.now());
  const newPostId = () => deps.clock.newId();

  if (input.callerMessageId !== null) validateId(input.callerMessageId, 'callerMessageId');
  return transactMessage(
    deps,
    scope,
    input.sessionId,
    idempotencyScopeOf(deps, scope, 'editMessage', input),
    async tx => {
      refuseClosed(tx);
      const message = await findOwnMessage(tx, input);
      refuseInternal(message);
      refuseDeleted(message);
      refuseStale(tx, message.author as ReactionSide, input.epoch);
      const turn = validateMessageContent(input.text, input.content, message.attachments);
      if (
        comparableContent(turn) === comparableContent(message) &&
        canonicalJson(withoutUrlSignatures(turn.content)) === canonicalJson(withoutUrlSignatures(message.content))
      )
        return { message, session: tx.session };
      const version = message.version + 1;
      const edited = await applyChange(tx, message, { ...turn, version, editedAt: now() });
      await tx.appendEvent({ type: 'MESSAGE_EDITED', messageId: message.id }, message.handoffId, now());
      await enqueueChange(tx, { kind: 'FORWARD_EDIT', postId: newPostId(), messageId: message.id, version });
      return { message: edited, session: tx.session };
    },
  );
}

async function deleteMessage(deps: MutationDeps, scope: Scope, input: DeleteMessageInput) {
  const now = () => instantOf(deps.clock.now());
  const newPostId = () => deps.clock.newId();

  return transactMessage(
    deps,
    scope,
    input.sessionId,
    idempotencyScopeOf(deps, scope, 'deleteMessage', input),
    async tx => {
      const message = await findOwnMessage(tx, input);
      if (message.deletedAt !== null) return { message, session: tx.session, alreadyDeleted: true };
      if (input.epoch !== null && input.epoch !== tx.session.epoch)
        throw new ControlLostError(tx.session.control, tx.session.epoch);
      // The links are not needed any more and may contain secrets.
      const deleted = await applyChange(tx, message, {
        deletedAt: now(),
        attachments: withoutLinks(message.attachments),
      });
      await tx.appendEvent({ type: 'MESSAGE_DELETED', messageId: message.id }, message.handoffId, now());
      await enqueueChange(tx, { kind: 'DELETE', postId: newPostId(), messageId: message.id });
      if (deps.files !== undefined && message.attachments.length > 0)
        await tx.enqueueFileWork({ kind: 'DELETE_FILES', messageId: message.id });
      return { message: deleted, session: tx.session, alreadyDeleted: false };
    },
  );
}

async function reactToMessage(deps: MutationDeps, scope: Scope, input: ReactToMessageInput) {
  const now = () => instantOf(deps.clock.now());
  const newPostId = () => deps.clock.newId();

  const emoji = validateEmoji(input.emoji);
  const { by } = input;
  return transactMessage(
    deps,
    scope,
    input.sessionId,
    idempotencyScopeOf(deps, scope, 'reactToMessage', input),
    async tx => {
      refuseClosed(tx);
      const message = await findMessage(tx, input);
      refuseInternal(message);
      refuseDeleted(message);
      refuseStale(tx, by, input.epoch);
      const others = message.reactions.filter(reaction => reaction.by !== by);
      if ((message.reactions.find(reaction => reaction.by === by)?.emoji ?? null) === emoji)
        return { message, session: tx.session };
      const reacted = await applyChange(tx, message, {
        reactions: emoji === null ? others : [...others, { by, emoji, at: now() }],
      });
      await tx.appendEvent({ type: 'MESSAGE_REACTED', messageId: message.id, by, emoji }, message.handoffId, now());
      await enqueueChange(tx, { kind: 'FORWARD_REACTION', postId: newPostId(), messageId: message.id, by, emoji });
      return { message: reacted, session: tx.session };
    },
  );
}

/** Mutations of messages by end-users and bots: edit, delete, react. */
export function changeMessageFlows(
  deps: MutationDeps,
): Pick<Flows, 'editMessage' | 'deleteMessage' | 'reactToMessage'> {
  return {
    editMessage: (scope, input) => editMessage(deps, scope, input),
    deleteMessage: (scope, input) => deleteMessage(deps, scope, input),
    reactToMessage: (scope, input) => reactToMessage(deps, scope, input),
  };
}
