import type {
  ProviderAccountId,
  ProviderContactId,
  ProviderConversationId,
  ProviderInboxId,
  SessionId,
} from '../../ids';

/** The account data that every call needs. The core creates it from the stored account. It contains secrets. */
export interface AccountAccess {
  readonly accountId: string;
  readonly externalId: ProviderAccountId | null;
  readonly baseUrl: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentials: Readonly<Record<string, string>>;
  /**
   * The URL for the provider's webhooks of this account. It is unguessable and contains `accountId`. Empty if the
   * provider could not reach this service: then no webhook may stay registered there, and syncs find everything.
   */
  readonly webhookUrl: string;
  /** True: nobody waits for the calls. They use only what other calls leave of the provider's rate limits. */
  readonly isBackground?: true;
}

/** The inbox data that every call about one inbox needs. */
export interface InboxAccess {
  readonly account: AccountAccess;
  readonly externalId: ProviderInboxId;
  readonly providerData: Readonly<Record<string, unknown>>;
}

/** The conversation data that every call about one conversation needs. */
export interface ConversationAccess {
  readonly inbox: InboxAccess;
  readonly contactId: ProviderContactId;
  readonly conversationId: ProviderConversationId;
  readonly sessionId: SessionId;
  /**
   * Posts of all our processes into this conversation within the last minute, as known at `asOf`. Both in
   * milliseconds since 1970. For servers with a rate limit on posts. If omitted: not known.
   */
  readonly recentPosts?: { readonly at: readonly number[]; readonly asOf: number };
}
