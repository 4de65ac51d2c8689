import type { ClaimedLane } from '../../../src/core/ports/lane-store';
import type { SessionTransaction } from '../../../src/core/ports/session-transaction';
import { DEFAULT_POLICY } from '../../../src/core/setup';
import { ANY_DEAD_LETTER } from '../../support/any-dead-letter';
import { createStoreWorld, ORG, said, type StoreWorld } from './store-world';

/* What a try may have written can be looked for when it has settled over there. Nothing of its lane is begun before. */

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
const settled = () => world.sql('update lane set next_run_at = now() where next_run_at is not null');
const within = async <T>(work: (tx: SessionTransaction) => Promise<T>): Promise<T> =>
  (await world.stores.sessions.transact(ORG, id, work)).result;
const owe = () =>
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
  'a dead letter that is sent again %s one behind it is tried comes when that has settled, and first',
  async when => {
    await owe();
    await lanes().park((await claim())!, 'PROVIDER_REFUSED');
    const [letter] = await parked();
    await owe();
    const behind = (await claim())!;
    if (when === 'while') await sendAgain();
    await fails(behind);
    if (when === 'after') await sendAgain();
    expect(await claim()).toBeUndefined();
    await settled();
    const first = (await claim())!;
    expect(first.delivery.id).toBe(letter);
    await lanes().complete(first);
    expect(await claim()).toBeUndefined();
    await settled();
    expect((await claim())!.delivery.id).toBe(behind.delivery.id);
  },
);

it.each(['after', 'while'] as const)(
  'one that is sent again %s the head before it is tried does not bring that before its time',
  async when => {
    await owe();
    const head = (await claim())!;
    await within(tx => tx.enqueueForProvider({ kind: 'POST_NOTE', noteId: 'n', text: 't' }));
    await world.sql(
      "update delivery set state = 'PARKED', parked_at = now(), last_error_code = 'OUTCOME_UNKNOWN', outcome_unknown = true where kind = 'POST_NOTE'",
    );
    if (when === 'while') await sendAgain();
    await fails(head);
    if (when === 'after') await sendAgain();
    expect(await claim()).toBeUndefined();
    await settled();
    expect((await claim())!.delivery.id).toBe(head.delivery.id);
  },
);

it('what is behind a write that was set aside waits until that has settled, and so do later turns and the write itself, sent again', async () => {
  await owe();
  await owe();
  await lanes().park((await claim())!, 'PROVIDER_UNAVAILABLE', 'UNKNOWN', HOUR);
  expect(await claim()).toBeUndefined();
  await owe();
  await sendAgain();
  expect(await claim()).toBeUndefined();
  await settled();
  expect((await claim())!.delivery.id).toBeDefined();
});

it('so does what is owed to a lane that has come to rest', async () => {
  await owe();
  await lanes().park((await claim())!, 'PROVIDER_UNAVAILABLE', 'UNKNOWN', HOUR);
  await owe();
  expect(await claim()).toBeUndefined();
});

it('so does a lane that is no longer blocked', async () => {
  await world.stores.setup.updateInbox(world.inbox.id, { policy: { ...DEFAULT_POLICY, onDeadLetter: 'BLOCK' } });
  await owe();
  await owe();
  await lanes().park((await claim())!, 'PROVIDER_UNAVAILABLE', 'UNKNOWN', HOUR);
  await within(async tx => tx.discard(await parked(), 'it is there'));
  await world.stores.setup.updateInbox(world.inbox.id, { policy: DEFAULT_POLICY });
  expect(await claim()).toBeUndefined();
  await settled();
  expect(await claim()).toBeDefined();
});

it('what is known to have written nothing keeps nobody waiting', async () => {
  await owe();
  await owe();
  await lanes().park((await claim())!, 'PROVIDER_REFUSED', 'NOT_DELIVERED');
  expect(await claim()).toBeDefined();
});
