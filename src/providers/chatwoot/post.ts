import {
  ProviderDamagedError,
  ProviderRefusedError,
  ProviderUnavailableError,
  writeAfterLookup,
} from '../../core/errors';
import type { ProviderMessageId } from '../../core/ids';
import type { ConversationAccess } from '../../core/ports/provider/access';
import type { PostMessage, PostNote, PostTranscript } from '../../core/ports/provider/post-verbs';
import { stageUploads, type Uploads } from './stage-uploads';
import { throwIfOver } from './client';
import { numberOf, type Connect, type Connection } from './connection';
import { messagesAfter } from './history';
import { runLookup } from './run-lookup';
import { findOurId } from './mapping';
import type { FormFile } from './multipart';
import { RATE_LIMITS, PostRateLimiter } from './rate-limits';
import { createPostBody, findMissingFiles, overflows, type Post } from './post-body';
import { readId, type WireMessage } from './wire';

/** Chatwoot 4.10 and 4.14 were seen to accept 16 files with one message; one of them is the transcript. */
const MAX_FILES_PER_POST = 15;

/** A message posted within this time after it was said needs no time of its own. */
const RECENT_MS = 60_000;

/**
 * After so many failed attempts a message is posted without its files: a file that breaks this Chatwoot must not delay
 * the text.
 */
const MAX_ATTEMPTS_WITH_FILES = 3;

export class Posts {
  private readonly rateLimiter: PostRateLimiter;

  constructor(
    private readonly connect: Connect,
    private readonly now: () => number,
  ) {
    this.rateLimiter = new PostRateLimiter(now);
  }

  /**
   * Returns how many history messages may be posted now. Part of the limit is reserved for new messages.
   * @param conversation null: none exists yet
   */
  capacity(conversation: ConversationAccess | null): number {
    return (
      (conversation === null
        ? RATE_LIMITS.postsPerMinute
        : this.rateLimiter.capacity(conversationKey(conversation), conversation.recentPosts)) -
      RATE_LIMITS.reservedForTalk
    );
  }

  /**
   * Posts a transcript. Files that do not fit with it go into a note before it, with its own id, so that a retry looks
   * up each.
   */
  async postTranscript(
    { conversation, noteId: ourId, title: text, fileName, content, files, mayExist, lookupAfter }: PostTranscript,
    signal: AbortSignal,
  ): Promise<ProviderMessageId> {
    const note = { conversation, as: 'note', mayExist, lookupAfter: lookupAfter } as const;
    const [before, beside] = [files.slice(0, -MAX_FILES_PER_POST), files.slice(-MAX_FILES_PER_POST)];
    if (before.length > 0)
      await this.post(
        { ...note, ourId: `more:${ourId}`, text: 'Earlier files of the transcript that follows.', attachments: before },
        signal,
      );
    const file: FormFile = { name: fileName, contentType: 'text/plain', body: new Blob([content]) };
    return this.post({ ...note, ourId, text, attachments: beside, ownFiles: [file] }, signal);
  }

  postMessage(
    { conversation, message, previousAttempts, mayExist, lookupAfter }: PostMessage,
    signal: AbortSignal,
  ): Promise<ProviderMessageId> {
    const { id: ourId, attachments, author, visibility } = message;
    // Only when a lost conversation is recreated. The post cannot be made in the agent's name, so the name precedes the
    // text.
    const text = author === 'AGENT' && message.authorName ? `${message.authorName}: ${message.text}` : message.text;
    const as = visibility === 'INTERNAL' ? 'note' : author === 'END_USER' ? 'endUser' : 'bot';
    const at = Date.parse(message.saidAt ?? message.createdAt);
    const saidAt = this.now() - at < RECENT_MS ? null : Math.floor(at / 1_000);
    return this.post(
      {
        conversation,
        ourId,
        text,
        saidAt,
        attachments,
        as,
        previousAttempts,
        mayExist,
        lookupAfter,
        replyTo: message.replyTo ?? null,
      },
      signal,
    );
  }

  postNote(
    { conversation, noteId: ourId, text, mayExist, lookupAfter }: PostNote,
    signal: AbortSignal,
  ): Promise<ProviderMessageId> {
    return this.post({ conversation, ourId, text, attachments: [], as: 'note', mayExist, lookupAfter }, signal);
  }

  private async post(post: Post, signal: AbortSignal): Promise<ProviderMessageId> {
    const connection = this.connect(post.conversation.inbox.account);
    const path = connection.conversation(post.conversation.conversationId);
    throwIfOver(signal);
    const earlier = post.mayExist ? await findPost(connection, path, post, signal) : null;
    const row =
      earlier ??
      (await (post.mayExist
        ? writeAfterLookup(() => this.write(connection, path, post, signal))
        : this.write(connection, path, post, signal)));
    await this.noteMissingFiles(row, post, earlier !== null, signal);
    return readId(row, 'message');
  }

