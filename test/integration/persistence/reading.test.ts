import { randomUUID } from 'node:crypto';
import type { HandoffFilter } from '../../../src/core/ports/handoff-store';
import { begin, createStoreWorld, FOREIGN, inboxOf, ORG, said, type StoreWorld } from './store-world';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());

const EVERY: HandoffFilter = { chatbotIds: null, states: null, live: null, teamIds: null, sessionId: null };

describe('batch reads by keys', () => {
  /** Rows of every kind, and how each kind is read. */
  async function kinds() {
    const session = await world.open();
    const { result } = await world.stores.sessions.transact(ORG, session.id, async tx => ({
      handoff: await begin(tx),
      message: await tx.insertMessage(said()),
    }));
    const [team] = await world.stores.setup.syncTeams(world.account, [{ externalId: '1', name: 'billing' }]);
    const [agent] = await world.stores.setup.syncAgents(world.account, [
      { externalId: '1', name: 'Ann', email: null, role: 'AGENT' },
    ]);
    const { sessions, handoffs, messages, setup } = world.stores;
    return [
      {
        kind: 'sessions',
        id: session.id,
        many: (org: string, ids: readonly string[]) => sessions.getMany(org, ids),
        one: (org: string, id: string) => sessions.get(org, id),
      },
      {
        kind: 'handoffs',
        id: result.handoff.id,
        many: (org: string, ids: readonly string[]) => handoffs.getMany(org, ids),
        one: (org: string, id: string) => handoffs.get(org, id),
      },
      {
        kind: 'messages',
        id: result.message.id,
        many: (org: string, ids: readonly string[]) => messages.getMany(org, ids),
        one: (org: string, id: string) => messages.get(org, id),
      },
      {
        kind: 'accounts',
        id: world.account.id,
        many: (org: string, ids: readonly string[]) => setup.findAccountsByIds(org, ids),
        one: (org: string, id: string) => setup.findAccount(org, id),
      },
      {
        kind: 'inboxes',
        id: world.inbox.id,
        many: (org: string, ids: readonly string[]) => setup.findInboxesByIds(org, ids),
        one: (org: string, id: string) => setup.findInbox(org, id),
      },
      {
        kind: 'teams',
        id: team!.id,
        many: (org: string, ids: readonly string[]) => setup.findTeamsByIds(org, ids),
        one: async (org: string, id: string) => (await setup.findTeamsByIds(org, [id]))[0],
      },
      {
        kind: 'agents',
        id: agent!.id,
        many: (org: string, ids: readonly string[]) => setup.findAgentsByIds(org, ids),
        one: async (org: string, id: string) => (await setup.findAgentsByIds(org, [id]))[0],
      },
    ];
  }

  it('take one statement for 100 keys, in the requested order, with null for missing ones', async () => {
    for (const { kind, id, many } of await kinds()) {
      const keys = Array.from({ length: 100 }, (_, i) =>
        i % 3 === 0 ? id : i % 3 === 1 ? randomUUID() : `no id ${i}`,
      );
      keys[3] = id.toUpperCase();
      const query = jest.spyOn(world.pool, 'query');
      const found = await many(ORG, keys);
      expect({ kind, statements: query.mock.calls.length }).toEqual({ kind, statements: 1 });
      query.mockRestore();
      expect(found.map(row => row?.id ?? null)).toEqual(keys.map((_, i) => (i % 3 === 0 ? id : null)));
    }
  });

  it('return null for another organization, one by one and together', async () => {
    for (const { kind, id, many, one } of await kinds()) {
      expect({ kind, row: await one(ORG, id) }).toMatchObject({ kind, row: { id } });
      expect({ kind, row: await one(FOREIGN, id) }).toEqual({ kind, row: null });
      expect({ kind, row: await one(ORG, "'; drop table session") }).toEqual({ kind, row: null });
      expect(await many(FOREIGN, [id])).toEqual([null]);
    }
  });

  it('find inboxes by chatbot in one statement, in order', async () => {
    const chatbots = [randomUUID(), 'bot-1', 'unknown \u0000', 'bot-1'];
    const other = await world.stores.setup.insertInbox(inboxOf(world.account, { chatbotId: chatbots[0]! }));
    const query = jest.spyOn(world.pool, 'query');
    expect((await world.stores.setup.findInboxesByChatbots(ORG, chatbots)).map(inbox => inbox?.id ?? null)).toEqual([
      other.id,
      world.inbox.id,
      null,
      world.inbox.id,
    ]);
    expect(query).toHaveBeenCalledTimes(1);
    query.mockRestore();
    expect(await world.stores.setup.findInboxesByChatbots(FOREIGN, ['bot-1'])).toEqual([null]);
    expect(await world.stores.setup.findInboxByChatbot(FOREIGN, 'bot-1')).toBeNull();
  });
});

