import { ProviderRefusedError } from '../../core/errors';
import type { ProviderAgentId } from '../../core/ids';
import type { AccountAccess, InboxAccess } from '../../core/ports/provider/access';
import type { AddAgent, LoginVerbs, AgentAndTeamVerbs } from '../../core/ports/provider/agents-and-teams';
import type { ProviderAgent } from '../../core/ports/provider/setup-verbs';
import { CREATED_FOR_ATTRIBUTE, personOf } from './created-users';
import { createClient, numberOf, type Connect, type Connection, type ChatwootHost } from './connection';
import { listAgents } from './directory';
import { readId, readList, type WirePerson } from './wire';

const roleWord = (role: ProviderAgent['role']) => (role === 'ADMINISTRATOR' ? 'administrator' : 'agent');

const agentNotFoundError = (id: string) =>
  new ProviderRefusedError(
    `No agent of this Chatwoot account has the id ${id}. Refresh the agents and choose one of them.`,
    { gone: true },
  );

/** Returns an agent's number. BotAgent1 belongs to this service and may not be changed as an agent. */
function numberOfAgent({ botUserId }: Connection, id: ProviderAgentId): number {
  const number = numberOf(id, 'agent');
  if (number === botUserId) throw agentNotFoundError(id);
  return number;
}

/**
 * Refuses to demote or remove the person whose token this service uses: without their administrator role nothing works.
 */
function assertNotOurAdministrator({ settings }: Connection, id: number): void {
  if (id === settings.botUserId)
    throw new ProviderRefusedError(
      "This service uses this person's token for the Chatwoot account, so they must stay an administrator. Enable support with another administrator's token first.",
    );
}

/** The verbs of agents and teams. */
export class ChatwootAgentsAndTeams implements AgentAndTeamVerbs {
  constructor(
    private readonly host: ChatwootHost,
    private readonly connect: Connect,
  ) {}

  private platformOf(access: AccountAccess) {
    const token = access.credentials['platformToken'];
    return token === undefined ? null : createClient(this.host, access, token, 'platformApp');
  }

  private async listEverybody({ user, account }: Connection, signal: AbortSignal) {
    return readList<WirePerson>(await user.json({ method: 'GET', path: `${account}/agents` }, signal), 'agents');
  }

  /**
   * Returns the numbers of agents of the account. Chatwoot's inboxes accept any user of the installation, so this
   * checks first.
   */
  private async memberNumbers(
    connection: Connection,
    access: AccountAccess,
    ids: readonly ProviderAgentId[],
    signal: AbortSignal,
  ): Promise<number[]> {
    if (ids.length === 0) return [];
    const known = new Set((await listAgents(this.connect, access, signal)).map(({ externalId }) => externalId));
    return ids.map(id => {
      if (!known.has(id)) throw agentNotFoundError(id);
      return numberOfAgent(connection, id);
    });
  }

  /** Adds an agent by an invitation that Chatwoot sends by e-mail: without a Platform App there is no other way. */
  private async invite(connection: Connection, { name, email, role }: AddAgent, signal: AbortSignal): Promise<number> {
    const { user, account } = connection;
    const known = (await this.listEverybody(connection, signal)).find(
      person => person.email?.toLowerCase() === email.toLowerCase(),
    );
    if (known) {
      if (role !== 'ADMINISTRATOR') assertNotOurAdministrator(connection, known.id);
      if (known.role !== roleWord(role))
        await user.json(
          { method: 'PATCH', path: `${account}/agents/${known.id}`, body: { role: roleWord(role) } },
          signal,
        );
      return known.id;
    }
    return Number(
      readId(
        await user.json(
          { method: 'POST', path: `${account}/agents`, body: { name, email, role: roleWord(role) } },
          signal,
        ),
        'agent',
      ),
    );
  }

  async addAgent(request: AddAgent, signal: AbortSignal) {
    const { access, name, email, role } = request;
    const connection = this.connect(access);
    const platform = this.platformOf(access);
    let id: number;
    if (platform === null) {
      id = await this.invite(connection, request, signal);
    } else {
      // For a known address Chatwoot returns the existing user, token included. The mark shows whom this service
      // created.
      id = Number(
        readId(
          await platform.json(
            { method: 'POST', path: '/platform/api/v1/users', body: personOf(access, { name, email }) },
            signal,
          ),
          'user',
        ),
      );
      if (id === connection.botUserId) throw agentNotFoundError(email);
      await platform.json(
        {
          method: 'POST',
          path: `/platform${connection.account}/account_users`,
          body: { user_id: id, role: roleWord(role) },
        },
        signal,
      );
    }
    const added = (await listAgents(this.connect, access, signal)).find(({ externalId }) => externalId === String(id));
    if (!added) throw new ProviderRefusedError(`Chatwoot added ${email} but does not list them. Refresh the agents.`);
    return added;
  }

