import { overWebSocket } from './following';
import { caller, createFlowWorld, type FlowWorld, type GraphqlApi, startGraphqlApi } from './room';

const MARK = `mutation ($input: MarkSupportMessagesReadInput!) { markSupportMessagesRead(input: $input) {
  markedCount replayed session { id agentsReadAt } userErrors { code field } } }`;
const EVENTS = `subscription ($sessionId: ID!) { supportSessionEvents(sessionId: $sessionId, after: 1) { event { __typename ... on SupportMessagesRead { throughSeq } } } }`;

let world: FlowWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

it("the end-user's read mark is recorded once, however it is sent, and reaches subscribers", async () => {
  const session = await world.open();
  await world.user(session.id, 'one');
  const { message: two } = await world.bot(session.id, 'two');
  const { message: three } = await world.bot(session.id, 'three');
  const mark = async (throughMessageId: string, idempotencyKey: string) =>
    (await api.run(MARK, { input: { sessionId: session.id, throughMessageId, idempotencyKey } })).data
      .markSupportMessagesRead;
  expect(await mark(two.id, 'a')).toEqual({
    markedCount: 1,
    replayed: false,
    session: { id: session.id, agentsReadAt: null },
    userErrors: [],
  });
  expect(await mark(two.id, 'a')).toMatchObject({ markedCount: 1, replayed: true });
  expect(await mark(two.id, 'b')).toMatchObject({ markedCount: 0, replayed: false });
  expect(await mark(three.id, 'c')).toMatchObject({ markedCount: 1 });
  expect(await mark(two.id, 'c')).toMatchObject({ markedCount: 0, userErrors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
  const states = (await world.stores.messages.page('org-1', session.id, { first: 10, after: null })).edges.map(
    ({ node }) => node.channelState,
  );
  expect(states).toEqual([null, 'READ', 'READ']);

  const following = overWebSocket(api.url, caller('ui'))(EVENTS, { sessionId: session.id });
  const events = (results: any[]) =>
    results.flatMap(({ data }) =>
      data?.supportSessionEvents.event?.__typename === 'SupportMessagesRead'
        ? [data.supportSessionEvents.event.throughSeq]
        : [],
    );
  expect(events(await following.until(results => events(results).length >= 2))).toEqual([2, 3]);
  await following.leave();
});
