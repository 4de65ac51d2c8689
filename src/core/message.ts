import { cleanText } from './checks/text';
import type { MessageContent } from './content';
import { type FileRefusal, InvalidInputError } from './errors';
import type { AgentId, HandoffId, Instant, MessageId, OrganizationId, ProviderMessageId, SessionId } from './ids';

export type MessageAuthor = 'END_USER' | 'BOT' | 'AGENT' | 'SYSTEM';
/** `PUBLIC`: the end-user may see it. `INTERNAL`: agents only (notes, suggestions). */
export type MessageVisibility = 'PUBLIC' | 'INTERNAL';
/** What the runtime's channel says became of a message: on its way, on the end-user's screen, read, or never going to be. */
export const CHANNEL_STATES = ['DELIVERED', 'READ', 'FAILED'] as const;
export type ChannelState = (typeof CHANNEL_STATES)[number];

/** A file that goes with a message. */
export interface Attachment {
  /** Where its sender has put it. Empty once we keep a copy of an end-user's or a bot's file: such a link may hold a secret. */
  readonly url: string;
  readonly name: string;
  /** MIME type, e.g. `image/png`. */
  readonly contentType: string;
  /** A whole number of bytes up to 2^53 - 1. Null: nobody has said. */
  readonly sizeBytes: number | null;
  /** Why the file is not passed on: its receiver gets its name only. If omitted, it is. */
  readonly refused?: FileRefusal;
}

/**
 * Longest text of one message as a caller gives it, in UTF-16 code units. Less than half of what known providers take (150,000):
 * room for markers and escapes. Content that is written out may make the stored text longer; providers bring the rest as a file.
 */
export const MAX_TEXT_LENGTH = 64_000;
export const MAX_ATTACHMENTS = 15;

/** One row of `message`. */
export interface MessageRecord {
  readonly id: MessageId;
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  /** Position among the Session's messages: 1, 2, 3… without gaps. */
  readonly seq: number;
  readonly author: MessageAuthor;
  readonly visibility: MessageVisibility;
  /** All of it in words: what `content` holds is written out here too. */
  readonly text: string;
  /** Null: words and files only. */
  readonly content: MessageContent | null;
  readonly attachments: readonly Attachment[];
  /** The name agents and end-users see; null for the default of the author. */
  readonly authorName: string | null;
  /** Set for AGENT when the person is one of the listed agents. */
  readonly agentId: AgentId | null;
  readonly handoffId: HandoffId | null;
  /** The runtime's own id of this turn, unique within the Session. */
  readonly callerMessageId: string | null;
  /** Where the provider keeps it: known once posted or read. */
  readonly providerMessageId: ProviderMessageId | null;
  /** The message of this Session that it answers. */
  readonly replyToMessageId: MessageId | null;
  /** When its author took it back; the text stays here, the end-user should no longer see it. */
  readonly deletedAt: Instant | null;
  readonly channelState: ChannelState | null;
  /** How often it was said: 1, and one more for each edit. `text` and `content` are the newest. */
  readonly version: number;
  readonly editedAt: Instant | null;
  /** At most one of each side. */
  readonly reactions: readonly Reaction[];
  /** What agents have been shown of it; null: nothing that we know of. */
  readonly shown: ShownToAgents | null;
  /** The runtime was told that it did not reach the agents, and not yet that it did after all. */
  readonly isUndelivered: boolean;
  /** When it was said, as the runtime gave it; null: at `createdAt`. Never used for order. */
  readonly saidAt: Instant | null;
  /** When it was recorded; of an agent's message, the provider's time. */
  readonly createdAt: Instant;
}

/** Who reacts to a message through the runtime. */
export const REACTION_SIDES = ['END_USER', 'BOT'] as const;
export type ReactionSide = (typeof REACTION_SIDES)[number];
export interface Reaction {
  readonly by: ReactionSide;
  /** What the channel gives: an emoji, or its name. */
  readonly emoji: string;
  readonly at: Instant;
}

/** Kept so that each change of a message is told once, and all of it can be taken back. */
export interface ShownToAgents {
  readonly version: number;
  /** Lines besides the message itself that hold its words: its edits. */
  readonly lines: readonly ProviderMessageId[];
  /** Each side's reaction as agents know it. */
  readonly reactions: Readonly<Partial<Record<ReactionSide, string>>>;
  readonly takenBack: boolean;
}
export const NOTHING_SHOWN: ShownToAgents = { version: 0, lines: [], reactions: {}, takenBack: false };

/** A message as it is written: what only happens to it later is left out. */
export type NewMessage = Omit<MessageRecord, 'seq' | 'organizationId' | 'sessionId' | 'replyToMessageId' | 'content' | 'saidAt' | HappensLater> &
  Partial<Pick<MessageRecord, 'replyToMessageId' | 'content' | 'saidAt'>>;
type HappensLater = 'deletedAt' | 'channelState' | 'version' | 'editedAt' | 'reactions' | 'shown' | 'isUndelivered';

/** What can happen to a message after it was said. */
export type MessageChange = Partial<Pick<MessageRecord, 'text' | 'content' | 'attachments' | HappensLater>>;

/** Whose files lie at the provider and are kept here: agents', and those of automatic lines. All others were given by the runtime. */
export const hasProviderFiles = ({ author }: Pick<MessageRecord, 'author'>): boolean => author === 'AGENT' || author === 'SYSTEM';

/** Text as it is stored, or an error that names the limit. Attachments make empty text legal. */
export function checkedText(text: string, attachments: readonly Attachment[], field: string): string {
  const clean = checkedCaption(text, attachments, field);
  if (clean.trim() === '' && attachments.length === 0)
    throw new InvalidInputError('TEXT_EMPTY', field, 'Text is empty; send at least one visible character or an attachment.');
  return clean;
}

/** The same for text that goes with content, and so may be empty. */
export function checkedCaption(text: string, attachments: readonly Attachment[], field: string): string {
  if (text.length > MAX_TEXT_LENGTH)
    throw new InvalidInputError('TEXT_TOO_LONG', field, `Text has ${text.length} characters; at most ${MAX_TEXT_LENGTH} fit. Split it into several messages.`);
  if (attachments.length > MAX_ATTACHMENTS)
    throw new InvalidInputError('TOO_MANY_ATTACHMENTS', field, `${attachments.length} attachments; at most ${MAX_ATTACHMENTS} go with one message.`);
  return cleanText(text);
}
