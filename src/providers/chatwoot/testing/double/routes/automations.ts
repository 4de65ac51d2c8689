import { accountOf, asId, asList, asText, wrapped, type Call } from '../http/call';
import { callingUser, conversationOf } from '../http/access';
import { empty, json, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import { createMacro, createRule, runMacro } from '../domain/automation';
import { agent } from '../present/people';
import { seconds } from '../present/times';
import type { AutomationRule, Json, Macro, User } from '../model';

const BASE = '/api/v1/accounts/:accountId';
const ANYONE = { area: 'account' } as const;
const ADMIN = { area: 'account', admin: true } as const;

const showRule = (row: AutomationRule): Json => ({
  id: row.id,
  account_id: row.accountId,
  name: row.name,
  description: row.description,
  event_name: row.eventName,
  conditions: row.conditions,
  actions: row.actions,
  created_on: seconds(row.createdAt),
  active: row.active,
});

function showMacro(call: Call, row: Macro): Json {
  const by = agent(call.world, row.accountId, call.world.store.users.get(row.createdById) as User);
  return {
    id: row.id,
    name: row.name,
    visibility: row.visibility,
    created_by: by,
    updated_by: by,
    account_id: row.accountId,
    actions: row.actions,
  };
}

/** Runs a macro in jobs, in the name of the caller. */
function execute(call: Call) {
  const { store } = call.world;
  const macro = store.macros.get(asId(call.at['id']));
  const user = callingUser(call);
  if (!macro || !user || macro.accountId !== accountOf(call).id) throw refuse.absent();
  for (const id of asList(call.params['conversation_ids']).map(one => asText(one) ?? '')) {
    call.at['conversationId'] = id;
    runMacro(call.world, macro, conversationOf(call), user);
  }
  return empty();
}

export const automationRoutes: Route[] = [
  ...route('GET', `${BASE}/automation_rules`, ADMIN, call =>
    json({
      payload: call.world.store.automationRules.where(row => row.accountId === accountOf(call).id).map(showRule),
    }),
  ),
  ...route('POST', `${BASE}/automation_rules`, ADMIN, call =>
    json(showRule(createRule(call.world, accountOf(call).id, wrapped(call.params, 'automation_rule')))),
  ),
  ...route('DELETE', `${BASE}/automation_rules/:id`, ADMIN, call => {
    call.world.store.automationRules.delete(asId(call.at['id']) ?? 0);
    return empty();
  }),
  ...route('POST', `${BASE}/macros`, ANYONE, call =>
    json({
      payload: showMacro(
        call,
        createMacro(call.world, accountOf(call).id, wrapped(call.params, 'macro'), callingUser(call) as User),
      ),
    }),
  ),
  ...route('POST', `${BASE}/macros/:id/execute`, ANYONE, execute),
];
