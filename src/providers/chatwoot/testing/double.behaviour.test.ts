import { ReplayAccount } from './replay/replay-account';

let stage: ReplayAccount;
let now = Date.now();
const clock = () => new Date(now);

beforeEach(async () => {
  now = Date.now();
  stage = await ReplayAccount.open({ clock });
});
afterEach(() => stage.close());

const status = async (id: number): Promise<string> => (await stage.read(id)).status;
const assignee = async (id: number): Promise<number | undefined> => (await stage.read(id)).meta.assignee?.id;

describe('a late message', () => {
  it('re-opens a resolved conversation, for the same assignee', async () => {
    const { id } = await stage.conversation();
    await stage.agent(ReplayAccount.ALICE, id).assignSelf();
    await stage.agent(ReplayAccount.ALICE, id).resolve();
    await stage.say(id, 'one more thing');
    expect([await status(id), await assignee(id)]).toEqual(['open', ReplayAccount.ALICE]);
    const lines = (await stage.history(id))
      .filter(message => message.message_type === 2)
      .map(message => message.content);
    expect(lines).toContain('System reopened the conversation due to a new incoming message.');
  });

  it('makes it pending where a bot is connected, even a bot without an address', async () => {
    await stage.bot();
    const { id } = await stage.conversation({ status: 'open' });
    expect(await status(id)).toBe('pending');
    await stage.agent(ReplayAccount.ALICE, id).resolve();
    await stage.say(id, 'again');
    expect(await status(id)).toBe('pending');
    expect(stage.double.deliveries()).toEqual([]);
  });

  it('wakes a snoozed conversation', async () => {
    const { id } = await stage.conversation();
    await stage.agent(ReplayAccount.ALICE, id).snooze(new Date(now + 3600_000));
    await stage.say(id, 'hello?');
    expect(await status(id)).toBe('open');
  });

  it("does nothing when it is an agent's, or the visitor is blocked", async () => {
    const { id, meta } = await stage.conversation();
    await stage.agent(ReplayAccount.ALICE, id).resolve();
    await stage.agent(ReplayAccount.ALICE, id).reply('goodbye');
    expect(await status(id)).toBe('resolved');
    await stage.call('PATCH', `/contacts/${meta.sender.id}`, { blocked: true });
    await stage.say(id, 'let me in');
    expect(await status(id)).toBe('resolved');
    expect(
      (await stage.call('POST', '/conversations', { inbox_id: stage.inbox.id, contact_id: meta.sender.id })).status,
    ).toBe('resolved');
  });
});

it('wakes snoozed conversations when their time has come', async () => {
  const { id } = await stage.conversation();
  await stage.agent(ReplayAccount.ALICE, id).snooze(new Date(now + 3600_000));
  stage.double.wakeSnoozed();
  expect(await status(id)).toBe('snoozed');
  now += 3601_000;
  stage.double.wakeSnoozed();
  expect(await status(id)).toBe('open');
});

it("gives a locked inbox's visitor the last conversation, resolved or not, and changes nothing in it", async () => {
  await stage.call('PATCH', `/inboxes/${stage.inbox.id}`, { lock_to_single_conversation: true });
  const { id, meta } = await stage.conversation({}, 'one');
  await stage.agent(ReplayAccount.ALICE, id).resolve();
  const { payload } = await stage.call('GET', `/contacts/${meta.sender.id}`);
  const again = await stage.call('POST', '/conversations', {
    source_id: payload.contact_inboxes[0].source_id,
    custom_attributes: { a: 1 },
    status: 'open',
  });
  expect([again.id, again.status, again.custom_attributes]).toEqual([id, 'resolved', {}]);
});

