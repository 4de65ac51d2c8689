import { InvalidInputError } from './errors';
import type { AgentId, HandoffId, Instant, MessageId, OrganizationId, ProviderMessageId, SessionId } from './ids';

export type MessageAuthor = 'END_USER' | 'BOT' | 'AGENT' | 'SYSTEM';
/** `PUBLIC`: the end-user may see it. `INTERNAL`: agents only (notes, suggestions). */
export type MessageVisibility = 'PUBLIC' | 'INTERNAL';
/** What the runtime's channel says became of a message: on its way, on the end-user's screen, read, or never going to be. */
export const CHANNEL_STATES = ['DELIVERED', 'READ', 'FAILED'] as const;
export type ChannelState = (typeof CHANNEL_STATES)[number];

/** A file that goes with a message; the far side fetches `url`. */
export interface Attachment {
  readonly url: string;
  readonly name: string;
  /** MIME type, e.g. `image/png`. */
  readonly contentType: string;
  readonly sizeBytes: number | null;
}

/** Under which key a file of a message is kept. */
export const fileKeyOf = (messageId: MessageId, index: number): string => `${messageId}-${index}`;

/** Longest text of one message, in UTF-16 code units. Less than half of what known providers take (150,000): room for markers and escapes. */
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
  readonly text: string;
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
  readonly createdAt: Instant;
}

/** A message as it is written: what only happens to it later is left out. */
export type NewMessage = Omit<MessageRecord, 'seq' | 'organizationId' | 'sessionId' | 'replyToMessageId' | 'deletedAt' | 'channelState'> &
  Partial<Pick<MessageRecord, 'replyToMessageId'>>;

/** Text as it is stored, or an error that names the limit. Attachments make empty text legal. */
export function checkedText(text: string, attachments: readonly Attachment[], field: string): string {
  if (text.length > MAX_TEXT_LENGTH)
    throw new InvalidInputError('TEXT_TOO_LONG', field, `Text has ${text.length} characters; at most ${MAX_TEXT_LENGTH} fit. Split it into several messages.`);
  // Postgres text cannot hold NUL, and providers refuse it.
  const clean = text.replaceAll('\u0000', '');
  if (clean.trim() === '' && attachments.length === 0)
    throw new InvalidInputError('TEXT_EMPTY', field, 'Text is empty; send at least one visible character or an attachment.');
  if (attachments.length > MAX_ATTACHMENTS)
    throw new InvalidInputError('TOO_MANY_ATTACHMENTS', field, `${attachments.length} attachments; at most ${MAX_ATTACHMENTS} go with one message.`);
  return clean;
}
