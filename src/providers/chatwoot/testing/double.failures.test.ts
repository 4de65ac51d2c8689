import { ReplayAccount } from './replay/replay-account';
import type { ChatwootDoubleOptions } from './double';
import type { ReceivedWebhook, Responder } from './replay/receiver';

let stage: ReplayAccount;
afterEach(() => stage.close());

const answering =
  (code: number, headers: Record<string, string> = {}): Responder =>
  (_webhook, response) =>
    void response.writeHead(code, headers).end();
const url = (path: string) => `${stage.theatre.receiver.url}${path}`;
const bodies = (fits: (webhook: ReceivedWebhook) => boolean) =>
  stage.theatre.receiver.received.filter(fits).map(one => JSON.parse(one.body));

async function open(options: ChatwootDoubleOptions = {}): Promise<void> {
  stage = await ReplayAccount.open(options);
}

async function replyAndSee(): Promise<{ status: string; error: unknown }> {
  const { id } = await stage.conversation();
  await stage.agent(ReplayAccount.ALICE, id).reply('hello');
  await stage.double.settled();
  const [message] = await stage.history(id, '?filter_internal_messages=true');
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
    await stage.setInboxWebhook(url('/inbox'));
    stage.theatre.receiver.respond = answering(code, { location: url('/elsewhere') });
    expect(await replyAndSee()).toEqual({ status: 'failed', error });
  });

  it('after a timeout', async () => {
    await open({ webhookTimeoutMs: 30 });
    await stage.setInboxWebhook(url('/inbox'));
    stage.theatre.receiver.respond = () => undefined;
    expect(await replyAndSee()).toEqual({ status: 'failed', error: 'Timed out reading data from server' });
  });

  it('when nobody listens, or the address is nonsense', async () => {
    await open();
    await stage.setInboxWebhook('http://127.0.0.1:1/inbox');
    expect((await replyAndSee()).error).toMatch(/Connection refused/);
    await stage.setInboxWebhook('not a url');
    expect((await replyAndSee()).status).toBe('failed');
  });

  it('and tells the account webhook, whose own failures matter to nobody', async () => {
    await open();
    await stage.setInboxWebhook('http://127.0.0.1:1/inbox');
    await stage.call('POST', '/webhooks', { url: url('/account') });
    stage.theatre.receiver.respond = answering(500);
    await replyAndSee();
    expect(bodies(one => one.event === 'message_updated' && one.url === '/account')).toHaveLength(1);
    expect(
      stage.double
        .deliveries()
        .filter(one => one.receiver === 'account')
        .every(one => one.attempts === 1),
    ).toBe(true);
  });

  it('but not when a 303 leads to a page that is there', async () => {
    await open();
    await stage.setInboxWebhook(url('/inbox'));
    stage.theatre.receiver.respond = (webhook, response) =>
      void response.writeHead(webhook.url === '/inbox' ? 303 : 200, { location: '/thanks' }).end();
    expect((await replyAndSee()).status).toBe('sent');
  });

  it('nor from 4.13 on when a 307 can be followed', async () => {
    await open({ version: '4.14' });
    await stage.setInboxWebhook(url('/inbox'));
    stage.theatre.receiver.respond = (webhook, response) =>
      void response.writeHead(webhook.url === '/inbox' ? 307 : 200, { location: '/moved' }).end();
    expect((await replyAndSee()).status).toBe('sent');
    expect(bodies(one => one.url === '/moved' && one.event === 'message_created')).toHaveLength(1);
  });

  it('from 4.14 on when the receiver is in a private network', async () => {
    await open({ version: '4.14', allowPrivateNetwork: false });
    await stage.setInboxWebhook(url('/inbox'));
    expect(await replyAndSee()).toEqual({ status: 'failed', error: "Hostname '127.0.0.1' has no public ip addresses" });
    expect(stage.theatre.receiver.received).toEqual([]);
  });
});

describe('an agent bot that fails', () => {
  const pendingAfterMessage = async () => {
    await stage.bot(url('/bot'));
    const { id } = await stage.conversation();
    await stage.say(id, 'hello bot');
    await stage.double.settled();
    return id as number;
  };

  it('opens the pending conversation for people, with a line that says why', async () => {
    await open();
    stage.theatre.receiver.respond = answering(500);
    const id = await pendingAfterMessage();
    expect((await stage.read(id)).status).toBe('open');
    expect((await stage.history(id)).at(-1).content).toBe(
      'Conversation was marked open by system due to an error with the agent bot.',
    );
  });

  it('changed nothing before 4.7', async () => {
    await open({ version: '3.16' });
    stage.theatre.receiver.respond = answering(500);
    expect((await stage.read(await pendingAfterMessage())).status).toBe('pending');
  });

  it('is tried three times from 4.12 on, under one delivery id', async () => {
    await open({ version: '4.14', botRetryDelaysMs: [5, 5] });
    stage.theatre.receiver.respond = answering(500);
    const id = await pendingAfterMessage();
    const tries = stage.theatre.receiver.received.filter(one => one.event === 'message_created');
    expect(tries).toHaveLength(3);
    expect(new Set(tries.map(one => one.headers['x-chatwoot-delivery'])).size).toBe(1);
    expect((await stage.read(id)).status).toBe('open');
  });

  it('is not tried again after a timeout', async () => {
    await open({ version: '4.14', botRetryDelaysMs: [5, 5], webhookTimeoutMs: 30 });
    stage.theatre.receiver.respond = () => undefined;
    const id = await pendingAfterMessage();
    expect(stage.theatre.receiver.received.filter(one => one.event === 'message_created')).toHaveLength(1);
    expect((await stage.read(id)).status).toBe('open');
  });
});

