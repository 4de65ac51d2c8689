import type { AccountId, AgentId, OrganizationId, UserId } from '../../ids';
import type { AccountRecord, AgentRecord } from '../../setup';
import type { ProviderAgent } from '../provider/setup-verbs';

/** Stores the agents that providers list, and the users that they are linked to. */
export interface AgentStore {
  syncAgents(account: AccountRecord, agents: readonly ProviderAgent[]): Promise<readonly AgentRecord[]>;
  listAgents(organizationId: OrganizationId, accountId: AccountId | null): Promise<readonly AgentRecord[]>;
  listAgentsOfAccounts(organizationId: OrganizationId, accountIds: readonly string[]): Promise<readonly AgentRecord[]>;
  findAgentsByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (AgentRecord | null)[]>;
  findAgentsByUsers(
    organizationId: OrganizationId,
    userIds: readonly string[],
  ): Promise<ReadonlyMap<UserId, readonly AgentRecord[]>>;
  findAgent(accountId: AccountId, idOrExternalId: string): Promise<AgentRecord | null>;
  /**
   * Links an agent to a user. Null removes the link, and a link by e-mail address too, because the next listing would
   * restore it.
   */
  linkAgentToUser(organizationId: OrganizationId, agentId: AgentId, userId: UserId | null): Promise<AgentRecord | null>;
  /**
   * Links an e-mail address to a user: agents that have it now, or when they are listed later, belong to that user
   * unless they are linked to another one. Null removes this and the links that it created. Returns the agents that
   * currently have the address.
   */
  linkEmailToUser(
    organizationId: OrganizationId,
    email: string,
    userId: UserId | null,
  ): Promise<readonly AgentRecord[]>;
}
