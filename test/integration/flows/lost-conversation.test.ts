import { ProviderRefusedError } from '../../../src/core/errors';
import { deliver, handleRefusedDelivery } from '../../../src/core/flows/to-provider/deliver';
import { handleLostConversation, MAX_REOPENINGS } from '../../../src/core/flows/handoff/conversation-lost';
import { outcomeAfter, attemptHistoryOf, verdictFor } from '../../../src/delivery/retry-policy';
import { createLease } from '../../support/lease';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../support/flow-world';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld({ lostConversation: 'REOPEN' });
});
afterEach(() => world.close());

/** A handoff that Alice answers. */
async function answered() {
  const session = await world.open();
  await world.user(session.id, 'one');
  const { handoff } = await world.ask(session.id, { reason: 'help', target: { team: '47', agent: null } });
  await world.deliverAll();
  await world.read(session.id);
  world.provider.agentSays('two');
  world.provider.set({ agent: 'alice' });
  await world.read(session.id);
  return { session, handoff };
}
async function lose(sessionId: string): Promise<void> {
  world.provider.delete();
  await world.read(sessionId);
}
const ACTIVE = { state: 'ACTIVE', agent: { externalId: 'alice' } };

describe('by the policy REOPEN, a handoff whose conversation was deleted', () => {
  it('is requested again, opens in a new conversation with all that was said, and goes on from there', async () => {
    const { session, handoff } = await answered();
    expect(await world.handoff(handoff.id)).toMatchObject(ACTIVE);
    await world.acknowledgeAll(session.id);
    const { epoch } = await world.session(session.id);
    await lose(session.id);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'REQUESTED', agent: null });
    expect(await world.session(session.id)).toMatchObject({ control: 'NONE', epoch: epoch + 1, conversationId: null });

    await world.user(session.id, 'three');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.conversations).toHaveLength(2);
    expect(world.provider.shown()).toEqual([
      'END_USER: one',
      'AGENT: two',
      'NOTE: Handed over by the bot.\nReason: help',
      'END_USER: three',
    ]);
    expect(world.provider.onlyConversation.view).toEqual({ status: 'OPEN', agent: null, teamId: '47' });
    await world.read(session.id);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED', endReason: null });
    world.provider.agentSays('four', 'bob');
    await world.read(session.id);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ACTIVE', agent: { externalId: 'bob' } });
    // Nobody's words twice, and the promise of a colleague only once.
    expect(await world.collected(session.id)).toEqual(['REQUESTED', 'QUEUED', 'ACTIVE', 'AGENT: four']);
  });

  it.each([
    ['by the turn before', 1],
    ['by nothing yet', 0],
  ])('and that ends before it is opened again leaves no turn behind, %s', async (_when, deliveries) => {
    const { session } = await answered();
    await world.user(session.id, 'three');
    await lose(session.id);
    for (let n = 0; n < deliveries; n++) {
      const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
      await deliver(world.deps, lane!.delivery, createLease());
      await world.stores.lanes.complete(lane!);
    }
    await world.flows.endHandoff(scope, {
      sessionId: session.id,
      handoffId: null,
      reason: 'BOT_CANCELLED',
      idempotencyKey: world.nextKey(),
    });
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: one', 'AGENT: two', 'END_USER: three']);
    expect(world.provider.onlyConversation.view).toMatchObject({ status: 'BOT_HELD', agent: null });
    await world.user(session.id, 'four');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown().slice(3)).toEqual(['END_USER: four']);
  });

  it('is told what waited in its lane in the right place, however the loss is found', async () => {
    const { session, handoff } = await answered();
    await world.user(session.id, 'three');
    world.provider.delete();
    expect(await world.deliverAll()).toContain('PROVIDER_REFUSED');
    await handleLostConversation(world.deps, ORG, session.id, null);
    await handleLostConversation(world.deps, ORG, session.id, null);
    await world.user(session.id, 'four');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown().filter(line => !line.startsWith('NOTE'))).toEqual([
      'END_USER: one',
      'AGENT: two',
      'END_USER: three',
      'END_USER: four',
    ]);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED', timesLost: 1 });
  });

  it.each([
    ['after agents had it', true],
    ['before it was opened', false],
  ])('brings what its context note had no room for to the new conversation, once, %s', async (_when, wasOpened) => {
    const { id } = await world.open();
    await world.user(id, 'one');
    const { handoff } = await world.ask(id, {
      fields: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`key-${at}`, `value ${at}`])),
    });
    if (wasOpened) await world.deliverAll();
    else {
      const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
      await deliver(world.deps, lane!.delivery, createLease());
      await world.stores.lanes.complete(lane!);
    }
    await lose(id);
    expect(await world.deliverAll()).toEqual([]);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED' });
    expect(world.provider.shown().filter(line => line.endsWith('key-50: value 50'))).toEqual([
      'NOTE: More than the first note holds was handed over:\nkey-50: value 50',
    ]);
  });

  it('is opened again a few times and then ends as lost', async () => {
    const { session, handoff } = await answered();
    for (let times = 1; times <= MAX_REOPENINGS; times++) {
      await lose(session.id);
      expect(await world.handoff(handoff.id)).toMatchObject({ state: 'REQUESTED' });
      expect(await world.deliverAll()).toEqual([]);
      expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED' });
    }
    await lose(session.id);
    await world.acknowledgeAll(session.id);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'PROVIDER_LOST' });
    expect(await world.session(session.id)).toMatchObject({ control: 'BOT', conversationId: null });
    await world.user(session.id, 'anybody?');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.onlyConversation.view.status).toBe('BOT_HELD');
  });

  it('that an agent had taken over, and that was lost before it was opened for them, opens for anybody', async () => {
    const session = await world.open();
    await world.user(session.id, 'one');
    await world.deliverAll();
    await world.read(session.id);
    world.provider.agentSays('let me help');
    await world.read(session.id);
    await lose(session.id);
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.onlyConversation.view.status).toBe('OPEN');
    expect(await world.session(session.id)).toMatchObject({ control: 'NONE' });
    expect((await world.session(session.id)).statusWrites % 2).toBe(0);
    const { liveHandoffId } = await world.session(session.id);
    expect(await world.handoff(liveHandoffId!)).toMatchObject({ state: 'QUEUED', origin: 'AGENT_TAKEOVER' });
  });

  it('that is cancelled before it opens leaves nobody waiting, and what was said is there once it is wanted again', async () => {
    const { session, handoff } = await answered();
    await world.acknowledgeAll(session.id);
    await lose(session.id);
    await world.flows.endHandoff(scope, {
      handoffId: handoff.id,
      sessionId: null,
      reason: 'BOT_CANCELLED',
      idempotencyKey: 'c',
    });
    expect(await world.deliverAll()).toEqual([]);
    expect(await world.session(session.id)).toMatchObject({ control: 'BOT', liveHandoffId: null });
    await world.user(session.id, 'three');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: one', 'AGENT: two', 'END_USER: three']);
  });

  it('does not tell again what an agent took back, what never went out, or our own lines', async () => {
    const { session } = await answered();
    const {
      rows: [said],
    } = await world.pool.query("select id from message where author = 'AGENT'");
    await world.pool.query('update message set deleted_at = now() where id = $1', [said.id]);
    await lose(session.id);
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: one', 'NOTE: Handed over by the bot.\nReason: help']);
  });
});

