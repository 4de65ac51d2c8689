import { fitFileName } from '../../core/checks/file-name';
import { fitText, type FittedText } from '../../core/content/fit-text';
import type { ProviderMessageId } from '../../core/ids';
import type { ConversationAccess } from '../../core/ports/provider/access';
import type { PostedFile } from '../../core/ports/provider/post-verbs';
import type { Uploads } from './stage-uploads';
import { fileNameIn } from './parse-content';
import { escapeLiquidVisibly, escapeLiquid, MAX_CONTENT_LENGTH } from './liquid';
import { OUR_ID_ATTRIBUTE } from './mapping';
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
  readonly previousAttempts?: number | undefined;
  readonly mayExist: boolean;
  readonly lookupAfter: ProviderMessageId | null;
}

/**
 * Returns the files that a row contains neither as an attachment nor by name. If several could be missing, their names
 * decide.
 */
export function findMissingFiles(
  attachments: readonly PostedFile[],
  { content, attachments: shown = [] }: WireMessage,
): readonly PostedFile[] {
  const wanted = attachments.filter(({ name }) => !(content ?? '').includes(omittedFileLine(name)));
  const count = wanted.length - shown.length;
  if (count <= 0) return [];
  const names = new Set(shown.map(({ data_url }) => fileNameIn(data_url ?? '')));
  const unnamed = wanted.filter(({ name, contentType }) => !names.has(fitFileName(name, contentType)));
  return (unnamed.length >= count ? unnamed : wanted).slice(0, count);
}

const isTooLong = (content: string): boolean =>
  content.length > MAX_CONTENT_LENGTH && [...content].length > MAX_CONTENT_LENGTH;

/** Returns the line that replaces a file. It never contains the file's link, which may hold a secret. */
const omittedFileLine = (name: string): string => `[${name}] could not be uploaded.`;

/** Returns the text of a post, with the lines that replace omitted files, fitted to Chatwoot's limit. */
function fitPostText({ text, as }: Post, left: readonly string[]): FittedText {
  const whole = [text, ...left.map(omittedFileLine)].filter(line => line !== '').join('\n');
  // Escaping may make it several times as long, and the limit applies to the escaped text.
  const sent = (one: string): string =>
    as === 'endUser' ? one : one === whole ? escapeLiquid(one) : escapeLiquidVisibly(one);
  return fitText(whole, as === 'note' ? 'note.txt' : 'message.txt', one => !isTooLong(sent(one)));
}

/** Returns whether the text alone is too long for one message in Chatwoot. */
export const overflows = (post: Post): boolean => fitPostText(post, []).file !== null;

/**
 * Builds the request body of a post.
 * @param isWhole whether text that does not fit is attached as a file; otherwise it is cut
 */
export function createPostBody(post: Post, { files: staged, omittedNames }: Uploads, isWhole: boolean): object | Blob {
  const { ourId, as, saidAt, ownFiles = [], replyTo } = post;
  const { text, file } = fitPostText(post, omittedNames);
  const content = as === 'endUser' ? text : escapeLiquid(text);
  const rest: readonly FormFile[] =
    file !== null && isWhole ? [{ name: file.name, contentType: 'text/plain', body: new Blob([file.content]) }] : [];
  const files = [...ownFiles, ...staged, ...rest];
  const answered = replyTo != null && /^\d{1,15}$/.test(replyTo) ? Number(replyTo) : null;
  const type = as === 'endUser' ? 'incoming' : 'outgoing';
  if (files.length === 0)
    return {
      content,
      message_type: type,
      ...(as === 'note' && { private: true }),
      source_id: ourId,
      content_attributes: {
        [OUR_ID_ATTRIBUTE]: ourId,
        ...(saidAt != null && { external_created_at: saidAt }),
        ...(answered !== null && { in_reply_to: answered }),
      },
    };

  const fields = {
    content,
    message_type: type,
    ...(as === 'note' && { private: 'true' }),
    source_id: ourId,
    [`content_attributes[${OUR_ID_ATTRIBUTE}]`]: ourId,
    ...(saidAt != null && { 'content_attributes[external_created_at]': String(saidAt) }),
    ...(answered !== null && { 'content_attributes[in_reply_to]': String(answered) }),
  };
  return multipart(fields, 'attachments[]', files);
}
