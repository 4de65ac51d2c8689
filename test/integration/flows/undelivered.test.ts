import { recordPosted } from '../../../src/core/flows/undelivered';
import type { MessageRecord } from '../../../src/core/message';
import { Worker } from '../../../src/delivery';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { caller, startGraphqlApi } from '../graphql/room';
import { quiet } from '../../support/quiet';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

/** Runs due work until the condition holds. */
async function work(until: () => Promise<boolean>): Promise<void> {
  const worker = new Worker(world.deps, { leaseMs: 60_000, concurrency: 2, concurrencyPerRemote: 2, pollMs: 5 }, quiet);
  await worker.start();
  try {
    while (!(await until()))
      await new Promise(resolve => {
        setTimeout(resolve, 5);
      });
  } finally {
    await worker.stop();
  }
}
const notices = async (sessionId: string) => (await world.inbox(sessionId)).map(({ notice }) => notice);
const parked = async (sessionId: string) =>
  (
    await world.stores.deadLetters.page(
      ORG,
      'PARKED',
      {
        accountId: null,
        chatbotId: null,
        sessionId,
        destination: null,
        kind: null,
        code: null,
        parkedBefore: null,
        parkedAfter: null,
      },
      { first: 10, after: null },
    )
  ).edges.map(({ node }) => node);
const isParked = (sessionId: string) => async () => (await parked(sessionId)).length > 0;
const resend = async (sessionId: string) =>
  world.flows.resendDeadLetters(
    scope,
    { ids: (await parked(sessionId)).map(({ id }) => id), filter: null, all: false, after: null },
    null,
  );

it('the runtime is notified that a message did not reach the agents, and that it did after all', async () => {
  const { id } = await world.open();
  world.provider.failNext('postMessage', 'refused');
  const { message } = await world.user(id, 'help');
  await work(isParked(id));
  expect(await notices(id)).toEqual([
    { kind: 'MESSAGE_UNDELIVERED', messageId: message.id, code: 'PROVIDER_REFUSED', outcome: 'NOT_DELIVERED' },
  ]);
  await resend(id);
  await work(async () => (await notices(id)).length > 1);
  expect((await notices(id)).slice(1)).toEqual([{ kind: 'MESSAGE_DELIVERED', messageId: message.id }]);
  expect(world.provider.shown()).toEqual(['END_USER: help']);
  // Later successes are not reported.
  await world.user(id, 'more');
  await world.deliverAll();
  expect(await notices(id)).toHaveLength(2);
});

it('the runtime is notified each time a new attempt fails for good, also for bot messages', async () => {
  const { id } = await world.open();
  world.provider.failNext('postMessage', 'refused');
  await world.bot(id, 'hello');
  await work(isParked(id));
  world.provider.failNext('postMessage', 'refused');
  await resend(id);
  await work(async () => (await notices(id)).length > 1);
  expect((await notices(id)).map(({ kind }) => kind)).toEqual(['MESSAGE_UNDELIVERED', 'MESSAGE_UNDELIVERED']);
});

it('the runtime is notified of what a handoff should have posted', async () => {
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
  const { id } = await world.open();
  const { message } = await world.user(id, 'help');
  await world.ask(id);
  world.provider.failNext('postMessage', 'refused');
  await world.deliverAll();
  expect((await notices(id))[0]).toEqual({
    kind: 'MESSAGE_UNDELIVERED',
    messageId: message.id,
    code: 'PROVIDER_REFUSED',
    outcome: 'NOT_DELIVERED',
  });
});

it('the runtime is notified that a message arrived when a sync finds it', async () => {
  const { id } = await world.open();
  await world.user(id, 'first');
  await world.deliverAll();
  const { message } = await world.user(id, 'help');
  const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  await world.stores.lanes.park(lane!, 'OUTCOME_UNKNOWN', 'UNKNOWN');
  expect(await notices(id)).toMatchObject([{ kind: 'MESSAGE_UNDELIVERED', outcome: 'UNKNOWN' }]);
  world.provider.onlyConversation.entries.push({
    id: 1_000,
    by: 'us',
    ourId: message.id,
    text: 'help',
    author: 'END_USER',
    agent: null,
  });
  await world.read(id);
  expect((await notices(id)).slice(1)).toEqual([{ kind: 'MESSAGE_DELIVERED', messageId: message.id }]);
});

it('the runtime is notified once, also when a sync finds the message while it is posted again', async () => {
  const { id } = await world.open();
  world.provider.failNext('postMessage', 'refused');
  const { message } = await world.user(id, 'help');
  await work(isParked(id));
  await resend(id);
  // The provider has the message, and the worker that posted it has not recorded that yet.
  world.provider.hooks.set('postMessage', async () => {
    await world.read(id);
  });
  expect(await world.deliverAll()).toEqual([]);
  expect(world.provider.shown()).toEqual(['END_USER: help']);
  expect((await notices(id)).slice(1)).toEqual([{ kind: 'MESSAGE_DELIVERED', messageId: message.id }]);
});

it.each([false, true])(
  'a message read before the transaction (isUndelivered: %s) decides nothing',
  async isUndelivered => {
    const { id } = await world.open();
    const { message } = await world.user(id, 'help');
    const notifications = async () => (await notices(id)).filter(({ kind }) => kind === 'MESSAGE_DELIVERED').length;
    const record = () =>
      world.stores.sessions.transact(ORG, id, tx =>
        recordPosted(tx, { ...message, isUndelivered } as MessageRecord, '1000'),
      );
    await record();
    expect(await notifications()).toBe(0);
    await world.stores.sessions.transact(ORG, id, tx => tx.updateMessage(message.id, { isUndelivered: true }));
    await record();
    await record();
    expect(await notifications()).toBe(1);
    expect(await world.stores.messages.get(ORG, message.id)).toMatchObject({
      providerMessageId: '1000',
      isUndelivered: false,
    });
  },
);

it('GraphQL returns the same notifications', async () => {
  const api = await startGraphqlApi(world);
  const { id } = await world.open();
  world.provider.failNext('postMessage', 'refused');
  const { message } = await world.user(id, 'help');
  await work(isParked(id));
  await resend(id);
  await work(async () => (await notices(id)).length > 1);
  const { data } = await api.run(
    `{ supportRuntimeInbox(first: 10) { nodes { notice { __typename
    ... on SupportMessageUndeliveredNotice { code deliveryOutcome message { id callerMessageId } } ... on SupportMessageDeliveredNotice { message { id } } } } } }`,
    {},
    caller('bot'),
  );
  expect(data.supportRuntimeInbox.nodes.map(({ notice }: { notice: object }) => notice)).toEqual([
    {
      __typename: 'SupportMessageUndeliveredNotice',
      code: 'PROVIDER_REFUSED',
      deliveryOutcome: 'NOT_DELIVERED',
      message: { id: message.id, callerMessageId: message.callerMessageId },
    },
    { __typename: 'SupportMessageDeliveredNotice', message: { id: message.id } },
  ]);
  await api.stop();
});
