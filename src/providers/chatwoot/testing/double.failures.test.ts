import { ReplayAccount } from './replay/replay-account';
import type { ChatwootDoubleOptions } from './double';
import type { ReceivedWebhook, Responder } from './replay/receiver';

let replay: ReplayAccount;
afterEach(() => replay.close());

const answering =
  (code: number, headers: Record<string, string> = {}): Responder =>
  (_webhook, response) =>
    void response.writeHead(code, headers).end();
const url = (path: string) => `${replay.theatre.receiver.url}${path}`;
const bodies = (fits: (webhook: ReceivedWebhook) => boolean) =>
  replay.theatre.receiver.received.filter(fits).map(one => JSON.parse(one.body));

async function open(options: ChatwootDoubleOptions = {}): Promise<void> {
  replay = await ReplayAccount.open(options);
}

async function replyAndSee(): Promise<{ status: string; error: unknown }> {
  const { id } = await replay.conversation();
  await replay.agent(ReplayAccount.ALICE, id).reply('hello');
  await replay.double.whenIdle();
  const [message] = await replay.history(id, '?filter_internal_messages=true');
  return { status: message.status, error: message.content_attributes.external_error };
}

describe('an inbox webhook that fails marks the message', () => {
  it.each([
    [500, '500 Internal Server Error'],
    [404, '404 Not Found'],
    [302, '302 Found'],
    [307, '307 Temporary Redirect'],
  ])('after %i', async (code, error) => {
    await open();
    await replay.setInboxWebhook(url('/inbox'));
    replay.theatre.receiver.respond = answering(code, { location: url('/elsewhere') });
    expect(await replyAndSee()).toEqual({ status: 'failed', error });
  });

  it('after a timeout', async () => {
    await open({ webhookTimeoutMs: 30 });
    await replay.setInboxWebhook(url('/inbox'));
    replay.theatre.receiver.respond = () => undefined;
    expect(await replyAndSee()).toEqual({ status: 'failed', error: 'Timed out reading data from server' });
  });

  it('when nobody listens, or the address is invalid', async () => {
    await open();
    await replay.setInboxWebhook('http://127.0.0.1:1/inbox');
    expect((await replyAndSee()).error).toMatch(/Connection refused/);
    await replay.setInboxWebhook('not a url');
    expect((await replyAndSee()).status).toBe('failed');
  });

  it('and is reported by the account webhook, whose own failures have no effect', async () => {
    await open();
    await replay.setInboxWebhook('http://127.0.0.1:1/inbox');
    await replay.call('POST', '/webhooks', { url: url('/account') });
    replay.theatre.receiver.respond = answering(500);
    await replyAndSee();
    expect(bodies(one => one.event === 'message_updated' && one.url === '/account')).toHaveLength(1);
    expect(
      replay.double
        .deliveries()
        .filter(one => one.receiver === 'account')
        .every(one => one.attempts === 1),
    ).toBe(true);
  });

  it('but not when a 303 leads to an existing page', async () => {
    await open();
    await replay.setInboxWebhook(url('/inbox'));
    replay.theatre.receiver.respond = (webhook, response) =>
      void response.writeHead(webhook.url === '/inbox' ? 303 : 200, { location: '/thanks' }).end();
    expect((await replyAndSee()).status).toBe('sent');
  });

  it('nor from 4.13 on when a 307 can be followed', async () => {
    await open({ version: '4.14' });
    await replay.setInboxWebhook(url('/inbox'));
    replay.theatre.receiver.respond = (webhook, response) =>
      void response.writeHead(webhook.url === '/inbox' ? 307 : 200, { location: '/moved' }).end();
    expect((await replyAndSee()).status).toBe('sent');
    expect(bodies(one => one.url === '/moved' && one.event === 'message_created')).toHaveLength(1);
  });

  it('from 4.14 on when the receiver is in a private network', async () => {
    await open({ version: '4.14', allowPrivateNetwork: false });
    await replay.setInboxWebhook(url('/inbox'));
    expect(await replyAndSee()).toEqual({ status: 'failed', error: "Hostname '127.0.0.1' has no public ip addresses" });
    expect(replay.theatre.receiver.received).toEqual([]);
  });
});

describe('an agent bot whose webhook fails', () => {
  const pendingAfterMessage = async () => {
    await replay.bot(url('/bot'));
    const { id } = await replay.conversation();
    await replay.say(id, 'hello bot');
    await replay.double.whenIdle();
    return id as number;
  };

  it('opens the pending conversation for agents, with a line that says why', async () => {
    await open();
    replay.theatre.receiver.respond = answering(500);
    const id = await pendingAfterMessage();
    expect((await replay.read(id)).status).toBe('open');
    expect((await replay.history(id)).at(-1).content).toBe(
      'Conversation was marked open by system due to an error with the agent bot.',
    );
  });

  it('changed nothing before 4.7', async () => {
    await open({ version: '3.16' });
    replay.theatre.receiver.respond = answering(500);
    expect((await replay.read(await pendingAfterMessage())).status).toBe('pending');
  });

  it('is called three times from 4.12 on, under one delivery id', async () => {
    await open({ version: '4.14', botRetryDelaysMs: [5, 5] });
    replay.theatre.receiver.respond = answering(500);
    const id = await pendingAfterMessage();
    const tries = replay.theatre.receiver.received.filter(one => one.event === 'message_created');
    expect(tries).toHaveLength(3);
    expect(new Set(tries.map(one => one.headers['x-chatwoot-delivery'])).size).toBe(1);
    expect((await replay.read(id)).status).toBe('open');
  });

  it('is not called again after a timeout', async () => {
    await open({ version: '4.14', botRetryDelaysMs: [5, 5], webhookTimeoutMs: 30 });
    replay.theatre.receiver.respond = () => undefined;
    const id = await pendingAfterMessage();
    expect(replay.theatre.receiver.received.filter(one => one.event === 'message_created')).toHaveLength(1);
    expect((await replay.read(id)).status).toBe('open');
  });
});

