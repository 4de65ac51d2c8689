import type { MessageContent } from './content';
import type { Attachment, MessageRecord } from './message';

/** One file of a message, and its position among all files of that message, from 0. Links contain the position. */
export interface ExternalFile {
  readonly file: Attachment;
  readonly index: number;
}

/** The parts of a message that readers outside this service get. */
export interface ExternalMessage {
  readonly text: string;
  readonly content: MessageContent | null;
  readonly files: readonly ExternalFile[];
}

const EMPTY_MESSAGE: ExternalMessage = { text: '', content: null, files: [] };

/**
 * Returns the parts of a message that may leave this service. Used by GraphQL, subscriptions and pushes alike. A
 * deleted message has no text, no content and no file. A refused file has its name in the text and no link.
 */
export function toExternalMessage({
  deletedAt,
  text,
  content,
  attachments,
}: Pick<MessageRecord, 'deletedAt' | 'text' | 'content' | 'attachments'>): ExternalMessage {
  if (deletedAt !== null) return EMPTY_MESSAGE;
  const files = attachments.map((file, index) => ({ file, index }));
  const names = files.filter(({ file }) => file.refused).map(({ file }) => `[${file.name}]`);
  if (names.length === 0) return { text, content: content ?? null, files };
  const addRefusedNames = (words: string): string => [words, ...names].filter(line => line !== '').join('\n');
  return {
    text: addRefusedNames(text),
    content: content && { ...content, caption: addRefusedNames(content.caption) },
    files: files.filter(({ file }) => !file.refused),
  };
}

/** Returns the name of a file that was not forwarded; null if its message was deleted. */
export const refusedFileName = (
  { deletedAt, attachments }: Pick<MessageRecord, 'deletedAt' | 'attachments'>,
  index: number,
): string | null => (deletedAt === null ? (attachments[index]?.name ?? null) : null);

/**
 * Returns a message's record without its text, content and files, for data that is kept longer than the message itself.
 */
export const withoutContent = (message: MessageRecord): MessageRecord => ({
  ...message,
  text: '',
  content: null,
  attachments: [],
});
