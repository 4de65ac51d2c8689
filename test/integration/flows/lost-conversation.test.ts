import { ProviderRefusedError } from '../../../src/core/errors';
import { deliver, handleRefusedDelivery } from '../../../src/core/flows/to-provider/deliver';
import { handleLostConversation, MAX_REOPENINGS } from '../../../src/core/flows/handoff/conversation-lost';
import { outcomeAfter, attemptHistoryOf, verdictFor } from '../../../src/delivery/retry-policy';
import { createLease } from '../../../src/testing/lease';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';

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

describe('with the policy REOPEN, a handoff whose conversation was deleted', () => {
  it('is requested again, opens in a new conversation with the whole history, and continues there', async () => {
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
    // No message twice, and the promise of a colleague only once.
    expect(await world.collected(session.id)).toEqual(['REQUESTED', 'QUEUED', 'ACTIVE', 'AGENT: four']);
  });

  it.each([
    ['after one delivery', 1],
    ['before any delivery', 0],
  ])('leaves no message pending when it ends before it is opened again, %s', async (_when, deliveries) => {
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

  it('posts what was pending in its lane in the right order, however the loss is found', async () => {
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
  ])('posts what its context note had no room for in the new conversation, once, %s', async (_when, wasOpened) => {
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

  it('is reopened a few times and then ends as lost', async () => {
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

  it('opens for anybody when its agent had taken it over and it was lost before it opened for them', async () => {
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

  it('leaves nothing waiting when it is cancelled before it opens; the history is posted with the next request', async () => {
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

  it('does not post again what an agent deleted, what was never sent, or our own lines', async () => {
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

it('a post that a sync finds deleted while it is being made does not count as forwarded', async () => {
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

it('messages whose conversation is deleted each time become dead letters, and the lane stops', async () => {
  const { id } = await world.open();
  for (const text of ['one', 'two', 'three']) await world.user(id, text);
  world.provider.postMessage = async () => {
    throw new ProviderRefusedError('deleted', { gone: true });
  };
  /** Works as the worker does, without its waits. False: nothing is due. */
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
