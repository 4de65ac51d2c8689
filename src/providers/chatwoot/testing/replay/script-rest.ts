import { createHmac } from 'node:crypto';
import { play, prepare, type Step } from './script';
import type { Answer, Replay } from './replay';

const A = '/api/v1/accounts/1';

/** Creates a visitor with a conversation in an inbox, as the bridge. */
export async function visitor(
  theatre: Replay,
  inboxId: number,
  fields: Record<string, unknown>,
): Promise<{ contact: Answer; conversation: Answer; sourceId: string }> {
  const { payload } = await theatre.call('BOT', 'POST', `${A}/contacts`, { inbox_id: inboxId, ...fields });
  const sourceId: string = payload.contact_inbox.source_id;
  const conversation = await theatre.call('BOT', 'POST', `${A}/conversations`, {
    source_id: sourceId,
    inbox_id: inboxId,
    contact_id: payload.contact.id,
  });
  return { contact: payload.contact, conversation, sourceId };
}

const waitUntilIdle = prepare(theatre => theatre.double.whenIdle());

const setRole = (role: string) =>
  prepare(theatre =>
    theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts/1/account_users', {
      user_id: theatre.remembered['BOT'],
      role,
    }),
  );

export const agentBotScript: Step[] = [
  prepare(async theatre => {
    const inbox = await theatre.call('ADMIN', 'POST', `${A}/inboxes`, {
      name: 'With bot kmxmek',
      channel: { type: 'api', webhook_url: `${theatre.receiver.url}/inbox-with-bot` },
    });
    if (inbox.id !== 4)
      throw new Error(
        `The inbox with the bot must have the recorded number 4, not ${inbox.id}; check the steps before it.`,
      );
  }),
  play('inboxes.set_agent_bot.200'),
  play('inboxes.agent_bot.200'),
  prepare(async theatre => {
    const { payload } = await theatre.call('BOT', 'POST', `${A}/contacts`, {
      inbox_id: 4,
      name: 'Bot Talker',
      identifier: 'b-9pj4ej',
    });
    theatre.remembered['talker'] = payload.contact.id;
    theatre.replacements.set('1516e1ea-d78e-43ab-9402-8453e52ed4c8', payload.contact_inbox.source_id);
    await theatre.call('ADMIN', 'POST', `${A}/inbox_members`, { inbox_id: 4, user_ids: [4] });
  }),
  play(
    'conversations.create.agent_bot_inbox.200',
    theatre => ({
      body: {
        source_id: '1516e1ea-d78e-43ab-9402-8453e52ed4c8',
        inbox_id: 4,
        contact_id: theatre.remembered['talker'],
      },
    }),
    (theatre, conversation) => {
      theatre.remembered['held'] = conversation.id;
    },
  ),
  waitUntilIdle,
  prepare(theatre =>
    theatre.call('BOT', 'POST', `${A}/conversations/${theatre.remembered['held']}/messages`, {
      content: 'hello bot',
      message_type: 'incoming',
    }),
  ),
  waitUntilIdle,
  play('messages.create.agent_bot_token.200', theatre => ({
    path: `${A}/conversations/${theatre.remembered['held']}/messages`,
  })),
  waitUntilIdle,
  prepare(theatre =>
    theatre.call('AGENT_BOT', 'POST', `${A}/conversations/${theatre.remembered['held']}/messages`, {
      content: 'visitor via bot token',
      message_type: 'incoming',
    }),
  ),
  waitUntilIdle,
  play('conversations.toggle_status.bot_handoff.200', theatre => ({
    path: `${A}/conversations/${theatre.remembered['held']}/toggle_status`,
  })),
  waitUntilIdle,
  prepare(theatre =>
    theatre.double.agent(4, { accountId: 1, conversationId: theatre.remembered['held'] }).reply('alice speaking'),
  ),
  waitUntilIdle,
  prepare(theatre => theatre.double.agent(2, { accountId: 1, conversationId: theatre.remembered['held'] }).resolve()),
  waitUntilIdle,
];

export const demotionScript: Step[] = [
  prepare(async theatre => {
    theatre.remembered['demoted'] = (await visitor(theatre, 1, { name: 'D', identifier: 'dem' })).conversation.id;
  }),
  setRole('agent'),
  play('demoted.contacts.create.200'),
  play('demoted.conversations.create.401', theatre => ({
    body: { inbox_id: 1, contact_id: theatre.remembered['talker'] },
  })),
  play('demoted.messages.create.401', theatre => ({
    path: `${A}/conversations/${theatre.remembered['demoted']}/messages`,
  })),
  play('demoted.assignments.401', theatre => ({
    path: `${A}/conversations/${theatre.remembered['demoted']}/assignments`,
  })),
  play('demoted.toggle_status.401', theatre => ({
    path: `${A}/conversations/${theatre.remembered['demoted']}/toggle_status`,
  })),
  play('demoted.conversations.list.200'),
  play('demoted.inboxes.create.401'),
  setRole('administrator'),
];

