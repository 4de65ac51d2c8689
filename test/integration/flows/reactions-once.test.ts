import { deliver } from '../../../src/core/flows/to-provider/deliver';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { createLease } from '../../../src/testing/lease';

/* A reaction whose post has an unknown outcome, with a history that is brought again. */

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld({ mirroring: 'ON_HANDOFF' });
});
afterEach(() => world.close());

const reactions = () => world.provider.shown().filter(line => line.includes('👍'));
const cancel = (handoffId: string) =>
  world.flows.endHandoff(scope, {
    handoffId,
    sessionId: null,
    reason: 'BOT_CANCELLED',
    idempotencyKey: world.nextKey(),
  });

/** A handoff whose history has a reaction. It was posted; the response was lost. */
async function reacted() {
  const { id } = await world.open();
  const { message } = await world.bot(id, 'one');
  await world.flows.reactToMessage(scope, {
    sessionId: id,
    messageId: message.id,
    callerMessageId: null,
    emoji: '👍',
    by: 'END_USER',
    epoch: null,
    idempotencyKey: world.nextKey(),
  });
  await world.user(id, 'two');
  const { handoff } = await world.ask(id);
  const post = (await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000))[0]!;
  await deliver(world.deps, post.delivery, createLease());
  await world.stores.lanes.complete(post);
  const reaction = (await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000))[0]!;
  expect(reaction.delivery.work.kind).toBe('FORWARD_REACTION');
  world.provider.failNext('postMessage', 'after');
  await expect(deliver(world.deps, reaction.delivery, createLease())).rejects.toThrow('cut');
  return { id, handoffId: handoff.id, reaction };
}

it.each(['PARKED', 'WAITING'])(
  'is posted once when it is %s and the handoff is cancelled and requested again',
  async state => {
    const { id, handoffId, reaction } = await reacted();
    if (state === 'PARKED') await world.stores.lanes.park(reaction, 'OUTCOME_UNKNOWN', 'UNKNOWN');
    else await world.stores.lanes.retry(reaction, 0, 'PROVIDER_UNAVAILABLE', true, 'UNKNOWN');
    await cancel(handoffId);
    await world.ask(id);
    expect(await world.deliverAll()).toEqual([]);
    expect(reactions()).toHaveLength(1);
    if (state === 'PARKED')
      await world.flows.resendDeadLetters(
        scope,
        { ids: [reaction.delivery.id], filter: null, all: false, after: null },
        null,
      );
    expect(await world.deliverAll()).toEqual([]);
    expect(reactions()).toHaveLength(1);
    expect(world.provider.shown().filter(line => line === 'BOT: one')).toHaveLength(1);
  },
);

it('is posted once in the next conversation when its conversation is deleted', async () => {
  const { id, handoffId, reaction } = await reacted();
  await world.stores.lanes.park(reaction, 'OUTCOME_UNKNOWN', 'UNKNOWN');
  world.provider.delete();
  await world.read(id);
  expect(await world.deliverAll()).toEqual([]);
  await world.flows.resendDeadLetters(
    scope,
    { ids: [reaction.delivery.id], filter: null, all: false, after: null },
    null,
  );
  expect(await world.deliverAll()).toEqual([]);
  expect(world.provider.conversations).toHaveLength(2);
  expect(reactions()).toHaveLength(1);
  expect(await world.handoff(handoffId)).toMatchObject({ state: 'QUEUED' });
  expect((await world.stores.deliveries.countPending(ORG, id)).parked).toBe(0);
});
