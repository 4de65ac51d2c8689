import { accountOf, asBoolean, asId, asList, asText, has, wrapped, type Call } from '../http/call';
import { callingUser } from '../http/access';
import { empty, json, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import { createUser, removeFromAccount, removeUser } from '../domain/users';
import { agent } from '../present/people';
import { team as teamJson } from '../present/settings';
import type { AccountUser, Json, Role, Team, User } from '../model';

const BASE = '/api/v1/accounts/:accountId';
const ANYONE = { area: 'account' } as const;
const ADMIN = { area: 'account', admin: true } as const;

function roleIn(params: Json, otherwise: Role): Role {
  const role = params['role'] ?? otherwise;
  if (role !== 'agent' && role !== 'administrator') throw refuse.crash();
  return role;
}

function applyAvailability(row: AccountUser, params: Json): void {
  const availability = params['availability'];
  if (availability === 'online' || availability === 'busy' || availability === 'offline')
    row.availability = availability;
  if (has(params, 'auto_offline')) row.autoOffline = asBoolean(params['auto_offline']);
}

/** Invites an agent, who is unconfirmed until they follow the e-mail's link. */
function createAgent(call: Call) {
  const { world } = call;
  const params = wrapped(call.params, 'agent');
  const account = accountOf(call);
  const email = asText(params['email'])?.toLowerCase();
  if (!has(params, 'name') && !world.features.agentNameFromEmail && !world.store.users.find(row => row.email === email))
    throw refuse.crash();
  const role = roleIn(params, 'agent');
  const user =
    world.store.users.find(row => row.email === email) ??
    createUser(world, params, { confirmed: false, passwordRequired: false });
  if (world.store.accountUser(account.id, user.id)) throw refuse.invalid('User has already been taken', ['user_id']);
  const now = world.now();
  const id = world.store.accountUsers.nextId();
  const row: AccountUser = {
    id,
    accountId: account.id,
    userId: user.id,
    role,
    availability: 'offline',
    autoOffline: true,
    inviterId: callingUser(call)?.id ?? null,
    createdAt: now,
    updatedAt: now,
  };
  applyAvailability(row, params);
  world.store.accountUsers.insert(id, row);
  return json(agent(world, account.id, user));
}

function agentAt(call: Call): { user: User; membership: AccountUser } {
  const { store } = call.world;
  const id = asId(call.at['id']) ?? 0;
  const membership = store.accountUser(accountOf(call).id, id);
  const user = store.users.get(id);
  if (!membership || !user) throw refuse.absent();
  return { user, membership };
}

function updateAgent(call: Call) {
  const { user, membership } = agentAt(call);
  const params = wrapped(call.params, 'agent');
  if (has(params, 'name')) user.name = asText(params['name']) ?? user.name;
  membership.role = roleIn(params, membership.role);
  applyAvailability(membership, params);
  return json(agent(call.world, membership.accountId, user));
}

/** Removes an agent. A user without any other account is deleted. */
function deleteAgent(call: Call) {
  const { user, membership } = agentAt(call);
  removeFromAccount(call.world, membership);
  if (!call.world.store.accountUsers.find(row => row.userId === user.id)) removeUser(call.world, user);
  return empty();
}

const readTeam = (call: Call, row: Team) => json(teamJson(row, callingUser(call)));

function teamAt(call: Call): Team {
  const row = call.world.store.teams.get(asId(call.at['id']));
  if (!row || row.accountId !== accountOf(call).id) throw refuse.absent();
  return row;
}

/** Changes a team. Names are stored in lower case and are unique. */
function changeTeam(call: Call, row: Team): void {
  const params = wrapped(call.params, 'team');
  if (Object.keys(params).filter(key => ['name', 'description', 'allow_auto_assign'].includes(key)).length === 0)
    throw refuse.missing('team');
  const name = has(params, 'name') ? asText(params['name'])?.toLowerCase() : row.name;
  if (!name) throw refuse.invalid('Name must not be blank', ['name']);
  if (call.world.store.teams.find(other => other !== row && other.accountId === row.accountId && other.name === name)) {
    throw refuse.invalid('Name has already been taken', ['name']);
  }
  row.name = name;
  if (has(params, 'description')) row.description = asText(params['description']);
  if (has(params, 'allow_auto_assign')) row.allowAutoAssign = asBoolean(params['allow_auto_assign']);
  row.updatedAt = call.world.now();
}

function createTeam(call: Call) {
  const now = call.world.now();
  const row: Team = {
    id: 0,
    accountId: accountOf(call).id,
    name: '',
    description: null,
    allowAutoAssign: true,
    memberIds: [],
    createdAt: now,
    updatedAt: now,
  };
  changeTeam(call, row);
  row.id = call.world.store.teams.nextId();
  return readTeam(call, call.world.store.teams.insert(row.id, row));
}

function deleteTeam(call: Call) {
  const row = teamAt(call);
  call.world.store.teams.delete(row.id);
  for (const conversation of call.world.store.conversations.where(one => one.teamId === row.id))
    conversation.teamId = null;
  return empty();
}

const agents = (call: Call, ids: number[]) =>
  json(
    ids
      .map(id => call.world.store.users.get(id))
      .filter((user): user is User => user !== undefined)
      .map(user => agent(call.world, accountOf(call).id, user)),
  );

/** Returns the requested user ids. Unlike an inbox, a team accepts only users of its account. */
function wantedIds(call: Call): number[] {
  const ids = asList(call.params['user_ids']).map(id => asId(id) ?? 0);
  if (ids.some(id => !call.world.store.accountUser(accountOf(call).id, id)))
    throw refuse.unauthorized('Invalid User IDs');
  return ids;
}

export const peopleRoutes: Route[] = [
  ...route('GET', `${BASE}/agents`, ANYONE, call => {
    const account = accountOf(call);
    const users = call.world.store.usersOf(account.id).sort((a, b) => a.name.localeCompare(b.name));
    return json(users.map(user => agent(call.world, account.id, user)));
  }),
  ...route('POST', `${BASE}/agents`, ADMIN, createAgent),
  ...route('PATCH|PUT', `${BASE}/agents/:id`, ADMIN, updateAgent),
  ...route('DELETE', `${BASE}/agents/:id`, ADMIN, deleteAgent),
  ...route('GET', `${BASE}/teams`, ANYONE, call => {
    const account = accountOf(call);
    return json(
      call.world.store.teams.where(row => row.accountId === account.id).map(row => teamJson(row, callingUser(call))),
    );
  }),
  ...route('POST', `${BASE}/teams`, ADMIN, createTeam),
  ...route('GET', `${BASE}/teams/:id`, ANYONE, call => readTeam(call, teamAt(call))),
  ...route('PATCH|PUT', `${BASE}/teams/:id`, ADMIN, call => {
    const row = teamAt(call);
    changeTeam(call, row);
    return readTeam(call, row);
  }),
  ...route('DELETE', `${BASE}/teams/:id`, ADMIN, deleteTeam),
  ...route('GET', `${BASE}/teams/:id/team_members`, ANYONE, call => agents(call, teamAt(call).memberIds)),
  ...route('POST', `${BASE}/teams/:id/team_members`, ADMIN, call => {
    const row = teamAt(call);
    const added = wantedIds(call).filter(id => !row.memberIds.includes(id));
    row.memberIds.push(...added);
    return agents(call, added);
  }),
  ...route('PATCH|PUT', `${BASE}/teams/:id/team_members`, ADMIN, call => {
    const row = teamAt(call);
    row.memberIds = wantedIds(call);
    return agents(call, row.memberIds);
  }),
  ...route('DELETE', `${BASE}/teams/:id/team_members`, ADMIN, call => {
    const row = teamAt(call);
    const leaving = asList(call.params['user_ids']).map(asId);
    row.memberIds = row.memberIds.filter(id => !leaving.includes(id));
    return empty();
  }),
];
