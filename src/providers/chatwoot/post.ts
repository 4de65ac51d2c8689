import { ProviderRefusedError } from '../../core/errors';
import type { ProviderMessageId } from '../../core/ids';
import type { Attachment } from '../../core/message';
import type { ConversationAccess, PostMessage, PostNote, PostTranscript } from '../../core/ports/support-provider';
import { download } from './attachments';
import { throwIfOver } from './client';
import { numberOf, type Connect, type Connection } from './connection';
import { messagesAfter } from './history';
import { escapeLiquid, MAX_CONTENT_LENGTH } from './liquid';
import { idOfOurs, MARK } from './mapping';
import { multipart } from './multipart';
import { PACE, PostingPace } from './pace';
import { idIn } from './wire';

interface Post {
  readonly conversation: ConversationAccess;
  readonly ourId: string;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly as: 'endUser' | 'bot' | 'note';
  /** Made by us, not fetched. */
  readonly ownFiles?: readonly File[];
  readonly replyTo?: ProviderMessageId | null;
  readonly mayExist: boolean;
  readonly lookAfter: ProviderMessageId | null;
}

export class Posts {
  private readonly pace: PostingPace;

  constructor(private readonly connect: Connect, private readonly fetch: typeof globalThis.fetch, now: () => number) { this.pace = new PostingPace(now); }

  /** For history: a share of our share stays for what is said next. */
  room(conversation: ConversationAccess): number {
    return this.pace.room(keyOf(conversation), conversation.recentPosts) - PACE.reservedForTalk;
  }

  transcript({ conversation, noteId: ourId, title: text, fileName, content, mayExist, lookAfter }: PostTranscript, signal: AbortSignal): Promise<ProviderMessageId> {
    const file = new File([content], fileName, { type: 'text/plain' });
    return this.post({ conversation, ourId, text, attachments: [], ownFiles: [file], as: 'note', mayExist, lookAfter }, signal);
  }

  message({ conversation, message, mayExist, lookAfter }: PostMessage, signal: AbortSignal): Promise<ProviderMessageId> {
    const { id: ourId, attachments, author, visibility } = message;
    // Only when a lost conversation is told again: nobody can be made to say it there, so the name stands before it.
    const text = author === 'AGENT' && message.authorName ? `${message.authorName}: ${message.text}` : message.text;
    const as = visibility === 'INTERNAL' ? 'note' : author === 'END_USER' ? 'endUser' : 'bot';
    return this.post({ conversation, ourId, text, attachments, as, mayExist, lookAfter, replyTo: message.replyTo ?? null }, signal);
  }

  note({ conversation, noteId: ourId, text, mayExist, lookAfter }: PostNote, signal: AbortSignal): Promise<ProviderMessageId> {
    return this.post({ conversation, ourId, text, attachments: [], as: 'note', mayExist, lookAfter }, signal);
  }

  private async post(post: Post, signal: AbortSignal): Promise<ProviderMessageId> {
    const connection = this.connect(post.conversation.inbox.account);
    const path = connection.conversation(post.conversation.conversationId);
    throwIfOver(signal);
    const earlier = post.mayExist ? await findPost(connection, path, post, signal) : null;
    if (earlier !== null) return earlier;
    this.pace.take(keyOf(post.conversation), post.conversation.recentPosts);
    const body = await this.bodyOf(post, connection.settings.allowPrivateAttachments ?? false, signal);
    return idIn(await connection.bot.json({ method: 'POST', path: `${path}/messages`, body }, signal), 'message');
  }

  private async bodyOf({ ourId, text, attachments, as, ownFiles = [], replyTo }: Post, allowPrivate: boolean, signal: AbortSignal): Promise<object | Blob> {
    const { files: fetched, links } = await download(this.fetch, attachments, allowPrivate, signal);
    const files = [...ownFiles, ...fetched];
    const answered = replyTo != null && /^\d{1,15}$/.test(replyTo) ? Number(replyTo) : null;
    const whole = [text, ...links.map(({ name, url }) => `${name}: ${url}`)].filter((line) => line !== '').join('\n');
    const content = as === 'endUser' ? whole : escapeLiquid(whole);
    if (content.length > MAX_CONTENT_LENGTH && [...content].length > MAX_CONTENT_LENGTH)
      throw new ProviderRefusedError(`Message ${ourId} is longer than Chatwoot's ${MAX_CONTENT_LENGTH} characters.`);
    const type = as === 'endUser' ? 'incoming' : 'outgoing';
    if (files.length === 0)
      return { content, message_type: type, ...(as === 'note' && { private: true }), source_id: ourId, content_attributes: { [MARK]: ourId, ...(answered !== null && { in_reply_to: answered }) } };

    const fields = { content, message_type: type, ...(as === 'note' && { private: 'true' }), source_id: ourId, [`content_attributes[${MARK}]`]: ourId, ...(answered !== null && { 'content_attributes[in_reply_to]': String(answered) }) };
    return multipart(fields, 'attachments[]', files);
  }
}

const keyOf = ({ inbox, conversationId }: ConversationAccess): string => `${inbox.account.accountId} ${conversationId}`;

/** Chatwoot has no look-up by `source_id`, and an error does not prove that nothing was stored: the history does. */
async function findPost(connection: Connection, path: string, { ourId, lookAfter }: Post, signal: AbortSignal): Promise<ProviderMessageId | null> {
  const start = lookAfter === null ? 0 : numberOf(lookAfter, 'message');
  for await (const batch of messagesAfter(connection, path, start, signal)) {
    const found = batch.find((message) => idOfOurs(message, false) === ourId);
    if (found) return String(found.id);
  }
  return null;
}
