import { ReplayAccount } from './replay/replay-account';

let replay: ReplayAccount;
let now = Date.now();
const clock = () => new Date(now);

beforeEach(async () => {
  now = Date.now();
  replay = await ReplayAccount.open({ clock });
});
afterEach(() => replay.close());

const status = async (id: number): Promise<string> => (await replay.read(id)).status;
const assignee = async (id: number): Promise<number | undefined> => (await replay.read(id)).meta.assignee?.id;

describe('a late message', () => {
  it('re-opens a resolved conversation, for the same assignee', async () => {
    const { id } = await replay.conversation();
    await replay.agent(ReplayAccount.ALICE, id).assignSelf();
    await replay.agent(ReplayAccount.ALICE, id).resolve();
    await replay.say(id, 'one more thing');
    expect([await status(id), await assignee(id)]).toEqual(['open', ReplayAccount.ALICE]);
    const lines = (await replay.history(id))
      .filter(message => message.message_type === 2)
      .map(message => message.content);
    expect(lines).toContain('System reopened the conversation due to a new incoming message.');
  });

  it('makes it pending where a bot is connected, even a bot without an address', async () => {
    await replay.bot();
    const { id } = await replay.conversation({ status: 'open' });
    expect(await status(id)).toBe('pending');
    await replay.agent(ReplayAccount.ALICE, id).resolve();
    await replay.say(id, 'again');
    expect(await status(id)).toBe('pending');
    expect(replay.double.deliveries()).toEqual([]);
  });

  it('wakes a snoozed conversation', async () => {
    const { id } = await replay.conversation();
    await replay.agent(ReplayAccount.ALICE, id).snooze(new Date(now + 3600_000));
    await replay.say(id, 'hello?');
    expect(await status(id)).toBe('open');
  });

  it("does nothing when it is an agent's, or the visitor is blocked", async () => {
    const { id, meta } = await replay.conversation();
    await replay.agent(ReplayAccount.ALICE, id).resolve();
    await replay.agent(ReplayAccount.ALICE, id).reply('goodbye');
    expect(await status(id)).toBe('resolved');
    await replay.call('PATCH', `/contacts/${meta.sender.id}`, { blocked: true });
    await replay.say(id, 'let me in');
    expect(await status(id)).toBe('resolved');
    expect(
      (await replay.call('POST', '/conversations', { inbox_id: replay.inbox.id, contact_id: meta.sender.id })).status,
    ).toBe('resolved');
  });
});

it('the double wakes snoozed conversations when their time has come', async () => {
  const { id } = await replay.conversation();
  await replay.agent(ReplayAccount.ALICE, id).snooze(new Date(now + 3600_000));
  replay.double.wakeSnoozed();
  expect(await status(id)).toBe('snoozed');
  now += 3601_000;
  replay.double.wakeSnoozed();
  expect(await status(id)).toBe('open');
});

it('the double gives a visitor of a locked inbox the last conversation, resolved or not, and changes nothing in it', async () => {
  await replay.call('PATCH', `/inboxes/${replay.inbox.id}`, { lock_to_single_conversation: true });
  const { id, meta } = await replay.conversation({}, 'one');
  await replay.agent(ReplayAccount.ALICE, id).resolve();
  const { payload } = await replay.call('GET', `/contacts/${meta.sender.id}`);
  const again = await replay.call('POST', '/conversations', {
    source_id: payload.contact_inboxes[0].source_id,
    custom_attributes: { a: 1 },
    status: 'open',
  });
  expect([again.id, again.status, again.custom_attributes]).toEqual([id, 'resolved', {}]);
});

