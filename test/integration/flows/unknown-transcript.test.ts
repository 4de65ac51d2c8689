import { deliver, handleRefusedDelivery } from '../../../src/core/flows/to-provider/deliver';
import { outcomeAfter } from '../../../src/delivery/retry-policy';
import type { PostTranscript } from '../../../src/core/ports/provider/post-verbs';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { createLease } from '../../../src/testing/lease';

/* The file of an earlier handoff's history may have been posted, and nobody has been told. */

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld({ mirroring: 'ON_HANDOFF' });
  Object.assign(world.provider, {
    postingCapacity: () => 1,
    postTranscript: (request: PostTranscript) => world.provider.postNote({ ...request, text: request.content }),
  });
});
afterEach(() => world.close());

const cancel = (handoffId: string) =>
  world.flows.endHandoff(scope, {
    handoffId,
    sessionId: null,
    reason: 'BOT_CANCELLED',
    idempotencyKey: world.nextKey(),
  });
const claimed = async () => (await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000))[0]!;

/** A handoff whose transcript was posted; the response was lost. Four messages, three of them in the file. */
async function asked() {
  const session = await world.open();
  for (const text of ['one', 'two', 'three', 'four']) await world.user(session.id, text);
  const { handoff } = await world.ask(session.id, { reason: 'help' });
  return { sessionId: session.id, handoffId: handoff.id };
}
async function attempt(fault: 'before' | 'after') {
  world.provider.failNext('postNote', fault);
  const lane = await claimed();
  expect(lane.delivery.work.kind).toBe('POST_TRANSCRIPT');
  const error: unknown = await deliver(world.deps, lane.delivery, createLease()).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  return { lane, error };
}
const timesShown = (text: string): number =>
  world.provider
    .shown()
    .join('\n')
    .split('\n')
    .filter(line => line.trim().endsWith(text)).length;
const timesOfAll = () => ['one', 'two', 'three', 'four'].map(timesShown);
const waiting = async () =>
  (await world.pool.query("select from delivery where destination = 'PROVIDER' and state in ('WAITING', 'PARKED')"))
    .rows.length;

/** How the first attempt comes to its end: reported, or with its process. */
const ENDS = {
  'was reported as unknown': async () => {
    const { lane } = await attempt('after');
    await world.stores.lanes.retry(lane, 0, 'PROVIDER_UNAVAILABLE', true, 'UNKNOWN');
  },
  'ended with its process': async () => {
    await attempt('after');
    await world.pool.query("update lane set next_run_at = now() where destination = 'PROVIDER'");
  },
};