it('a post that a reading finds gone while it is made is not taken for shown', async () => {
  const { session, handoff } = await answered();
  await world.user(session.id, 'three');
  world.provider.hooks.set('postMessage', () => lose(session.id));
  await world.deliverAll();
  expect(world.provider.shown().filter(line => !line.startsWith('NOTE'))).toEqual([
    'END_USER: one',
    'AGENT: two',
    'END_USER: three',
  ]);
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED' });
});

it('messages whose conversation is gone as often as it is made become dead letters, and the lane comes to rest', async () => {
  const { id } = await world.open();
  for (const text of ['one', 'two', 'three']) await world.user(id, text);
  world.provider.postMessage = async () => {
    throw new ProviderRefusedError('deleted', { gone: true });
  };
  /** As the worker does, without its waits. False: nothing is due. */
  const step = async (): Promise<boolean> => {
    const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
    if (lane === undefined) return false;
    try {
      await deliver(world.deps, lane.delivery, createLease());
      await world.stores.lanes.complete(lane);
    } catch (error) {
      const verdict = verdictFor(error, attemptHistoryOf(world.deps, lane.delivery));
      if (verdict.kind === 'park') await handleRefusedDelivery(world.deps, lane.delivery, verdict.code, error);
      await handleLostConversation(world.deps, ORG, id, null);
      if (verdict.kind === 'park') await world.stores.lanes.park(lane, verdict.code, outcomeAfter(error));
      else await world.stores.lanes.retry(lane, 0, verdict.code, true, outcomeAfter(error));
    }
    return true;
  };
  let steps = 0;
  while (steps < 100 && (await step())) steps += 1;
  expect(steps).toBeLessThan(100);
  expect((await world.stores.deliveries.countPending(ORG, id)).parked).toBe(3);
});
