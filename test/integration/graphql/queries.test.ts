import { OperationContext } from '../../../src/graphql/operation/context';
import { caller, createFlowWorld, type FlowWorld, ORG, type GraphqlApi, startGraphqlApi, statements } from './room';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';
let world: FlowWorld;
let api: GraphqlApi;
let sessionId: string;
let handoffId: string;
let accountId: string;
let inboxId: string;
let team: { id: string };
let agent: { id: string };

beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
  const { setup } = world.stores;
  accountId = (await setup.listAccounts(ORG))[0]!.id;
  inboxId = (await setup.findInboxByChatbot(ORG, 'bot-1'))!.id;
  await world.flows.refreshDirectory({ organizationId: ORG }, accountId);
  team = (await setup.listTeams(ORG, accountId)).find(one => one.name === 'billing')!;
  agent = (await setup.listAgents(ORG, accountId))[0]!;
  await world.flows.linkAgent({ organizationId: ORG }, agent.id, 'user-1');

  sessionId = (await world.open('session-1')).id;
  await world.user(sessionId, 'hello');
  handoffId = (
    await world.ask(sessionId, { target: { team: '47', agent: null }, summary: 'wants a copy', resumeTarget: 'menu' })
  ).handoff.id;
  await world.deliverAll();
  world.provider.set({ agent: 'alice' });
  world.provider.agentSays('I am Alice');
  await world.read(sessionId);
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

const data = async (query: string, variables: object = {}, as = caller('ui')): Promise<any> => {
  const { body } = await api.run(query, variables, as);
  expect(body.errors).toBeUndefined();
  return body.data;
};

it.each([
  ['supportSessionByKey(chatbotId: "a\\u0000", channel: "web", externalId: "x") { id }', 'chatbotId'],
  ['supportRuntimeInbox(chatbotId: "a\\u0000") { nodes { id } }', 'chatbotId'],
  ['handoffs(filter: { chatbotIds: ["a\\u0000"] }) { nodes { id } }', 'chatbotIds.0'],
])('an id with NUL is refused by field name: %s', async (field, name) => {
  const { body } = await api.run(`{ ${field} }`, {}, caller('ui'));
  expect(body.errors).toMatchObject([
    { message: expect.stringContaining(name), extensions: { code: 'INPUT_INVALID' } },
  ]);
});

