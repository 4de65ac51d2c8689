import type { ProviderAgentId, ProviderTeamId } from '../ids';
import type { AccountAccess, InboxAccess, ProviderAgent, ProviderTeam } from './support-provider';

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
  /** The explicit word: without it nobody is ever deleted from the provider, only taken out of this account. */
  readonly deletePerson: boolean;
}
/** `WOULD_DELETE_PERSON`: nothing was done, because here it can only be done by deleting the person. */
export type AgentRemoval = 'REMOVED' | 'NOT_THERE' | 'WOULD_DELETE_PERSON';

/**
 * People and teams of one account, as an operator orders them. All may be repeated. The user that we act as is nobody
 * here: it is not listed, not changed and not removed.
 */
export interface PeopleVerbs {
  /** Known by e-mail: a person who is there already gets the role. With `managesAgents`. */
  addAgent(request: AddAgent, signal: AbortSignal): Promise<ProviderAgent>;
  /** With `managesAgents`. @throws ProviderRefusedError `gone` when nobody of that id is in the account */
  changeAgentRole(request: ChangeAgentRole, signal: AbortSignal): Promise<ProviderAgent>;
  /** With `managesAgents`. */
  removeAgent(request: RemoveAgent, signal: AbortSignal): Promise<AgentRemoval>;
  /** Exactly these, besides whoever may see every inbox by role. With `inboxMembers`. @throws ProviderRefusedError for an unknown agent */
  setInboxMembers(inbox: InboxAccess, agentIds: readonly ProviderAgentId[], signal: AbortSignal): Promise<void>;
  /** Adds one person; whoever is a member stays. With `inboxMembers`. @throws ProviderRefusedError for an unknown agent */
  addInboxMember(inbox: InboxAccess, agentId: ProviderAgentId, signal: AbortSignal): Promise<void>;
  /**
   * Another team; the provider may spell its name its own way. With `managesTeams`. `autoAssign`: whether the provider gives its
   * conversations to members who are online by itself.
   * @throws ProviderRefusedError when the name is taken, UnsupportedByProviderError when it cannot assign by itself
   */
  makeTeam(access: AccountAccess, team: { readonly name: string; readonly autoAssign: boolean }, signal: AbortSignal): Promise<ProviderTeam>;
  /** Exactly these. With `managesTeams`. @throws ProviderRefusedError for an unknown team (`gone`) or agent */
  setTeamMembers(access: AccountAccess, teamId: ProviderTeamId, agentIds: readonly ProviderAgentId[], signal: AbortSignal): Promise<void>;
  /** Adds one person; whoever is in it stays. With `managesTeams`. @throws ProviderRefusedError for an unknown team (`gone`) or agent */
  addTeamMember(access: AccountAccess, teamId: ProviderTeamId, agentId: ProviderAgentId, signal: AbortSignal): Promise<void>;
}

/** A way in for one person, without a password; with `loginLinks`. */
export interface LoginVerbs {
  /**
   * A link that signs this agent in, once and soon. Only for a person that we made for this very account: null for
   * anybody else. Never logged, never stored.
   */
  loginLink(access: AccountAccess, agentId: ProviderAgentId, signal: AbortSignal): Promise<string | null>;
}