  private async write(connection: Connection, path: string, post: Post, signal: AbortSignal): Promise<WireMessage> {
    const withoutFiles: Uploads = {
      files: [],
      omittedNames: post.attachments.map(({ name }) => name),
      release: async () => undefined,
    };
    const send = async (uploads: Uploads, isWhole: boolean): Promise<WireMessage> => {
      this.rateLimiter.record(conversationKey(post.conversation), post.conversation.recentPosts);
      const row = (await connection.bot.json(
        { method: 'POST', path: `${path}/messages`, body: createPostBody(post, uploads, isWhole) },
        signal,
      )) as WireMessage;
      readId(row, 'message');
      return row;
    };
    if ((post.previousAttempts ?? 0) >= MAX_ATTEMPTS_WITH_FILES) return send(withoutFiles, false);
    const uploads = await stageUploads(post.attachments, signal);
    try {
      return await send(uploads, true);
    } catch (error) {
      if (error instanceof ProviderDamagedError) {
        await this.postRecoveryNote(connection, path, signal);
        throw error;
      }
      // A post is useless without its own files, but not without the others.
      if (uploads.files.length === 0 && (post.ownFiles !== undefined || !overflows(post))) throw error;
      if (isAnsweredByChatwoot(error)) {
        // The files may have been too much, or Chatwoot stored everything and failed afterwards.
        const stored = await findPost(connection, path, post, signal);
        if (stored !== null) return stored;
      } else if (!(error instanceof ProviderRefusedError) || error.gone) throw error;
      return await send(withoutFiles, false);
    } finally {
      await uploads.release();
    }
  }

  /**
   * Posts a note after a damaged row. A newer row makes the lists of conversations work again, and the note says what
   * to do. Its failure is ignored, because any other new message has the same effect.
   */
  private async postRecoveryNote(connection: Connection, path: string, signal: AbortSignal): Promise<void> {
    await connection.bot
      .json(
        {
          method: 'POST',
          path: `${path}/messages`,
          body: { content: DAMAGED_NOTE, message_type: 'outgoing', private: true },
        },
        signal,
      )
      .catch(() => undefined);
  }

  /**
   * Posts one note that names the files missing in a row. Chatwoot responds with 200 and omits a file that it cannot
   * store (CONTRACT §2.2).
   * @throws ProviderRefusedError if one of the post's own files is missing
   */
  private async noteMissingFiles(row: WireMessage, post: Post, mayExist: boolean, signal: AbortSignal): Promise<void> {
    if (row.content_attributes?.['deleted'] === true) return;
    const shown = row.attachments ?? [];
    if (shown.length < (post.ownFiles?.length ?? 0))
      throw new ProviderRefusedError(
        `Chatwoot stored the post ${post.ourId} without its file. Check Chatwoot's file storage.`,
      );
    const missing = findMissingFiles(post.attachments, row);
    if (missing.length === 0) return;
    const { conversation, lookupAfter } = post;
    const text = [
      'Chatwoot did not store all files of the message before this. Missing:',
      ...missing.map(({ name }) => `[${name}]`),
    ].join('\n');
    try {
      await this.post(
        { conversation, ourId: `files:${post.ourId}`, text, attachments: [], as: 'note', mayExist, lookupAfter },
        signal,
      );
    } catch (error) {
      if (!(error instanceof ProviderRefusedError) || error.gone) throw error;
    }
  }
}

const DAMAGED_NOTE =
  'Chatwoot can no longer show the history of this conversation, because a file in it has a blank name. Please let an administrator delete the conversation; the session with the end-user then continues in a new one.';

/**
 * Returns whether Chatwoot itself returned the error, so that the request is finished. The history shows whether it
 * stored the message.
 */
const isAnsweredByChatwoot = (error: unknown): boolean =>
  error instanceof ProviderUnavailableError &&
  error.delivered === 'unknown' &&
  error.ambiguousForMs === 0 &&
  !(error.cause instanceof Error);

const conversationKey = ({ inbox, conversationId }: ConversationAccess): string =>
  `${inbox.account.accountId} ${conversationId}`;

/**
 * Looks for a post in the history. Chatwoot cannot search by `source_id`, and an error does not prove that nothing was
 * stored. A deleted message keeps its `source_id` (CONTRACT section 2).
 * @throws OutcomeUnknownError if Chatwoot refuses the history
 */
const findPost = (
  connection: Connection,
  path: string,
  { ourId, lookupAfter }: Post,
  signal: AbortSignal,
): Promise<WireMessage | null> =>
  runLookup(ourId, async () => {
    const start = lookupAfter === null ? 0 : numberOf(lookupAfter, 'message');
    for await (const batch of messagesAfter(connection, path, start, signal)) {
      const found = batch.find(message => message.source_id === ourId || findOurId(message, false) === ourId);
      if (found) return found;
    }
    return null;
  });