describe('one reader of all types', () => {
  it('reads a session with all that belongs to it', async () => {
    const query = `query ($id: ID!) { supportSession(id: $id) {
      id channel externalId control epoch mayReply lastEventSeq openedAt closedAt conversationExternalId organization { id } chatbot { id support { state inbox { id } teams { name } policy { whileWaiting } } }
      inbox { id account { id provider capabilities { teams maxTextLength } } }
      liveHandoff { id state isLive origin agent { name agent { name user { id } } } targetTeam { id } session { id } outcome { state } requestedAt assignedAt }
      messages(first: 2) { nodes { seq text author visibility handoff { id } session { id } } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
      events(after: 1, first: 1) { __typename seq at handoff { id } } } }`;
    const { supportSession: session } = await data(query, { id: sessionId });
    expect(session).toMatchObject({
      id: sessionId,
      channel: 'web',
      externalId: 'session-1',
      control: 'HUMAN',
      epoch: 3,
      mayReply: false,
      closedAt: null,
      conversationExternalId: 'conv-1',
      organization: { id: ORG },
      chatbot: {
        id: 'bot-1',
        support: {
          state: 'READY',
          inbox: { id: inboxId },
          teams: [{ name: 'billing' }, { name: 'sales' }],
          policy: { whileWaiting: 'SILENT' },
        },
      },
      inbox: {
        id: inboxId,
        account: { id: accountId, provider: 'scripted', capabilities: { teams: true, maxTextLength: 100_000 } },
      },
      liveHandoff: {
        id: handoffId,
        state: 'ACTIVE',
        isLive: true,
        origin: 'REQUESTED',
        agent: { name: expect.any(String), agent: { name: 'Alice', user: { id: 'user-1' } } },
        targetTeam: { id: team.id },
        session: { id: sessionId },
        outcome: null,
        requestedAt: '2026-11-22T12:00:00.000Z',
      },
      messages: {
        nodes: [
          {
            seq: 1,
            text: 'hello',
            author: 'END_USER',
            visibility: 'PUBLIC',
            handoff: null,
            session: { id: sessionId },
          },
          { seq: 2, author: 'SYSTEM' },
        ],
        pageInfo: { hasNextPage: true, hasPreviousPage: false },
      },
      events: [{ __typename: 'SupportMessageRecorded', seq: 2, at: '2026-11-22T12:00:00.000Z', handoff: null }],
    });
    expect(session.messages.pageInfo).toMatchObject({
      startCursor: session.messages.edges[0].cursor,
      endCursor: session.messages.edges[1].cursor,
    });
    expect(
      await data('{ supportSessionByKey(chatbotId: "bot-1", channel: "web", externalId: "session-1") { id } }'),
    ).toEqual({ supportSessionByKey: { id: sessionId } });
  });

  it('reads each kind of event as its own type', async () => {
    const { supportSession } = await data(
      `query ($id: ID!) { supportSession(id: $id) { events(first: 100) { __typename seq
      ... on SupportMessageRecorded { author message { text } } ... on SupportControlChanged { control epoch cause } ... on SupportHandoffChanged { from to agentName endReason } } } }`,
      { id: sessionId },
    );
    expect(supportSession.events.map((event: any) => event.seq)).toEqual(
      supportSession.events.map((_: unknown, i: number) => i + 1),
    );
    expect(supportSession.events).toEqual(
      expect.arrayContaining([
        { __typename: 'SupportSessionOpened', seq: 1 },
        { __typename: 'SupportMessageRecorded', seq: 2, author: 'END_USER', message: { text: 'hello' } },
        expect.objectContaining({ __typename: 'SupportControlChanged', control: 'NONE', epoch: 2 }),
        expect.objectContaining({ __typename: 'SupportHandoffChanged', from: null, to: 'REQUESTED' }),
      ]),
    );
  });

  it('reads the setup, and finds each object again by its id', async () => {
    const all =
      await data(`{ supportAccounts { id name state problem { code } inboxes { id } teams { id externalId } agents { id role email } organization { id supportAccounts { id } } }
      supportInboxes { id name externalId chatbot { id } } supportTeams { id name account { id } } supportAgents { id user { id } } }`);
    expect(all.supportAccounts).toMatchObject([
      {
        id: accountId,
        name: 'One',
        state: 'READY',
        problem: null,
        inboxes: [{ id: inboxId }],
        teams: [{ externalId: '47' }, { externalId: '48' }],
        agents: [{ id: agent.id, role: 'AGENT', email: 'alice@example.com' }],
        organization: { id: ORG, supportAccounts: [{ id: accountId }] },
      },
    ]);
    expect(all).toMatchObject({
      supportInboxes: [{ id: inboxId, name: 'Bot one', externalId: 'inbox-1', chatbot: { id: 'bot-1' } }],
      supportTeams: [{ name: 'billing', account: { id: accountId } }, {}],
      supportAgents: [{ id: agent.id, user: { id: 'user-1' } }],
    });
    expect(
      await data(
        'query ($a: ID!, $h: ID!) { supportAccount(id: $a) { id } handoff(id: $h) { id summary resumeTarget } supportTeams(accountId: $a) { id } }',
        { a: accountId, h: handoffId },
      ),
    ).toMatchObject({
      supportAccount: { id: accountId },
      handoff: { id: handoffId, summary: 'wants a copy', resumeTarget: 'menu' },
      supportTeams: [{}, {}],
    });
  });

  it('gets the reason why the bot is silent, and nothing of a missing session', async () => {
    const query =
      'query ($id: ID!) { supportExplain(sessionId: $id) { reason mayReply handoff { id } session { id } pendingDeliveries { provider runtime parked lastErrorCode } } }';
    expect(await data(query, { id: sessionId })).toEqual({
      supportExplain: {
        reason: 'AGENT_HAS_CONTROL',
        mayReply: false,
        handoff: { id: handoffId },
        session: { id: sessionId },
        pendingDeliveries: { provider: 0, runtime: expect.any(Number), parked: 0, lastErrorCode: null },
      },
    });
    for (const id of [UNKNOWN, 'x']) expect(await data(query, { id })).toEqual({ supportExplain: null });
  });
});