  async changeAgentRole(
    { access, agentId, role }: Parameters<AgentAndTeamVerbs['changeAgentRole']>[0],
    signal: AbortSignal,
  ) {
    const connection = this.connect(access);
    const id = numberOfAgent(connection, agentId);
    if (role !== 'ADMINISTRATOR') assertNotOurAdministrator(connection, id);
    await connection.user.json(
      { method: 'PATCH', path: `${connection.account}/agents/${id}`, body: { role: roleWord(role) } },
      signal,
    );
    const changed = (await listAgents(this.connect, access, signal)).find(({ externalId }) => externalId === agentId);
    if (!changed) throw agentNotFoundError(agentId);
    return changed;
  }

  async removeAgent(
    { access, agentId, deletePerson }: Parameters<AgentAndTeamVerbs['removeAgent']>[0],
    signal: AbortSignal,
  ) {
    const connection = this.connect(access);
    const id = numberOfAgent(connection, agentId);
    assertNotOurAdministrator(connection, id);
    if (!(await this.listEverybody(connection, signal)).some(person => person.id === id)) return 'NOT_THERE';
    if (deletePerson) {
      // Deletes the whole user if this was their last account (contract, surprise 25).
      const answer = await connection.user.request(
        { method: 'DELETE', path: `${connection.account}/agents/${id}` },
        [404],
        signal,
      );
      return answer.status === 404 ? 'NOT_THERE' : 'REMOVED';
    }
    const platform = this.platformOf(access);
    if (platform === null) return 'WOULD_DELETE_PERSON';
    await platform.json(
      { method: 'DELETE', path: `/platform${connection.account}/account_users`, body: { user_id: id } },
      signal,
    );
    return 'REMOVED';
  }

  async setInboxMembers(inbox: InboxAccess, agentIds: readonly ProviderAgentId[], signal: AbortSignal) {
    const connection = this.connect(inbox.account);
    const user_ids = await this.memberNumbers(connection, inbox.account, agentIds, signal);
    await connection.user.json(
      {
        method: 'PATCH',
        path: `${connection.account}/inbox_members`,
        body: { inbox_id: numberOf(inbox.externalId, 'inbox'), user_ids },
      },
      signal,
    );
  }

  async addInboxMember(inbox: InboxAccess, agentId: ProviderAgentId, signal: AbortSignal) {
    const connection = this.connect(inbox.account);
    const user_ids = await this.memberNumbers(connection, inbox.account, [agentId], signal);
    await connection.user.json(
      {
        method: 'POST',
        path: `${connection.account}/inbox_members`,
        body: { inbox_id: numberOf(inbox.externalId, 'inbox'), user_ids },
      },
      signal,
    );
  }

  // Always sent, because Chatwoot enables auto-assignment if it is omitted.
  async createTeam(
    access: AccountAccess,
    { name, autoAssign }: Parameters<AgentAndTeamVerbs['createTeam']>[1],
    signal: AbortSignal,
  ) {
    const { user, account } = this.connect(access);
    const team = (await user.json(
      { method: 'POST', path: `${account}/teams`, body: { team: { name, allow_auto_assign: autoAssign } } },
      signal,
    )) as { name?: string };
    return { externalId: readId(team, 'team'), name: team.name ?? name };
  }

  async setTeamMembers(
    access: AccountAccess,
    teamId: string,
    agentIds: readonly ProviderAgentId[],
    signal: AbortSignal,
  ) {
    const connection = this.connect(access);
    const user_ids = await this.memberNumbers(connection, access, agentIds, signal);
    await connection.user.json(
      {
        method: 'PATCH',
        path: `${connection.account}/teams/${numberOf(teamId, 'team')}/team_members`,
        body: { user_ids },
      },
      signal,
    );
  }

  async addTeamMember(access: AccountAccess, teamId: string, agentId: ProviderAgentId, signal: AbortSignal) {
    const connection = this.connect(access);
    const user_ids = await this.memberNumbers(connection, access, [agentId], signal);
    await connection.user.json(
      {
        method: 'POST',
        path: `${connection.account}/teams/${numberOf(teamId, 'team')}/team_members`,
        body: { user_ids },
      },
      signal,
    );
  }
}

/**
 * Creates login links. A Platform App can access every user whose address it ever named, so its permission is not
 * enough: the user must have our mark.
 */
export const createLoginVerbs = (host: ChatwootHost, connect: Connect): LoginVerbs => ({
  async createLoginLink(access, agentId, signal) {
    const connection = connect(access);
    const id = /^\d{1,15}$/.test(agentId) ? Number(agentId) : 0;
    const people = readList<WirePerson>(
      await connection.user.json({ method: 'GET', path: `${connection.account}/agents` }, signal),
      'agents',
    );
    const person = people.find(one => one.id === id && id !== connection.botUserId);
    if (person?.custom_attributes?.[CREATED_FOR_ATTRIBUTE] !== access.accountId) return null;
    const platform = createClient(host, access, access.credentials['platformToken'] ?? null, 'platformApp');
    const { url } = (await platform.json({ method: 'GET', path: `/platform/api/v1/users/${id}/login` }, signal)) as {
      url?: unknown;
    };
    return typeof url === 'string' ? url : null;
  },
});
