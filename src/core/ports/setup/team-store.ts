import type { AccountId, AgentId, OrganizationId, TeamId } from '../../ids';
import type { AccountRecord, TeamRecord } from '../../setup';
import type { ProviderTeam } from '../provider/setup-verbs';

/** Stores the teams that providers list. */
export interface TeamStore {
  /**
   * Inserts and renames teams, and marks missing ones as gone. Their ids stay, so that old handoffs still name them.
   */
  syncTeams(account: AccountRecord, teams: readonly ProviderTeam[]): Promise<readonly TeamRecord[]>;
  listTeams(organizationId: OrganizationId, accountId: AccountId | null): Promise<readonly TeamRecord[]>;
  listTeamsOfAccounts(organizationId: OrganizationId, accountIds: readonly string[]): Promise<readonly TeamRecord[]>;
  findTeamsByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (TeamRecord | null)[]>;
  /** Finds a team by our id or the provider's. */
  findTeam(accountId: AccountId, idOrExternalId: string): Promise<TeamRecord | null>;
  setTeamMembers(id: TeamId, memberIds: readonly AgentId[]): Promise<TeamRecord>;
  setTeamAutoAssign(id: TeamId, autoAssign: boolean): Promise<TeamRecord>;
}