describe.each(Object.entries(ENDS))('a transcript whose attempt %s, of a cancelled handoff', (_end, end) => {
  it.each([
    ['still waits', false],
    ['was dropped', true],
  ])('is found by the next handoff, not posted twice, when it %s', async (_when, isDropped) => {
    const { sessionId, handoffId } = await asked();
    await end();
    await cancel(handoffId);
    if (isDropped) expect(await world.deliverAll()).toEqual([]);
    const { handoff } = await world.ask(sessionId, { reason: 'help' });
    expect(await world.deliverAll()).toEqual([]);
    expect(timesOfAll()).toEqual([1, 1, 1, 1]);
    expect(world.provider.shown().slice(1)).toEqual(['END_USER: four', 'NOTE: Handed over by the bot.\nReason: help']);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED' });
    expect(await waiting()).toBe(0);
  });

  it('is found when the next handoff is cancelled too, with the messages between them once', async () => {
    const { sessionId, handoffId } = await asked();
    await end();
    await cancel(handoffId);
    for (const text of ['five', 'six']) await world.user(sessionId, text);
    await cancel((await world.ask(sessionId)).handoff.id);
    const { handoff } = await world.ask(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    expect([...timesOfAll(), timesShown('five'), timesShown('six')]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(world.provider.shown().at(-1)).toBe('END_USER: six');
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED' });
  });

  it('is found when an agent takes the conversation', async () => {
    const { sessionId, handoffId } = await asked();
    await end();
    await cancel(handoffId);
    world.provider.agentSays('Let me help');
    await world.read(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    expect(timesOfAll()).toEqual([1, 1, 1, 1]);
  });
});

it('a transcript of unknown outcome that became a dead letter while the provider was down is looked up by the next handoff', async () => {
  const { sessionId, handoffId } = await asked();
  const { lane, error } = await attempt('after');
  await handleRefusedDelivery(world.deps, lane.delivery, 'PROVIDER_UNAVAILABLE', error);
  await world.stores.lanes.park(lane, 'PROVIDER_UNAVAILABLE', outcomeAfter(error));
  expect(await world.handoff(handoffId)).toMatchObject({ state: 'FAILED' });
  await world.ask(sessionId);
  expect(await world.deliverAll()).toEqual([]);
  expect(timesOfAll()).toEqual([1, 1, 1, 1]);
  expect(await waiting()).toBe(0);
});

it.each([
  ['still waits', false],
  ['was dropped', true],
])(
  'a transcript that is refused after its lookup, when the earlier one %s, is not looked up forever',
  async (_when, isDropped) => {
    const { sessionId, handoffId } = await asked();
    const { lane } = await attempt('before');
    await world.stores.lanes.retry(lane, 0, 'PROVIDER_UNAVAILABLE', true, 'UNKNOWN');
    await cancel(handoffId);
    if (isDropped) expect(await world.deliverAll()).toEqual([]);
    const { handoff } = await world.ask(sessionId);
    world.provider.failNext('postNote', 'refused');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: one', 'END_USER: two', 'END_USER: three', 'END_USER: four']);
    expect(world.provider.calls.filter(verb => verb === 'postNote')).toHaveLength(2);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED' });
    expect(await waiting()).toBe(0);
  },
);

it('a transcript whose attempts certainly failed is not posted beside the next one', async () => {
  const { sessionId, handoffId } = await asked();
  const { lane } = await attempt('before');
  await world.stores.lanes.retry(lane, 0, 'PROVIDER_UNAVAILABLE', true, null);
  await cancel(handoffId);
  await world.user(sessionId, 'five');
  await world.ask(sessionId);
  expect(await world.deliverAll()).toEqual([]);
  expect(timesOfAll()).toEqual([1, 1, 1, 1]);
  expect(world.provider.shown()).toHaveLength(2);
});

it("a transcript that needs an operator's decision is omitted from the next one", async () => {
  const { sessionId, handoffId } = await asked();
  const { lane, error } = await attempt('after');
  await handleRefusedDelivery(world.deps, lane.delivery, 'OUTCOME_UNKNOWN', error);
  await world.stores.lanes.park(lane, 'OUTCOME_UNKNOWN', 'UNKNOWN');
  if ((await world.session(sessionId)).liveHandoffId !== null) await cancel(handoffId);
  for (const text of ['five', 'six']) await world.user(sessionId, text);
  await world.ask(sessionId);
  expect(await world.deliverAll()).toEqual([]);
  expect([...timesOfAll(), timesShown('five'), timesShown('six')]).toEqual([1, 1, 1, 1, 1, 1]);
  expect((await world.stores.deliveries.countPending(ORG, sessionId)).parked).toBe(1);
});

describe("a message that is posted by itself, before a transcript that needs an operator's decision", () => {
  const lookedUpBesideAFile = async () => {
    const { id: sessionId } = await world.open();
    await world.user(sessionId, 'one');
    const { handoff: first } = await world.ask(sessionId);
    world.provider.failNext('postMessage', 'before');
    const lane = await claimed();
    await expect(deliver(world.deps, lane.delivery, createLease())).rejects.toThrow('away');
    await world.stores.lanes.retry(lane, 0, 'PROVIDER_UNAVAILABLE', true, 'UNKNOWN');
    await cancel(first.id);
    for (const text of ['two', 'three', 'four']) await world.user(sessionId, text);
    expect(await world.deliverAll()).toEqual([]);
    const { handoff } = await world.ask(sessionId);
    const { lane: file } = await attempt('after');
    await world.stores.lanes.park(file, 'OUTCOME_UNKNOWN', 'UNKNOWN');
    return { sessionId, handoffId: handoff.id };
  };

  it('is posted by the next handoff when it was refused', async () => {
    const { sessionId, handoffId } = await lookedUpBesideAFile();
    world.provider.failNext('postMessage', 'refused');
    expect(await world.deliverAll()).toEqual([]);
    expect(timesOfAll()).toEqual([0, 1, 1, 1]);
    await cancel(handoffId);
    await world.ask(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    expect(timesOfAll()).toEqual([1, 1, 1, 1]);
    expect((await world.stores.deliveries.countPending(ORG, sessionId)).parked).toBe(1);
  });

  it('is posted by the next handoff when it was dropped', async () => {
    const { sessionId, handoffId } = await lookedUpBesideAFile();
    await cancel(handoffId);
    expect(await world.deliverAll()).toEqual([]);
    await world.ask(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    expect(timesOfAll()).toEqual([1, 1, 1, 1]);
  });
});

it('a message that was refused before a transcript of unknown outcome was created is part of it, and is not posted beside it', async () => {
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ALWAYS' });
  const { id: sessionId } = await world.open();
  await world.user(sessionId, 'zero');
  expect(await world.deliverAll()).toEqual([]);
  world.provider.failNext('postMessage', 'refused');
  await world.user(sessionId, 'one');
  const lane = await claimed();
  await expect(deliver(world.deps, lane.delivery, createLease())).rejects.toThrow('never');
  await world.stores.lanes.park(lane, 'PROVIDER_REFUSED', null);
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
  await world.user(sessionId, 'two');
  const { handoff } = await world.ask(sessionId);
  const { lane: file } = await attempt('after');
  await world.stores.lanes.park(file, 'OUTCOME_UNKNOWN', 'UNKNOWN');
  await cancel(handoff.id);
  await world.ask(sessionId);
  expect(await world.deliverAll()).toEqual([]);
  expect([timesShown('one'), timesShown('two')]).toEqual([1, 1]);
});