describe('the assignee of a conversation', () => {
  it('is an agent who opens it, but neither an administrator nor a bot', async () => {
    await replay.bot();
    const { id } = await replay.conversation();
    await replay.call('POST', `/conversations/${id}/toggle_status`, { status: 'open' }, 'AB');
    expect(await assignee(id)).toBeUndefined();
    await replay.agent(ReplayAccount.ADA, id).reopen();
    expect(await assignee(id)).toBeUndefined();
    await replay.agent(ReplayAccount.ALICE, id).reopen();
    expect(await assignee(id)).toBe(ReplayAccount.ALICE);
  });

  it('is an online member in rotation; nobody while all are away; never an administrator from outside', async () => {
    expect((await replay.conversation()).meta.assignee).toBeUndefined();
    await replay.call('POST', '/inbox_members', { inbox_id: replay.inbox.id, user_ids: [ReplayAccount.CAROL] });
    for (const user of [ReplayAccount.ADA, ReplayAccount.ALICE, ReplayAccount.CAROL]) replay.double.setOnline(user);
    const got = [await replay.conversation(), await replay.conversation(), await replay.conversation()].map(
      ({ meta }) => meta.assignee.id,
    );
    expect(got).toEqual([ReplayAccount.ALICE, ReplayAccount.CAROL, ReplayAccount.ALICE]);
  });

  it('is a member of the team instead of a requested agent outside it', async () => {
    replay.double.setOnline(ReplayAccount.ALICE);
    expect((await replay.conversation({ assignee_id: ReplayAccount.CAROL })).meta.assignee.id).toBe(
      ReplayAccount.ALICE,
    );
  });

  it('is nobody after a move to a team without the assignee, or a member if the team assigns by itself', async () => {
    const { id } = await replay.conversation();
    const plain = await replay.call('POST', '/teams', { name: 'Plain', allow_auto_assign: false });
    const eager = await replay.call('POST', '/teams', { name: 'Eager', allow_auto_assign: true });
    await replay.call('POST', `/teams/${eager.id}/team_members`, { user_ids: [ReplayAccount.ALICE] });
    await replay.agent(ReplayAccount.ADA, id).assign({ agentId: ReplayAccount.CAROL });
    await replay.agent(ReplayAccount.ADA, id).assign({ teamId: plain.id });
    expect(await assignee(id)).toBeUndefined();
    replay.double.setOnline(ReplayAccount.ALICE);
    await replay.call('PATCH', `/inboxes/${replay.inbox.id}`, { enable_auto_assignment: false });
    await replay.agent(ReplayAccount.ADA, id).assign({ teamId: eager.id });
    expect(await assignee(id)).toBe(ReplayAccount.ALICE);
  });

  it('is nobody when they left the account, and unchanged when they left the inbox', async () => {
    const { id } = await replay.conversation();
    await replay.agent(ReplayAccount.ALICE, id).assignSelf();
    await replay.call('DELETE', '/inbox_members', { inbox_id: replay.inbox.id, user_ids: [ReplayAccount.ALICE] });
    expect(await assignee(id)).toBe(ReplayAccount.ALICE);
    await replay.call('DELETE', `/agents/${ReplayAccount.ALICE}`);
    expect(await assignee(id)).toBeUndefined();
    expect((await replay.raw('ALICE', 'GET', '/teams')).text).toBe('{"error":"Invalid Access Token"}');
  });
});

