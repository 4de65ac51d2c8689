import type { Instant, MessageId, ProviderMessageId } from '../../ids';
import type { MessageContent } from '../../content';
import type { ChannelState, MessageAuthor, MessageVisibility } from '../../message';
import type { AccountAccess, ConversationAccess } from './access';

/** A file of a post. This service stores it, so the sender's link is neither needed nor shown. */
export interface PostedFile {
  readonly name: string;
  /** MIME type, e.g. `image/png`. */
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Opens the file for reading; may be called again. @throws MediaStoreError */
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export interface PostMessage {
  readonly conversation: ConversationAccess;
  readonly message: {
    readonly id: MessageId;
    readonly author: MessageAuthor;
    readonly visibility: MessageVisibility;
    /** The whole message as plain text, including `content`. This text and the files together show everything. */
    readonly text: string;
    /**
     * The structured content, for a provider that can show it without hiding any of `text` from agents. If omitted:
     * text and files only.
     */
    readonly content?: MessageContent | null;
    readonly attachments: readonly PostedFile[];
    readonly authorName: string | null;
    readonly createdAt: Instant;
    /**
     * When the message was sent, if that differs from `createdAt`. `text` already contains it where agents must read
     * it. If omitted or null: at `createdAt`.
     */
    readonly saidAt?: Instant | null;
    /** The message that this one replies to, if the provider supports that. If omitted: none. */
    readonly replyTo?: ProviderMessageId | null;
  };
  /**
   * How many attempts of this post have failed. Text must not wait for a file: after some attempts the provider posts
   * file names instead. If omitted: none.
   */
  readonly previousAttempts?: number;
  /** True: an earlier attempt may have posted it. Look up `message.id` from `lookupAfter` on before posting. */
  readonly mayExist: boolean;
  /** A provider message that is surely older than any earlier attempt. Null: look up from the start. */
  readonly lookupAfter: ProviderMessageId | null;
}

export interface PostNote {
  readonly conversation: ConversationAccess;
  /** Our id of the note, unique in the conversation, e.g. `handoff:<id>`. */
  readonly noteId: string;
  readonly text: string;
  readonly mayExist: boolean;
  readonly lookupAfter: ProviderMessageId | null;
}

/** History that is too long for single messages, as one readable file for agents only. */
export interface PostTranscript {
  readonly conversation: ConversationAccess;
  /** Same as `PostNote.noteId`. */
  readonly noteId: string;
  readonly title: string;
  readonly fileName: string;
  readonly content: string;
  /** Files that the text names, by their names. They are shown with the transcript, or omitted if there is no room. */
  readonly files: readonly PostedFile[];
  readonly mayExist: boolean;
  readonly lookupAfter: ProviderMessageId | null;
}

export interface DeleteMessage {
  readonly conversation: ConversationAccess;
  /** An id that postMessage returned. */
  readonly messageId: ProviderMessageId;
}

export interface ReportDelivery {
  readonly conversation: ConversationAccess;
  readonly messageId: ProviderMessageId;
  readonly state: ChannelState;
  readonly error: string | null;
}

export interface SendTyping {
  readonly conversation: ConversationAccess;
  readonly isTyping: boolean;
}

export interface AnswerSurvey {
  readonly conversation: ConversationAccess;
  readonly surveyId: ProviderMessageId;
  readonly rating: number;
  readonly comment: string | null;
}

/** Shows agents what end-user and bot say and do. */
export interface PostVerbs {
  /**
   * Posts one message for the agents. Called in order within a conversation, at least once per message. A repeat of the
   * same `message.id` with `mayExist` returns the first post's id and posts nothing.
   */
  postMessage(request: PostMessage, signal: AbortSignal): Promise<ProviderMessageId>;
  /**
   * Posts a note that only agents see. Repeats as postMessage. Throws UnsupportedByProviderError without
   * `privateNotes`.
   */
  postNote(request: PostNote, signal: AbortSignal): Promise<ProviderMessageId>;
  /** As postNote, with a text file. Without it all history goes as messages. */
  postTranscript?(request: PostTranscript, signal: AbortSignal): Promise<ProviderMessageId>;
  /**
   * Deletes a post of ours: agents see that something was there, but not its content. Repeatable; a missing post counts
   * as deleted. If it is missing or throws UnsupportedByProviderError, agents are notified in plain text and the post
   * stays.
   */
  deleteMessage?(request: DeleteMessage, signal: AbortSignal): Promise<void>;
  /**
   * Shows agents the delivery state of a message on the end-user's channel. Repeatable. Without it agents do not see
   * the state.
   */
  reportDelivery?(request: ReportDelivery, signal: AbortSignal): Promise<void>;
  /**
   * Shows agents that the end-user has read all their messages. Repeatable. Without it each message is reported
   * separately.
   */
  markRead?(conversation: ConversationAccess, signal: AbortSignal): Promise<void>;
  /** Shows agents that the end-user types. Requires `typing`. Repeatable, cosmetic, and never a message. */
  sendTyping?(request: SendTyping, signal: AbortSignal): Promise<void>;
  /**
   * Submits the end-user's answer to a survey. Repeatable. Without it surveys cannot be answered through this service.
   */
  answerSurvey?(request: AnswerSurvey, signal: AbortSignal): Promise<void>;
  /**
   * Returns how long a write may still take effect after its call ended without a response. Makes no remote call.
   * Without it: no time.
   */
  ambiguousForMs?(access: AccountAccess): number;
  /**
   * Returns how many posts the conversation's limit of messages allows now, with room left for its agents. Makes no
   * remote call. Without it: any number.
   * @param conversation null: one that does not exist yet
   */
  postingCapacity?(conversation: ConversationAccess | null): number;
}
