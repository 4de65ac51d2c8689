import type { CallerRole } from '../../caller';
import type { UserFacingError } from '../../errors';
import type { ChatbotId, InboxId, UserId } from '../../ids';
import type { AgentRecord, InboxRecord, TeamRecord } from '../../setup';
import type { Scope } from './scope';

export interface AddAgentInput {
  /** Null: the organization's only account. The same holds for `accountId` below. */
  readonly accountId: string | null;
  readonly name: string;
  readonly email: string;
  readonly role: AgentRecord['role'];
  /** The agent's platform user, if known. */
  readonly userId: UserId | null;
  /** Our ids of inboxes that the agent also becomes a member of. Existing members stay. */
  readonly inboxIds: readonly InboxId[];
  /** The same for teams, by our id or the provider's own number. */
  readonly teamIds: readonly string[];
}

export interface AddAgentResult {
  readonly agent: AgentRecord;
  readonly inboxes: readonly InboxRecord[];
  readonly teams: readonly TeamRecord[];
  /** The parts that failed; each error names its field. Repeating the call does only those. */
  readonly problems: readonly UserFacingError[];
}

/** Changes an agent's role. `agentId` here, and `teamId` below: our id, or the provider's own number. */
export interface ChangeAgentRoleInput {
  readonly accountId: string | null;
  readonly agentId: string;
  readonly role: AgentRecord['role'];
}

export interface RemoveAgentInput {
  readonly accountId: string | null;
  readonly agentId: string;
  /**
   * Allows deleting the person from the provider, if they cannot be removed otherwise or this is their last account.
   */
  readonly deletePerson: boolean;
}

export interface SetInboxMembersInput {
  readonly chatbotId: ChatbotId;
  readonly agentIds: readonly string[];
}

export interface CreateTeamInput {
  readonly accountId: string | null;
  readonly name: string;
  readonly agentIds: readonly string[] | null;
  readonly autoAssign: boolean;
}

export interface SetTeamMembersInput {
  readonly accountId: string | null;
  readonly teamId: string;
  readonly agentIds: readonly string[];
}

export interface CreateLoginLinkInput {
  readonly accountId: string | null;
  readonly agentId: string;
  /** The caller. */
  readonly by: { readonly role: CallerRole; readonly userId: UserId | null };
}

/** Changes agents, teams and inbox members. All flows call the provider, except those that link agents. */
export interface AgentAndTeamFlows {
  /** Reads teams and agents from the provider and mirrors them. */
  refreshDirectory(
    scope: Scope,
    accountId: string,
  ): Promise<{ readonly teams: readonly TeamRecord[]; readonly agents: readonly AgentRecord[] }>;
  linkAgent(scope: Scope, agentId: string, userId: UserId | null): Promise<AgentRecord>;
  /** Links the agents that have this address now, or when they are listed later. */
  linkAgentByEmail(scope: Scope, email: string, userId: UserId | null): Promise<readonly AgentRecord[]>;
  addAgent(scope: Scope, input: AddAgentInput): Promise<AddAgentResult>;
  changeAgentRole(scope: Scope, input: ChangeAgentRoleInput): Promise<AgentRecord>;
  removeAgent(scope: Scope, input: RemoveAgentInput): Promise<AgentRecord>;
  setInboxMembers(scope: Scope, input: SetInboxMembersInput): Promise<InboxRecord>;
  createTeam(scope: Scope, input: CreateTeamInput): Promise<TeamRecord>;
  setTeamMembers(scope: Scope, input: SetTeamMembersInput): Promise<TeamRecord>;
  /** Creates a login link. The link is a secret: it is returned and stored nowhere. */
  createLoginLink(
    scope: Scope,
    input: CreateLoginLinkInput,
  ): Promise<{ readonly agent: AgentRecord; readonly url: string }>;
}