const PUB_SOURCE = 'eccb762e-723a-43a5-8c19-e6a3f15cf25c';
const setMandatory = (mandatory: boolean) =>
  prepare(theatre => theatre.call('ADMIN', 'PATCH', `${A}/inboxes/1`, { channel: { hmac_mandatory: mandatory } }));

export const publicScript: Step[] = [
  play('public.inbox.get.200'),
  play('public.inbox.get.missing.404'),
  play('public.contacts.create.200', {}, (theatre, contact) => theatre.replacements.set(PUB_SOURCE, contact.source_id)),
  play('public.contacts.create.again.200'),
  play('public.contacts.get.200'),
  play('public.contacts.get.missing.404'),
  play('public.contacts.update.200'),
  play('public.conversations.create.200', {}, (theatre, conversation) => {
    theatre.remembered['public'] = conversation.id;
    theatre.replacements.set('/conversations/28', `/conversations/${conversation.id}`);
  }),
  play('public.messages.create.200'),
  prepare(async theatre => {
    const alice = theatre.double.agent(4, { accountId: 1, conversationId: theatre.remembered['public'] });
    await alice.note('private');
    await alice.reply('public answer');
  }),
  prepare(async theatre =>
    theatre.replacements.set(
      '6969f36c-cf8d-482e-b443-7a227134ac57',
      (await visitor(theatre, 1, { identifier: 'stranger' })).sourceId,
    ),
  ),
  play('public.messages.create.foreign_conversation.404'),
  play('public.messages.create.too_long.422'),
  play('public.messages.list.200'),
  play('public.conversations.list.200'),
  waitUntilIdle,
  play('public.toggle_typing.200'),
  waitUntilIdle,
  play('public.update_last_seen.200'),
  waitUntilIdle,
  play('public.toggle_status.200'),
  prepare(theatre => theatre.replacements.delete('/conversations/28')),
  setMandatory(true),
  play('public.contacts.create.hmac_missing.500'),
  play('public.contacts.create.hmac_wrong.500'),
  prepare(async theatre => {
    const { hmac_token: key } = await theatre.call('ADMIN', 'GET', `${A}/inboxes/1`);
    const hash = createHmac('sha256', key).update('pub-4wcgaxh').digest('hex');
    theatre.replacements.set('c3d3b46fd4e97b012f8438a06f7c104cc5316a853a6f3bfa5d6b1782de753dcc', hash);
  }),
  play('public.contacts.create.hmac_ok.200'),
  setMandatory(false),
];

export const surveyScript: Step[] = [
  prepare(async theatre => {
    await theatre.call('ADMIN', 'PATCH', `${A}/inboxes/1`, { csat_survey_enabled: true });
    const { conversation } = await visitor(theatre, 1, { name: 'Rater', identifier: 'b-jx4h4f' });
    await theatre.call('BOT', 'POST', `${A}/conversations/${conversation.id}/messages`, {
      content: 'hi',
      message_type: 'incoming',
    });
    const alice = theatre.double.agent(4, { accountId: 1, conversationId: conversation.id });
    await alice.assignSelf();
    await alice.reply('done');
    await alice.resolve();
    await theatre.double.whenIdle();
    theatre.replacements.set('6389e501-3f62-4481-97fe-2d385de1bc81', conversation.uuid);
  }),
  play('public.csat.get.200'),
  play('public.csat.update.200'),
  waitUntilIdle,
  play('csat_survey_responses.list.200'),
  prepare(theatre => theatre.call('ADMIN', 'PATCH', `${A}/inboxes/1`, { csat_survey_enabled: false })),
];

