import type { AttemptOutcome } from '../../../src/core/delivery';
import type { DeadLetterFilter } from '../../../src/core/ports/dead-letter-store';
import type { ClaimedLane } from '../../../src/core/ports/lane-store';
import type { SessionTransaction } from '../../../src/core/ports/session-transaction';
import { DEFAULT_POLICY } from '../../../src/core/setup';
import { ANY_DEAD_LETTER } from '../../../src/testing/any-dead-letter';
import { createStoreWorld, ORG, said, type StoreWorld } from './store-world';

/*
 * For each delivery the store records whether an attempt may have been stored at the remote, unless something has shown
 * the outcome since.
 */

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());
beforeEach(async () => {
  await world.sql('truncate lane, delivery, handoff, message, event, agent_initiated_conversation, session');
  await world.stores.setup.updateInbox(world.inbox.id, { policy: DEFAULT_POLICY });
});

const lanes = () => world.stores.lanes;
const claim = async (): Promise<ClaimedLane> => {
  await world.sql('update lane set next_run_at = now() where next_run_at is not null');
  return (await lanes().claimDeliveries('PROVIDER', 1, 60_000))[0]!;
};
const within = async <T>(sessionId: string, work: (tx: SessionTransaction) => Promise<T>): Promise<T> =>
  (await world.stores.sessions.transact(ORG, sessionId, work)).result;
async function pendingKind(): Promise<string> {
  const { id } = await world.open();
  await within(id, async tx =>
    tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: (await tx.insertMessage(said({ text: 'hello' }))).id }),
  );
  return id;
}
const fails = async (said?: AttemptOutcome) => lanes().retry(await claim(), 0, 'PROVIDER_UNAVAILABLE', true, said);
const parks = async (said?: AttemptOutcome) => lanes().park(await claim(), 'PROVIDER_UNAVAILABLE', said);
const dieDuringCall = async () => void (await claim());
const deadLetters = async (filter: Partial<DeadLetterFilter> = {}, state: 'PARKED' | 'DISCARDED' = 'PARKED') =>
  (
    await world.stores.deadLetters.page(ORG, state, { ...ANY_DEAD_LETTER, ...filter }, { first: 10, after: null })
  ).edges.map(({ node }) => node);

