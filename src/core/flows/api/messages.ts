import type { ContentBody } from '../../content';
import type { Instant, MessageId, SessionId } from '../../ids';
import type { Attachment, MessageRecord, ReactionSide } from '../../message';
import type { SessionRecord } from '../../session';
import type { Scope, WithIdempotencyKey } from './scope';

export interface RecordEndUserMessageInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
  /** May be empty if there is `content` or an attachment. */
  readonly text: string;
  readonly content?: ContentBody;
  readonly attachments: readonly Attachment[];
  /** The runtime's id of this message; null: the idempotency key is used. */
  readonly messageId: string | null;
  /** When it was said. If omitted: now. Agents see it; it is never used for order. */
  readonly saidAt?: Instant;
  /** Our id of the message that this one replies to. */
  readonly replyTo?: string | null;
}

export interface RecordEndUserMessageResult {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  /** Whether a bot message with `session.epoch` would be shown to the end-user now. */
  readonly mayReply: boolean;
  readonly replayed: boolean;
}

export interface SendBotMessageInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
  /** The epoch that the bot knows: from openSession, recordEndUserMessage, or a control event. */
  readonly epoch: number;
  readonly text: string;
  readonly content?: ContentBody;
  readonly attachments: readonly Attachment[];
  readonly messageId: string | null;
  /** Same as `RecordEndUserMessageInput.saidAt`. */
  readonly saidAt?: Instant;
  readonly replyTo?: string | null;
  /**
   * `REJECT`: CONTROL_LOST, and nothing is stored. `SUGGEST`: stored as an internal suggestion for the agents, without
   * CONTROL_LOST.
   */
  readonly onControlLost: 'REJECT' | 'SUGGEST';
}

export interface SendBotMessageResult {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  /** False: it was stored as an internal suggestion, and the end-user must not see it. */
  readonly delivered: boolean;
  readonly replayed: boolean;
}

/** Names a message by exactly one id: ours, or the runtime's own. */
export interface MessageReference {
  readonly messageId: MessageId | null;
  readonly callerMessageId: string | null;
}

export interface EditMessageInput extends WithIdempotencyKey, MessageReference {
  readonly sessionId: SessionId;
  /** The complete new message. Content that is not given again is removed, but files stay. */
  readonly text: string;
  readonly content?: ContentBody;
  /** Required for a message of the bot, because its edit is a bot message; null for the end-user's. */
  readonly epoch: number | null;
}

export interface EditMessageResult {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  readonly replayed: boolean;
}

export interface DeleteMessageInput extends WithIdempotencyKey, MessageReference {
  readonly sessionId: SessionId;
  /**
   * The deletion is refused unless this is the current epoch. Null: no check, because a deletion shows the end-user
   * nothing new.
   */
  readonly epoch: number | null;
}

export interface DeleteMessageResult {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  /** True: it was deleted before, and nothing was done. */
  readonly alreadyDeleted: boolean;
  readonly replayed: boolean;
}

export interface ReactToMessageInput extends WithIdempotencyKey, MessageReference {
  readonly sessionId: SessionId;
  readonly by: ReactionSide;
  /** Null removes the reaction. */
  readonly emoji: string | null;
  /** Required for the bot; null for the end-user. */
  readonly epoch: number | null;
}

export interface ReactToMessageResult {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  readonly replayed: boolean;
}

/** Records messages of end-user and bot, and their changes. */
export interface MessageFlows {
  recordEndUserMessage(scope: Scope, input: RecordEndUserMessageInput): Promise<RecordEndUserMessageResult>;
  sendBotMessage(scope: Scope, input: SendBotMessageInput): Promise<SendBotMessageResult>;
  /** Edits one of the end-user's or the bot's own messages. Agents see the new text as a reply to the old one. */
  editMessage(scope: Scope, input: EditMessageInput): Promise<EditMessageResult>;
  /** Deletes one of the end-user's or the bot's own messages. Agents see that it was deleted, but not its text. */
  deleteMessage(scope: Scope, input: DeleteMessageInput): Promise<DeleteMessageResult>;
  /** Sets, changes or removes the end-user's or the bot's reaction to a message. */
  reactToMessage(scope: Scope, input: ReactToMessageInput): Promise<ReactToMessageResult>;
}
