import type { MessageContent } from './content';
import type { Attachment, MessageRecord } from './message';

/** One file of a message, and its place among all files of that message, from 0: links name the place. */
export interface HandedOutFile { readonly file: Attachment; readonly index: number }

/** What readers outside this service get of a message. */
export interface HandedOut {
  readonly text: string;
  readonly content: MessageContent | null;
  readonly files: readonly HandedOutFile[];
}

const NOTHING: HandedOut = { text: '', content: null, files: [] };

/**
 * Says what of a message may leave this service. Every way out uses it: GraphQL, subscriptions, pushes.
 * A deleted message has no text, no content and no file. A file that is not passed on is named in the text and has no link.
 */
export function handedOut({ deletedAt, text, content, attachments }: Pick<MessageRecord, 'deletedAt' | 'text' | 'content' | 'attachments'>): HandedOut {
  if (deletedAt !== null) return NOTHING;
  const files = attachments.map((file, index) => ({ file, index }));
  const names = files.filter(({ file }) => file.refused).map(({ file }) => `[${file.name}]`);
  if (names.length === 0) return { text, content: content ?? null, files };
  const named = (words: string): string => [words, ...names].filter(line => line !== '').join('\n');
  return { text: named(text), content: content && { ...content, caption: named(content.caption) }, files: files.filter(({ file }) => !file.refused) };
}

/** The name of a file that is not passed on; null once its message was deleted. */
export const undeliveredName = ({ deletedAt, attachments }: Pick<MessageRecord, 'deletedAt' | 'attachments'>, index: number): string | null =>
  (deletedAt === null ? attachments[index]?.name ?? null : null);

/** The record of a message without anything that a person said: for what is kept longer than the message itself. */
export const withoutWords = (message: MessageRecord): MessageRecord => ({ ...message, text: '', content: null, attachments: [] });
