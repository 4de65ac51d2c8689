import type { AccountAccess, ProviderAgent, ProviderTeam } from '../../core/ports/support-provider';
import type { Connect } from './connection';
import { idIn, listIn, shownName, type WirePerson } from './wire';

export async function listTeams(connect: Connect, access: AccountAccess, signal: AbortSignal): Promise<readonly ProviderTeam[]> {
  const { user, account } = connect(access);
  const teams = listIn<{ readonly id: number; readonly name: string }>(await user.json({ method: 'GET', path: `${account}/teams` }, signal), 'teams');
  return teams.map((team) => ({ externalId: idIn(team, 'team'), name: team.name }));
}

/** Returns all users of the account except BotAgent1. */
export async function listAgents(connect: Connect, access: AccountAccess, signal: AbortSignal): Promise<readonly ProviderAgent[]> {
  const { user, account, botUserId } = connect(access);
  const people = listIn<WirePerson>(await user.json({ method: 'GET', path: `${account}/agents` }, signal), 'agents');
  return people.filter(({ id }) => id !== botUserId).map((person) => ({
    externalId: idIn(person, 'agent'), name: shownName(person), email: person.email ?? null,
    role: person.role === 'administrator' ? 'ADMINISTRATOR' : 'AGENT',
  }));
}