describe('pages', () => {
  beforeAll(async () => {
    for (let i = 0; i < 5; i += 1) {
      world.time.ms += 1_000;
      await world.ask((await world.open()).id);
    }
  });

  it('of handoffs continue after a cursor to the end, newest first, without a repeat', async () => {
    const query =
      'query ($after: String) { handoffs(first: 2, after: $after, filter: { chatbotIds: ["bot-1"] }) { edges { cursor node { id requestedAt } } nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } } }';
    const seen: string[] = [];
    for (let after: string | null = null; ; ) {
      const { handoffs } = await data(query, { after });
      expect(handoffs.pageInfo.hasPreviousPage).toBe(after !== null);
      seen.push(...handoffs.nodes.map((node: any) => node.id));
      if (!handoffs.pageInfo.hasNextPage) break;
      after = handoffs.pageInfo.endCursor;
    }
    expect(seen).toHaveLength(6);
    expect(new Set(seen).size).toBe(6);
    expect(seen.at(-1)).toBe(handoffId);
  });

  it.each([
    ['{ live: true }', 6],
    ['{ live: false }', 0],
    ['{ states: [ACTIVE] }', 1],
    ['{ states: [] }', 0],
    ['{ chatbotIds: ["bot-9"] }', 0],
    ['{ teamIds: ["x"] }', 0],
    ['{ sessionId: "x" }', 0],
    ['null', 6],
  ])('of handoffs match the filter %s', async (filter, count) => {
    expect((await data(`{ handoffs(filter: ${filter}) { nodes { id } } }`)).handoffs.nodes).toHaveLength(count);
  });

  it('of handoffs can be filtered by team', async () => {
    expect(
      await data('query ($teams: [ID!]) { handoffs(filter: { teamIds: $teams }) { nodes { id } } }', {
        teams: [team.id],
      }),
    ).toEqual({ handoffs: { nodes: [{ id: handoffId }] } });
  });

  it('of the runtime inbox contain each notification completely', async () => {
    const { supportRuntimeInbox } = await data(
      `query ($id: ID!) { supportRuntimeInbox(chatbotId: "bot-1", sessionId: $id) { nodes { id createdAt session { externalId } notice { __typename
      ... on SupportMessageNotice { message { text author agent { name } } } ... on HandoffStateNotice { state handoff { id } } } } pageInfo { hasNextPage } } }`,
      { id: sessionId },
      caller('bot'),
    );
    expect(supportRuntimeInbox.nodes.map((node: any) => node.notice)).toEqual(
      expect.arrayContaining([
        { __typename: 'HandoffStateNotice', state: 'ACTIVE', handoff: { id: handoffId } },
        {
          __typename: 'SupportMessageNotice',
          message: { text: 'I am Alice', author: 'AGENT', agent: { name: 'Alice' } },
        },
      ]),
    );
    expect(supportRuntimeInbox.nodes[0].session).toEqual({ externalId: 'session-1' });
  });

  it.each([
    ['first: 0', 'INPUT_INVALID'],
    ['first: 101', 'INPUT_INVALID'],
    ['after: "made up"', 'CURSOR_INVALID'],
  ])('refuse %s', async (args, code) => {
    const { errors } = await api.run(`{ handoffs(${args}) { nodes { id } } }`);
    expect(errors).toMatchObject([{ path: ['handoffs'], extensions: { code, retryable: false } }]);
  });
});

