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

/** One thing that is to stand in a conversation. */
export interface Post {
  readonly conversation: ConversationAccess;
  readonly ourId: string;
  readonly text: string;
  readonly attachments: readonly PostedFile[];
  readonly as: 'endUser' | 'bot' | 'note';
  /** Seconds since 1970, when that is not about now: Chatwoot keeps it beside the time of its own. */
  readonly saidAt?: number | null;
  /** Made by us, not fetched: the post is worth nothing without them. */
  readonly ownFiles?: readonly FormFile[];
  readonly replyTo?: ProviderMessageId | null;
  readonly earlierTries?: number | undefined;
  readonly mayExist: boolean;
  readonly lookAfter: ProviderMessageId | null;
}

/** Files that stand in a row neither as an attachment nor by name. Which of several it is, their names tell. */
export function missingOf(attachments: readonly PostedFile[], { content, attachments: shown = [] }: WireMessage): readonly PostedFile[] {
  const wanted = attachments.filter(({ name }) => !(content ?? '').includes(leftLine(name)));
  const count = wanted.length - shown.length;
  if (count <= 0) return [];
  const names = new Set(shown.map(({ data_url }) => fileNameIn(data_url ?? '')));
  const unnamed = wanted.filter(({ name, contentType }) => !names.has(fitFileName(name, contentType)));
  return (unnamed.length >= count ? unnamed : wanted).slice(0, count);
}

const isTooLong = (content: string): boolean => content.length > MAX_CONTENT_LENGTH && [...content].length > MAX_CONTENT_LENGTH;

/** Stands in place of a file. Never its link: that may hold a secret. */
const leftLine = (name: string): string => `[${name}] could not be uploaded.`;

/** What a post says, with the names that stand in place of files. */
function fitted({ text, as }: Post, left: readonly string[]): Fitted {
  const whole = [text, ...left.map(leftLine)].filter((line) => line !== '').join('\n');
  // Escaping can make it several times as long: what counts is what is sent.
  const sent = (one: string): string => (as === 'endUser' ? one : one === whole ? escapeLiquid(one) : escapeExactly(one));
  return fitText(whole, as === 'note' ? 'note.txt' : 'message.txt', (one) => !isTooLong(sent(one)));
}

/** Whether the text alone is longer than one message there. */
export const overflows = (post: Post): boolean => fitted(post, []).file !== null;

/** @param isWhole what does not fit into the text goes as a file beside it; else it is cut */
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