describe('who becomes assignee', () => {
  it('an agent who opens a conversation, but neither an administrator nor a bot', async () => {
    await stage.bot();
    const { id } = await stage.conversation();
    await stage.call('POST', `/conversations/${id}/toggle_status`, { status: 'open' }, 'AB');
    expect(await assignee(id)).toBeUndefined();
    await stage.agent(ReplayAccount.ADA, id).reopen();
    expect(await assignee(id)).toBeUndefined();
    await stage.agent(ReplayAccount.ALICE, id).reopen();
    expect(await assignee(id)).toBe(ReplayAccount.ALICE);
  });

  it('online members in turn; nobody while all are away; never an administrator from outside', async () => {
    expect((await stage.conversation()).meta.assignee).toBeUndefined();
    await stage.call('POST', '/inbox_members', { inbox_id: stage.inbox.id, user_ids: [ReplayAccount.CAROL] });
    for (const user of [ReplayAccount.ADA, ReplayAccount.ALICE, ReplayAccount.CAROL]) stage.double.setOnline(user);
    const got = [await stage.conversation(), await stage.conversation(), await stage.conversation()].map(
      ({ meta }) => meta.assignee.id,
    );
    expect(got).toEqual([ReplayAccount.ALICE, ReplayAccount.CAROL, ReplayAccount.ALICE]);
  });

  it('a member instead of the wanted one who is none', async () => {
    stage.double.setOnline(ReplayAccount.ALICE);
    expect((await stage.conversation({ assignee_id: ReplayAccount.CAROL })).meta.assignee.id).toBe(ReplayAccount.ALICE);
  });

  it("nobody after a move to a team that the assignee is not in, or one of the team's own when it assigns by itself", async () => {
    const { id } = await stage.conversation();
    const plain = await stage.call('POST', '/teams', { name: 'Plain', allow_auto_assign: false });
    const eager = await stage.call('POST', '/teams', { name: 'Eager', allow_auto_assign: true });
    await stage.call('POST', `/teams/${eager.id}/team_members`, { user_ids: [ReplayAccount.ALICE] });
    await stage.agent(ReplayAccount.ADA, id).assign({ agentId: ReplayAccount.CAROL });
    await stage.agent(ReplayAccount.ADA, id).assign({ teamId: plain.id });
    expect(await assignee(id)).toBeUndefined();
    stage.double.setOnline(ReplayAccount.ALICE);
    await stage.call('PATCH', `/inboxes/${stage.inbox.id}`, { enable_auto_assignment: false });
    await stage.agent(ReplayAccount.ADA, id).assign({ teamId: eager.id });
    expect(await assignee(id)).toBe(ReplayAccount.ALICE);
  });

  it('nobody when they left the account; still them when they left the inbox', async () => {
    const { id } = await stage.conversation();
    await stage.agent(ReplayAccount.ALICE, id).assignSelf();
    await stage.call('DELETE', '/inbox_members', { inbox_id: stage.inbox.id, user_ids: [ReplayAccount.ALICE] });
    expect(await assignee(id)).toBe(ReplayAccount.ALICE);
    await stage.call('DELETE', `/agents/${ReplayAccount.ALICE}`);
    expect(await assignee(id)).toBeUndefined();
    expect((await stage.raw('ALICE', 'GET', '/teams')).text).toBe('{"error":"Invalid Access Token"}');
  });
});

