import { webhookSignatureVerifies } from './double';
import { readRecording, recordingsIn, type RecordedWebhook } from './replay/recordings';
import { visitor } from './replay/script-rest';
import { FIRST_OF_4_14 } from './replay/scripts';
import { Replay, type Answer } from './replay/replay';

const A = '/api/v1/accounts/1';
const SUBSCRIPTIONS = [
  'conversation_created',
  'conversation_updated',
  'conversation_status_changed',
  'message_created',
  'message_updated',
  'contact_created',
  'contact_updated',
  'conversation_typing_on',
  'conversation_typing_off',
];

/** The recording caught an agent's reply half done: stored, but not yet counted as the first reply. */
const HALF_REPLIED = [
  'first_reply_created_at',
  'waiting_since',
  'conversation.first_reply_created_at',
  'conversation.waiting_since',
];

/** Absent before 4.14.2; these were recorded in May on an earlier build. */
const LATER = ['account', 'conversation.account'];
const SIGNED = recordingsIn('webhooks-4.14').filter(name => name.endsWith('.signed.json'));

const statusChange = (body: Answer) => body.changed_attributes?.some((one: object) => 'status' in one);

const EXPECTED: Record<string, { fits?: (body: Answer) => boolean; ignore?: string[] }> = {
  'conversation_created.account': { ignore: HALF_REPLIED },
  'conversation_created.inbox': { ignore: HALF_REPLIED },
  'conversation_opened.agent_bot': {},
  'conversation_status_changed.account': { fits: body => body.status === 'open' },
  'conversation_status_changed.agent_bot': { fits: body => body.status === 'open' },
  'conversation_status_changed.inbox': { fits: body => body.status === 'open' },
  'conversation_updated.account': { fits: body => statusChange(body) && body.meta.assignee !== null },
  'conversation_updated.agent_bot': { fits: body => body.first_reply_created_at !== null },
  'conversation_updated.inbox': { fits: body => statusChange(body) && body.meta.assignee !== null },
  'message_created.account': { fits: body => body.message_type === 'incoming', ignore: HALF_REPLIED },
  'message_created.agent_bot': { fits: body => body.message_type === 'incoming' },
  'message_created.inbox': { fits: body => body.message_type === 'incoming', ignore: HALF_REPLIED },
};

