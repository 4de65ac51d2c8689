import { checkedTurn } from '../../content/check';
import { withoutLinks } from '../../files';
import { ConflictError, ControlLostError, InvalidInputError } from '../../errors';
import type { ProviderChange } from '../../delivery';
import type { MessageChange, MessageRecord, ReactionSide } from '../../message';
import { instantOf } from '../../ports/clock';
import type { SessionTransaction } from '../../ports/stores';
import type { DeleteMessageInput, EditMessageInput, Flows, MessageNamed, ReactToMessageInput, Scope } from '../api';
import type { FlowDeps } from '../deps';
import { canonical, spokenBy, withoutSignatures } from '../canonical-json';
import { checkedId, idempotencyOf, isMirrored, mayReply, refuseClosed, transactMessage } from './record-message';

const MAX_EMOJI = 100;

const invalid = (field: string, message: string) => new InvalidInputError('INPUT_INVALID', field, message);

/** Finds the named message. @throws InvalidInputError if it is no message of this session */
async function named(tx: SessionTransaction, { messageId, callerMessageId }: MessageNamed): Promise<MessageRecord> {
  if ((messageId === null) === (callerMessageId === null)) throw invalid('messageId', 'Name the message either by messageId, our id, or by callerMessageId, your own id.');
  const message = messageId === null ? await tx.messageByCallerId(callerMessageId!) : await tx.message(messageId);
  if (message === null) throw invalid(messageId === null ? 'callerMessageId' : 'messageId', 'The session has no such message. Give the id that was returned for it, or your own id of it.');
  return message;
}

/** Finds the named message if it is the end-user's or the bot's, because only their messages can be changed here. */
async function own(tx: SessionTransaction, name: MessageNamed): Promise<MessageRecord> {
  const message = await named(tx, name);
  if (message.author !== 'END_USER' && message.author !== 'BOT') throw invalid('messageId', 'The message is not the end-user\'s or the bot\'s. Only their own messages can be changed here.');
  return message;
}

function refuseDeleted({ id, deletedAt }: MessageRecord): void {
  if (deletedAt !== null) throw new ConflictError('MESSAGE_DELETED', 'messageId', `Message ${id} was deleted at ${deletedAt} and cannot be changed any more.`);
}

function refuseUnseen({ visibility }: MessageRecord): void {
  if (visibility === 'INTERNAL') throw invalid('messageId', 'The end-user never saw this message; it can only be deleted.');
}

/** Refuses a change by the bot unless it may speak, because the end-user sees the change. */
function refuseStale(tx: SessionTransaction, side: ReactionSide, epoch: number | null): void {
  if (side === 'END_USER') return;
  if (epoch === null) throw invalid('epoch', 'epoch is missing. Give the epoch that the bot knows, because this is a change by the bot.');
  if (epoch !== tx.session.epoch || !mayReply(tx)) throw new ControlLostError(tx.session.control, tx.session.epoch);
}

/** Enqueues a change if agents see the session now or may have seen the message before. The delivery decides which. */
async function owe(tx: SessionTransaction, change: ProviderChange): Promise<void> {
  if (isMirrored(tx) || (tx.session.conversationId !== null && tx.inbox.state !== 'DISABLED')) await tx.oweProvider(change);
}

async function changed(tx: SessionTransaction, message: MessageRecord, change: MessageChange): Promise<MessageRecord> {
  await tx.updateMessage(message.id, change);
  return { ...message, ...change };
}

function checkedEmoji(emoji: string | null): string | null {
  const clean = emoji?.trim() ?? null;
  if (clean !== null && (clean === '' || clean.length > MAX_EMOJI || /[\p{Cc}\u2028\u2029]/u.test(clean)))
    throw invalid('emoji', `emoji is invalid. Give 1 to ${MAX_EMOJI} visible characters on one line, or null to remove the reaction.`);
  return clean;
}

/** Mutations of messages by end-users and bots: edit, delete, react. */
export function changeMessageFlows(deps: FlowDeps): Pick<Flows, 'editMessage' | 'deleteMessage' | 'reactToMessage'> {
  const now = () => instantOf(deps.clock.now());
  const lineId = () => deps.clock.newId();
  return {
    async editMessage(scope: Scope, input: EditMessageInput) {
      if (input.callerMessageId !== null) checkedId(input.callerMessageId, 'callerMessageId');
      return transactMessage(deps, scope, input.sessionId, idempotencyOf(deps, scope, 'editMessage', input), async tx => {
        refuseClosed(tx);
        const message = await own(tx, input);
        refuseUnseen(message);
        refuseDeleted(message);
        refuseStale(tx, message.author as ReactionSide, input.epoch);
        const turn = checkedTurn(input.text, input.content, message.attachments);
        if (spokenBy(turn) === spokenBy(message) && canonical(withoutSignatures(turn.content)) === canonical(withoutSignatures(message.content))) return { message, session: tx.session };
        const version = message.version + 1;
        const edited = await changed(tx, message, { ...turn, version, editedAt: now() });
        await tx.appendEvent({ type: 'MESSAGE_EDITED', messageId: message.id }, message.handoffId, now());
        await owe(tx, { kind: 'SHOW_EDIT', lineId: lineId(), messageId: message.id, version });
        return { message: edited, session: tx.session };
      });
    },

    async deleteMessage(scope: Scope, input: DeleteMessageInput) {
      return transactMessage(deps, scope, input.sessionId, idempotencyOf(deps, scope, 'deleteMessage', input), async tx => {
        const message = await own(tx, input);
        if (message.deletedAt !== null) return { message, session: tx.session, alreadyDeleted: true };
        if (input.epoch !== null && input.epoch !== tx.session.epoch) throw new ControlLostError(tx.session.control, tx.session.epoch);
        // The links are not needed any more and may contain secrets.
        const deleted = await changed(tx, message, { deletedAt: now(), attachments: withoutLinks(message.attachments) });
        await tx.appendEvent({ type: 'MESSAGE_DELETED', messageId: message.id }, message.handoffId, now());
        await owe(tx, { kind: 'TAKE_BACK', lineId: lineId(), messageId: message.id });
        if (deps.files !== undefined && message.attachments.length > 0) await tx.oweMedia({ kind: 'REMOVE_FILES', messageId: message.id });
        return { message: deleted, session: tx.session, alreadyDeleted: false };
      });
    },

    async reactToMessage(scope: Scope, input: ReactToMessageInput) {
      const emoji = checkedEmoji(input.emoji);
      const { by } = input;
      return transactMessage(deps, scope, input.sessionId, idempotencyOf(deps, scope, 'reactToMessage', input), async tx => {
        refuseClosed(tx);
        const message = await named(tx, input);
        refuseUnseen(message);
        refuseDeleted(message);
        refuseStale(tx, by, input.epoch);
        const others = message.reactions.filter(reaction => reaction.by !== by);
        if ((message.reactions.find(reaction => reaction.by === by)?.emoji ?? null) === emoji) return { message, session: tx.session };
        const reacted = await changed(tx, message, { reactions: emoji === null ? others : [...others, { by, emoji, at: now() }] });
        await tx.appendEvent({ type: 'MESSAGE_REACTED', messageId: message.id, by, emoji }, message.handoffId, now());
        await owe(tx, { kind: 'SHOW_REACTION', lineId: lineId(), messageId: message.id, by, emoji });
        return { message: reacted, session: tx.session };
      });
    },
  };
}
