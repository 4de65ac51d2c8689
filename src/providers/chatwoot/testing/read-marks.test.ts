import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';
import type { ChatwootVersion } from './double';

const scope = { organizationId: ORG };
let world: ChatwootWorld;
let alice: number;
let sessionId: string;
afterEach(() => world.close());

const agentMessages = async () =>
  (await world.stores.messages.page(ORG, sessionId, { first: 100, after: null })).edges
    .map(({ node }) => node)
    .filter(({ author }) => author === 'AGENT');
const read = (throughMessageId: string, idempotencyKey = world.nextKey()) =>
  world.flows.markRead(scope, { sessionId, throughMessageId, idempotencyKey });
const shown = async () =>
  Object.fromEntries((await world.messages(sessionId)).map(({ content, status }) => [content, status]));
const says = async (...texts: string[]) => {
  for (const text of texts) await (await world.acting(alice, sessionId)).reply(text);
  await world.runDueSyncs();
};

describe.each<ChatwootVersion>(['3.16', '4.10', '4.14'])('read marks on Chatwoot %s', version => {
  beforeEach(async () => {
    world = await createChatwootWorld({ version });
    alice = await world.addPerson('Alice');
    sessionId = await world.handedOver();
    await world.runDueSyncs();
  });

  it('of the end-user reach agents with one call, and their many echoes cause no sync', async () => {
    await says('one', 'two', 'three');
    await (await world.acting(alice, sessionId)).note('between us');
    await world.runDueSyncs();
    const [one, , three] = await agentMessages();
    await world.flows.reportChannelDelivery(scope, {
      sessionId,
      messageId: one!.id,
      state: 'FAILED',
      error: 'gone',
      idempotencyKey: 'f',
    });
    await world.deliverAll();
    await world.runDueSyncs();

    expect(await read(three!.id, 'r')).toMatchObject({ markedCount: 3, replayed: false });
    const calls = await world.callsOf(async () => {
      expect(await world.deliverAll()).toEqual([]);
      expect(await world.runDueSyncs()).toBe(0);
    });
    expect(calls).toEqual([expect.stringMatching(/^POST \/public\/api\/v1\/inboxes\/.*\/update_last_seen$/)]);
    expect(world.double.deliveries().filter(({ event }) => event === 'message_updated').length).toBeGreaterThan(2);
    expect(await shown()).toMatchObject({ two: 'read', three: 'read' });
    expect((await agentMessages()).map(({ channelState }) => channelState)).toEqual(['FAILED', 'READ', 'READ']);

    // A repeat, with the same key or another, changes nothing.
    expect(await read(three!.id, 'r')).toMatchObject({ markedCount: 3, replayed: true });
    expect(await read(one!.id)).toMatchObject({ markedCount: 0 });
    expect(await world.callsOf(() => world.deliverAll())).toEqual([]);
    const events = (await world.stores.events.listBySession(ORG, sessionId, 0, 1_000)).filter(
      ({ body }) => body.type === 'MESSAGES_READ',
    );
    expect(events.map(({ body }) => body)).toEqual([{ type: 'MESSAGES_READ', throughSeq: three!.seq }]);
  });

  it('of the end-user are sent one by one when an agent has written more since', async () => {
    await says('one', 'two');
    const [, two] = await agentMessages();
    await read(two!.id);
    await says('three');
    const marks = version === '3.16' ? [] : ['PATCH /conversations/messages', 'PATCH /conversations/messages'];
    expect(await world.callsOf(() => world.deliverAll())).toEqual(marks);
    expect(await shown()).toMatchObject(
      version === '3.16' ? { three: 'sent' } : { one: 'read', two: 'read', three: 'sent' },
    );
  });

  it('of agents are known from the state that is synced anyway, never go back, and are reported once', async () => {
    expect(await world.session(sessionId)).toMatchObject({ agentsReadAt: null });
    await world.act(sessionId, 'POST', '/update_last_seen');
    const { agent_last_seen_at: seenAt } = await world.conversation(sessionId);
    for (let round = 0; round < 2; round++)
      expect(await world.callsOf(() => world.read(sessionId))).toEqual([
        'GET /conversations',
        'GET /conversations/messages',
      ]);
    const { agentsReadAt, lastView } = await world.session(sessionId);
    expect(Date.parse(agentsReadAt!)).toBe(seenAt * 1000);
    expect(Object.keys(lastView!).sort()).toEqual(['agent', 'status', 'teamId']);
    await world.act(sessionId, 'POST', '/unread');
    await world.read(sessionId);
    expect(await world.session(sessionId)).toMatchObject({ agentsReadAt });
    const events = (await world.stores.events.listBySession(ORG, sessionId, 0, 1_000)).filter(
      ({ body }) => body.type === 'AGENTS_READ',
    );
    expect(events.map(({ body }) => body)).toEqual([
      { type: 'AGENTS_READ', readAt: new Date(seenAt * 1000).toISOString() },
    ]);
  });
});

describe('a mark', () => {
  beforeEach(async () => {
    world = await createChatwootWorld();
    alice = await world.addPerson('Alice');
    sessionId = await world.handedOver();
  });

  it('of a message of another session, or of none, is refused', async () => {
    const other = await world.openMirroredSession('elsewhere');
    const {
      edges: [theirs],
    } = await world.stores.messages.page(ORG, other, { first: 1, after: null });
    for (const id of [theirs!.node.id, '00000000-0000-4000-8000-000000000000', 'x'])
      await expect(read(id)).rejects.toMatchObject({ code: 'INPUT_INVALID', field: 'throughMessageId' });
  });

  it('of what only the bot has said costs no call', async () => {
    const bot = await world.openMirroredSession();
    const { message } = await world.bot(bot, 'I am the bot');
    await world.deliverAll();
    expect(
      await world.callsOf(async () => {
        expect(
          await world.flows.markRead(scope, { sessionId: bot, throughMessageId: message.id, idempotencyKey: 'b' }),
        ).toMatchObject({ markedCount: 1 });
        await world.deliverAll();
      }),
    ).toEqual([]);
  });

  it('of an end-user unknown to Chatwoot is skipped, and loses nothing', async () => {
    await says('one');
    const [one] = await agentMessages();
    await world.pool.query("update session set conversation_id = '4711' where id = $1", [sessionId]);
    await read(one!.id);
    expect(await world.deliverAll()).toEqual([]);
    expect(world.double.requests().filter(({ path }) => path.endsWith('update_last_seen'))).toMatchObject([
      { status: 404 },
    ]);
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'ACTIVE' });
  });

  it("an agent's message whose webhook was lost is found by the mark's echo", async () => {
    await world.runDueSyncs();
    world.double.dropWebhooks({ event: 'message_created', times: 1 });
    const id = await (await world.acting(alice, sessionId)).reply('lost');
    await world.double.whenIdle();
    expect(await world.runDueSyncs()).toBe(0);
    await world.act(sessionId, 'PATCH', `/messages/${id}`, { status: 'delivered' });
    await world.runDueSyncs();
    expect(await world.collected(sessionId)).toContain('AGENT: lost');
  });
});
