import { ProviderRefusedError, UnsupportedByProviderError } from '../../core/errors';
import type { AccountAccess } from '../../core/ports/provider/access';
import type { AddAgent, AgentAndTeamVerbs } from '../../core/ports/provider/agents-and-teams';
import type { ProviderAgent } from '../../core/ports/provider/setup-verbs';
import { requireAccount, withTimeLimit, isDeskId, type Database, type Query } from './database';

const AGENT = 'id as "externalId", name, email, role';

const inboxMembersUnsupportedError = () =>
  new UnsupportedByProviderError(
    'An inbox of the desk has no members, because every agent sees every inbox; leave its members out.',
  );

const agentNotFoundError = () =>
  new ProviderRefusedError('The desk has no such agent or team; refresh the lists and choose another.', { gone: true });

async function requireAgents(query: Query, accountId: string, ids: readonly string[]): Promise<readonly string[]> {
  if (!ids.every(isDeskId)) throw agentNotFoundError();
  const { rows } = await query(
    `select id from desk_agent where account_id = $1 and kind = 'PERSON' and id = any($2::bigint[])`,
    [accountId, ids],
  );
  if (rows.length < new Set(ids).size) throw agentNotFoundError();
  return ids;
}

async function lockTeam(query: Query, accountId: string, teamId: string): Promise<void> {
  const {
    rows: [team],
  } = isDeskId(teamId)
    ? await query('select id from desk_team where account_id = $1 and id = $2 for update', [accountId, teamId])
    : { rows: [] };
  if (!team) throw agentNotFoundError();
}

/** Manages the agents and teams of a desk. Every agent sees every inbox. */
export class DeskAgentsAndTeams implements AgentAndTeamVerbs {
  constructor(private readonly database: Database) {}

  addAgent({ access, name, email, role }: AddAgent, signal: AbortSignal) {
    return withTimeLimit(signal, () =>
      this.database.transaction(
        async (query): Promise<ProviderAgent> =>
          (
            await query(
              `
    insert into desk_agent (account_id, kind, name, email, role) values ($1, 'PERSON', $2, $3, $4)
    on conflict on constraint uq_desk_agent_email do update set role = excluded.role returning ${AGENT}`,
              [await requireAccount(query, access), name, email.toLowerCase(), role],
            )
          ).rows[0],
      ),
    );
  }

  changeAgentRole({ access, agentId, role }: Parameters<AgentAndTeamVerbs['changeAgentRole']>[0], signal: AbortSignal) {
    return withTimeLimit(signal, () =>
      this.database.transaction(async (query): Promise<ProviderAgent> => {
        const accountId = await requireAccount(query, access);
        await requireAgents(query, accountId, [agentId]);
        return (await query(`update desk_agent set role = $2 where id = $1 returning ${AGENT}`, [agentId, role]))
          .rows[0];
      }),
    );
  }

  // The row stays, without its e-mail, because the agent's messages refer to it. Nothing outside the desk has to be
  // deleted.
  removeAgent(
    { access, agentId }: Parameters<AgentAndTeamVerbs['removeAgent']>[0],
    signal: AbortSignal,
  ): ReturnType<AgentAndTeamVerbs['removeAgent']> {
    return withTimeLimit(signal, () =>
      this.database.transaction(async query => {
        const accountId = await requireAccount(query, access);
        if (!isDeskId(agentId)) return 'NOT_THERE';
        const { rowCount } = await query(
          `
      update desk_agent set kind = 'GONE', email = null where account_id = $1 and id = $2 and kind = 'PERSON'`,
          [accountId, agentId],
        );
        if (!rowCount) return 'NOT_THERE';
        await query('delete from desk_team_member where agent_id = $1', [agentId]);
        await query('update desk_conversation set agent_id = null where agent_id = $1', [agentId]);
        return 'REMOVED';
      }),
    );
  }

  async setInboxMembers(): Promise<never> {
    throw inboxMembersUnsupportedError();
  }
  async addInboxMember(): Promise<never> {
    throw inboxMembersUnsupportedError();
  }

  createTeam(
    access: AccountAccess,
    { name, autoAssign }: Parameters<AgentAndTeamVerbs['createTeam']>[1],
    signal: AbortSignal,
  ) {
    return withTimeLimit(signal, () =>
      this.database.transaction(async query => {
        if (autoAssign)
          throw new UnsupportedByProviderError(
            'The desk does not assign conversations automatically; create the team without autoAssign.',
          );
        const {
          rows: [team],
        } = await query(
          `
      insert into desk_team (account_id, name) values ($1, $2) on conflict on constraint uq_desk_team_name do nothing returning id`,
          [await requireAccount(query, access), name],
        );
        if (!team)
          throw new ProviderRefusedError(
            'The desk already has a team of that name; choose another name, or use that team.',
          );
        return { externalId: team.id, name };
      }),
    );
  }

  setTeamMembers(access: AccountAccess, teamId: string, agentIds: readonly string[], signal: AbortSignal) {
    return withTimeLimit(signal, () =>
      this.database.transaction(async query => {
        const accountId = await requireAccount(query, access);
        await lockTeam(query, accountId, teamId);
        await requireAgents(query, accountId, agentIds);
        await query('delete from desk_team_member where team_id = $1 and agent_id <> all ($2::bigint[])', [
          teamId,
          agentIds,
        ]);
        await query(
          'insert into desk_team_member (team_id, agent_id) select $1, unnest($2::bigint[]) on conflict do nothing',
          [teamId, agentIds],
        );
      }),
    );
  }

  addTeamMember(access: AccountAccess, teamId: string, agentId: string, signal: AbortSignal) {
    return withTimeLimit(signal, () =>
      this.database.transaction(async query => {
        const accountId = await requireAccount(query, access);
        await lockTeam(query, accountId, teamId);
        await requireAgents(query, accountId, [agentId]);
        await query('insert into desk_team_member (team_id, agent_id) values ($1, $2) on conflict do nothing', [
          teamId,
          agentId,
        ]);
      }),
    );
  }
}
