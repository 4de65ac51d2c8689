import type { ProviderAgentId, ProviderTeamId } from '../../ids';
import type { AccountAccess, InboxAccess } from './access';
import type { ProviderAgent, ProviderTeam } from './setup-verbs';

export interface AddAgent {
  readonly access: AccountAccess;
  readonly name: string;
  readonly email: string;
  readonly role: ProviderAgent['role'];
}
export interface ChangeAgentRole {
  readonly access: AccountAccess;
  readonly agentId: ProviderAgentId;
  readonly role: ProviderAgent['role'];
}
export interface RemoveAgent {
  readonly access: AccountAccess;
  readonly agentId: ProviderAgentId;
  /** True: the agent may be deleted from the provider. False: the agent is only removed from this account. */
  readonly deletePerson: boolean;
}
/**
 * The result of a removal. `WOULD_DELETE_PERSON`: nothing was done, because this provider can only remove the agent by
 * deleting the person.
 */
export type AgentRemoval = 'REMOVED' | 'NOT_THERE' | 'WOULD_DELETE_PERSON';

/**
 * Changes agents and teams of one account for an operator. All verbs are repeatable. The bot agent's own user is
 * excluded: it is not listed, not changed and not removed.
 */
export interface AgentAndTeamVerbs {
  /** Adds an agent, identified by e-mail. An existing agent gets the role. Requires `managesAgents`. */
  addAgent(request: AddAgent, signal: AbortSignal): Promise<ProviderAgent>;
  /**
   * Changes an agent's role. Requires `managesAgents`.
   * @throws ProviderRefusedError `gone` when the account has no agent with this id
   */
  changeAgentRole(request: ChangeAgentRole, signal: AbortSignal): Promise<ProviderAgent>;
  /** Removes an agent from the account. Requires `managesAgents`. */
  removeAgent(request: RemoveAgent, signal: AbortSignal): Promise<AgentRemoval>;
  /**
   * Sets exactly these members of an inbox. Agents whose role sees every inbox still see it. Requires `inboxMembers`.
   * @throws ProviderRefusedError for an unknown agent
   */
  setInboxMembers(inbox: InboxAccess, agentIds: readonly ProviderAgentId[], signal: AbortSignal): Promise<void>;
  /**
   * Adds one member to an inbox; existing members stay. Requires `inboxMembers`.
   * @throws ProviderRefusedError for an unknown agent
   */
  addInboxMember(inbox: InboxAccess, agentId: ProviderAgentId, signal: AbortSignal): Promise<void>;
  /**
   * Creates a team. Requires `managesTeams`. The provider may change the spelling of the name. `autoAssign`: whether
   * the provider assigns the team's conversations to members who are online.
   * @throws ProviderRefusedError when the name is taken, UnsupportedByProviderError when the provider cannot assign by
   * itself
   */
  createTeam(
    access: AccountAccess,
    team: { readonly name: string; readonly autoAssign: boolean },
    signal: AbortSignal,
  ): Promise<ProviderTeam>;
  /**
   * Sets exactly these members of a team. Requires `managesTeams`.
   * @throws ProviderRefusedError for an unknown team (`gone`) or agent
   */
  setTeamMembers(
    access: AccountAccess,
    teamId: ProviderTeamId,
    agentIds: readonly ProviderAgentId[],
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Adds one member to a team; existing members stay. Requires `managesTeams`.
   * @throws ProviderRefusedError for an unknown team (`gone`) or agent
   */
  addTeamMember(
    access: AccountAccess,
    teamId: ProviderTeamId,
    agentId: ProviderAgentId,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Signs one agent in without a password. Requires `loginLinks`. */
export interface LoginVerbs {
  /**
   * Creates a short-lived login link that works once. Returns null unless this service created the agent for this
   * account. The link is never logged or stored.
   */
  createLoginLink(access: AccountAccess, agentId: ProviderAgentId, signal: AbortSignal): Promise<string | null>;
}
