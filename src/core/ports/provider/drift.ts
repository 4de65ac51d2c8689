import type { ProviderAgentId, ProviderConversationId, ProviderInboxId, ProviderTeamId } from '../../ids';
import type { AccountAccess } from './access';
import type { AccountProgress, EnsuredInbox, Person } from './setup-verbs';
import type { Capabilities } from '../../capabilities';

/** The part of an account that an item of an inspection is about. */
export type DriftKind =
  | 'SERVER'
  | 'BOT_AGENT_TOKEN'
  | 'BOT_AGENT_ROLE'
  | 'BOT_AGENT_NAME'
  | 'AGENT_BOT'
  | 'OWNER'
  | 'INBOX'
  | 'INBOX_NAME'
  | 'INBOX_WEBHOOK_URL'
  | 'INBOX_WEBHOOK_SECRET'
  | 'INBOX_AGENT_BOT'
  | 'INBOX_SETTINGS'
  | 'INBOX_MEMBERS'
  | 'TEAM_MEMBERS'
  | 'TEAM_SETTINGS'
  | 'WEBHOOK_DELIVERY'
  | 'CONVERSATION';

/** One property that we want an account to have, and its current value. */
export interface DriftItem {
  /** Stays the same from one inspection to the next. */
  readonly id: string;
  readonly kind: DriftKind;
  /** The name or address of the checked thing, for people to read. */
  readonly subject: string;
  /** `desired` and `observed` never contain a secret. */
  readonly desired: string | null;
  readonly observed: string | null;
  /** Whether this service can repair it. */
  readonly repairable: boolean;
  /** Null: as desired. Otherwise a sentence with the next step. */
  readonly problem: string | null;
}

export interface DesiredInbox {
  readonly inboxId: string;
  readonly chatbotId: string;
  readonly name: string;
  readonly externalId: ProviderInboxId;
  readonly providerData: Readonly<Record<string, unknown>>;
  /** Null: the members were never set from here, so any members are right. */
  readonly members: readonly ProviderAgentId[] | null;
  /** Same as `EnsureInbox.allowsAutomaticReplies`. */
  readonly allowsAutomaticReplies?: boolean;
}

/** A team as it should be. A null field was never set from here, so any value is right. */
export interface DesiredTeam {
  readonly externalId: ProviderTeamId;
  readonly name: string;
  readonly members: readonly ProviderAgentId[] | null;
  readonly autoAssign: boolean | null;
}

/** The state that the core wants one account to have. This service created or requested all of it. */
export interface DesiredState {
  readonly access: AccountAccess;
  readonly owners: readonly Person[];
  readonly inboxes: readonly DesiredInbox[];
  /** Conversations whose syncs fail repeatedly; the inspection checks them one by one. If omitted: none. */
  readonly failingConversations?: readonly ProviderConversationId[];
  /** Only teams that were created from here, or whose members were set from here. */
  readonly teams: readonly DesiredTeam[];
}

export interface RepairDrift {
  readonly desired: DesiredState;
  /** Ids of items. Items that are in order by now are skipped. */
  readonly items: readonly string[];
  /** As for ensureAccount: committed before the next step. */
  save(progress: AccountProgress): Promise<void>;
  /**
   * Runs one repair of an inbox while no setup of that inbox runs. `repair` receives the inbox as it should currently
   * be; it is not called if the inbox is no longer wanted. It returns the values to save, or null for none.
   */
  withInboxLock(
    inboxId: string,
    repair: (inbox: DesiredInbox, signal: AbortSignal) => Promise<EnsuredInbox | null>,
  ): Promise<void>;
}

export interface Inspection {
  readonly items: readonly DriftItem[];
  /** Stored values that changed and are no drift, such as another version of the server. */
  readonly learned: { readonly settings?: Readonly<Record<string, unknown>>; readonly capabilities?: Capabilities };
}

/**
 * Inspects and repairs what this service created. Requires `inspectsDrift`. Nothing that others created is ever changed
 * or deleted.
 */
export interface DriftVerbs {
  /**
   * Compares the account with the desired state and changes nothing. It reports everything it can read, even when
   * something is broken: a role that was taken away is an item, not an error.
   * @throws ProviderUnavailableError when it can report nothing at all
   */
  inspectDrift(desired: DesiredState, signal: AbortSignal): Promise<Inspection>;
  /** Brings the named items to the desired state, as far as the credentials allow. Repeatable. */
  repairDrift(request: RepairDrift, signal: AbortSignal): Promise<void>;
}
