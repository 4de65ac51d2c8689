import type { AccountAccess } from '../../core/ports/provider/access';
import type { ProviderAgent, ProviderTeam } from '../../core/ports/provider/setup-verbs';
import type { Connect } from './connection';
import { readId, readList, displayName, type WirePerson } from './wire';

export async function listTeams(
  connect: Connect,
  access: AccountAccess,
  signal: AbortSignal,
): Promise<readonly ProviderTeam[]> {
  const { user, account } = connect(access);
  const teams = readList<{ readonly id: number; readonly name: string }>(
    await user.json({ method: 'GET', path: `${account}/teams` }, signal),
    'teams',
  );
  return teams.map(team => ({ externalId: readId(team, 'team'), name: team.name }));
}

/** Returns all users of the account except BotAgent1. */
export async function listAgents(
  connect: Connect,
  access: AccountAccess,
  signal: AbortSignal,
): Promise<readonly ProviderAgent[]> {
  const { user, account, botUserId } = connect(access);
  const people = readList<WirePerson>(await user.json({ method: 'GET', path: `${account}/agents` }, signal), 'agents');
  return people
    .filter(({ id }) => id !== botUserId)
    .map(person => ({
      externalId: readId(person, 'agent'),
      name: displayName(person),
      email: person.email ?? null,
      role: person.role === 'administrator' ? 'ADMINISTRATOR' : 'AGENT',
    }));
}