describe('reading a Session', () => {
  it('finds it by its runtime key and by its conversation', async () => {
    const session = await world.open('visitor-7');
    const { sessions } = world.stores;
    expect(await sessions.findByRuntimeKey(ORG, 'bot-1', 'web', 'visitor-7')).toEqual(session);
    for (const [org, bot, channel, id] of [
      [FOREIGN, 'bot-1', 'web', 'visitor-7'],
      [ORG, 'bot-2', 'web', 'visitor-7'],
      [ORG, 'bot-1', 'sms', 'visitor-7'],
      [ORG, 'bot-1', 'web', 'visitor-8'],
    ] as const)
      expect(await sessions.findByRuntimeKey(org, bot, channel, id)).toBeNull();
    const lastView = { status: 'OPEN' as const, agent: { externalId: '3', name: 'Ann' }, teamId: null };
    await sessions.transact(ORG, session.id, tx =>
      tx.updateSession({ contactId: '5', conversationId: '17', syncCursor: '900', lastView, statusWrites: 3 }),
    );
    expect(await sessions.findByConversation(world.account.id, '17')).toEqual({
      ...session,
      contactId: '5',
      conversationId: '17',
      syncCursor: '900',
      lastView,
      statusWrites: 3,
    });
    for (const [account, conversation] of [
      [randomUUID(), '17'],
      [world.account.id, '18'],
      ['no id', '17'],
    ] as const)
      expect(await sessions.findByConversation(account, conversation)).toBeNull();
  });

  it('returns no pending notifications when there are none, and none of other Sessions', async () => {
    const { id } = await world.open();
    const nothing = { provider: 0, runtime: 0, parked: 0, parkedUnknown: 0, lastErrorCode: null };
    expect(await world.stores.deliveries.countPending(ORG, id)).toEqual(nothing);
    await world.stores.sessions.transact(ORG, id, async tx => {
      await tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', handoffId: null, how: 'RETURN_TO_BOT' });
      await tx.enqueueForRuntime({ kind: 'HANDOFF_OUTCOME', handoffId: randomUUID() });
    });
    expect(await world.stores.deliveries.countPending(ORG, id)).toEqual({ ...nothing, provider: 1, runtime: 1 });
    for (const [org, session] of [
      [FOREIGN, id],
      [ORG, 'no id'],
    ] as const)
      expect(await world.stores.deliveries.countPending(org, session)).toEqual(nothing);
  });
});

