import type { Instant, ProviderConversationId, ProviderMessageId } from '../../ids';
import type { Attachment } from '../../message';
import type { AccountAccess, ConversationAccess } from './access';
import type { EndUserReference, StateHint, WebhookHint, WebhookRequest } from './webhook';
import type { ConversationView } from '../../conversation-view';
import type { Observation, ListMessages, ObservationPage } from './observation';

export interface ChangedConversations {
  readonly access: AccountAccess;
  /** How far back the list goes. */
  readonly withinMs: number;
  /** 1, 2, 3… */
  readonly page: number;
}

export interface ChangedPage {
  readonly conversationIds: readonly ProviderConversationId[];
  /**
   * The state of conversations as the list contains it, so that those already synced need no call. A conversation
   * without an entry may have changed in any way. May be omitted.
   */
  readonly hints?: ReadonlyMap<ProviderConversationId, ConversationHint>;
  /**
   * The end-user of each conversation whose end-user this service created. If omitted: only this service begins
   * conversations there.
   */
  readonly endUsers?: ReadonlyMap<ProviderConversationId, EndUserReference>;
  readonly hasMore: boolean;
}

/**
 * A conversation's state in a list. `lastMessageId` is the newest message of any kind, also one of ours.
 * `lastAuthoredId` is the newest message that the support system did not generate itself. A reader that has seen either
 * has seen all messages. Null: there is none.
 */
export interface ConversationHint {
  readonly state: StateHint;
  readonly lastMessageId: ProviderMessageId | null;
  readonly lastAuthoredId: ProviderMessageId | null;
}

/** A view, with data that decides nothing. */
export interface ConversationSnapshot extends ConversationView {
  /**
   * Agents have seen everything that was said up to this time. Null: nothing yet. If omitted: the provider does not
   * report it.
   */
  readonly agentsReadAt?: Instant | null;
}

/** A file's metadata as its server reports it, and its bytes. Reading may throw the errors that verbs throw. */
export interface OpenedFile {
  readonly body: AsyncIterable<Uint8Array>;
  /** Null: not reported. */
  readonly sizeBytes: number | null;
  readonly contentType: string | null;
}

/** Finds out what agents have said and done. */
export interface ReadVerbs {
  /**
   * Checks a webhook and says where to sync. If the server signs, it checks the signature over the raw bytes. Called
   * once per webhook, before anything is stored; must not do I/O.
   * @throws WebhookRejectedError `badSignature | stale | malformed`
   */
  parseWebhook(request: WebhookRequest): WebhookHint;
  /** Returns the conversation's current state. A refused error with `gone` means that it was deleted. */
  readConversation(conversation: ConversationAccess, signal: AbortSignal): Promise<ConversationSnapshot>;
  /** Returns the messages after a known one. Called after each hint, and on a timer for live handoffs. */
  listMessages(request: ListMessages, signal: AbortSignal): Promise<ObservationPage>;
  /**
   * Returns the current state of single messages that still exist. Called for hints of changed messages. Without it
   * changes are not seen.
   */
  readMessages?(
    conversation: ConversationAccess,
    ids: readonly ProviderMessageId[],
    signal: AbortSignal,
  ): Promise<readonly Observation[]>;
  /**
   * Opens an agent's file for streaming; throws `gone` while the file does not exist. Called once for each file of a
   * received message, again after an error, and when somebody opens a link before that. Makes one attempt; the signal
   * also ends the reading. Without it anybody may fetch the attachment's address.
   */
  openFile?(access: AccountAccess, attachment: Attachment, signal: AbortSignal): Promise<OpenedFile>;
  /**
   * Returns one page of recently changed conversations, newest change first. Called on timers, and after an outage of
   * this service.
   */
  listChangedConversations?(request: ChangedConversations, signal: AbortSignal): Promise<ChangedPage>;
}