describe('permissions', () => {
  it("let a team's member read and post without being in the inbox, which they do not list", async () => {
    const { id } = await replay.conversation();
    const team = await replay.call('POST', '/teams', { name: 'T', allow_auto_assign: false });
    await replay.agent(ReplayAccount.ADA, id).assign({ agentId: ReplayAccount.CAROL });
    expect((await replay.raw('CAROL', 'GET', `/conversations/${id}`)).status).toBe(401);
    await replay.call('POST', `/teams/${team.id}/team_members`, { user_ids: [ReplayAccount.CAROL] });
    await replay.agent(ReplayAccount.ADA, id).assign({ teamId: team.id });
    expect((await replay.raw('CAROL', 'GET', `/conversations/${id}`)).status).toBe(200);
    await replay.agent(ReplayAccount.CAROL, id).reply('hello');
    expect((await replay.call('GET', '/conversations?status=all', undefined, 'CAROL')).data.payload).toEqual([]);
  });

  it("let a bot's token write into every conversation of its account and read nothing", async () => {
    const { id } = await replay.conversation();
    await replay.bot();
    const allowed: Array<[string, string, unknown]> = [
      ['POST', `/conversations/${id}/messages`, { content: 'x' }],
      ['POST', `/conversations/${id}/assignments`, { team_id: 0 }],
      ['POST', `/conversations/${id}/toggle_priority`, { priority: 'high' }],
      ['PATCH', `/conversations/${id}`, { priority: 'low' }],
      ['POST', `/conversations/${id}/custom_attributes`, { custom_attributes: {} }],
      ['POST', `/conversations/${id}/toggle_status`, {}],
    ];
    for (const [method, path, sent] of allowed)
      expect([path, (await replay.raw('AB', method, path, sent)).status]).toEqual([path, 200]);
    const refused: Array<[string, string]> = [
      ['GET', '/conversations'],
      ['GET', `/conversations/${id}`],
      ['GET', `/conversations/${id}/messages`],
      ['GET', '/inboxes'],
      ['POST', '/contacts'],
      ['POST', `/conversations/${id}/labels`],
      ['POST', `/conversations/${id}/toggle_typing_status`],
    ];
    for (const [method, path] of refused) {
      expect([path, await replay.raw('AB', method, path, method === 'POST' ? {} : undefined)]).toEqual([
        path,
        { status: 401, text: '{"error":"Access to this endpoint is not authorized for bots"}' },
      ]);
    }
  });

  it('accept a token in both spellings of the header and in no query', async () => {
    const token = replay.theatre.translate('<ADA_TOKEN>');
    const get = async (query: string, headers: Record<string, string>) =>
      (await fetch(`${replay.double.baseUrl}/api/v1/profile${query}`, { headers })).status;
    expect(await get('', { api_access_token: token })).toBe(200);
    expect(await get('', { 'api-access-token': token })).toBe(200);
    expect(await get(`?api_access_token=${token}`, {})).toBe(401);
  });

  it("accept the headers of a sign-in in place of the user's token", async () => {
    const signedIn = await fetch(`${replay.double.baseUrl}/auth/sign_in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'alice@acme.example', password: 'Passw0rd!x' }),
    });
    const headers = Object.fromEntries(
      ['access-token', 'client', 'uid'].map(name => [name, signedIn.headers.get(name) ?? '']),
    );
    expect((await fetch(`${replay.double.baseUrl}/api/v1/accounts/1/teams`, { headers })).status).toBe(200);
    expect(
      (await fetch(`${replay.double.baseUrl}/api/v1/accounts/1/teams`, { headers: { ...headers, client: 'other' } }))
        .status,
    ).toBe(401);
  });
});

describe('the history of a conversation', () => {
  it('is paged by 20, 100 and 1000', async () => {
    replay.theatre.double.setActivityDelay(1000);
    const { id } = await replay.conversation();
    const ids: number[] = [];
    for (let index = 0; index < 125; index++) ids.push((await replay.say(id, String(index))).id);
    const idsOf = async (query: string) => (await replay.history(id, query)).map(message => message.id);
    expect(await idsOf('')).toEqual(ids.slice(-20));
    expect(await idsOf(`?before=${ids[50]}`)).toEqual(ids.slice(30, 50));
    expect(await idsOf(`?after=${ids[3]}`)).toEqual(ids.slice(4, 104));
    expect(await idsOf(`?after=${ids[3]}&before=${ids[124]}`)).toEqual(ids.slice(3, 124));
  });

  it('is sorted by time, so that the last row may not have the highest id', async () => {
    const { id } = await replay.conversation();
    const early = await replay.say(id, 'first');
    replay.double.skewNextMessage(-5000);
    const late = await replay.say(id, 'second, by an older clock');
    expect((await replay.history(id)).map(message => message.id)).toEqual([late.id, early.id]);
  });

  it('omits notes and activity on request', async () => {
    const { id } = await replay.conversation();
    await replay.agent(ReplayAccount.ALICE, id).note('inside');
    await replay.agent(ReplayAccount.ALICE, id).assignSelf();
    await replay.say(id, 'outside');
    expect((await replay.history(id, '?filter_internal_messages=true')).map(message => message.content)).toEqual([
      'outside',
    ]);
  });
});

it('the 201st message of a minute is refused to everybody, until the minute is over', async () => {
  const { id } = await replay.conversation();
  for (let index = 0; index < 200; index++) await replay.say(id, 'line');
  const refused = { status: 422, text: '{"error":"Validation failed: Too many messages"}' };
  expect(await replay.raw('ALICE', 'POST', `/conversations/${id}/messages`, { content: 'me too' })).toEqual(refused);
  expect((await replay.raw('ALICE', 'POST', `/conversations/${id}/toggle_status`, { status: 'resolved' })).status).toBe(
    200,
  );
  now += 60_001;
  expect((await replay.raw('ALICE', 'POST', `/conversations/${id}/messages`, { content: 'me too' })).status).toBe(200);
});

it.each([
  ['fills in what it knows', 'Hi {{ contact.name | upcase }}, {{contact.custom_attribute.plan}}', 'Hi JANE DOE, gold'],
  ['lets what it does not know vanish', 'a{{nothing}}b {{ x.y }}', 'ab '],
  ['leaves code alone', '`{{contact.name}}`', '`{{contact.name}}`'],
  ['leaves raw text alone', '{% raw %}{{contact.name}}{% endraw %}', '{{contact.name}}'],
  ['sends what is no template as it is', 'open {{ and {% nonsense %}', 'open {{ and {% nonsense %}'],
  ['takes defaults', '{{ nothing | default: "friend" }}', 'friend'],
])('a message sent as a template %s', async (_what, template, sent) => {
  const { id } = await replay.contact('jane', { name: 'jane doe', custom_attributes: { plan: 'gold' } });
  const conversation = await replay.call('POST', '/conversations', { inbox_id: replay.inbox.id, contact_id: id });
  expect((await replay.say(conversation.id, template, { message_type: 'outgoing' })).content).toBe(sent);
  expect((await replay.say(conversation.id, template)).content).toBe(template);
});

it("updates replace a conversation's attributes and labels, and merge a contact's", async () => {
  const { id, meta } = await replay.conversation({ custom_attributes: { a: 1 } });
  await replay.call('POST', `/conversations/${id}/custom_attributes`, { custom_attributes: { b: 2 } });
  await replay.call('POST', `/conversations/${id}/labels`, { labels: ['x'] });
  await replay.call('POST', `/conversations/${id}/labels`, { labels: ['y'] });
  expect(await replay.read(id)).toMatchObject({ custom_attributes: { b: 2 }, labels: ['y'] });
  await replay.call('PUT', `/contacts/${meta.sender.id}`, { custom_attributes: { a: 1 } });
  const { payload } = await replay.call('PUT', `/contacts/${meta.sender.id}`, { custom_attributes: { b: 2 } });
  expect(payload.custom_attributes).toEqual({ a: 1, b: 2 });
});

it('a contact without any identifying field is absent from lists, searches and filters', async () => {
  const { payload } = await replay.call('POST', '/contacts', { name: 'Ghost' });
  expect((await replay.call('GET', '/contacts')).payload).toEqual([]);
  expect((await replay.call('GET', '/contacts/search?q=ghost')).payload).toEqual([]);
  const filter = {
    payload: [{ attribute_key: 'name', filter_operator: 'equal_to', values: ['Ghost'], query_operator: null }],
  };
  expect((await replay.call('POST', '/contacts/filter', filter)).payload).toEqual([]);
  expect((await replay.call('GET', `/contacts/${payload.contact.id}`)).payload.name).toBe('Ghost');
});

it('search matches substrings and filters match exactly', async () => {
  for (const identifier of ['session-1', 'session-12']) await replay.contact(identifier);
  expect((await replay.call('GET', '/contacts/search?q=session-1')).meta.count).toBe(2);
  const filter = {
    payload: [
      { attribute_key: 'identifier', filter_operator: 'equal_to', values: ['session-1'], query_operator: null },
    ],
  };
  expect((await replay.call('POST', '/contacts/filter', filter)).meta.count).toBe(1);
});

it('a visitor of the public API is known by the source id, and a known identifier gets a new contact inbox', async () => {
  const create = (body: unknown) =>
    replay.theatre.call(null, 'POST', `/public/api/v1/inboxes/${replay.inbox.inbox_identifier}/contacts`, body);
  const made = await Promise.all(Array.from({ length: 8 }, () => create({ source_id: 'chosen', identifier: 'p' })));
  expect(new Set(made.map(one => one.id)).size).toBe(1);
  const other = await create({ identifier: 'p' });
  expect(other.id).toBe(made[0].id);
  expect(other.source_id).not.toBe('chosen');
});

it('a deleted message keeps its row without content', async () => {
  const { id } = await replay.conversation();
  const messageId = await replay
    .agent(ReplayAccount.ALICE, id)
    .attach({ filename: 'a.txt', bytes: 'abc', content: 'see' });
  await replay.agent(ReplayAccount.ALICE, id).deleteMessage(messageId);
  const [message] = await replay.history(id);
  expect(message).toMatchObject({
    id: messageId,
    content: 'This message was deleted',
    content_attributes: { deleted: true },
  });
  expect(message).not.toHaveProperty('attachments');
});

it('every account has its own conversation numbers, each used once', async () => {
  const first = await replay.conversation();
  await replay.call('DELETE', `/conversations/${first.id}`);
  await replay.double.whenIdle();
  expect((await replay.conversation()).id).toBe(first.id + 1);
  expect((await replay.raw('ADA', 'GET', `/conversations/${first.id}`)).status).toBe(404);
});