export const deletionScript: Step[] = [
  prepare(async theatre => {
    theatre.remembered['leaving'] = await visitor(theatre, 1, { name: 'Leaver', identifier: 'leaver' });
  }),
  play('conversations.delete.200', theatre => ({
    path: `${A}/conversations/${theatre.remembered['leaving'].conversation.id}`,
  })),
  play('contacts.delete.200', theatre => ({ path: `${A}/contacts/${theatre.remembered['leaving'].contact.id}` })),
  prepare(async theatre => {
    theatre.remembered['base'] = (
      await theatre.call('BOT', 'POST', `${A}/contacts`, { name: 'Base', identifier: 'b-5t3atw' })
    ).payload.contact.id;
    theatre.remembered['mergee'] = (
      await theatre.call('BOT', 'POST', `${A}/contacts`, { name: 'Mergee', identifier: 'b-mergee' })
    ).payload.contact.id;
  }),
  play('contacts.merge.200', theatre => ({
    body: { base_contact_id: theatre.remembered['base'], mergee_contact_id: theatre.remembered['mergee'] },
  })),
  prepare(async theatre => {
    const inbox = await theatre.call('ADMIN', 'POST', `${A}/inboxes`, { name: 'doomed', channel: { type: 'api' } });
    theatre.remembered['doomed'] = { inbox, ...(await visitor(theatre, inbox.id, { identifier: 'doomed' })) };
  }),
  play('inboxes.delete.200', theatre => ({ path: `${A}/inboxes/${theatre.remembered['doomed'].inbox.id}` })),
  waitUntilIdle,
  play('conversations.create.inbox_deleted.404', ({ remembered }) => ({
    body: {
      source_id: remembered['doomed'].sourceId,
      inbox_id: remembered['doomed'].inbox.id,
      contact_id: remembered['doomed'].contact.id,
    },
  })),
  play('messages.create.inbox_deleted.404', ({ remembered }) => ({
    path: `${A}/conversations/${remembered['doomed'].conversation.id}/messages`,
  })),
];

export const presenceScript: Step[] = [
  play('profile.availability.200'),
  prepare(theatre =>
    theatre.call('ALICE', 'POST', '/api/v1/profile/availability', {
      profile: { account_id: 1, availability: 'online' },
    }),
  ),
  play('profile.auto_offline.200'),
  prepare(theatre =>
    theatre.call('ALICE', 'POST', '/api/v1/profile/auto_offline', { profile: { account_id: 1, auto_offline: true } }),
  ),
  play('platform.account.suspend.200'),
  play('auth.suspended_account.401'),
];

const VISITOR_ADDRESS = { 'x-forwarded-for': '203.0.113.7' };

/** Sends requests up to the limit. The recording is the first one beyond it. */
async function repeat(theatre: Replay, times: number, method: string, path: string, body?: unknown): Promise<void> {
  for (let index = 0; index < times; index++) {
    await fetch(theatre.double.baseUrl + path, {
      method,
      headers: {
        ...VISITOR_ADDRESS,
        'content-type': 'application/json',
        'api-access-token': theatre.translate('<BOT_TOKEN>'),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

export const limitScript: Step[] = [
  play('messages.create.attachment_too_big.200'),
  prepare(async theatre => {
    theatre.remembered['flooded'] = (await visitor(theatre, 2, { identifier: 'flooded' })).conversation.id;
    for (let index = 0; index < 200; index++) {
      await theatre.call('BOT', 'POST', `${A}/conversations/${theatre.remembered['flooded']}/messages`, {
        content: `h ${index}`,
        message_type: 'outgoing',
      });
    }
  }),
  play('messages.create.too_many.422', theatre => ({
    path: `${A}/conversations/${theatre.remembered['flooded']}/messages`,
  })),
  prepare(theatre => repeat(theatre, 100, 'GET', `${A}/contacts/search?q=zzz`)),
  play('rate_limit.contact_search.429'),
  prepare(theatre => repeat(theatre, 5, 'POST', '/auth/sign_in', { email: 'x@y.z', password: 'q' })),
  play('rate_limit.sign_in.429'),
];

const outage = (part: 'redis' | 'postgres' | 'sidekiq' | null) => prepare(theatre => theatre.double.outage(part));

export const outageScript: Step[] = [
  outage('sidekiq'),
  play('outage.sidekiq_down.health.200'),
  play('outage.sidekiq_down.contacts.create.200'),
  play('outage.sidekiq_down.messages.create.200'),
  play('outage.sidekiq_down.toggle_status.200'),
  outage('postgres'),
  play('outage.postgres_down.health.200'),
  play('outage.postgres_down.contacts.create.500'),
  play('outage.postgres_down.messages.create.500'),
  play('outage.postgres_down.toggle_status.500'),
  play('outage.postgres_down.conversations.list.500'),
  outage('redis'),
  play('outage.redis_down.health.200'),
  play('outage.redis_down.contacts.create.500'),
  play('outage.redis_down.messages.create.422'),
  play('outage.redis_down.toggle_status.200'),
  play('outage.redis_down.conversations.list.500'),
  outage(null),
];
