import type { ProviderAccountId, ProviderAgentId, ProviderInboxId, ProviderTeamId } from '../../ids';
import type { Capabilities } from '../../capabilities';
import type { AccountAccess } from './access';

export interface Person {
  readonly name: string;
  readonly email: string;
}

export interface EnsureAccount {
  readonly access: AccountAccess;
  readonly organizationId: string;
  readonly name: string;
  /** They become administrators there. */
  readonly owners: readonly Person[];
  /** The inboxes in use, for parts of the account that depend on them. If omitted: none. */
  readonly inboxes?: readonly ProviderInboxId[];
  /**
   * Commits the progress so far. Called after each remote step, before the next one starts, so that setup resumes after
   * a crash and creates nothing twice.
   */
  save(progress: AccountProgress): Promise<void>;
}

export interface AccountProgress {
  readonly externalId?: ProviderAccountId;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly credentials?: Readonly<Record<string, string>>;
}

export interface EnsuredAccount {
  readonly externalId: ProviderAccountId;
  readonly capabilities: Capabilities;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentials: Readonly<Record<string, string>>;
  /** Steps that the operator must do by hand, one sentence each. Empty if there are none. */
  readonly manualSteps: readonly string[];
}

export interface EnsureInbox {
  readonly account: AccountAccess;
  /** Set if the inbox was created before. Then it is checked and gets the wanted name. */
  readonly externalId: ProviderInboxId | null;
  readonly providerData: Readonly<Record<string, unknown>>;
  readonly inboxId: string;
  readonly chatbotId: string;
  readonly name: string;
  /**
   * Whether automatic replies such as greetings may be enabled there; then the agents' own settings for them stay. If
   * omitted: setup disables them.
   */
  readonly allowsAutomaticReplies?: boolean;
}

export interface EnsuredInbox {
  readonly externalId: ProviderInboxId;
  readonly providerData: Readonly<Record<string, unknown>>;
}

export interface ProviderTeam {
  readonly externalId: ProviderTeamId;
  readonly name: string;
}

export interface ProviderAgent {
  readonly externalId: ProviderAgentId;
  readonly name: string;
  readonly email: string | null;
  readonly role: 'ADMINISTRATOR' | 'AGENT';
}

/** Sets up one account and its inboxes, and lists its teams and agents. */
export interface SetupVerbs {
  /** Returns the capabilities of this account. Called at setup; the result is stored. */
  readCapabilities(access: AccountAccess, signal: AbortSignal): Promise<Capabilities>;
  /**
   * Creates or repairs the account, the bot agent (an administrator) and the owners (administrators). Called at setup,
   * and again to resume or repair it.
   */
  ensureAccount(request: EnsureAccount, signal: AbortSignal): Promise<EnsuredAccount>;
  /** Creates or updates the chatbot's inbox and connects it to our webhook. Called at setup and when it is renamed. */
  ensureInbox(request: EnsureInbox, signal: AbortSignal): Promise<EnsuredInbox>;
  /** Returns all current teams; empty without `teams`. Called at setup, on demand, and when a target is unknown. */
  listTeams(access: AccountAccess, signal: AbortSignal): Promise<readonly ProviderTeam[]>;
  /** Returns all current agents, never bots. Called as listTeams. */
  listAgents(access: AccountAccess, signal: AbortSignal): Promise<readonly ProviderAgent[]>;
}