describe('between the double and its receivers', () => {
  beforeEach(async () => {
    await open();
    await stage.setInboxWebhook(url('/inbox'));
  });
  const contents = () => bodies(one => one.event === 'message_created').map(body => body.content);

  it('webhooks held back show the state of when they leave', async () => {
    const { id } = await stage.conversation();
    stage.double.pauseWebhooks();
    await stage.agent(ReplayAccount.ADA, id).resolve();
    await stage.agent(ReplayAccount.ADA, id).returnToPending();
    stage.double.resumeWebhooks();
    await stage.double.settled();
    const updates = bodies(one => one.event === 'conversation_updated');
    expect(updates.map(body => body.status)).toEqual(['pending', 'pending']);
    expect(updates.map(body => body.changed_attributes[0].status.current_value)).toEqual(['resolved', 'pending']);
  });

  it('webhooks are dropped, doubled and turned round on demand', async () => {
    const { id } = await stage.conversation();
    await stage.double.settled();
    stage.double.dropWebhooks({ event: 'message_created', times: 1 });
    for (const content of ['lost', 'kept']) await stage.say(id, content);
    await stage.double.settled();
    expect(contents()).toEqual(['kept']);
    stage.theatre.receiver.clear();
    stage.double.duplicateWebhooks({ event: 'message_created', times: 1 });
    await stage.say(id, 'twice');
    await stage.double.settled();
    expect(contents()).toEqual(['twice', 'twice']);
    stage.theatre.receiver.clear();
    stage.double.reorderWebhooks(3);
    for (const content of ['one', 'two', 'three']) await stage.say(id, content);
    await stage.theatre.receiver.next(one => one.body.includes('"content":"one"'));
    expect(contents()).toEqual(['three', 'two', 'one']);
  });

  it('a stopped Sidekiq delivers everything once it is back', async () => {
    const { id } = await stage.conversation();
    await stage.double.settled();
    stage.theatre.receiver.clear();
    await stage.double.outage('sidekiq');
    await stage.say(id, 'meanwhile');
    expect(contents()).toEqual([]);
    await stage.double.outage(null);
    await stage.double.settled();
    expect(contents()).toEqual(['meanwhile']);
  });

  it('a lost Redis hides a stored write behind an error and loses its webhook', async () => {
    const { id } = await stage.conversation();
    await stage.double.settled();
    stage.theatre.receiver.clear();
    await stage.double.outage('redis');
    expect(
      (await stage.raw('ADA', 'POST', `/conversations/${id}/messages`, { content: 'stored', message_type: 'incoming' }))
        .status,
    ).toBe(422);
    expect((await stage.raw('ADA', 'POST', '/contacts', { identifier: 'stored' })).status).toBe(500);
    await stage.double.outage(null);
    await stage.double.settled();
    expect(contents()).toEqual([]);
    expect((await stage.history(id)).map(message => message.content)).toEqual(['stored']);
    expect((await stage.raw('ADA', 'POST', '/contacts', { identifier: 'stored' })).text).toContain(
      'Identifier has already been taken',
    );
  });

  it('sends everything twice to an address that two senders share', async () => {
    await stage.call('POST', '/webhooks', { url: url('/inbox') });
    const { id } = await stage.conversation();
    await stage.say(id, 'echo');
    await stage.double.settled();
    const [one, two] = stage.theatre.receiver.received.filter(webhook => webhook.event === 'message_created');
    expect(one?.body).toBe(two?.body);
  });
});

describe('Chatwoot 3.16', () => {
  beforeEach(() => open({ version: '3.16' }));

  it('lacks what came later', async () => {
    const { id } = await stage.conversation();
    const message = await stage.say(id, 'hi');
    expect(await stage.read(id)).not.toHaveProperty('updated_at');
    expect(
      (await stage.raw('ADA', 'PATCH', `/conversations/${id}/messages/${message.id}`, { status: 'read' })).status,
    ).toBe(404);
    expect((await stage.raw('ADA', 'DELETE', `/conversations/${id}`)).status).toBe(404);
    const platform = (method: string, path: string) =>
      fetch(`${stage.double.baseUrl}/platform/api/v1${path}`, {
        method,
        headers: { 'api-access-token': stage.double.platformToken },
      });
    expect((await platform('POST', '/users/2/token')).status).toBe(404);
    expect((await platform('GET', '/accounts')).status).toBe(404);
    const { version } = (await (await fetch(`${stage.double.baseUrl}/api`)).json()) as { version: string };
    expect(version).toBe('3.16.0');
  });

  it('knows no typing webhooks and no bots as assignees', async () => {
    await stage.setInboxWebhook(url('/inbox'));
    const bot = await stage.call('POST', '/agent_bots', { name: 'B' });
    const { id } = await stage.conversation();
    await stage.agent(ReplayAccount.ALICE, id).type(true);
    await stage.double.settled();
    expect(bodies(one => one.event.startsWith('conversation_typing'))).toEqual([]);
    expect(
      (
        await stage.raw('ADA', 'POST', `/conversations/${id}/assignments`, {
          assignee_id: bot.id,
          assignee_type: 'AgentBot',
        })
      ).text,
    ).toBe('null');
  });
});