describe('who may do what', () => {
  it("lets a team's member read and post without being in the inbox, and lists it nowhere", async () => {
    const { id } = await stage.conversation();
    const team = await stage.call('POST', '/teams', { name: 'T', allow_auto_assign: false });
    await stage.agent(ReplayAccount.ADA, id).assign({ agentId: ReplayAccount.CAROL });
    expect((await stage.raw('CAROL', 'GET', `/conversations/${id}`)).status).toBe(401);
    await stage.call('POST', `/teams/${team.id}/team_members`, { user_ids: [ReplayAccount.CAROL] });
    await stage.agent(ReplayAccount.ADA, id).assign({ teamId: team.id });
    expect((await stage.raw('CAROL', 'GET', `/conversations/${id}`)).status).toBe(200);
    await stage.agent(ReplayAccount.CAROL, id).reply('hello');
    expect((await stage.call('GET', '/conversations?status=all', undefined, 'CAROL')).data.payload).toEqual([]);
  });

  it("lets a bot's token write into every conversation of its account and read nothing", async () => {
    const { id } = await stage.conversation();
    await stage.bot();
    const allowed: Array<[string, string, unknown]> = [
      ['POST', `/conversations/${id}/messages`, { content: 'x' }],
      ['POST', `/conversations/${id}/assignments`, { team_id: 0 }],
      ['POST', `/conversations/${id}/toggle_priority`, { priority: 'high' }],
      ['PATCH', `/conversations/${id}`, { priority: 'low' }],
      ['POST', `/conversations/${id}/custom_attributes`, { custom_attributes: {} }],
      ['POST', `/conversations/${id}/toggle_status`, {}],
    ];
    for (const [method, path, sent] of allowed)
      expect([path, (await stage.raw('AB', method, path, sent)).status]).toEqual([path, 200]);
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
      expect([path, await stage.raw('AB', method, path, method === 'POST' ? {} : undefined)]).toEqual([
        path,
        { status: 401, text: '{"error":"Access to this endpoint is not authorized for bots"}' },
      ]);
    }
  });

  it('takes a token in both spellings of the header and in no query', async () => {
    const token = stage.theatre.translate('<ADA_TOKEN>');
    const get = async (query: string, headers: Record<string, string>) =>
      (await fetch(`${stage.double.baseUrl}/api/v1/profile${query}`, { headers })).status;
    expect(await get('', { api_access_token: token })).toBe(200);
    expect(await get('', { 'api-access-token': token })).toBe(200);
    expect(await get(`?api_access_token=${token}`, {})).toBe(401);
  });

  it("takes the headers of a sign-in for the user's token", async () => {
    const signedIn = await fetch(`${stage.double.baseUrl}/auth/sign_in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'alice@acme.example', password: 'Passw0rd!x' }),
    });
    const headers = Object.fromEntries(
      ['access-token', 'client', 'uid'].map(name => [name, signedIn.headers.get(name) ?? '']),
    );
    expect((await fetch(`${stage.double.baseUrl}/api/v1/accounts/1/teams`, { headers })).status).toBe(200);
    expect(
      (await fetch(`${stage.double.baseUrl}/api/v1/accounts/1/teams`, { headers: { ...headers, client: 'other' } }))
        .status,
    ).toBe(401);
  });
});

describe('the history of a conversation', () => {
  it('comes in pages of 20, 100 and 1000', async () => {
    stage.theatre.double.setActivityDelay(1000);
    const { id } = await stage.conversation();
    const ids: number[] = [];
    for (let index = 0; index < 125; index++) ids.push((await stage.say(id, String(index))).id);
    const idsOf = async (query: string) => (await stage.history(id, query)).map(message => message.id);
    expect(await idsOf('')).toEqual(ids.slice(-20));
    expect(await idsOf(`?before=${ids[50]}`)).toEqual(ids.slice(30, 50));
    expect(await idsOf(`?after=${ids[3]}`)).toEqual(ids.slice(4, 104));
    expect(await idsOf(`?after=${ids[3]}&before=${ids[124]}`)).toEqual(ids.slice(3, 124));
  });

  it('is sorted by time, so that the last row may not have the highest id', async () => {
    const { id } = await stage.conversation();
    const early = await stage.say(id, 'first');
    stage.double.skewNextMessage(-5000);
    const late = await stage.say(id, 'second, by an older clock');
    expect((await stage.history(id)).map(message => message.id)).toEqual([late.id, early.id]);
  });

  it('leaves notes and activity out on demand', async () => {
    const { id } = await stage.conversation();
    await stage.agent(ReplayAccount.ALICE, id).note('inside');
    await stage.agent(ReplayAccount.ALICE, id).assignSelf();
    await stage.say(id, 'outside');
    expect((await stage.history(id, '?filter_internal_messages=true')).map(message => message.content)).toEqual([
      'outside',
    ]);
  });
});

it('refuses everybody the 201st message of a minute, and only until the minute is over', async () => {
  const { id } = await stage.conversation();
  for (let index = 0; index < 200; index++) await stage.say(id, 'line');
  const refused = { status: 422, text: '{"error":"Validation failed: Too many messages"}' };
  expect(await stage.raw('ALICE', 'POST', `/conversations/${id}/messages`, { content: 'me too' })).toEqual(refused);
  expect((await stage.raw('ALICE', 'POST', `/conversations/${id}/toggle_status`, { status: 'resolved' })).status).toBe(
    200,
  );
  now += 60_001;
  expect((await stage.raw('ALICE', 'POST', `/conversations/${id}/messages`, { content: 'me too' })).status).toBe(200);
});

it.each([
  ['fills in what it knows', 'Hi {{ contact.name | upcase }}, {{contact.custom_attribute.plan}}', 'Hi JANE DOE, gold'],
  ['lets what it does not know vanish', 'a{{nothing}}b {{ x.y }}', 'ab '],
  ['leaves code alone', '`{{contact.name}}`', '`{{contact.name}}`'],
  ['leaves raw text alone', '{% raw %}{{contact.name}}{% endraw %}', '{{contact.name}}'],
  ['sends what is no template as it is', 'open {{ and {% nonsense %}', 'open {{ and {% nonsense %}'],
  ['takes defaults', '{{ nothing | default: "friend" }}', 'friend'],
])('as a template it %s', async (_what, template, sent) => {
  const { id } = await stage.contact('jane', { name: 'jane doe', custom_attributes: { plan: 'gold' } });
  const conversation = await stage.call('POST', '/conversations', { inbox_id: stage.inbox.id, contact_id: id });
  expect((await stage.say(conversation.id, template, { message_type: 'outgoing' })).content).toBe(sent);
  expect((await stage.say(conversation.id, template)).content).toBe(template);
});

it("replaces a conversation's attributes and labels, and merges a contact's", async () => {
  const { id, meta } = await stage.conversation({ custom_attributes: { a: 1 } });
  await stage.call('POST', `/conversations/${id}/custom_attributes`, { custom_attributes: { b: 2 } });
  await stage.call('POST', `/conversations/${id}/labels`, { labels: ['x'] });
  await stage.call('POST', `/conversations/${id}/labels`, { labels: ['y'] });
  expect(await stage.read(id)).toMatchObject({ custom_attributes: { b: 2 }, labels: ['y'] });
  await stage.call('PUT', `/contacts/${meta.sender.id}`, { custom_attributes: { a: 1 } });
  const { payload } = await stage.call('PUT', `/contacts/${meta.sender.id}`, { custom_attributes: { b: 2 } });
  expect(payload.custom_attributes).toEqual({ a: 1, b: 2 });
});

it('hides a contact by which nobody could be told apart from lists, searches and filters', async () => {
  const { payload } = await stage.call('POST', '/contacts', { name: 'Ghost' });
  expect((await stage.call('GET', '/contacts')).payload).toEqual([]);
  expect((await stage.call('GET', '/contacts/search?q=ghost')).payload).toEqual([]);
  const filter = {
    payload: [{ attribute_key: 'name', filter_operator: 'equal_to', values: ['Ghost'], query_operator: null }],
  };
  expect((await stage.call('POST', '/contacts/filter', filter)).payload).toEqual([]);
  expect((await stage.call('GET', `/contacts/${payload.contact.id}`)).payload.name).toBe('Ghost');
});

it('finds by substring when searching and exactly when filtering', async () => {
  for (const identifier of ['session-1', 'session-12']) await stage.contact(identifier);
  expect((await stage.call('GET', '/contacts/search?q=session-1')).meta.count).toBe(2);
  const filter = {
    payload: [
      { attribute_key: 'identifier', filter_operator: 'equal_to', values: ['session-1'], query_operator: null },
    ],
  };
  expect((await stage.call('POST', '/contacts/filter', filter)).meta.count).toBe(1);
});

it('knows a visitor of the public API by the source id, and makes a new way in for a known identifier', async () => {
  const create = (body: unknown) =>
    stage.theatre.call(null, 'POST', `/public/api/v1/inboxes/${stage.inbox.inbox_identifier}/contacts`, body);
  const made = await Promise.all(Array.from({ length: 8 }, () => create({ source_id: 'chosen', identifier: 'p' })));
  expect(new Set(made.map(one => one.id)).size).toBe(1);
  const other = await create({ identifier: 'p' });
  expect(other.id).toBe(made[0].id);
  expect(other.source_id).not.toBe('chosen');
});

it('empties a deleted message and keeps its row', async () => {
  const { id } = await stage.conversation();
  const messageId = await stage
    .agent(ReplayAccount.ALICE, id)
    .attach({ filename: 'a.txt', bytes: 'abc', content: 'see' });
  await stage.agent(ReplayAccount.ALICE, id).deleteMessage(messageId);
  const [message] = await stage.history(id);
  expect(message).toMatchObject({
    id: messageId,
    content: 'This message was deleted',
    content_attributes: { deleted: true },
  });
  expect(message).not.toHaveProperty('attachments');
});

it('gives every account its own conversation numbers and never the same twice', async () => {
  const first = await stage.conversation();
  await stage.call('DELETE', `/conversations/${first.id}`);
  await stage.double.settled();
  expect((await stage.conversation()).id).toBe(first.id + 1);
  expect((await stage.raw('ADA', 'GET', `/conversations/${first.id}`)).status).toBe(404);
});
