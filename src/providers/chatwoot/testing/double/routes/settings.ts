import { accountOf, asBoolean, asId, asList, asText, has, isAdministrator, wrapped, type Call } from '../http/call';
import { UploadedFile } from '../http/parameters';
import { empty, json, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import { changeAgentBot, createAgentBot } from '../domain/agent-bots';
import { storeBlob } from '../domain/blobs';
import { agent, contact } from '../present/people';
import {
  account,
  agentBot,
  attributeDefinition,
  cannedResponse,
  label,
  webhook as webhookJson,
} from '../present/settings';
import { seconds } from '../present/times';
import { newToken } from '../tokens';
import { ACCOUNT_EVENTS, DEFAULT_SUBSCRIPTIONS } from '../webhooks/event-feed';
import type { AgentBot, Contact, CsatResponse, Json, Webhook } from '../model';

const BASE = '/api/v1/accounts/:accountId';
const ANYONE = { area: 'account' } as const;
const ADMIN = { area: 'account', admin: true } as const;

function inAccount<Row extends { accountId: number | null }>(call: Call, row: Row | undefined): Row {
  if (!row || row.accountId !== accountOf(call).id) throw refuse.absent();
  return row;
}

const botAt = (call: Call): AgentBot => inAccount(call, call.world.store.agentBots.get(asId(call.at['id'])));
const webhookAt = (call: Call): Webhook => inAccount(call, call.world.store.webhooks.get(asId(call.at['id'])));

function changeWebhook(call: Call, row: Webhook): void {
  const params = wrapped(call.params, 'webhook');
  const url = has(params, 'url') ? (asText(params['url']) ?? '') : row.url;
  const subscriptions = has(params, 'subscriptions') ? asList(params['subscriptions']).map(String) : row.subscriptions;
  if (!/^https?:\/\/\S+$/.test(url)) throw refuse.invalid('Url is invalid', ['url']);
  if (
    call.world.store.webhooks.find(other => other !== row && other.accountId === row.accountId && other.url === url)
  ) {
    throw refuse.invalid('Url has already been taken', ['url']);
  }
  const known = ACCOUNT_EVENTS.filter(event => call.world.features.typingWebhooks || !event.includes('typing'));
  if (subscriptions.some(event => !known.includes(event)))
    throw refuse.invalid('Subscriptions Invalid events', ['subscriptions']);
  row.url = url;
  row.subscriptions = subscriptions;
  if (has(params, 'name')) row.name = asText(params['name']);
}

function createWebhook(call: Call) {
  const row: Webhook = {
    id: 0,
    accountId: accountOf(call).id,
    name: null,
    url: '',
    subscriptions: [...DEFAULT_SUBSCRIPTIONS],
    secret: newToken(),
  };
  changeWebhook(call, row);
  row.id = call.world.store.webhooks.nextId();
  call.world.store.webhooks.insert(row.id, row);
  return json({ payload: { webhook: webhookJson(call.world, row) } });
}

function createLabel(call: Call) {
  const params = wrapped(call.params, 'label');
  const title = asText(params['title'])?.toLowerCase();
  if (!title) throw refuse.invalid("Title can't be blank", ['title']);
  if (!/^[\p{L}\p{N}_-]+$/u.test(title)) throw refuse.invalid('Title is invalid', ['title']);
  const { store } = call.world;
  const accountId = accountOf(call).id;
  if (store.labels.find(row => row.accountId === accountId && row.title === title)) {
    throw refuse.invalid('Title has already been taken', ['title']);
  }
  const id = store.labels.nextId();
  return json(
    label(
      store.labels.insert(id, {
        id,
        accountId,
        title,
        description: asText(params['description']),
        color: asText(params['color']) ?? '#1f93ff',
        showOnSidebar: has(params, 'show_on_sidebar') ? asBoolean(params['show_on_sidebar']) : null,
      }),
    ),
  );
}

function createDefinition(call: Call) {
  const params = wrapped(call.params, 'custom_attribute_definition');
  const key = asText(params['attribute_key']);
  const displayName = asText(params['attribute_display_name']);
  if (!displayName || !key) throw refuse.invalid("Attribute display name can't be blank", ['attribute_display_name']);
  const { store } = call.world;
  const accountId = accountOf(call).id;
  const model = asText(params['attribute_model']) ?? 'conversation_attribute';
  if (store.attributeDefinitions.find(row => row.accountId === accountId && row.key === key && row.model === model)) {
    throw refuse.invalid('Attribute key has already been taken', ['attribute_key']);
  }
  const id = store.attributeDefinitions.nextId();
  const now = call.world.now();
  return json(
    attributeDefinition(
      store.attributeDefinitions.insert(id, {
        id,
        accountId,
        displayName,
        displayType: asText(params['attribute_display_type']) ?? 'text',
        description: asText(params['attribute_description']),
        key,
        regexPattern: asText(params['regex_pattern']),
        regexCue: asText(params['regex_cue']),
        values: asList(params['attribute_values']).map(String),
        model,
        defaultValue: null,
        createdAt: now,
        updatedAt: now,
      }),
    ),
  );
}

function createCannedResponse(call: Call) {
  const params = wrapped(call.params, 'canned_response');
  const { store } = call.world;
  const id = store.cannedResponses.nextId();
  const now = call.world.now();
  return json(
    cannedResponse(
      store.cannedResponses.insert(id, {
        id,
        accountId: accountOf(call).id,
        shortCode: asText(params['short_code']) ?? '',
        content: asText(params['content']) ?? '',
        createdAt: now,
        updatedAt: now,
      }),
    ),
  );
}

function csatResponse(call: Call, row: CsatResponse): Json {
  const { world } = call;
  const assigned = world.store.users.get(row.assignedAgentId);
  return {
    id: row.id,
    rating: row.rating,
    feedback_message: row.feedbackMessage,
    csat_review_notes: null,
    review_notes_updated_at: null,
    account_id: row.accountId,
    message_id: row.messageId,
    contact: contact(world, world.store.contacts.get(row.contactId) as Contact, false),
    conversation_id: world.store.conversations.get(row.conversationRowId)?.displayId ?? null,
    ...(assigned ? { assigned_agent: agent(world, row.accountId, assigned) } : {}),
    created_at: seconds(row.createdAt),
  };
}

function upload(call: Call) {
  const uploaded = call.params['attachment'];
  if (!(uploaded instanceof UploadedFile)) throw refuse.unprocessable('No file or URL provided');
  const blob = storeBlob(call.world, uploaded);
  const link = `${call.world.baseUrl}/rails/active_storage/blobs/redirect/${blob.signedId}/${encodeURIComponent(blob.filename)}`;
  return json({ file_url: link, blob_id: blob.signedId });
}

const showBot = (call: Call, bot: AgentBot) => json(agentBot(call.world, bot, isAdministrator(call)));

const botRoutes: Route[] = [
  ...route('GET', `${BASE}/agent_bots`, ANYONE, call =>
    json(
      call.world.store.agentBots
        .where(row => row.accountId === null || row.accountId === accountOf(call).id)
        .map(row => agentBot(call.world, row, isAdministrator(call))),
    ),
  ),
  ...route('POST', `${BASE}/agent_bots`, ADMIN, call =>
    showBot(call, createAgentBot(call.world, accountOf(call).id, wrapped(call.params, 'agent_bot'))),
  ),
  ...route('GET', `${BASE}/agent_bots/:id`, ANYONE, call => showBot(call, botAt(call))),
  ...route('PATCH|PUT', `${BASE}/agent_bots/:id`, ADMIN, call => {
    const bot = botAt(call);
    changeAgentBot(call.world, bot, wrapped(call.params, 'agent_bot'));
    return showBot(call, bot);
  }),
  ...route('DELETE', `${BASE}/agent_bots/:id`, ADMIN, call => {
    const bot = botAt(call);
    const { store } = call.world;
    store.agentBots.delete(bot.id);
    for (const inbox of store.inboxes.where(row => row.agentBotId === bot.id)) inbox.agentBotId = null;
    for (const row of store.conversations.where(one => one.assigneeAgentBotId === bot.id))
      row.assigneeAgentBotId = null;
    return empty();
  }),
  ...route(
    'POST',
    `${BASE}/agent_bots/:id/reset_access_token`,
    { ...ADMIN, when: call => call.world.features.conversationDeletion },
    call => {
      const bot = botAt(call);
      bot.token = newToken();
      return showBot(call, bot);
    },
  ),
  ...route(
    'POST',
    `${BASE}/agent_bots/:id/reset_secret`,
    { ...ADMIN, when: call => call.world.features.secretRotation },
    call => {
      const bot = botAt(call);
      bot.secret = newToken();
      return showBot(call, bot);
    },
  ),
];

const webhookRoutes: Route[] = [
  ...route('GET', `${BASE}/webhooks`, ADMIN, call => {
    const rows = call.world.store.webhooks.where(row => row.accountId === accountOf(call).id);
    return json({ payload: { webhooks: rows.map(row => webhookJson(call.world, row)) } });
  }),
  ...route('POST', `${BASE}/webhooks`, ADMIN, createWebhook),
  ...route('PATCH|PUT', `${BASE}/webhooks/:id`, ADMIN, call => {
    const row = webhookAt(call);
    changeWebhook(call, row);
    return json({ payload: { webhook: webhookJson(call.world, row) } });
  }),
  ...route('DELETE', `${BASE}/webhooks/:id`, ADMIN, call => {
    call.world.store.webhooks.delete(webhookAt(call).id);
    return empty();
  }),
];

export const settingsRoutes: Route[] = [
  ...route('GET', BASE, ANYONE, call => json(account(accountOf(call)))),
  ...botRoutes,
  ...webhookRoutes,
  ...route('GET', `${BASE}/labels`, ANYONE, call =>
    json({ payload: call.world.store.labels.where(row => row.accountId === accountOf(call).id).map(label) }),
  ),
  ...route('POST', `${BASE}/labels`, ADMIN, createLabel),
  ...route('GET', `${BASE}/custom_attribute_definitions`, ANYONE, call => {
    const rows = call.world.store.attributeDefinitions.where(row => row.accountId === accountOf(call).id);
    return json(rows.map(attributeDefinition));
  }),
  ...route('POST', `${BASE}/custom_attribute_definitions`, ADMIN, createDefinition),
  ...route('GET', `${BASE}/canned_responses`, ANYONE, call =>
    json(call.world.store.cannedResponses.where(row => row.accountId === accountOf(call).id).map(cannedResponse)),
  ),
  ...route('POST', `${BASE}/canned_responses`, ANYONE, createCannedResponse),
  ...route('GET', `${BASE}/csat_survey_responses`, ADMIN, call =>
    json(
      call.world.store.csatResponses
        .where(row => row.accountId === accountOf(call).id)
        .map(row => csatResponse(call, row)),
    ),
  ),
  ...route('POST', `${BASE}/upload`, ANYONE, upload),
];