describe('the double signs as Chatwoot 4.14 did', () => {
  let theatre: Replay;
  const secrets: Record<string, string> = {};

  beforeAll(async () => {
    theatre = await Replay.open({ version: '4.14', activityDelayMs: 1 });
    await setUp(theatre, secrets);
    await tell(theatre);
  });
  afterAll(() => theatre.close());

  it.each(FIRST_OF_4_14)('responds as in %s', name => theatre.play('rest-4.14', name));

  it.each(Object.entries(EXPECTED))(
    'sends %s, with a signature that verifies',
    async (name, { fits = () => true, ignore }) => {
      const [event, receiver = ''] = name.split('.');
      const path = `/n-${receiver.replace('agent_', '')}`;
      const came = await theatre.receiver.next(
        webhook => webhook.url === path && webhook.event === event && fits(JSON.parse(webhook.body)),
        1000,
      );
      theatre.compareWebhook('webhooks-4.14', `${name}.signed.json`, came, { ignore: [...LATER, ...(ignore ?? [])] });
      const header = (key: string) => String(came.headers[key]);
      expect(
        webhookSignatureVerifies(
          secrets[path] as string,
          header('x-chatwoot-timestamp'),
          came.body,
          header('x-chatwoot-signature'),
        ),
      ).toBe(true);
      expect(header('x-chatwoot-delivery')).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  it('gives each receiver its own secret and each delivery its own id', () => {
    expect(new Set(Object.values(secrets)).size).toBe(3);
    const ids = theatre.receiver.received.map(webhook => webhook.headers['x-chatwoot-delivery']);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('shows an agent no secret', async () => {
    expect(await theatre.call('ALICE', 'GET', `${A}/inboxes/1`)).not.toHaveProperty('secret');
    expect((await theatre.call('ALICE', 'GET', `${A}/agent_bots`))[0]).not.toHaveProperty('secret');
  });
});

it.each(SIGNED)('the recorded signature of %s is valid', name => {
  const { secret, headers, body } = readRecording<RecordedWebhook>('webhooks-4.14', name);
  const verify = (text: string) =>
    webhookSignatureVerifies(
      secret as string,
      headers['x-chatwoot-timestamp'] as string,
      text,
      headers['x-chatwoot-signature'] as string,
    );
  expect(verify(body)).toBe(true);
  expect(verify(`${body} `)).toBe(false);
});

it('every recorded webhook of Chatwoot 4.14 is expected', () => {
  expect(
    Object.keys(EXPECTED)
      .map(name => `${name}.signed.json`)
      .sort(),
  ).toEqual(SIGNED);
});

/** Creates the recorded world: users 2 to 4 of one account; Alice is number 4. */
async function setUp(theatre: Replay, secrets: Record<string, string>): Promise<void> {
  const platform = '/platform/api/v1';
  await theatre.call('PLATFORM', 'POST', `${platform}/accounts`, { name: 'acceptance-jv5il0' });
  for (const [who, name, role] of [
    ['ADMIN', 'Ada', 'administrator'],
    ['BOT', 'Bridge', 'administrator'],
    ['ALICE', 'Alice jv5il0', 'agent'],
  ] as const) {
    const user = await theatre.call('PLATFORM', 'POST', `${platform}/users`, {
      name,
      email: `${who}.jv5il0@acme.example`,
      password: 'Passw0rd!x',
    });
    theatre.replacements.set(`<${who}_TOKEN>`, user.access_token);
    await theatre.call('PLATFORM', 'POST', `${platform}/accounts/1/account_users`, { user_id: user.id, role });
  }
  const { url } = theatre.receiver;
  const inbox = await theatre.call('ADMIN', 'POST', `${A}/inboxes`, {
    name: 'Support',
    enable_auto_assignment: false,
    channel: { type: 'api', webhook_url: `${url}/n-inbox` },
  });
  await theatre.call('ADMIN', 'POST', `${A}/inbox_members`, { inbox_id: inbox.id, user_ids: [4] });
  const bot = await theatre.call('ADMIN', 'POST', `${A}/agent_bots`, {
    name: 'Bridge bot jv5il0',
    outgoing_url: `${url}/n-bot`,
  });
  const { payload } = await theatre.call('ADMIN', 'POST', `${A}/webhooks`, {
    url: `${url}/n-account`,
    subscriptions: SUBSCRIPTIONS,
  });
  Object.assign(secrets, { '/n-inbox': inbox.secret, '/n-bot': bot.secret, '/n-account': payload.webhook.secret });
  await visitor(theatre, 1, { name: 'First', identifier: 'first' });
  await theatre.call('ADMIN', 'POST', `${A}/inboxes/${inbox.id}/set_agent_bot`, { agent_bot: bot.id });
  await theatre.double.whenIdle();
  theatre.receiver.clear();
}

/** Causes the webhooks. They are held back where the recorded ones were late and so show a later state. */
async function tell(theatre: Replay): Promise<void> {
  const { double } = theatre;
  double.pauseWebhooks();
  const { conversation } = await visitor(theatre, 1, { name: 'S', identifier: 's-6i1dv8' });
  const ref = { accountId: 1, conversationId: conversation.id as number };
  await theatre.call('BOT', 'POST', `${A}/conversations/${conversation.id}/messages`, {
    content: 'hello signed é😀',
    message_type: 'incoming',
  });
  await double.agent(4, ref).reply('agent reply');
  double.resumeWebhooks();
  await double.whenIdle();
  await double.agent(2, ref).reopen();
  await double.whenIdle();
  await double.agent(2, ref).returnToPending();
  await double.whenIdle();
  double.pauseWebhooks();
  await double.agent(2, ref).reopen();
  await double.agent(2, ref).assign({ agentId: 4 });
  double.resumeWebhooks();
  await double.whenIdle();
}
