import { fitFileName } from '../../core/checks/file-name';
import { fitText, type Fitted } from '../../core/content/overflow';
import type { ProviderMessageId } from '../../core/ids';
import type { Attachment } from '../../core/message';
import type { ConversationAccess } from '../../core/ports/support-provider';
import type { Downloads } from './attachments';
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
  readonly attachments: readonly Attachment[];
  readonly as: 'endUser' | 'bot' | 'note';
  /** Seconds since 1970, when that is not about now: Chatwoot keeps it beside the time of its own. */
  readonly saidAt?: number | null;
  /** Made by us, not fetched: the post is worth nothing without them. */
  readonly ownFiles?: readonly FormFile[];
  readonly replyTo?: ProviderMessageId | null;
  readonly timeMs?: number | undefined;
  readonly earlierTries?: number | undefined;
  readonly mayExist: boolean;
  readonly lookAfter: ProviderMessageId | null;
}

/** Files that stand in a row neither as an attachment nor as a link. Which of several it is, their names tell. */
export function missingOf(attachments: readonly Attachment[], { content, attachments: shown = [] }: WireMessage): readonly Attachment[] {
  const wanted = attachments.filter(({ url }) => !(content ?? '').includes(url));
  const count = wanted.length - shown.length;
  if (count <= 0) return [];
  const names = new Set(shown.map(({ data_url }) => fileNameIn(data_url ?? '')));
  const unnamed = wanted.filter(({ name, contentType }) => !names.has(fitFileName(name, contentType)));
  return (unnamed.length >= count ? unnamed : wanted).slice(0, count);
}

const isTooLong = (content: string): boolean => content.length > MAX_CONTENT_LENGTH && [...content].length > MAX_CONTENT_LENGTH;

/** What a post says, with the links that stand in place of files. */
function fitted({ text, as }: Post, links: readonly Attachment[]): Fitted {
  const whole = [text, ...links.map(({ name, url }) => `${name}: ${url}`)].filter((line) => line !== '').join('\n');
  // Escaping can make it several times as long: what counts is what is sent.
  const sent = (one: string): string => (as === 'endUser' ? one : one === whole ? escapeLiquid(one) : escapeExactly(one));
  return fitText(whole, as === 'note' ? 'note.txt' : 'message.txt', (one) => !isTooLong(sent(one)));
}

/** Whether the text alone is longer than one message there. */
export const overflows = (post: Post): boolean => fitted(post, []).file !== null;

/** @param isWhole what does not fit into the text goes as a file beside it; else it is cut */
export function bodyOf(post: Post, { files: fetched, links }: Downloads, isWhole: boolean): object | Blob {
  const { ourId, as, saidAt, ownFiles = [], replyTo } = post;
  const { text, file } = fitted(post, links);
  const content = as === 'endUser' ? text : escapeLiquid(text);
  const rest: readonly FormFile[] = file !== null && isWhole ? [{ name: file.name, contentType: 'text/plain', body: new Blob([file.content]) }] : [];
  const files = [...ownFiles, ...fetched, ...rest];
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