describe('between the double and its receivers', () => {
  beforeEach(async () => {
    await open();
    await replay.setInboxWebhook(url('/inbox'));
  });
  const contents = () => bodies(one => one.event === 'message_created').map(body => body.content);

  it('delayed webhooks contain the state of their departure', async () => {
    const { id } = await replay.conversation();
    replay.double.pauseWebhooks();
    await replay.agent(ReplayAccount.ADA, id).resolve();
    await replay.agent(ReplayAccount.ADA, id).returnToPending();
    replay.double.resumeWebhooks();
    await replay.double.whenIdle();
    const updates = bodies(one => one.event === 'conversation_updated');
    expect(updates.map(body => body.status)).toEqual(['pending', 'pending']);
    expect(updates.map(body => body.changed_attributes[0].status.current_value)).toEqual(['resolved', 'pending']);
  });

  it('webhooks are dropped, doubled and reordered on demand', async () => {
    const { id } = await replay.conversation();
    await replay.double.whenIdle();
    replay.double.dropWebhooks({ event: 'message_created', times: 1 });
    for (const content of ['lost', 'kept']) await replay.say(id, content);
    await replay.double.whenIdle();
    expect(contents()).toEqual(['kept']);
    replay.theatre.receiver.clear();
    replay.double.duplicateWebhooks({ event: 'message_created', times: 1 });
    await replay.say(id, 'twice');
    await replay.double.whenIdle();
    expect(contents()).toEqual(['twice', 'twice']);
    replay.theatre.receiver.clear();
    replay.double.reorderWebhooks(3);
    for (const content of ['one', 'two', 'three']) await replay.say(id, content);
    await replay.theatre.receiver.next(one => one.body.includes('"content":"one"'));
    expect(contents()).toEqual(['three', 'two', 'one']);
  });

  it('a stopped Sidekiq delivers everything once it is back', async () => {
    const { id } = await replay.conversation();
    await replay.double.whenIdle();
    replay.theatre.receiver.clear();
    await replay.double.outage('sidekiq');
    await replay.say(id, 'meanwhile');
    expect(contents()).toEqual([]);
    await replay.double.outage(null);
    await replay.double.whenIdle();
    expect(contents()).toEqual(['meanwhile']);
  });

  it('a lost Redis hides a stored write behind an error and loses its webhook', async () => {
    const { id } = await replay.conversation();
    await replay.double.whenIdle();
    replay.theatre.receiver.clear();
    await replay.double.outage('redis');
    expect(
      (
        await replay.raw('ADA', 'POST', `/conversations/${id}/messages`, {
          content: 'stored',
          message_type: 'incoming',
        })
      ).status,
    ).toBe(422);
    expect((await replay.raw('ADA', 'POST', '/contacts', { identifier: 'stored' })).status).toBe(500);
    await replay.double.outage(null);
    await replay.double.whenIdle();
    expect(contents()).toEqual([]);
    expect((await replay.history(id)).map(message => message.content)).toEqual(['stored']);
    expect((await replay.raw('ADA', 'POST', '/contacts', { identifier: 'stored' })).text).toContain(
      'Identifier has already been taken',
    );
  });

  it('an address that two senders share gets everything twice', async () => {
    await replay.call('POST', '/webhooks', { url: url('/inbox') });
    const { id } = await replay.conversation();
    await replay.say(id, 'echo');
    await replay.double.whenIdle();
    const [one, two] = replay.theatre.receiver.received.filter(webhook => webhook.event === 'message_created');
    expect(one?.body).toBe(two?.body);
  });
});

describe('Chatwoot 3.16', () => {
  beforeEach(() => open({ version: '3.16' }));

  it('lacks later features', async () => {
    const { id } = await replay.conversation();
    const message = await replay.say(id, 'hi');
    expect(await replay.read(id)).not.toHaveProperty('updated_at');
    expect(
      (await replay.raw('ADA', 'PATCH', `/conversations/${id}/messages/${message.id}`, { status: 'read' })).status,
    ).toBe(404);
    expect((await replay.raw('ADA', 'DELETE', `/conversations/${id}`)).status).toBe(404);
    const platform = (method: string, path: string) =>
      fetch(`${replay.double.baseUrl}/platform/api/v1${path}`, {
        method,
        headers: { 'api-access-token': replay.double.platformToken },
      });
    expect((await platform('POST', '/users/2/token')).status).toBe(404);
    expect((await platform('GET', '/accounts')).status).toBe(404);
    const { version } = (await (await fetch(`${replay.double.baseUrl}/api`)).json()) as { version: string };
    expect(version).toBe('3.16.0');
  });

  it('has no typing webhooks and no bots as assignees', async () => {
    await replay.setInboxWebhook(url('/inbox'));
    const bot = await replay.call('POST', '/agent_bots', { name: 'B' });
    const { id } = await replay.conversation();
    await replay.agent(ReplayAccount.ALICE, id).type(true);
    await replay.double.whenIdle();
    expect(bodies(one => one.event.startsWith('conversation_typing'))).toEqual([]);
    expect(
      (
        await replay.raw('ADA', 'POST', `/conversations/${id}/assignments`, {
          assignee_id: bot.id,
          assignee_type: 'AgentBot',
        })
      ).text,
    ).toBe('null');
  });
});
