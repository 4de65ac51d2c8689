import { createFlowWorld, scope, type FlowWorld } from '../../../src/testing/flow-world';

/* The end-user ends a handoff before there is a conversation at the provider. */

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

const end = (handoffId: string) =>
  world.flows.endHandoff(scope, { handoffId, sessionId: null, reason: 'USER_ENDED', idempotencyKey: world.nextKey() });
const mirror = (mirroring: 'ALWAYS' | 'ON_HANDOFF') => world.flows.updatePolicy(scope, 'bot-1', { mirroring });
async function asked(): Promise<{ id: string; handoffId: string }> {
  const { id } = await world.open();
  await world.user(id, 'one');
  await world.bot(id, 'two');
  return { id, handoffId: (await world.ask(id, { reason: 'help' })).handoff.id };
}
const statuses = () => world.provider.conversations.map(({ view: { status } }) => status);

describe.each([
  ['one by one', 50],
  ['after a file that the provider does not take', 1],
])('with its history %s', (_how, room) => {
  beforeEach(() => {
    Object.assign(world.provider, { postingCapacity: () => room });
  });

  it.each(['ALWAYS', 'ON_HANDOFF'] as const)(
    'posts what was said in it and resolves the conversation, with mirroring %s',
    async mirroring => {
      await mirror(mirroring);
      const { id, handoffId } = await asked();
      await world.user(id, 'three');
      await end(handoffId);
      expect(await world.deliverAll()).toEqual([]);
      expect(world.provider.shown()).toEqual(['END_USER: one', 'BOT: two', 'END_USER: three']);
      expect(statuses()).toEqual(['RESOLVED']);
      expect(await world.handoff(handoffId)).toMatchObject({ state: 'ENDED', endReason: 'USER_ENDED' });
      expect(await world.session(id)).toMatchObject({ control: 'BOT', liveHandoffId: null });
      expect((await world.session(id)).statusWrites % 2).toBe(0);
    },
  );

  it('creates no conversation if nothing was said in it and only handoffs are mirrored', async () => {
    await mirror('ON_HANDOFF');
    await end((await asked()).handoffId);
    expect(await world.deliverAll()).toEqual([]);
    expect(statuses()).toEqual([]);
  });
});

it('the conversation is resolved after the messages that are enqueued again, because one of them created it', async () => {
  await mirror('ON_HANDOFF');
  const { id } = await world.open();
  await world.user(id, 'one');
  await mirror('ALWAYS');
  await world.user(id, 'two');
  await end((await world.ask(id)).handoff.id);
  world.provider.hooks.set('resolve', async () => {
    expect(world.provider.shown()).toEqual(['END_USER: one', 'END_USER: two']);
  });
  expect(await world.deliverAll()).toEqual([]);
  expect(statuses()).toEqual(['RESOLVED']);
});

it('what the end-user writes after the end follows the return', async () => {
  await mirror('ON_HANDOFF');
  const { id } = await world.open();
  await world.user(id, 'one');
  await mirror('ALWAYS');
  await world.user(id, 'two');
  await end((await world.ask(id)).handoff.id);
  await world.user(id, 'three');
  expect(await world.deliverAll()).toEqual([]);
  expect(world.provider.shown()).toEqual(['END_USER: one', 'END_USER: two', 'END_USER: three']);
  expect(world.provider.calls.lastIndexOf('resolve')).toBeLessThan(world.provider.calls.lastIndexOf('postMessage'));
});

it('a session that is closed before there is a conversation leaves it resolved, after everything that was said', async () => {
  await mirror('ON_HANDOFF');
  const { id } = await world.open();
  await world.user(id, 'one');
  await mirror('ALWAYS');
  await world.user(id, 'two');
  await world.flows.closeSession(scope, { sessionId: id, idempotencyKey: world.nextKey() });
  expect(await world.deliverAll()).toEqual([]);
  expect(world.provider.shown()).toEqual(['END_USER: one', 'END_USER: two']);
  expect(world.provider.calls.lastIndexOf('resolve')).toBeGreaterThan(world.provider.calls.lastIndexOf('postMessage'));
});
