import type {
  ProviderAgentId,
  ProviderConversationId,
  ProviderInboxId,
  ProviderMessageId,
  ProviderTeamId,
  SessionId,
} from '../../ids';
import type { AccountAccess } from './access';
import type { ProviderStatus } from '../../conversation-view';

/**
 * Names the end-user of a conversation: the session whose id we gave to that end-user, in this inbox. The core decides
 * whether the conversation is the session's own.
 */
export interface EndUserReference {
  readonly inboxId: ProviderInboxId;
  readonly sessionId: SessionId;
}

/**
 * The parts of the state that a hint is about. It is itself only a hint: a known state causes no sync, and nothing else
 * follows from it.
 */
export interface StateHint {
  readonly status?: ProviderStatus;
  /** Null: the conversation is not assigned. */
  readonly agentId?: ProviderAgentId | null;
  readonly teamId?: ProviderTeamId | null;
}

/** The result of reading a webhook's body: a hint where to sync. It is trusted no further. */
export type WebhookHint =
  | {
      readonly kind: 'conversation';
      readonly stateHint?: StateHint;
      readonly conversationId: ProviderConversationId;
      /** `MESSAGES`: only messages changed. If omitted: anything may have changed. */
      readonly about?: 'MESSAGES';
      readonly changedMessageId?: ProviderMessageId;
      /** Nothing is new if this message is known. */
      readonly skipIfKnownId?: ProviderMessageId;
      /**
       * Set if an agent has sent a public message to this end-user. If omitted: no agent has, or the end-user is
       * unknown.
       */
      readonly endUser?: EndUserReference;
    }
  /** An agent, never this service, started or stopped writing a public message. Causes no sync. */
  | {
      readonly kind: 'typing';
      readonly conversationId: ProviderConversationId;
      readonly agentId: ProviderAgentId;
      readonly isTyping: boolean;
    }
  | { readonly kind: 'ignored'; readonly reason: string };

export interface WebhookRequest {
  readonly account: AccountAccess;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body exactly as received. */
  readonly rawBody: Buffer;
  /** Milliseconds since 1970, for the age check of signatures. */
  readonly receivedAt: number;
  /**
   * The account's inboxes as `ensureInbox` returned them, for a provider whose server signs per inbox. If omitted: none
   * known.
   */
  readonly inboxes?: readonly {
    readonly externalId: ProviderInboxId;
    readonly providerData: Readonly<Record<string, unknown>>;
  }[];
}
