import { fitFileName } from '../../core/checks/file-name';
import { fitText, type Fitted } from '../../core/content/overflow';
import type { ProviderMessageId } from '../../core/ids';
import type { ConversationAccess, PostedFile } from '../../core/ports/support-provider';
import type { Uploads } from './attachments';
import { fileNameIn } from './content';
import { escapeExactly, escapeLiquid, MAX_CONTENT_LENGTH } from './liquid';
import { MARK } from './mapping';
import { multipart, type FormFile } from './multipart';
import type { WireMessage } from './wire';

/** A message to post in a conversation. */
export interface Post {
  readonly conversation: ConversationAccess;
  readonly ourId: string;
  readonly text: string;
  readonly attachments: readonly PostedFile[];
  readonly as: 'endUser' | 'bot' | 'note';
  /** Seconds since 1970 if the message was said well before now. Chatwoot keeps it besides its own time. */
  readonly saidAt?: number | null;
  /** Files that this service generated; without them the post is useless. */
  readonly ownFiles?: readonly FormFile[];
  readonly replyTo?: ProviderMessageId | null;
  readonly earlierTries?: number | undefined;
  readonly mayExist: boolean;
  readonly lookAfter: ProviderMessageId | null;
}

/**
 * Returns the files that a row contains neither as an attachment nor by name. If several could be missing, their names
 * decide.
 */
export function missingOf(attachments: readonly PostedFile[], { content, attachments: shown = [] }: WireMessage): readonly PostedFile[] {
  const wanted = attachments.filter(({ name }) => !(content ?? '').includes(leftLine(name)));
  const count = wanted.length - shown.length;
  if (count <= 0) return [];
  const names = new Set(shown.map(({ data_url }) => fileNameIn(data_url ?? '')));
  const unnamed = wanted.filter(({ name, contentType }) => !names.has(fitFileName(name, contentType)));
  return (unnamed.length >= count ? unnamed : wanted).slice(0, count);
}

const isTooLong = (content: string): boolean => content.length > MAX_CONTENT_LENGTH && [...content].length > MAX_CONTENT_LENGTH;

/** Returns the line that replaces a file. It never contains the file's link, which may hold a secret. */
const leftLine = (name: string): string => `[${name}] could not be uploaded.`;

/** Returns the text of a post, with the lines that replace omitted files, fitted to Chatwoot's limit. */
function fitted({ text, as }: Post, left: readonly string[]): Fitted {
  const whole = [text, ...left.map(leftLine)].filter((line) => line !== '').join('\n');
  // Escaping may make it several times as long, and the limit applies to the escaped text.
  const sent = (one: string): string => (as === 'endUser' ? one : one === whole ? escapeLiquid(one) : escapeExactly(one));
  return fitText(whole, as === 'note' ? 'note.txt' : 'message.txt', (one) => !isTooLong(sent(one)));
}

/** Returns whether the text alone is too long for one message in Chatwoot. */
export const overflows = (post: Post): boolean => fitted(post, []).file !== null;

/**
 * Builds the request body of a post.
 * @param isWhole whether text that does not fit is attached as a file; otherwise it is cut
 */
export function bodyOf(post: Post, { files: staged, left }: Uploads, isWhole: boolean): object | Blob {
  const { ourId, as, saidAt, ownFiles = [], replyTo } = post;
  const { text, file } = fitted(post, left);
  const content = as === 'endUser' ? text : escapeLiquid(text);
  const rest: readonly FormFile[] = file !== null && isWhole ? [{ name: file.name, contentType: 'text/plain', body: new Blob([file.content]) }] : [];
  const files = [...ownFiles, ...staged, ...rest];
  const answered = replyTo != null && /^\d{1,15}$/.test(replyTo) ? Number(replyTo) : null;
  const type = as === 'endUser' ? 'incoming' : 'outgoing';
  if (files.length === 0)
    return {
      content, message_type: type, ...(as === 'note' && { private: true }), source_id: ourId,
      content_attributes: { [MARK]: ourId, ...(saidAt != null && { external_created_at: saidAt }), ...(answered !== null && { in_reply_to: answered }) },
    };

  const fields = { content, message_type: type, ...(as === 'note' && { private: 'true' }), source_id: ourId, [`content_attributes[${MARK}]`]: ourId, ...(saidAt != null && { 'content_attributes[external_created_at]': String(saidAt) }), ...(answered !== null && { 'content_attributes[in_reply_to]': String(answered) }) };
  return multipart(fields, 'attachments[]', files);
}
