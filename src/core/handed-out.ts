import type { MessageContent } from './content';
import type { Attachment, MessageRecord } from './message';

/** One file of a message, and its position among all files of that message, from 0. Links contain the position. */
export interface HandedOutFile { readonly file: Attachment; readonly index: number }

/** The parts of a message that readers outside this service get. */
export interface HandedOut {
  readonly text: string;
  readonly content: MessageContent | null;
  readonly files: readonly HandedOutFile[];
}

const NOTHING: HandedOut = { text: '', content: null, files: [] };

/**
 * Returns the parts of a message that may leave this service. Used by GraphQL, subscriptions and pushes alike. A
 * deleted message has no text, no content and no file. A refused file has its name in the text and no link.
 */
export function handedOut({ deletedAt, text, content, attachments }: Pick<MessageRecord, 'deletedAt' | 'text' | 'content' | 'attachments'>): HandedOut {
  if (deletedAt !== null) return NOTHING;
  const files = attachments.map((file, index) => ({ file, index }));
  const names = files.filter(({ file }) => file.refused).map(({ file }) => `[${file.name}]`);
  if (names.length === 0) return { text, content: content ?? null, files };
  const named = (words: string): string => [words, ...names].filter(line => line !== '').join('\n');
  return { text: named(text), content: content && { ...content, caption: named(content.caption) }, files: files.filter(({ file }) => !file.refused) };
}

/** Returns the name of a file that was not forwarded; null if its message was deleted. */
export const undeliveredName = ({ deletedAt, attachments }: Pick<MessageRecord, 'deletedAt' | 'attachments'>, index: number): string | null =>
  (deletedAt === null ? attachments[index]?.name ?? null : null);

/**
 * Returns a message's record without its text, content and files, for data that is kept longer than the message itself.
 */
export const withoutWords = (message: MessageRecord): MessageRecord => ({ ...message, text: '', content: null, attachments: [] });
