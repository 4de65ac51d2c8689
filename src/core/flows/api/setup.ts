import type { ChatbotId, Instant } from '../../ids';
import type { DriftItem } from '../../ports/provider/drift';
import type { AccountRecord, InboxRecord, SupportPolicy } from '../../setup';
import type { Scope } from './scope';

export interface EnableSupportInput {
  /** A key of the provider registry. */
  readonly provider: string;
  /** The organization's name as people see it at the provider. */
  readonly name: string;
  readonly baseUrl: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  /** E.g. `{ platformToken }`. Stored encrypted. Empty on a repeat: the stored ones are used. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly owners: readonly { readonly name: string; readonly email: string }[];
}

export interface EnableSupportResult {
  readonly account: AccountRecord;
  readonly manualSteps: readonly string[];
}

export interface EnableChatbotInput {
  readonly chatbotId: ChatbotId;
  readonly name: string;
  /** Null: the organization's only account. Required if there are several. */
  readonly accountId: string | null;
  readonly policy: DeepPartial<SupportPolicy>;
}

export interface EnableChatbotResult {
  readonly inbox: InboxRecord;
}

export interface RotateWebhookSecretInput {
  readonly accountId: string | null;
  /** A repeat with the same key continues the same rotation. */
  readonly idempotencyKey: string;
  /**
   * How long the previous secret stays accepted once the provider has the new URL; null: a day. 0: it ends at once,
   * whatever the provider still uses.
   */
  readonly previousValidSeconds: number | null;
}

export interface RotateWebhookSecretResult {
  readonly account: AccountRecord;
  /** One sentence for the operator for each inbox that may still have the old URL. Empty if all have the new one. */
  readonly manualSteps: readonly string[];
  /** Null while there are manual steps. */
  readonly previousExpiresAt: Instant | null;
}

export type DeepPartial<T> = { readonly [K in keyof T]?: T[K] extends object ? DeepPartial<T[K]> : T[K] };

/** Sets up accounts and inboxes, and disables them. */
export interface SetupFlows {
  /** Creates or updates an account. Calls the provider, for seconds. Repeatable: it resumes where it stopped. */
  enableSupport(scope: Scope, input: EnableSupportInput): Promise<EnableSupportResult>;
  /** Creates or updates a chatbot's inbox. Calls the provider. Repeatable; a different name renames the inbox. */
  enableChatbot(scope: Scope, input: EnableChatbotInput): Promise<EnableChatbotResult>;
  updatePolicy(scope: Scope, chatbotId: ChatbotId, policy: DeepPartial<SupportPolicy>): Promise<InboxRecord>;
  /**
   * Ends live handoffs with OPERATOR_ENDED and stops mirroring. Changes nothing at the provider and keeps all links.
   */
  disableSupport(
    scope: Scope,
    accountId: string | null,
  ): Promise<{ readonly account: AccountRecord; readonly endedHandoffs: number }>;
  disableChatbot(
    scope: Scope,
    chatbotId: ChatbotId,
  ): Promise<{ readonly inbox: InboxRecord; readonly endedHandoffs: number }>;
  /**
   * Changes the secret in the account's webhook URL, here and at the provider. Takes seconds; repeatable with the same
   * key.
   */
  rotateWebhookSecret(scope: Scope, input: RotateWebhookSecretInput): Promise<RotateWebhookSecretResult>;
}

/** Inspects and repairs accounts. */
export interface DriftFlows {
  /**
   * Compares the account with its desired state and records its health. Calls the provider, but changes nothing there.
   */
  inspectDrift(scope: Scope, accountId: string): Promise<readonly DriftItem[]>;
  /** Brings the named items to their desired state, and returns the state afterwards. */
  repairDrift(
    scope: Scope,
    accountId: string,
    items: readonly string[],
  ): Promise<{ readonly account: AccountRecord; readonly items: readonly DriftItem[] }>;
}
