import { deliver } from '../../../src/core/flows/to-provider/deliver';
import { instantOf } from '../../../src/core/ports/clock';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { createLease } from '../../../src/testing/lease';
import { until } from '../../support/until';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld({ lines: { queued: null, ended: null } });
});
afterEach(() => world.close());

const now = () => instantOf(world.time.ms);
const statesOf = async (sessionId: string) =>
  (
    await world.stores.handoffs.page(
      ORG,
      { chatbotIds: null, states: null, live: null, teamIds: null, sessionId },
      { first: 20, after: null },
    )
  ).edges.map(({ node }) => `${node.origin} ${node.state}`);

const WAYS = [
  ['BOT_CANCELLED', 'returnToBot'],
  ['USER_ENDED', 'resolve'],
] as const;
type Verb = (typeof WAYS)[number][1];

/** A handoff that an agent had, ended by another party and synced: only its conversation is still to be returned. */
async function ended(reason: (typeof WAYS)[number][0]): Promise<string> {
  const { id } = await world.open();
  await world.user(id, 'help');
  await world.ask(id);
  await world.deliverAll();
  world.provider.set({ agent: 'alice' });
  world.provider.agentSays('hello', 'alice', now());
  await world.read(id);
  await world.acknowledgeAll(id);
  await world.flows.endHandoff(scope, { sessionId: id, handoffId: null, reason, idempotencyKey: world.nextKey() });
  await world.read(id);
  expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
  return id;
}

/** The process of the first attempt dies as soon as the provider has changed the status. */
async function dieAfter(verb: Verb): Promise<void> {
  let hasHappened = false;
  world.provider.hooks.set(verb, () => {
    hasHappened = true;
    return new Promise(() => undefined);
  });
  const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  void deliver(world.deps, lane!.delivery, createLease());
  await until(() => hasHappened);
  await world.pool.query("update lane set next_run_at = now() where destination = 'PROVIDER'");
}

/** The status changes, and its response is lost. */
async function loseResponse(verb: Verb): Promise<void> {
  world.provider.failNext(verb, 'after');
  const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  await expect(deliver(world.deps, lane!.delivery, createLease())).rejects.toThrow('cut');
  await world.stores.lanes.retry(lane!, 0, 'PROVIDER_UNAVAILABLE', true, 'UNKNOWN');
}

const FAULTS: readonly (readonly [string, (verb: Verb) => Promise<void>])[] = [
  ['whose process died', dieAfter],
  ['whose answer was lost', loseResponse],
];
const CASES = WAYS.flatMap(([reason, verb]) =>
  FAULTS.flatMap(([name, fault]) => [true, false].map(reports => [reason, name, reports, verb, fault] as const)),
);

describe.each(CASES)(
  'after a return (%s) %s, at a provider that reports its newest message: %s',
  (reason, _name, reports, verb, fault) => {
    beforeEach(() => {
      world.provider.reportsNewest = reports;
    });

    it.each([
      ['a sync shows it before', true],
      ['a sync shows it after', false],
    ])('an agent who writes before the next attempt takes the conversation over (%s)', async (_, isReadBefore) => {
      const id = await ended(reason);
      await fault(verb);
      world.time.ms += 1;
      world.provider.agentSays('are you there?', 'alice', now());
      if (isReadBefore) await world.read(id);
      expect(await world.deliverAll()).toEqual([]);
      expect(await statesOf(id)).toEqual(
        isReadBefore ? ['AGENT_TAKEOVER ACTIVE', 'REQUESTED ENDED'] : ['REQUESTED ENDED'],
      );
      if (!isReadBefore) await world.read(id);
      expect(await statesOf(id)).toEqual(['AGENT_TAKEOVER ACTIVE', 'REQUESTED ENDED']);
      expect((await world.session(id)).control).toBe('HUMAN');
    });

    it('messages from before the return belong to the ended handoff', async () => {
      const id = await ended(reason);
      world.provider.agentSays('goodbye', 'alice', now());
      await fault(verb);
      await world.read(id);
      expect(await world.deliverAll()).toEqual([]);
      await world.read(id);
      expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
      expect(await world.collected(id)).toContain('AGENT: goodbye');
    });
  },
);

it.each(WAYS)(
  'after a return (%s) that never started, what an agent says before the next attempt belongs to the ended handoff',
  async reason => {
    const id = await ended(reason);
    world.provider.failNext('listMessages', 'before');
    const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
    await expect(deliver(world.deps, lane!.delivery, createLease())).rejects.toThrow('away');
    await world.stores.lanes.retry(lane!, 0, 'PROVIDER_UNAVAILABLE', true, 'NOT_DELIVERED');
    world.provider.agentSays('one moment', 'alice', now());
    await world.read(id);
    expect(await world.deliverAll()).toEqual([]);
    await world.read(id);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
    world.time.ms += 1;
    world.provider.agentSays('are you there?', 'alice', now());
    await world.read(id);
    expect(await statesOf(id)).toEqual(['AGENT_TAKEOVER ACTIVE', 'REQUESTED ENDED']);
  },
);
