import { deliver } from '../../../src/core/flows/to-provider/deliver';
import { Worker } from '../../../src/delivery';
import { caller, createFlowWorld, type FlowWorld, type GraphqlApi, startGraphqlApi } from './room';
import { createLease } from '../../../src/testing/lease';
import { quiet } from '../../support/quiet';
import { until } from '../../support/until';

let world: FlowWorld;
let api: GraphqlApi;
beforeEach(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
});
afterEach(async () => {
  await api?.stop();
  await world?.close();
});

const OPERATOR = { ...caller('operator'), 'x-user-id': 'user-7' };
const run = async (query: string, variables: object = {}, as: Record<string, string> = OPERATOR) =>
  (await api.run(query, variables, as)).body;
const LIST = `query ($filter: SupportDeadLetterFilterInput, $state: SupportDeadLetterState, $first: Int, $after: String) {
  supportDeadLetters(filter: $filter, state: $state, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id state destination kind code outcome attempts messageId createdAt parkedAt isBlockingLane discardedAt discardReason session { id } handoff { id } message { text author } }
  } }`;
const list = async (variables: object = {}) => (await run(LIST, variables)).data.supportDeadLetters;
const change =
  (name: 'resendSupportDeadLetters' | 'discardSupportDeadLetters') =>
  async (input: object, as?: Record<string, string>) => {
    const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input`;
    const body = await run(
      `mutation ($input: ${type}!) { ${name}(input: $input) { count skippedIds hasMore endCursor userErrors { code field } } }`,
      { input },
      as,
    );
    return body.errors ? body : body.data[name];
  };
const resend = change('resendSupportDeadLetters');
const discard = change('discardSupportDeadLetters');
const DONE = { skippedIds: [], hasMore: false, userErrors: [] };

/** Delivers as the worker does, until nothing is due. */
async function work(): Promise<void> {
  const worker = new Worker(world.deps, { leaseMs: 60_000, concurrency: 4, concurrencyPerRemote: 4, pollMs: 5 }, quiet);
  await worker.start();
  const isBusy = async () =>
    (await world.pool.query("select from lane where destination = 'PROVIDER' and next_run_at is not null")).rows
      .length > 0;
  await until(async () => !(await isBusy()));
  await worker.stop();
}
/** A session whose first message is refused for good; the later ones arrive, or wait. */
async function poisoned(...texts: string[]): Promise<string> {
  const { id } = await world.open();
  for (const text of texts) await world.user(id, text);
  world.provider.failNext('postMessage', 'refused');
  await work();
  return id;
}
const shown = (sessionId: string) =>
  world.provider
    .shown(world.provider.conversations.find(one => one.sessionId === sessionId))
    .map(text => text.replace('END_USER: ', ''));
const history = async (sessionId: string) =>
  (await world.events(sessionId)).map(({ body }) => body).filter(({ type }) => type.startsWith('DELIVERY'));

it('a poison message is parked with its reason, the lane continues, and operators see what it was', async () => {
  const sessionId = await poisoned('poison', 'two');
  expect(shown(sessionId)).toEqual(['two']);
  const { nodes, totalCount } = await list();
  expect(totalCount).toBe(1);
  expect(nodes).toEqual([
    {
      id: expect.any(String),
      state: 'PARKED',
      destination: 'PROVIDER',
      kind: 'POST_MESSAGE',
      code: 'PROVIDER_REFUSED',
      outcome: 'NOT_DELIVERED',
      attempts: 1,
      messageId: expect.any(String),
      createdAt: '2026-11-22T12:00:00.000Z',
      parkedAt: '2026-11-22T12:00:00.000Z',
      isBlockingLane: false,
      discardedAt: null,
      discardReason: null,
      session: { id: sessionId },
      handoff: null,
      message: { text: 'poison', author: 'END_USER' },
    },
  ]);
  expect(await history(sessionId)).toEqual([
    {
      type: 'DELIVERY_PARKED',
      deliveryId: nodes[0].id,
      kind: 'POST_MESSAGE',
      code: 'PROVIDER_REFUSED',
      outcome: 'NOT_DELIVERED',
    },
  ]);
});

it('a resent dead letter is delivered once, however often it is repeated, and the history names who resent it', async () => {
  const sessionId = await poisoned('poison', 'two');
  const {
    nodes: [deadLetter],
  } = await list();
  expect(await resend({ ids: [deadLetter.id] })).toEqual({ ...DONE, count: 1, endCursor: null });
  expect(await resend({ ids: [deadLetter.id, 'nonsense'] })).toEqual({
    ...DONE,
    count: 0,
    skippedIds: [deadLetter.id, 'nonsense'],
    endCursor: null,
  });
  await work();
  expect(shown(sessionId)).toEqual(['two', 'poison']);
  expect(await list()).toMatchObject({ totalCount: 0, nodes: [] });
  expect(await history(sessionId)).toMatchObject([
    { type: 'DELIVERY_PARKED' },
    { type: 'DELIVERY_RESENT', deliveryId: deadLetter.id, kind: 'POST_MESSAGE', by: 'user-7' },
  ]);
});

it('a resent write that had been made before the response was cut is found and not repeated', async () => {
  const { id: sessionId } = await world.open();
  await world.user(sessionId, 'one');
  world.provider.failNext('postMessage', 'after');
  const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  await expect(deliver(world.deps, lane!.delivery, createLease())).rejects.toMatchObject({ delivered: 'unknown' });
  await world.stores.lanes.park(lane!, 'PROVIDER_UNAVAILABLE');
  expect(await resend({ all: true })).toMatchObject({ count: 1 });
  await work();
  expect(shown(sessionId)).toEqual(['one']);
});

describe('a dead letter of unknown outcome', () => {
  let sessionId: string;
  beforeEach(async () => {
    ({ id: sessionId } = await world.open());
    await world.user(sessionId, 'one');
    world.provider.failNext('postMessage', 'before');
    const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
    await expect(deliver(world.deps, lane!.delivery, createLease())).rejects.toMatchObject({ delivered: 'no' });
    await world.stores.lanes.park(lane!, 'PROVIDER_UNAVAILABLE', 'UNKNOWN');
  });
  const EVENTS = `query ($id: ID!) { supportSession(id: $id) { events { __typename ... on SupportDeliveryParked { outcome } ... on SupportDeliveryResent { by skipLookup } } } }`;
  const events = async () => (await run(EVENTS, { id: sessionId })).data.supportSession.events.slice(-2);

  it('is listed, explained and counted as such', async () => {
    await world.user(sessionId, 'poison');
    world.provider.failNext('postMessage', 'refused');
    await work();
    expect(await list({ filter: { outcome: 'UNKNOWN' } })).toMatchObject({
      totalCount: 1,
      nodes: [{ outcome: 'UNKNOWN', message: { text: 'one' } }],
    });
    expect(await list({ filter: { outcome: 'NOT_DELIVERED' } })).toMatchObject({
      totalCount: 1,
      nodes: [{ message: { text: 'poison' } }],
    });
    expect(
      (
        await run(
          'query ($id: ID!) { supportExplain(sessionId: $id) { pendingDeliveries { parked parkedUnknown } } }',
          { id: sessionId },
        )
      ).data.supportExplain,
    ).toEqual({ pendingDeliveries: { parked: 2, parkedUnknown: 1 } });
  });

  it("is written without a lookup on an operator's statement, and the history names the operator", async () => {
    const {
      nodes: [deadLetter],
    } = await list();
    const given: boolean[] = [];
    const real = world.provider.postMessage;
    world.provider.postMessage = async request => {
      given.push(request.mayExist);
      return real(request);
    };
    expect(await resend({ ids: [deadLetter.id], skipLookup: true })).toMatchObject({ ...DONE, count: 1 });
    await work();
    expect(given).toEqual([false]);
    expect(shown(sessionId)).toEqual(['one']);
    expect(await events()).toEqual([
      { __typename: 'SupportDeliveryParked', outcome: 'UNKNOWN' },
      { __typename: 'SupportDeliveryResent', by: 'user-7', skipLookup: true },
    ]);
  });

  it('cannot be declared missing by a filter', async () => {
    for (const chosen of [{ filter: { outcome: 'UNKNOWN' } }, { all: true }])
      expect(await resend({ ...chosen, skipLookup: true })).toMatchObject({
        count: 0,
        userErrors: [{ code: 'INPUT_INVALID', field: 'skipLookup' }],
      });
    expect(await list()).toMatchObject({ totalCount: 1 });
    expect(await resend({ filter: { outcome: 'UNKNOWN' } })).toMatchObject({ count: 1 });
    expect((await events())[1]).toEqual({ __typename: 'SupportDeliveryResent', by: 'user-7', skipLookup: null });
  });
});

it('all dead letters, or those of a filter, are resent in order within each session', async () => {
  const sessions = await Promise.all([world.open(), world.open()]);
  for (const text of ['one', 'two', 'three']) for (const { id } of sessions) await world.user(id, text);
  for (let i = 0; i < 4; i++) world.provider.failNext('postMessage', 'refused');
  await work();
  const { nodes } = await list({ first: 2 });
  const { pageInfo } = await list({ first: 2 });
  expect([...nodes, ...(await list({ first: 10, after: pageInfo.endCursor })).nodes]).toEqual((await list()).nodes);
  const [first, second] = sessions.map(({ id }) => id) as [string, string];
  const parkedOf = async (sessionId: string) =>
    (await list({ filter: { sessionId } })).nodes.map((node: any) => node.message.text);
  const parked = [await parkedOf(first), await parkedOf(second)];
  expect(parked.flat()).toHaveLength(4);
  expect(await resend({ filter: { sessionId: first } })).toMatchObject({ ...DONE, count: parked[0].length });
  await work();
  expect(shown(first).slice(-parked[0].length || Infinity)).toEqual(parked[0]);
  expect(await parkedOf(second)).toEqual(parked[1]);
  expect(await resend({ all: true })).toMatchObject({ ...DONE, count: parked[1].length });
  await work();
  expect(shown(second).slice(-parked[1].length || Infinity)).toEqual(parked[1]);
  expect([...shown(first)].sort()).toEqual(['one', 'three', 'two']);
});

it('a huge number is resent in bounded parts, and what is parked again meanwhile is not taken twice', async () => {
  const { id: sessionId } = await world.open();
  await world.user(sessionId, 'one');
  const {
    rows: [{ payload }],
  } = await world.pool.query(
    "update delivery set state = 'PARKED', parked_at = created_at, attempts = 1, last_error_code = 'X' returning payload",
  );
  await world.pool.query(
    `
    insert into delivery (organization_id, chatbot_id, session_id, destination, state, kind, payload, position, attempts, last_error_code, created_at, parked_at)
    select organization_id, chatbot_id, session_id, destination, state, kind, $1, position, 1, 'X', created_at, parked_at from delivery, generate_series(1, 600)`,
    [payload],
  );
  const first = await resend({ all: true });
  expect(first).toMatchObject({ count: 500, hasMore: true });
  await world.pool.query("update delivery set state = 'PARKED', parked_at = now() where state = 'WAITING'");
  expect(await resend({ all: true, after: first.endCursor })).toMatchObject({ count: 101, hasMore: false });
});

it('with the policy BLOCK the lane waits, supportExplain names the dead letter, and discarding it lets the lane continue', async () => {
  const policy =
    'mutation ($input: UpdateSupportPolicyInput!) { updateSupportPolicy(input: $input) { inbox { policy { onDeadLetter } } } }';
  expect(
    (await run(policy, { input: { chatbotId: 'bot-1', policy: { onDeadLetter: 'BLOCK' } } })).data.updateSupportPolicy
      .inbox.policy,
  ).toEqual({ onDeadLetter: 'BLOCK' });
  const sessionId = await poisoned('poison', 'two');
  const explain = async () =>
    (
      await run(
        'query ($id: ID!) { supportExplain(sessionId: $id) { pendingDeliveries { provider parked } blockedLanes { destination deadLetterId kind code outcome parkedAt } } }',
        { id: sessionId },
        caller('ui'),
      )
    ).data.supportExplain;
  const {
    nodes: [deadLetter],
  } = await list();
  expect(deadLetter.isBlockingLane).toBe(true);
  expect(await explain()).toEqual({
    pendingDeliveries: { provider: 1, parked: 1 },
    blockedLanes: [
      {
        destination: 'PROVIDER',
        deadLetterId: deadLetter.id,
        kind: 'POST_MESSAGE',
        code: 'PROVIDER_REFUSED',
        outcome: 'NOT_DELIVERED',
        parkedAt: deadLetter.parkedAt,
      },
    ],
  });
  await world.user(sessionId, 'three');
  await work();
  expect(world.provider.conversations.at(-1)!.entries).toEqual([]);
  expect(await discard({ ids: [deadLetter.id], reason: 'spam' })).toEqual({ ...DONE, count: 1, endCursor: null });
  await work();
  expect(shown(sessionId)).toEqual(['two', 'three']);
  expect(await explain()).toEqual({ pendingDeliveries: { provider: 0, parked: 0 }, blockedLanes: [] });
  expect((await list({ state: 'DISCARDED' })).nodes).toMatchObject([
    {
      id: deadLetter.id,
      state: 'DISCARDED',
      discardReason: 'spam',
      discardedAt: '2026-11-22T12:00:00.000Z',
      message: { text: 'poison' },
    },
  ]);
  expect(await history(sessionId)).toMatchObject([
    { type: 'DELIVERY_PARKED' },
    { type: 'DELIVERY_DISCARDED', deliveryId: deadLetter.id, reason: 'spam', by: 'user-7' },
  ]);
});

it('the history shows parking, resending and discarding to subscribers of the session', async () => {
  const sessionId = await poisoned('poison');
  const {
    nodes: [deadLetter],
  } = await list();
  await resend({ ids: [deadLetter.id] });
  world.provider.failNext('postMessage', 'refused');
  await work();
  await discard({ filter: { code: 'PROVIDER_REFUSED' }, reason: 'twice refused' });
  const { data } = await run(
    `query ($id: ID!) { supportSession(id: $id) { events { __typename
    ... on SupportDeliveryParked { deliveryId kind code } ... on SupportDeliveryResent { deliveryId kind by } ... on SupportDeliveryDiscarded { deliveryId kind reason } } } }`,
    { id: sessionId },
  );
  expect(data.supportSession.events.slice(-4)).toEqual([
    { __typename: 'SupportDeliveryParked', deliveryId: deadLetter.id, kind: 'POST_MESSAGE', code: 'PROVIDER_REFUSED' },
    { __typename: 'SupportDeliveryResent', deliveryId: deadLetter.id, kind: 'POST_MESSAGE', by: 'user-7' },
    { __typename: 'SupportDeliveryParked', deliveryId: deadLetter.id, kind: 'POST_MESSAGE', code: 'PROVIDER_REFUSED' },
    {
      __typename: 'SupportDeliveryDiscarded',
      deliveryId: deadLetter.id,
      kind: 'POST_MESSAGE',
      reason: 'twice refused',
    },
  ]);
});

it('a resent return does not take the conversation from agents who were requested again since', async () => {
  const { id: sessionId } = await world.open();
  await world.ask(sessionId);
  await work();
  const key = { idempotencyKey: world.nextKey() };
  await world.flows.endHandoff(
    { organizationId: 'org-1' },
    { sessionId, handoffId: null, reason: 'BOT_CANCELLED', ...key },
  );
  world.provider.failNext('returnToBot', 'refused');
  await work();
  const { handoff } = await world.ask(sessionId);
  await work();
  expect(await resend({ filter: { kind: 'RETURN_CONVERSATION' } })).toMatchObject({ count: 1 });
  await work();
  expect(world.provider.onlyConversation.view.status).toBe('OPEN');
  expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
});

it('a refused part of the history can be resent by itself', async () => {
  await world.flows.updatePolicy({ organizationId: 'org-1' }, 'bot-1', { mirroring: 'ON_HANDOFF' });
  const { id: sessionId } = await world.open();
  for (const text of ['poison', 'two']) await world.user(sessionId, text);
  await world.ask(sessionId);
  world.provider.failNext('postMessage', 'refused');
  await work();
  expect(shown(sessionId)).toEqual(['two']);
  expect((await list()).nodes).toMatchObject([{ kind: 'POST_MESSAGE', message: { text: 'poison' } }]);
  await resend({ all: true });
  await work();
  expect(shown(sessionId)).toEqual(['two', 'poison']);
});

it('dead letters are for operators of their organization', async () => {
  await poisoned('poison');
  const {
    nodes: [deadLetter],
  } = await list();
  const stranger = caller('operator', 'org-2');
  expect((await run(LIST, {}, stranger)).data.supportDeadLetters.nodes).toEqual([]);
  expect(await resend({ ids: [deadLetter.id] }, stranger)).toMatchObject({ count: 0, skippedIds: [deadLetter.id] });
  expect(await resend({ all: true }, stranger)).toMatchObject({ count: 0 });
  expect(await discard({ ids: [deadLetter.id], reason: 'x' }, stranger)).toMatchObject({ count: 0 });
  for (const role of ['bot', 'ui']) {
    expect((await run(LIST, {}, caller(role))).errors[0].extensions.code).toBe('FORBIDDEN');
    expect((await resend({ all: true }, caller(role))).errors[0].extensions.code).toBe('FORBIDDEN');
    expect((await discard({ ids: [], reason: 'x' }, caller(role))).errors[0].extensions.code).toBe('FORBIDDEN');
  }
  expect((await list()).totalCount).toBe(1);
});

it.each([
  ['ids', {}],
  ['ids', { ids: ['1'], all: true }],
  ['ids', { ids: ['1'], filter: { kind: 'POST_NOTE' } }],
  ['filter', { filter: {} }],
  ['ids', { ids: Array.from({ length: 501 }, (_, i) => `${i}`) }],
  ['after', { ids: ['1'], after: 'x' }],
])('%s is named when it does not identify dead letters', async (field, input) => {
  expect(await resend(input)).toMatchObject({ count: 0, userErrors: [{ code: 'INPUT_INVALID', field }] });
});

it('discarding requires a reason, and the list requires its own cursor', async () => {
  for (const reason of ['', '  ', 'x'.repeat(501)])
    expect(await discard({ ids: ['1'], reason })).toMatchObject({
      count: 0,
      userErrors: [{ code: 'INPUT_INVALID', field: 'reason' }],
    });
  expect(await resend({ all: true, after: 'x' })).toMatchObject({ userErrors: [{ code: 'CURSOR_INVALID' }] });
});
