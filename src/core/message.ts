import { cleanText } from './checks/text';
import type { MessageContent } from './content';
import type { FileRefusal } from './file-errors';
import { InvalidInputError } from './errors';
import type { AgentId, HandoffId, Instant, MessageId, OrganizationId, ProviderMessageId, SessionId } from './ids';

export type MessageAuthor = 'END_USER' | 'BOT' | 'AGENT' | 'SYSTEM';
/** `PUBLIC`: the end-user may see it. `INTERNAL`: agents only (notes, suggestions). */
export type MessageVisibility = 'PUBLIC' | 'INTERNAL';
/** The state of a message on the runtime's channel: delivered, read, or failed for good. */
export const CHANNEL_STATES = ['DELIVERED', 'READ', 'FAILED'] as const;
export type ChannelState = (typeof CHANNEL_STATES)[number];

/** A file of a message. */
export interface Attachment {
  /**
   * The sender's address of the file. Empty once an end-user's or a bot's file is archived, because such a link may
   * contain a secret.
   */
  readonly url: string;
  readonly name: string;
  /** MIME type, e.g. `image/png`. */
  readonly contentType: string;
  /** A whole number of bytes up to 2^53 - 1. Null: unknown. */
  readonly sizeBytes: number | null;
  /** Why the file is not forwarded; its receiver gets only its name. If omitted, the file is forwarded. */
  readonly refused?: FileRefusal;
}

/**
 * The maximum text length of one message from a caller, in UTF-16 code units. It is less than half of what known
 * providers take (150,000), which leaves room for markers and escapes. Content as plain text may make the stored text
 * longer; providers attach the rest as a file.
 */
export const MAX_TEXT_LENGTH = 64_000;
export const MAX_ATTACHMENTS = 15;

/** One row of `message`. */
export interface MessageRecord {
  readonly id: MessageId;
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  /** The position among the session's messages: 1, 2, 3… without gaps. */
  readonly seq: number;
  readonly author: MessageAuthor;
  readonly visibility: MessageVisibility;
  /** The whole message as plain text, including `content`. */
  readonly text: string;
  /** Null: text and files only. */
  readonly content: MessageContent | null;
  readonly attachments: readonly Attachment[];
  /** The name that agents and end-users see; null: the author's default name. */
  readonly authorName: string | null;
  /** Set for AGENT if the agent is in our list. */
  readonly agentId: AgentId | null;
  readonly handoffId: HandoffId | null;
  /** The runtime's own id of this message, unique within the session. */
  readonly callerMessageId: string | null;
  /** The provider's id of the message. Null until it was posted or synced. */
  readonly providerMessageId: ProviderMessageId | null;
  /** The message of this session that this one replies to. */
  readonly replyToMessageId: MessageId | null;
  /** When its author deleted it. The text stays here, but the end-user should no longer see it. */
  readonly deletedAt: Instant | null;
  readonly channelState: ChannelState | null;
  /** The number of versions: 1, and one more for each edit. `text` and `content` are the newest. */
  readonly version: number;
  readonly editedAt: Instant | null;
  /** At most one per side. */
  readonly reactions: readonly Reaction[];
  /** The parts that agents have seen. Null: none that we know of. */
  readonly forwarded: ForwardedState | null;
  /** True: the runtime was notified that the message did not reach the agents, and not yet that it did after all. */
  readonly isUndelivered: boolean;
  /** When it was said, as the runtime reported it; null: at `createdAt`. Never used for order. */
  readonly saidAt: Instant | null;
  /** When it was recorded; for an agent's message, the provider's time. */
  readonly createdAt: Instant;
}

/** The sides that can react to a message through the runtime. */
export const REACTION_SIDES = ['END_USER', 'BOT'] as const;
export type ReactionSide = (typeof REACTION_SIDES)[number];
export interface Reaction {
  readonly by: ReactionSide;
  /** The channel's value: an emoji, or its name. */
  readonly emoji: string;
  readonly at: Instant;
}

/** The state of a message at the agents. Stored so that each change is forwarded once, and all posts can be deleted. */
export interface ForwardedState {
  readonly version: number;
  /** Other posts that contain its text: its edits. */
  readonly postIds: readonly ProviderMessageId[];
  /** Each side's reaction as last forwarded to agents. */
  readonly reactions: Readonly<Partial<Record<ReactionSide, string>>>;
  readonly isDeleted: boolean;
}
export const NOTHING_FORWARDED: ForwardedState = { version: 0, postIds: [], reactions: {}, isDeleted: false };

/** A message at its creation, without the fields that only later changes set. */
export type NewMessage = Omit<
  MessageRecord,
  'seq' | 'organizationId' | 'sessionId' | 'replyToMessageId' | 'content' | 'saidAt' | LaterField
> &
  Partial<Pick<MessageRecord, 'replyToMessageId' | 'content' | 'saidAt'>>;
type LaterField = 'deletedAt' | 'channelState' | 'version' | 'editedAt' | 'reactions' | 'forwarded' | 'isUndelivered';

/** The fields that can change after a message was recorded. */
export type MessageChange = Partial<Pick<MessageRecord, 'text' | 'content' | 'attachments' | LaterField>>;

/**
 * Returns whether the message's files come from the provider and are archived here: those of agents and of automatic
 * messages. The runtime gave all other files.
 */
export const hasProviderFiles = ({ author }: Pick<MessageRecord, 'author'>): boolean =>
  author === 'AGENT' || author === 'SYSTEM';

/**
 * Validates a message's text and returns it as it is stored. The text may be empty only with attachments.
 * @throws InvalidInputError naming the limit
 */
export function validateText(text: string, attachments: readonly Attachment[], field: string): string {
  const clean = checkedCaption(text, attachments, field);
  if (clean.trim() === '' && attachments.length === 0)
    throw new InvalidInputError(
      'TEXT_EMPTY',
      field,
      'Text is empty; send at least one visible character or an attachment.',
    );
  return clean;
}

/** Validates text that comes with content, and so may be empty. */
export function checkedCaption(text: string, attachments: readonly Attachment[], field: string): string {
  if (text.length > MAX_TEXT_LENGTH)
    throw new InvalidInputError(
      'TEXT_TOO_LONG',
      field,
      `Text has ${text.length} characters; at most ${MAX_TEXT_LENGTH} fit. Split it into several messages.`,
    );
  if (attachments.length > MAX_ATTACHMENTS)
    throw new InvalidInputError(
      'TOO_MANY_ATTACHMENTS',
      field,
      `${attachments.length} attachments; at most ${MAX_ATTACHMENTS} go with one message.`,
    );
  return cleanText(text);
}
