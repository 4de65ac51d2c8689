import { asId, asObject, asText, has, type Call } from '../http/call';
import { empty, json, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import { createUser, newUserToken, removeFromAccount, removeUser } from '../domain/users';
import { deleteAccount } from '../domain/accounts';
import { createAgentBot } from '../domain/agent-bots';
import { accountUser, platformUser } from '../present/people';
import { platformAccount, platformBot } from '../present/settings';
import type { Account, AgentBot, PlatformApp, User } from '../model';

const AREA = { area: 'platform' } as const;
const BASE = '/platform/api/v1';

function appOf(call: Call): PlatformApp {
  if (call.actor?.kind !== 'platform') throw refuse.unknownPlatformToken();
  return call.actor.app;
}

function own<Row>(row: Row | undefined, permitted: (app: PlatformApp) => boolean, call: Call): Row {
  if (!row) throw refuse.barelyAbsent();
  if (!permitted(appOf(call))) throw refuse.notPermissible();
  return row;
}

function accountAt(call: Call): Account {
  const id = asId(call.at['accountId']) ?? 0;
  return own(call.world.store.accounts.get(id), app => app.accountIds.has(id), call);
}

function userAt(call: Call): User {
  const id = asId(call.at['userId']) ?? 0;
  return own(call.world.store.users.get(id), app => app.userIds.has(id), call);
}

function botAt(call: Call): AgentBot {
  const id = asId(call.at['botId']) ?? 0;
  return own(call.world.store.agentBots.get(id), app => app.botIds.has(id), call);
}

function changeAccount(account: Account, params: Call['params']): void {
  if (has(params, 'name')) account.name = asText(params['name']) ?? '';
  if (has(params, 'locale')) account.locale = asText(params['locale']) ?? 'en';
  if (has(params, 'domain')) account.domain = asText(params['domain']);
  if (has(params, 'support_email')) account.supportEmail = asText(params['support_email']);
  if (has(params, 'custom_attributes')) account.customAttributes = asObject(params['custom_attributes']);
  if (has(params, 'limits')) account.limits = asObject(params['limits']);
  if (!has(params, 'status')) return;
  const status = params['status'];
  if (status !== 'active' && status !== 'suspended') throw refuse.crash();
  account.status = status;
}

/**
 * Lists the app's accounts. A deleted account stays on the list and cannot be rendered, so the list crashes from then
 * on.
 */
function listAccounts(call: Call) {
  const rows = [...appOf(call).accountIds].map(id => call.world.store.accounts.get(id));
  if (rows.some(row => row === undefined)) throw refuse.crash();
  return json(rows.map(row => platformAccount(row as Account)));
}

function createAccount(call: Call) {
  const { world, params } = call;
  if (!asText(params['name'])) throw refuse.invalid("Name can't be blank", ['name']);
  const id = world.store.accounts.nextId();
  const account: Account = {
    id,
    name: '',
    locale: 'en',
    domain: null,
    supportEmail: null,
    status: 'active',
    customAttributes: {},
    limits: {},
    createdAt: world.now(),
    lastDisplayId: 0,
  };
  changeAccount(account, params);
  world.store.accounts.insert(id, account);
  appOf(call).accountIds.add(id);
  return json(platformAccount(account));
}

/** Adds a user to an account. A repeat changes the role; a user has at most one membership per account. */
function createAccountUser(call: Call) {
  const { world, params } = call;
  const account = accountAt(call);
  const role = params['role'] ?? 'agent';
  if (role !== 'agent' && role !== 'administrator') throw refuse.crash();
  const user = world.store.users.get(asId(params['user_id']));
  if (!user) throw refuse.invalid('User must exist', ['user']);
  const existing = world.store.accountUser(account.id, user.id);
  if (existing) {
    if (existing.role !== role) Object.assign(existing, { role, updatedAt: world.now() });
    return json(accountUser(existing));
  }
  const now = world.now();
  const id = world.store.accountUsers.nextId();
  const row = world.store.accountUsers.insert(id, {
    id,
    accountId: account.id,
    userId: user.id,
    role: role,
    availability: 'online',
    autoOffline: true,
    inviterId: null,
    createdAt: now,
    updatedAt: now,
  });
  return json(accountUser(row));
}

/**
 * Creates a user. For a known e-mail it returns the existing user with their token, even if another app created them.
 */
function createPlatformUser(call: Call) {
  const email = asText(call.params['email'])?.toLowerCase() ?? null;
  const existing = email ? call.world.store.users.find(row => row.email === email) : undefined;
  const user = existing ?? createUser(call.world, call.params, { confirmed: true, passwordRequired: true });
  appOf(call).userIds.add(user.id);
  return json(platformUser(call.world, user));
}

function updatePlatformUser(call: Call) {
  const user = userAt(call);
  const { params } = call;
  if (has(params, 'name')) user.name = asText(params['name']) ?? '';
  if (has(params, 'display_name')) user.displayName = asText(params['display_name']);
  if (has(params, 'email')) user.email = asText(params['email'])?.toLowerCase() ?? user.email;
  if (has(params, 'password')) user.password = asText(params['password']);
  if (has(params, 'custom_attributes'))
    user.customAttributes = { ...user.customAttributes, ...asObject(params['custom_attributes']) };
  return json(platformUser(call.world, user));
}

function createLoginLink(call: Call) {
  const user = userAt(call);
  const token = newUserToken(user, call.world.now());
  return json({
    url: `${call.world.baseUrl}/app/login?email=${encodeURIComponent(user.email)}&sso_auth_token=${token}`,
  });
}

function showToken(call: Call) {
  const user = userAt(call);
  const { id, name, displayName, email, pubsubToken } = user;
  return json({
    access_token: user.token,
    expiry: null,
    user: { id, name, display_name: displayName, email, pubsub_token: pubsubToken },
  });
}

function createPlatformBot(call: Call) {
  const bot = createAgentBot(call.world, asId(call.params['account_id']) ?? null, call.params);
  appOf(call).botIds.add(bot.id);
  return json(platformBot(call.world, bot));
}

export const platformRoutes: Route[] = [
  ...route('GET', `${BASE}/accounts`, { ...AREA, when: call => call.world.features.platformAccountList }, listAccounts),
  ...route('POST', `${BASE}/accounts`, AREA, createAccount),
  ...route('GET', `${BASE}/accounts/:accountId`, AREA, call => json(platformAccount(accountAt(call)))),
  ...route('PATCH|PUT', `${BASE}/accounts/:accountId`, AREA, call => {
    const account = accountAt(call);
    changeAccount(account, call.params);
    return json(platformAccount(account));
  }),
  ...route('DELETE', `${BASE}/accounts/:accountId`, AREA, call => {
    const account = accountAt(call);
    call.world.jobs.enqueue(() => deleteAccount(call.world, account), call.world.options.deletionDelayMs);
    return empty();
  }),
  ...route('GET', `${BASE}/accounts/:accountId/account_users`, AREA, call => {
    const account = accountAt(call);
    return json(call.world.store.accountUsers.where(row => row.accountId === account.id).map(accountUser));
  }),
  ...route('POST', `${BASE}/accounts/:accountId/account_users`, AREA, createAccountUser),
  ...route('DELETE', `${BASE}/accounts/:accountId/account_users`, AREA, call => {
    const membership = call.world.store.accountUser(accountAt(call).id, asId(call.params['user_id']) ?? null);
    if (membership) removeFromAccount(call.world, membership);
    return empty();
  }),
  ...route('POST', `${BASE}/users`, AREA, createPlatformUser),
  ...route('GET', `${BASE}/users/:userId`, AREA, call => json(platformUser(call.world, userAt(call)))),
  ...route('PATCH|PUT', `${BASE}/users/:userId`, AREA, updatePlatformUser),
  ...route('DELETE', `${BASE}/users/:userId`, AREA, call => {
    removeUser(call.world, userAt(call));
    return empty();
  }),
  ...route('GET', `${BASE}/users/:userId/login`, AREA, createLoginLink),
  ...route(
    'POST',
    `${BASE}/users/:userId/token`,
    { ...AREA, when: call => call.world.features.platformUserToken },
    showToken,
  ),
  ...route('GET', `${BASE}/agent_bots`, AREA, call =>
    json(
      call.world.store.agentBots.where(row => appOf(call).botIds.has(row.id)).map(row => platformBot(call.world, row)),
    ),
  ),
  ...route('POST', `${BASE}/agent_bots`, AREA, createPlatformBot),
  ...route('GET', `${BASE}/agent_bots/:botId`, AREA, call => json(platformBot(call.world, botAt(call)))),
  ...route('DELETE', `${BASE}/agent_bots/:botId`, AREA, call => {
    call.world.store.agentBots.delete(botAt(call).id);
    return empty();
  }),
];
