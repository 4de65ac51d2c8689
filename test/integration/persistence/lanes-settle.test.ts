import type { ClaimedLane } from '../../../src/core/ports/lane-store';
import type { SessionTransaction } from '../../../src/core/ports/session-transaction';
import { DEFAULT_POLICY } from '../../../src/core/setup';
import { ANY_DEAD_LETTER } from '../../../src/testing/any-dead-letter';
import { createStoreWorld, ORG, said, type StoreWorld } from './store-world';

/* A write can be looked up once it can have no more effect at the provider. Nothing of its lane starts before that. */

const HOUR = 3_600_000;
let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());
let id: string;
beforeEach(async () => {
  await world.sql('truncate lane, delivery, handoff, message, event, agent_initiated_conversation, session');
  ({ id } = await world.open());
});
const lanes = () => world.stores.lanes;
const claim = async (): Promise<ClaimedLane | undefined> => (await lanes().claimDeliveries('PROVIDER', 1, 60_000))[0];
const letTimePass = () => world.sql('update lane set next_run_at = now() where next_run_at is not null');
const within = async <T>(work: (tx: SessionTransaction) => Promise<T>): Promise<T> =>
  (await world.stores.sessions.transact(ORG, id, work)).result;
const enqueue = () =>
  within(async tx =>
    tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: (await tx.insertMessage(said({ text: 'hello' }))).id }),
  );
const parked = async () =>
  (await world.stores.deadLetters.page(ORG, 'PARKED', ANY_DEAD_LETTER, { first: 10, after: null })).edges.map(
    ({ node }) => node.id,
  );
const sendAgain = () => within(async tx => tx.resend(await parked()));
const fails = (lane: ClaimedLane) => lanes().retry(lane, HOUR, 'PROVIDER_UNAVAILABLE', true, 'UNKNOWN', HOUR);

it.each(['after', 'while'] as const)(
  'a dead letter that is sent again %s a later delivery is attempted comes first, once the outcome of that attempt can no longer change',
  async when => {
    await enqueue();
    await lanes().park((await claim())!, 'PROVIDER_REFUSED');
    const [deadLetterId] = await parked();
    await enqueue();
    const later = (await claim())!;
    if (when === 'while') await sendAgain();
    await fails(later);
    if (when === 'after') await sendAgain();
    expect(await claim()).toBeUndefined();
    await letTimePass();
    const first = (await claim())!;
    expect(first.delivery.id).toBe(deadLetterId);
    await lanes().complete(first);
    expect(await claim()).toBeUndefined();
    await letTimePass();
    expect((await claim())!.delivery.id).toBe(later.delivery.id);
  },
);

it.each(['after', 'while'] as const)(
  "a dead letter that is sent again %s the head is attempted does not shorten the head's wait",
  async when => {
    await enqueue();
    const head = (await claim())!;
    await within(tx => tx.enqueueForProvider({ kind: 'POST_NOTE', noteId: 'n', text: 't' }));
    await world.sql(
      "update delivery set state = 'PARKED', parked_at = now(), last_error_code = 'OUTCOME_UNKNOWN', outcome_unknown = true where kind = 'POST_NOTE'",
    );
    if (when === 'while') await sendAgain();
    await fails(head);
    if (when === 'after') await sendAgain();
    expect(await claim()).toBeUndefined();
    await letTimePass();
    expect((await claim())!.delivery.id).toBe(head.delivery.id);
  },
);

it('a parked write delays later deliveries, later messages and its own resend until it can have no more effect', async () => {
  await enqueue();
  await enqueue();
  await lanes().park((await claim())!, 'PROVIDER_UNAVAILABLE', 'UNKNOWN', HOUR);
  expect(await claim()).toBeUndefined();
  await enqueue();
  await sendAgain();
  expect(await claim()).toBeUndefined();
  await letTimePass();
  expect((await claim())!.delivery.id).toBeDefined();
});

it('a parked write also delays a delivery to a lane that had nothing pending', async () => {
  await enqueue();
  await lanes().park((await claim())!, 'PROVIDER_UNAVAILABLE', 'UNKNOWN', HOUR);
  await enqueue();
  expect(await claim()).toBeUndefined();
});

it('a parked write also delays a lane that is unblocked', async () => {
  await world.stores.setup.updateInbox(world.inbox.id, { policy: { ...DEFAULT_POLICY, onDeadLetter: 'BLOCK' } });
  await enqueue();
  await enqueue();
  await lanes().park((await claim())!, 'PROVIDER_UNAVAILABLE', 'UNKNOWN', HOUR);
  await within(async tx => tx.discard(await parked(), 'it is there'));
  await world.stores.setup.updateInbox(world.inbox.id, { policy: DEFAULT_POLICY });
  expect(await claim()).toBeUndefined();
  await letTimePass();
  expect(await claim()).toBeDefined();
});

it('a write that certainly had no effect delays nothing', async () => {
  await enqueue();
  await enqueue();
  await lanes().park((await claim())!, 'PROVIDER_REFUSED', 'NOT_DELIVERED');
  expect(await claim()).toBeDefined();
});