describe('_entities', () => {
  const ENTITIES = `query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename
    ... on SupportAccount { id provider } ... on SupportInbox { id name } ... on SupportTeam { id name } ... on SupportAgent { id name } ... on SupportSession { id externalId } ... on Handoff { id state }
    ... on Organization { id supportAccounts { id } } ... on Chatbot { id support { inbox { id } } } ... on User { id supportAgents { id } } } }`;
  const entities = async (representations: object[], as = caller('gateway')): Promise<any[]> =>
    (await data(ENTITIES, { representations }, as))._entities;

  it('returns all types at once, in order, null for missing objects', async () => {
    expect(
      await entities([
        { __typename: 'Handoff', id: handoffId },
        { __typename: 'SupportSession', id: sessionId },
        { __typename: 'Handoff', id: UNKNOWN },
        { __typename: 'SupportAccount', id: accountId },
        { __typename: 'SupportTeam', id: team.id },
        { __typename: 'SupportSession', id: 'x' },
        { __typename: 'SupportInbox', id: inboxId },
        { __typename: 'SupportAgent', id: agent.id },
        { __typename: 'Organization', id: ORG },
        { __typename: 'Organization', id: 'org-2' },
        { __typename: 'Chatbot', id: 'bot-1' },
        { __typename: 'Chatbot', id: 'bot-9' },
        { __typename: 'User', id: 'user-1' },
        { __typename: 'User', id: 'user-9' },
        { __typename: 'Handoff', id: handoffId },
      ]),
    ).toEqual([
      { __typename: 'Handoff', id: handoffId, state: 'ACTIVE' },
      { __typename: 'SupportSession', id: sessionId, externalId: 'session-1' },
      null,
      { __typename: 'SupportAccount', id: accountId, provider: 'scripted' },
      { __typename: 'SupportTeam', id: team.id, name: 'billing' },
      null,
      { __typename: 'SupportInbox', id: inboxId, name: 'Bot one' },
      { __typename: 'SupportAgent', id: agent.id, name: 'Alice' },
      { __typename: 'Organization', id: ORG, supportAccounts: [{ id: accountId }] },
      { __typename: 'Organization', id: 'org-2', supportAccounts: [] },
      { __typename: 'Chatbot', id: 'bot-1', support: { inbox: { id: inboxId } } },
      null,
      { __typename: 'User', id: 'user-1', supportAgents: [{ id: agent.id }] },
      { __typename: 'User', id: 'user-9', supportAgents: [] },
      { __typename: 'Handoff', id: handoffId, state: 'ACTIVE' },
    ]);
  });

  it("returns another organization's objects as if they did not exist", async () => {
    const all = [
      ['SupportAccount', accountId],
      ['SupportInbox', inboxId],
      ['SupportTeam', team.id],
      ['SupportAgent', agent.id],
      ['SupportSession', sessionId],
      ['Handoff', handoffId],
      ['Chatbot', 'bot-1'],
      ['Organization', ORG],
      ['User', 'user-1'],
    ].map(([__typename, id]) => ({ __typename, id }));
    expect(await entities(all, caller('gateway', 'org-2'))).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      { __typename: 'Organization', id: ORG, supportAccounts: [] },
      { __typename: 'User', id: 'user-1', supportAgents: [] },
    ]);
  });

  it('returns null for an invalid representation', async () => {
    expect(
      await entities([
        { __typename: 'Nothing', id: '1' },
        { __typename: 'Query', id: '1' },
        { __typename: 'toString', id: '1' },
        { __typename: 'Handoff' },
        { __typename: 'Handoff', id: { $gt: '' } },
        { id: handoffId },
      ]),
    ).toEqual([null, null, null, null, null, null]);
  });

  describe('takes one statement for 100 keys of one type,', () => {
    const sessions: string[] = [];
    beforeAll(async () => {
      for (let i = 0; i < 99; i += 1) sessions.push((await world.open(`many-${i}`)).id);
    });

    it.each([
      'SupportAccount',
      'SupportInbox',
      'SupportTeam',
      'SupportAgent',
      'SupportSession',
      'Handoff',
      'Chatbot',
      'User',
      'Organization',
    ])('%s', async __typename => {
      const ids =
        __typename === 'SupportSession'
          ? [...sessions.slice(0, 50), UNKNOWN, ...sessions.slice(50)]
          : Array.from({ length: 100 }, (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`);
      let answer: any[] = [];
      const seen = await statements(world, async () => {
        answer = await entities(ids.map(id => ({ __typename, id })));
      });
      expect(seen.length).toBeLessThanOrEqual(__typename === 'Organization' ? 0 : 1);
      expect(answer).toHaveLength(100);
      if (__typename === 'SupportSession')
        expect(answer.map(one => one?.externalId ?? null)).toEqual([
          ...Array.from({ length: 50 }, (_, i) => `many-${i}`),
          null,
          ...Array.from({ length: 49 }, (_, i) => `many-${i + 50}`),
        ]);
    });

    it('and one more for each type of related objects', async () => {
      const representations = sessions.map(id => ({ __typename: 'SupportSession', id }));
      const query =
        'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on SupportSession { inbox { account { name } } liveHandoff { id } mayReply } } }';
      const seen = await statements(world, () => data(query, { representations }, caller('gateway')));
      expect(seen).toHaveLength(3);
    });
  });
});

describe('another organization', () => {
  const as = caller('operator', 'org-2');

  it('gets for every id of this one the same as for an unknown id', async () => {
    const query = `query ($account: ID!, $session: ID!, $handoff: ID!) { supportAccount(id: $account) { id } supportSession(id: $session) { id } handoff(id: $handoff) { id } supportExplain(sessionId: $session) { reason }
      supportInboxes(accountId: $account) { id } supportTeams(accountId: $account) { id } supportAgents(accountId: $account) { id } supportAccounts { id }
      supportSessionByKey(chatbotId: "bot-1", channel: "web", externalId: "session-1") { id } handoffs(filter: { sessionId: $session }) { nodes { id } } supportRuntimeInbox(sessionId: $session, chatbotId: "bot-1") { nodes { id } } }`;
    const foreign = await data(query, { account: accountId, session: sessionId, handoff: handoffId }, as);
    expect(foreign).toEqual(await data(query, { account: UNKNOWN, session: UNKNOWN, handoff: UNKNOWN }, as));
    expect(JSON.stringify(foreign)).not.toMatch(new RegExp([accountId, sessionId, handoffId].join('|')));
    expect(foreign).toEqual(await data(query, { account: 'x', session: 'x', handoff: 'x' }, as));
  });

  it('cannot use a cursor of this one', async () => {
    const { handoffs } = await data('{ handoffs(first: 1) { pageInfo { endCursor } } }');
    const { body } = await api.run(
      'query ($after: String) { handoffs(after: $after) { nodes { id } } }',
      { after: handoffs.pageInfo.endCursor },
      as,
    );
    expect(body.data?.handoffs?.nodes ?? []).toEqual([]);
  });
});

it('everything but the schema requires an identified caller', async () => {
  const contextValue = new OperationContext({ stores: world.stores, live: {} as never }, null, 'request-1');
  const run = async (query: string): Promise<any> =>
    ((await api.graphql.apollo.executeOperation({ query }, { contextValue })).body as any).singleResult;
  for (const query of [
    '{ supportAccounts { id } }',
    '{ handoff(id: "x") { id } }',
    '{ _entities(representations: []) { __typename } }',
  ])
    expect((await run(query)).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect((await run('{ _service { sdl } }')).errors).toBeUndefined();
});
