import { accountOf, asId, asList, has, isAdministrator, type Call } from '../http/call';
import { inboxAt, mayUseInbox, usableInboxAt } from '../http/access';
import { empty, json, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import {
  addMember,
  changeInbox,
  createInbox,
  deleteConversationsOf,
  deleteInbox,
  removeMember,
} from '../domain/inboxes';
import { agent } from '../present/people';
import { inbox as inboxJson, inboxBot } from '../present/settings';
import { newToken } from '../tokens';
import type { Inbox, User } from '../model';

const BASE = '/api/v1/accounts/:accountId';
const ANYONE = { area: 'account' } as const;
const ADMIN = { area: 'account', admin: true } as const;

/**
 * On 4.14 the signing secret was seen in single inboxes, and in responses to creating and changing one, but not in the
 * list.
 */
const withoutSecret = (call: Call, inbox: Inbox) =>
  Object.fromEntries(
    Object.entries(inboxJson(call.world, inbox, isAdministrator(call))).filter(([key]) => key !== 'secret'),
  );
const show = (call: Call, inbox: Inbox) => json(inboxJson(call.world, inbox, isAdministrator(call)));

/** Renders the members. Users of other accounts may be members but are not listed. */
function members(call: Call, inbox: Inbox) {
  const { store } = call.world;
  const listed = inbox.memberIds
    .filter(id => store.accountUser(inbox.accountId, id) !== undefined)
    .map(id => store.users.get(id))
    .filter((user): user is User => user !== undefined);
  return json({ payload: listed.map(user => agent(call.world, inbox.accountId, user)) });
}

function wantedUserIds(call: Call): number[] {
  const ids = asList(call.params['user_ids']).map(asId);
  if (ids.some(id => id === undefined || !call.world.store.users.get(id)))
    throw refuse.invalid('User must exist', ['user']);
  return ids as number[];
}

function addMembers(call: Call) {
  const inbox = inboxAt(call, call.params['inbox_id']);
  for (const id of wantedUserIds(call)) addMember(inbox, id);
  return members(call, inbox);
}

function setMembers(call: Call) {
  const inbox = inboxAt(call, call.params['inbox_id']);
  const wanted = wantedUserIds(call);
  for (const id of inbox.memberIds.filter(one => !wanted.includes(one))) removeMember(inbox, id);
  for (const id of wanted) addMember(inbox, id);
  return members(call, inbox);
}

function setAgentBot(call: Call) {
  const inbox = inboxAt(call, call.at['id']);
  const wanted = asId(call.params['agent_bot']);
  if (wanted !== undefined) {
    const bot = call.world.store.agentBots.get(wanted);
    if (!bot || (bot.accountId !== null && bot.accountId !== inbox.accountId)) throw refuse.absent();
    inbox.agentBotId = bot.id;
  } else if (has(call.params, 'agent_bot')) {
    inbox.agentBotId = null;
  }
  return empty();
}

function assignableAgents(call: Call) {
  const { store } = call.world;
  const account = accountOf(call);
  const inboxes = asList(call.params['inbox_ids']).map(id => usableInboxAt(call, id));
  const ids = inboxes
    .map(inbox => inbox.memberIds)
    .reduce((all, some) => all.filter(id => some.includes(id)), inboxes[0]?.memberIds ?? []);
  const admins = store.accountUsers
    .where(row => row.accountId === account.id && row.role === 'administrator')
    .map(row => row.userId);
  const users = [...new Set([...ids, ...admins])]
    .filter(id => store.accountUser(account.id, id))
    .map(id => store.users.get(id));
  return json({ payload: users.map(user => agent(call.world, account.id, user as User)) });
}

export const inboxRoutes: Route[] = [
  ...route('GET', `${BASE}/inboxes`, ANYONE, call => {
    const visible = call.world.store.inboxesOf(accountOf(call).id).filter(inbox => mayUseInbox(call, inbox));
    return json({ payload: visible.map(inbox => withoutSecret(call, inbox)) });
  }),
  ...route('POST', `${BASE}/inboxes`, ADMIN, call =>
    show(call, createInbox(call.world, accountOf(call).id, call.params)),
  ),
  ...route('GET', `${BASE}/inboxes/:id`, ANYONE, call => show(call, usableInboxAt(call, call.at['id']))),
  ...route('PATCH|PUT', `${BASE}/inboxes/:id`, ADMIN, call => {
    const inbox = inboxAt(call, call.at['id']);
    changeInbox(call.world, inbox, call.params);
    return show(call, inbox);
  }),
  ...route('DELETE', `${BASE}/inboxes/:id`, ADMIN, call => {
    const inbox = inboxAt(call, call.at['id']);
    deleteConversationsOf(call.world, inbox);
    call.world.jobs.enqueue(() => deleteInbox(call.world, inbox), call.world.options.deletionDelayMs);
    return json({ message: 'Your inbox deletion request will be processed in some time.' });
  }),
  ...route('GET', `${BASE}/inboxes/:id/agent_bot`, ANYONE, call => {
    const bot = call.world.store.agentBots.get(usableInboxAt(call, call.at['id']).agentBotId);
    return json({ agent_bot: bot ? inboxBot(call.world, bot, isAdministrator(call)) : {} });
  }),
  ...route('POST', `${BASE}/inboxes/:id/set_agent_bot`, ADMIN, setAgentBot),
  ...route('GET', `${BASE}/inboxes/:id/assignable_agents`, ANYONE, call => {
    call.params['inbox_ids'] = [call.at['id']];
    return assignableAgents(call);
  }),
  ...route(
    'POST',
    `${BASE}/inboxes/:id/reset_secret`,
    { ...ADMIN, when: call => call.world.features.secretRotation },
    call => {
      const inbox = inboxAt(call, call.at['id']);
      inbox.secret = newToken();
      return show(call, inbox);
    },
  ),
  ...route('GET', `${BASE}/assignable_agents`, ANYONE, assignableAgents),
  ...route('GET', `${BASE}/inbox_members/:id`, ANYONE, call => members(call, usableInboxAt(call, call.at['id']))),
  ...route('POST', `${BASE}/inbox_members`, ADMIN, addMembers),
  ...route('PATCH|PUT', `${BASE}/inbox_members`, ADMIN, setMembers),
  ...route('DELETE', `${BASE}/inbox_members`, ADMIN, call => {
    const inbox = inboxAt(call, call.params['inbox_id']);
    for (const id of asList(call.params['user_ids'])) removeMember(inbox, asId(id) ?? 0);
    return empty();
  }),
];