describe('a parked delivery', () => {
  it.each<[string, 'NOT_DELIVERED' | 'UNKNOWN', (() => Promise<unknown>)[]]>([
    ['is not there when its only try says so', 'NOT_DELIVERED', [() => parks()]],
    ['is not there when all of its tries say so', 'NOT_DELIVERED', [() => fails(), () => fails(), () => parks()]],
    ['may be there when the last try may have written it', 'UNKNOWN', [() => parks('UNKNOWN')]],
    [
      'may be there when an earlier try may have, whatever later ones met',
      'UNKNOWN',
      [() => fails('UNKNOWN'), () => fails(), () => parks()],
    ],
    [
      'is not there after a later attempt has looked it up',
      'NOT_DELIVERED',
      [() => fails('UNKNOWN'), () => fails('NOT_DELIVERED'), () => parks()],
    ],
    ['may be there when a process died over it', 'UNKNOWN', [dieDuringCall, () => fails(), () => parks()]],
    [
      'may be there when a process died over it after a try that failed',
      'UNKNOWN',
      [() => fails(), dieDuringCall, () => fails(), () => parks()],
    ],
    ['may be there when a process died and the next try is the last', 'UNKNOWN', [dieDuringCall, () => parks()]],
    [
      'is not there after a lookup that followed the death of a process',
      'NOT_DELIVERED',
      [dieDuringCall, () => parks('NOT_DELIVERED')],
    ],
    [
      'is not there when it was given back between two steps',
      'NOT_DELIVERED',
      [async () => lanes().release(await claim(), true), () => parks()],
    ],
    [
      'may be there when a process died before one gave it back',
      'UNKNOWN',
      [dieDuringCall, async () => lanes().release(await claim(), true), () => parks()],
    ],
    [
      'is not there when it was given back untried',
      'NOT_DELIVERED',
      [async () => lanes().release(await claim(), false), () => fails(), () => parks()],
    ],
  ])('%s', async (_what, outcome, steps) => {
    const id = await pendingKind();
    let last: unknown;
    for (const step of steps) last = await step();
    expect(last).toBe(outcome);
    expect(await deadLetters()).toMatchObject([{ outcome }]);
    expect((await world.stores.events.listBySession(ORG, id, null, 10)).at(-1)!.body).toMatchObject({
      type: 'DELIVERY_PARKED',
      outcome,
    });
    expect(await world.stores.deliveries.countPending(ORG, id)).toMatchObject({
      parked: 1,
      parkedUnknown: outcome === 'UNKNOWN' ? 1 : 0,
    });
  });

  it('is reported for a lane that waits behind it, and in a list of its own', async () => {
    await world.stores.setup.updateInbox(world.inbox.id, { policy: { ...DEFAULT_POLICY, onDeadLetter: 'BLOCK' } });
    const blocked = await pendingKind();
    await parks('UNKNOWN');
    await pendingKind();
    await parks();
    expect(await world.stores.deadLetters.findBlockedLanes(ORG, blocked)).toMatchObject([{ outcome: 'UNKNOWN' }]);
    expect(await deadLetters({ outcome: 'UNKNOWN' })).toMatchObject([{ sessionId: blocked }]);
    expect(await world.stores.deadLetters.count(ORG, 'PARKED', { ...ANY_DEAD_LETTER, outcome: 'NOT_DELIVERED' })).toBe(
      1,
    );
    expect(await deadLetters()).toHaveLength(2);
  });

  it('is reported also when it is discarded without an operator', async () => {
    await pendingKind();
    await fails('UNKNOWN');
    await lanes().discard(await claim(), 'SUPPORT_DISABLED', 'off');
    expect(await deadLetters({}, 'DISCARDED')).toMatchObject([{ outcome: 'UNKNOWN' }]);
  });
});

describe('a resent delivery of unknown outcome', () => {
  const again = (sessionId: string, ids: readonly string[], skipLookup?: boolean) =>
    within(sessionId, tx => tx.resend(ids, skipLookup));

  it('is looked up first, and stays unknown until a lookup has an answer', async () => {
    const id = await pendingKind();
    await parks('UNKNOWN');
    await again(
      id,
      (await deadLetters()).map(deadLetter => deadLetter.id),
    );
    const lane = await claim();
    expect(lane.delivery.previousAttempts).toBe(1);
    expect(await lanes().park(lane, 'PROVIDER_UNAVAILABLE')).toBe('UNKNOWN');
  });

  it("counts as never attempted on an operator's decision", async () => {
    const id = await pendingKind();
    await fails('UNKNOWN');
    await parks('UNKNOWN');
    await again(
      id,
      (await deadLetters()).map(deadLetter => deadLetter.id),
      true,
    );
    const lane = await claim();
    expect(lane.delivery.previousAttempts).toBe(0);
    expect(await lanes().park(lane, 'PROVIDER_REFUSED')).toBe('NOT_DELIVERED');
    expect(await deadLetters()).toMatchObject([{ attempts: 3, outcome: 'NOT_DELIVERED' }]);
  });
});

