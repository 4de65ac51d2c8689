import { OutcomeUnknownError, ProviderRefusedError, writeAfterLook } from '../../core/errors';
import type { MessageContent } from '../../core/content';
import type { ProviderMessageId } from '../../core/ids';
import type { Attachment } from '../../core/message';
import type { ConversationAccess, PostMessage, PostNote, PostTranscript } from '../../core/ports/support-provider';
import { download, type Downloads } from './attachments';
import { throwIfOver } from './client';
import { numberOf, type Connect, type Connection } from './connection';
import { messagesAfter } from './history';
import { escapeLiquid, MAX_CONTENT_LENGTH } from './liquid';
import { lookFor } from './look';
import { idOfOurs, MARK } from './mapping';
import { multipart, type FormFile } from './multipart';
import { PACE, PostingPace } from './pace';
import { idIn, type WireMessage } from './wire';

const INCOMING = 0;
const OUTGOING = 1;

/** What is shown as soon as it is said needs no time of its own. */
const NOW_MS = 60_000;

interface Post {
  readonly conversation: ConversationAccess;
  readonly ourId: string;
  readonly text: string;
  readonly content?: MessageContent | null;
  readonly attachments: readonly Attachment[];
  readonly as: 'endUser' | 'bot' | 'note';
  /** Seconds since 1970, when that is not about now: Chatwoot keeps it beside the time of its own. */
  readonly saidAt?: number | null;
  /** Made by us, not fetched. */
  readonly ownFiles?: readonly FormFile[];
  readonly replyTo?: ProviderMessageId | null;
  readonly timeMs?: number | undefined;
  readonly mayExist: boolean;
  readonly lookAfter: ProviderMessageId | null;
}

export class Posts {
  private readonly pace: PostingPace;

  constructor(private readonly connect: Connect, private readonly fetch: typeof globalThis.fetch, private readonly now: () => number) { this.pace = new PostingPace(now); }

  /** For history: a share of our share stays for what is said next. */
  room(conversation: ConversationAccess): number {
    return this.pace.room(keyOf(conversation), conversation.recentPosts) - PACE.reservedForTalk;
  }

  transcript({ conversation, noteId: ourId, title: text, fileName, content, mayExist, lookAfter }: PostTranscript, signal: AbortSignal): Promise<ProviderMessageId> {
    const file: FormFile = { name: fileName, contentType: 'text/plain', body: new Blob([content]) };
    return this.post({ conversation, ourId, text, attachments: [], ownFiles: [file], as: 'note', mayExist, lookAfter }, signal);
  }

  message({ conversation, message, timeMs, mayExist, lookAfter }: PostMessage, signal: AbortSignal): Promise<ProviderMessageId> {
    const { id: ourId, attachments, author, visibility, content } = message;
    // Only when a lost conversation is told again: nobody can be made to say it there, so the name stands before it.
    const text = author === 'AGENT' && message.authorName ? `${message.authorName}: ${message.text}` : message.text;
    const as = visibility === 'INTERNAL' ? 'note' : author === 'END_USER' ? 'endUser' : 'bot';
    const at = Date.parse(message.saidAt ?? message.createdAt);
    const saidAt = this.now() - at < NOW_MS ? null : Math.floor(at / 1_000);
    return this.post({ conversation, ourId, text, saidAt, content: content ?? null, attachments, as, timeMs, mayExist, lookAfter, replyTo: message.replyTo ?? null }, signal);
  }

  note({ conversation, noteId: ourId, text, mayExist, lookAfter }: PostNote, signal: AbortSignal): Promise<ProviderMessageId> {
    return this.post({ conversation, ourId, text, attachments: [], as: 'note', mayExist, lookAfter }, signal);
  }

  private async post(post: Post, signal: AbortSignal): Promise<ProviderMessageId> {
    const connection = this.connect(post.conversation.inbox.account);
    const path = connection.conversation(post.conversation.conversationId);
    throwIfOver(signal);
    if (!post.mayExist) return this.write(connection, path, post, signal);
    const earlier = await findPost(connection, path, post, signal);
    return earlier ?? writeAfterLook(() => this.write(connection, path, post, signal));
  }