describe('pages', () => {
  it('of messages contain all, oldest first', async () => {
    const { id } = await world.open();
    await world.stores.sessions.transact(ORG, id, async tx => {
      for (let i = 1; i <= 7; i++) await tx.insertMessage(said({ text: String(i) }));
    });
    const texts: string[] = [];
    let pages = 0;
    for (let after: string | null = null, more = true; more; pages++) {
      const page = await world.stores.messages.page(ORG, id, { first: 3, after });
      texts.push(...page.edges.map(({ node }) => node.text));
      after = page.edges.at(-1)!.cursor;
      more = page.hasNextPage;
    }
    expect([texts, pages]).toEqual([['1', '2', '3', '4', '5', '6', '7'], 3]);
    expect(await world.stores.messages.page(FOREIGN, id, { first: 3, after: null })).toEqual({
      edges: [],
      hasNextPage: false,
    });
    expect(await world.stores.messages.page(ORG, 'no id', { first: 3, after: null })).toEqual({
      edges: [],
      hasNextPage: false,
    });
    await expect(world.stores.messages.page(ORG, id, { first: 3, after: 'garbage' })).rejects.toMatchObject({
      code: 'CURSOR_INVALID',
    });
  });

  it('of handoffs contain all, newest first, also where several began in one millisecond', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) {
      const { id } = await world.open();
      const { result } = await world.stores.sessions.transact(ORG, id, tx =>
        begin(tx, { requestedAt: `2027-01-01T00:00:0${Math.floor(i / 3)}.123Z` }),
      );
      ids.push(result.id);
    }
    const seen: string[] = [];
    for (let after: string | null = null; seen.length < 6; ) {
      const page = await world.stores.handoffs.page(ORG, EVERY, { first: 2, after });
      seen.push(...page.edges.map(({ node }) => node.id));
      after = page.edges.at(-1)!.cursor;
    }
    expect(seen).toEqual([...ids.slice(3).sort().reverse(), ...ids.slice(0, 3).sort().reverse()]);
    await expect(
      world.stores.handoffs.page(ORG, EVERY, {
        first: 2,
        after: Buffer.from('["handoffs","2027-13-01T00:00:00.000Z","x"]').toString('base64url'),
      }),
    ).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });

  it('of handoffs match the filter, by each condition and by all together', async () => {
    const team = randomUUID();
    const chatbot = randomUUID();
    const inbox = await world.stores.setup.insertInbox(inboxOf(world.account, { chatbotId: chatbot }));
    const make = async (chatbotId: string, inboxId: string, given: Parameters<typeof begin>[1]) => {
      const { session } = await world.stores.sessions.open({
        id: randomUUID(),
        organizationId: ORG,
        chatbotId,
        inboxId,
        channel: 'web',
        externalId: randomUUID(),
        endUser: { externalId: null, name: null, email: null, phone: null, locale: null, attributes: {} },
        at: '2026-11-22T20:52:20.557Z',
      });
      return (await world.stores.sessions.transact(ORG, session.id, tx => begin(tx, given))).result;
    };
    const queued = await make(chatbot, inbox.id, { state: 'QUEUED', target: { teamId: team, agentId: null } });
    const active = await make(chatbot, inbox.id, { state: 'ACTIVE' });
    const ended = await make(chatbot, inbox.id, { state: 'ENDED', target: { teamId: team, agentId: null } });
    const foreignBot = await make('bot-1', world.inbox.id, {
      state: 'QUEUED',
      target: { teamId: team, agentId: null },
    });
    const found = async (filter: Partial<HandoffFilter>, organization = ORG) =>
      (await world.stores.handoffs.page(organization, { ...EVERY, ...filter }, { first: 100, after: null })).edges
        .map(({ node }) => node.id)
        .sort();
    const sorted = (...handoffs: { id: string }[]) => handoffs.map(({ id }) => id).sort();
    expect(await found({ chatbotIds: [chatbot] })).toEqual(sorted(queued, active, ended));
    expect(await found({ chatbotIds: [chatbot], live: true })).toEqual(sorted(queued, active));
    expect(await found({ chatbotIds: [chatbot], live: false })).toEqual(sorted(ended));
    expect(await found({ chatbotIds: [chatbot], states: ['ACTIVE', 'ENDED'] })).toEqual(sorted(active, ended));
    expect(await found({ teamIds: [team, 'no id'] })).toEqual(sorted(queued, ended, foreignBot));
    expect(await found({ teamIds: [team], chatbotIds: [chatbot], states: ['QUEUED'], live: true })).toEqual(
      sorted(queued),
    );
    expect(await found({ sessionId: active.sessionId })).toEqual(sorted(active));
    for (const nothing of [{ chatbotIds: [] }, { states: [] }, { teamIds: [] }, { sessionId: 'no id' }])
      expect(await found(nothing)).toEqual([]);
    expect(await found({ chatbotIds: [chatbot] }, FOREIGN)).toEqual([]);
  });
});
