import { PostgresTyping } from '../../../src/persistence';
import { type Following, overSse, overWebSocket } from './following';
import { caller, createFlowWorld, type FlowWorld, type GraphqlApi, startGraphqlApi } from './room';

const TYPING =
  'subscription ($sessionId: ID!) { supportTyping(sessionId: $sessionId) { isTyping at agent { id name } session { id control } } }';
const SET =
  'mutation ($input: SetSupportTypingInput!) { setSupportTyping(input: $input) { isForwarded userErrors { code field } } }';

let world: FlowWorld;
let board: PostgresTyping;
let apis: GraphqlApi[];
const open: Following[] = [];

beforeAll(async () => {
  world = await createFlowWorld();
  // Two replicas on one channel; test/integration/persistence/typing.test.ts has the real one.
  const hearers: ((payload: string) => void)[] = [];
  const wire = (own: number) => ({
    listenOn: (_channel: string, listener: (payload: string) => void) => {
      hearers[own] = listener;
    },
    publish: async (_channel: string, payload: string) => {
      hearers[1 - own]?.(payload);
    },
  });
  board = new PostgresTyping(wire(0));
  apis = [await startGraphqlApi(world, {}, board), await startGraphqlApi(world, {}, new PostgresTyping(wire(1)))];
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.leave()));
});
afterAll(async () => {
  for (const api of apis ?? []) await api.stop();
  await world?.close();
});

const follow = (following: Following): Following => {
  open.push(following);
  return following;
};
/** A new subscriber gets nothing until something happens, so it is repeated until it arrives. */
async function received(following: Following, sessionId: string, isTyping: boolean, agentId: string | null) {
  const ringing = setInterval(
    () =>
      board.agentTyping({
        organizationId: 'org-1',
        chatbotId: 'bot-1',
        sessionId,
        externalId: 'alice',
        agentId,
        isTyping,
        at: '2026-11-22T12:00:00.000Z',
      }),
    20,
  );
  try {
    return (
      await following.until(results => results.some(({ data }) => data?.supportTyping.isTyping === isTyping))
    ).map(({ data }) => data.supportTyping);
  } finally {
    clearInterval(ringing);
  }
}

it.each([
  ['here', 0, overWebSocket],
  ['on another replica', 1, overSse],
] as const)('a subscriber of a session %s receives typing and its stop', async (_where, at, over) => {
  const session = await world.open();
  const [agent] = await world.stores.setup.listAgents('org-1', null);
  const following = follow(over(apis[at]!.url, caller('ui'))(TYPING, { sessionId: session.id }));
  await received(following, session.id, true, agent!.id);
  expect(await received(following, session.id, false, agent!.id)).toEqual(
    [true, false].map(isTyping => ({
      isTyping,
      at: '2026-11-22T12:00:00.000Z',
      agent: { id: agent!.id, name: 'Alice' },
      session: { id: session.id, control: 'BOT' },
    })),
  );
});

const OF_ALL =
  'subscription ($sessionId: ID, $chatbotId: ID) { supportTyping(sessionId: $sessionId, chatbotId: $chatbotId) { isTyping session { id } } }';

it.each([
  ['a chatbot', { chatbotId: 'bot-1' }],
  ['the organization', {}],
])(
  'a subscriber of %s receives the typing of all of its sessions in one subscription, and of no others',
  async (_whose, variables) => {
    const [one, two] = [await world.open(), await world.open()];
    const following = follow(overWebSocket(apis[0]!.url, caller('bot'))(OF_ALL, variables));
    const foreign = follow(overSse(apis[0]!.url, caller('bot', 'org-2'))(OF_ALL, {}));
    const types = (sessionId: string, isTyping: boolean, organizationId = 'org-1') =>
      board.agentTyping({
        organizationId,
        chatbotId: 'bot-1',
        sessionId,
        externalId: 'alice',
        agentId: null,
        isTyping,
        at: '2026-11-22T12:00:00.000Z',
      });
    // Repeated until both get it: no first item shows when a subscription started.
    const ringing = setInterval(() => {
      types(one.id, true);
      types(two.id, true);
      types(one.id, true, 'org-2');
    }, 20);
    try {
      await following.until(results => results.length === 2);
      await foreign.until(results => results.length === 1);
    } finally {
      clearInterval(ringing);
    }
    types(two.id, false);
    await following.until(results => results.length === 3);
    const typingOf = ({ data: { supportTyping } }: any): string =>
      `${supportTyping.session.id} ${supportTyping.isTyping}`;
    expect(following.results.map(typingOf)).toEqual([`${one.id} true`, `${two.id} true`, `${two.id} false`]);
    // The named session is not that organization's, and is not shown to it.
    expect(foreign.results).toHaveLength(1);
    expect(foreign.results[0].data).toBeNull();
  },
);

it.each([
  ['an unknown chatbot', caller('bot'), { chatbotId: 'bot-unknown' }, 'CHATBOT_NOT_ENABLED'],
  ['a foreign chatbot', caller('bot', 'org-2'), { chatbotId: 'bot-1' }, 'CHATBOT_NOT_ENABLED'],
  ['a session and a chatbot together', caller('bot'), { sessionId: 'x', chatbotId: 'bot-1' }, 'INPUT_INVALID'],
] as const)('a subscription to typing of %s is refused', async (_what, as, variables, code) => {
  const following = follow(overWebSocket(apis[0]!.url, as)(OF_ALL, variables));
  const [refused] = await following.until(results => results.length > 0);
  expect(refused.errors[0].extensions.code).toBe(code);
});

it('an unlisted person types without a name', async () => {
  const session = await world.open();
  const following = follow(overWebSocket(apis[0]!.url, caller('ui'))(TYPING, { sessionId: session.id }));
  expect(await received(following, session.id, true, null)).toMatchObject([{ isTyping: true, agent: null }]);
});

it('a session of another organization is unknown, to subscribers and to senders', async () => {
  const session = await world.open();
  const following = follow(overWebSocket(apis[0]!.url, caller('ui', 'org-2'))(TYPING, { sessionId: session.id }));
  const [refused] = await following.until(results => results.length > 0);
  expect(refused.errors[0].extensions.code).toBe('SESSION_NOT_FOUND');
  const { data } = await apis[0]!.run(
    SET,
    { input: { sessionId: session.id, isTyping: true } },
    caller('bot', 'org-2'),
  );
  expect(data.setSupportTyping).toEqual({
    isForwarded: false,
    userErrors: [{ code: 'SESSION_NOT_FOUND', field: 'sessionId' }],
  });
});

it('typing is not shown where the provider has none, and only the runtime may send it', async () => {
  const session = await world.open();
  await world.ask(session.id);
  const { data } = await apis[0]!.run(SET, { input: { sessionId: session.id, isTyping: true } });
  expect(data.setSupportTyping).toEqual({ isForwarded: false, userErrors: [] });
  expect(
    (await apis[0]!.run(SET, { input: { sessionId: session.id, isTyping: true } }, caller('ui'))).errors![0].extensions
      .code,
  ).toBe('FORBIDDEN');
});