  private async write(connection: Connection, path: string, post: Post, signal: AbortSignal): Promise<ProviderMessageId> {
    const downloads = await download(this.fetch, {
      attachments: post.attachments, allowPrivate: connection.settings.allowPrivateAttachments ?? false, timeMs: post.timeMs,
    }, signal);
    const write = async (one: Post) => {
      this.pace.take(keyOf(post.conversation), post.conversation.recentPosts);
      return idIn(await connection.bot.json({ method: 'POST', path: `${path}/messages`, body: bodyOf(one, downloads) }, signal), 'message');
    };
    try {
      return await write(post);
    } catch (error) {
      // The words alone say it all, and a server may be pickier than those that we have seen.
      if (!post.content || !(error instanceof ProviderRefusedError) || error.gone) throw error;
      return await write({ ...post, content: null });
    } finally {
      await downloads.release();
    }
  }
}

function bodyOf({ ourId, text, content: structured, as, saidAt, ownFiles = [], replyTo }: Post, { files: fetched, links }: Downloads): object | Blob {
  const files = [...ownFiles, ...fetched];
  const answered = replyTo != null && /^\d{1,15}$/.test(replyTo) ? Number(replyTo) : null;
  const whole = [text, ...links.map(({ name, url }) => `${name}: ${url}`)].filter((line) => line !== '').join('\n');
  const content = as === 'endUser' ? whole : escapeLiquid(whole);
  if (content.length > MAX_CONTENT_LENGTH && [...content].length > MAX_CONTENT_LENGTH)
    throw new ProviderRefusedError(`Message ${ourId} is longer than Chatwoot's ${MAX_CONTENT_LENGTH} characters.`);
  const type = as === 'endUser' ? 'incoming' : 'outgoing';
  if (files.length === 0)
    return withItems(as === 'bot' ? structured : null, {
      content, message_type: type, ...(as === 'note' && { private: true }), source_id: ourId,
      content_attributes: { [MARK]: ourId, ...(saidAt != null && { external_created_at: saidAt }), ...(answered !== null && { in_reply_to: answered }) },
    });

  const fields = { content, message_type: type, ...(as === 'note' && { private: 'true' }), source_id: ourId, [`content_attributes[${MARK}]`]: ourId, ...(saidAt != null && { 'content_attributes[external_created_at]': String(saidAt) }), ...(answered !== null && { 'content_attributes[in_reply_to]': String(answered) }) };
  return multipart(fields, 'attachments[]', files);
}

/**
 * Choices are an `input_select` there. The words stay whole, with the choices written out: Chatwoot shows visitors its
 * buttons, and agents nothing but the words. Cards and forms have never been seen to be taken, so they are words.
 */
function withItems<Body extends { readonly content_attributes: object }>(content: MessageContent | null | undefined, body: Body): object {
  if (content?.kind !== 'CHOICES') return body;
  const items = content.items.map(({ title, value }) => ({ title, value }));
  return { ...body, content_type: 'input_select', content_attributes: { ...body.content_attributes, items } };
}

const keyOf = ({ inbox, conversationId }: ConversationAccess): string => `${inbox.account.accountId} ${conversationId}`;

/**
 * Chatwoot has no look-up by `source_id`, and an error does not prove that nothing was stored: the history does.
 * @throws OutcomeUnknownError when the history does not tell, or is refused
 */
const findPost = (connection: Connection, path: string, { ourId, lookAfter, as }: Post, signal: AbortSignal): Promise<ProviderMessageId | null> => lookFor(ourId, async () => {
  const start = lookAfter === null ? 0 : numberOf(lookAfter, 'message');
  const mayBe: string[] = [];
  for await (const batch of messagesAfter(connection, path, start, signal)) {
    const found = batch.find((message) => message.source_id === ourId || idOfOurs(message, false) === ourId);
    if (found) return String(found.id);
    mayBe.push(...batch.filter((message) => mayHaveBeen(message, as, connection.settings.agentBotId)).map(({ id }) => String(id)));
  }
  if (mayBe.length === 0) return null;
  throw new OutcomeUnknownError(`An earlier try of ${ourId} may be what was deleted in Chatwoot as message ${mayBe.join(', ')}. Look there, then send it again or discard it.`, { mayBe });
});

/**
 * Whether a deleted row may be a post of ours. Deleting wipes the mark; that `source_id` stays is what we expect, but no
 * recording shows it of a row that had one. Who sent it, and to whom, stays.
 */
function mayHaveBeen({ content_attributes: attributes, source_id: sourceId, message_type: type, private: isPrivate, sender }: WireMessage, as: Post['as'], agentBotId: number | undefined): boolean {
  if (attributes?.['deleted'] !== true || sourceId) return false;
  if (as === 'endUser') return type === INCOMING && sender?.type !== 'user';
  // Deleting a message has been seen to leave its sender.
  return type === OUTGOING && (isPrivate ?? false) === (as === 'note') && sender?.type === 'agent_bot' && sender.id === agentBotId;
}