describe('a post that is not done', () => {
  const posts = (sessionId: string) => within(sessionId, tx => tx.unfinishedPosts());

  it('may be posted again unless only an operator can tell whether it exists', async () => {
    const id = await pendingKind();
    expect(await posts(id)).toMatchObject([{ state: 'WAITING', isUnknown: false, isLeftToOperator: false }]);
    await lanes().park(await claim(), 'PROVIDER_REFUSED');
    expect(await posts(id)).toMatchObject([{ state: 'PARKED', isUnknown: false, isLeftToOperator: false }]);
    await within(id, async tx => tx.resend((await deadLetters()).map(deadLetter => deadLetter.id)));
    await lanes().park(await claim(), 'OUTCOME_UNKNOWN', 'UNKNOWN');
    expect(await deadLetters()).toMatchObject([{ code: 'OUTCOME_UNKNOWN', outcome: 'UNKNOWN' }]);
    expect(await posts(id)).toMatchObject([
      { state: 'PARKED', work: { kind: 'POST_MESSAGE' }, isUnknown: true, isLeftToOperator: true },
    ]);
  });

  it('may be looked up until an operator decides against it; once the conversation is deleted it does not exist', async () => {
    const id = await pendingKind();
    await parks('UNKNOWN');
    expect(await posts(id)).toMatchObject([{ isLeftToOperator: false }]);
    await within(id, async tx =>
      tx.discard(
        (await deadLetters()).map(deadLetter => deadLetter.id),
        'it is there',
      ),
    );
    expect(await posts(id)).toMatchObject([{ isLeftToOperator: true }]);
    await within(id, tx => tx.clearUnknownOutcomes());
    expect(await posts(id)).toEqual([]);
  });

  it('is replaced by a later one, which is looked up as a resent one', async () => {
    const id = await pendingKind();
    await parks('UNKNOWN');
    const [deadLetter] = await deadLetters();
    const [post] = await posts(id);
    await within(id, tx =>
      tx.enqueueAllForProvider([
        { work: { kind: 'POST_NOTE', noteId: 'n', text: 't' } },
        { work: post!.work, instead: deadLetter!.id },
      ]),
    );
    expect(await deadLetters()).toEqual([]);
    expect((await claim()).delivery).toMatchObject({ work: { kind: 'POST_NOTE' }, previousAttempts: 0 });
    await lanes().complete(await claim());
    expect((await claim()).delivery).toMatchObject({
      work: post!.work,
      previousAttempts: 1,
      lastErrorCode: 'OUTCOME_UNKNOWN',
    });
  });

  it('delays nothing when it is optional, whatever the policy says', async () => {
    await world.stores.setup.updateInbox(world.inbox.id, { policy: { ...DEFAULT_POLICY, onDeadLetter: 'BLOCK' } });
    const { id } = await world.open();
    await within(id, async tx =>
      tx.enqueueAllForProvider([
        { work: { kind: 'POST_MESSAGE', messageId: (await tx.insertMessage(said())).id, optional: true } },
        { work: { kind: 'POST_NOTE', noteId: 'n', text: 't' } },
      ]),
    );
    await lanes().park(await claim(), 'OUTCOME_UNKNOWN', 'UNKNOWN');
    expect(await world.stores.deadLetters.findBlockedLanes(ORG, id)).toEqual([]);
    expect((await claim()).delivery.work).toMatchObject({ kind: 'POST_NOTE' });
  });

  it('that was withdrawn while a worker had it stays withdrawn', async () => {
    const id = await pendingKind();
    const lane = await claim();
    await within(id, tx => tx.withdrawOpening());
    await lanes().park(lane, 'PROVIDER_REFUSED');
    expect(await deadLetters()).toEqual([]);
    expect(await posts(id)).toEqual([]);
  });
});

it('the decision to leave a message unposted is stored as long as the message', async () => {
  const id = await pendingKind();
  await parks('UNKNOWN');
  await within(id, async tx =>
    tx.discard(
      (await deadLetters()).map(deadLetter => deadLetter.id),
      'it is there',
    ),
  );
  const later = new Date(world.time.ms + 1_000).toISOString();
  expect(await world.stores.retention.removeDeliveries(later, 10)).toBe(0);
  await world.sql('delete from message');
  expect(await world.stores.retention.removeDeliveries(later, 10)).toBe(1);
});
