import { LeaseLostError } from '../../../src/core/errors';
import { deliver } from '../../../src/core/flows/to-provider/deliver';
import type { FlowDeps } from '../../../src/core/flows/deps';
import { fenceStores } from '../../../src/core/flows/to-provider/fenced-stores';
import { ClaimLease } from '../../../src/delivery/claim-lease';
import { codeOf, createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { createLease } from '../../../src/testing/lease';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld({ mirroring: 'ON_HANDOFF' });
});
afterEach(() => world.close());

const claim = async () => (await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000))[0]!;
const leasesEnd = () => world.pool.query('update lane set next_run_at = now()');
const cancel = (sessionId: string) =>
  world.flows.endHandoff(scope, {
    sessionId,
    handoffId: null,
    reason: 'BOT_CANCELLED',
    idempotencyKey: world.nextKey(),
  });

describe('a worker that was paused past its lease', () => {
  it('commits nothing of what it did', async () => {
    const { id } = await world.open();
    await world.ask(id);
    const late = await claim();
    await leasesEnd();
    await claim();
    const { sessions } = fenceStores(world.deps, late.delivery).stores;
    expect(
      await codeOf(sessions.transact(ORG, id, tx => tx.updateSession({ statusWrites: tx.session.statusWrites + 1 }))),
    ).toBe('LEASE_LOST');
    expect((await world.session(id)).statusWrites).toBe(0);
  });

  it('makes no second conversation', async () => {
    const { id } = await world.open();
    await world.ask(id);
    const lane = await claim();
    const held = async () => {
      if (world.provider.calls.includes('ensureContact')) throw new LeaseLostError('lost');
    };
    await expect(deliver(world.deps, lane.delivery, createLease(held))).rejects.toThrow(LeaseLostError);
    expect(world.provider.conversations).toEqual([]);
  });

  it('keeps others from its lane while it commits in time', async () => {
    const { id } = await world.open();
    await world.ask(id);
    const lane = await claim();
    await leasesEnd();
    await world.stores.sessions.transact(ORG, id, async tx => {
      await tx.assertFence(lane.delivery);
      expect(await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000)).toEqual([]);
    });
    expect((await claim()).sessionId).toBe(id);
  });
});

describe('a worker that stands still past its lease between what it read and what it writes', () => {
  let aheadMs: number;
  beforeEach(() => {
    aheadMs = 0;
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  type Claim = Awaited<ReturnType<typeof claim>>;
  const leaseOf = (lane: Claim) =>
    new ClaimLease(ms => world.stores.lanes.renew(lane, ms), 60_000, performance.now(), new AbortController().signal);

  /** Another replica does the same delivery, to its end. */
  async function successor(): Promise<void> {
    await leasesEnd();
    const lane = await claim();
    await deliver(world.deps, lane.delivery, leaseOf(lane));
    await world.stores.lanes.complete(lane);
  }

  /**
   * Stands still, once, in a read of that store as soon as `when` says so; meanwhile its lease ends and the others go
   * on.
   */
  function pausedIn(store: 'connections' | 'messages', when: () => boolean, meanwhile: () => Promise<void>): FlowDeps {
    const verb = store === 'connections' ? 'load' : 'get';
    const real = world.deps.stores[store] as unknown as Record<
      string,
      (...all: readonly unknown[]) => Promise<unknown>
    >;
    let isDue = true;
    const read = async (...all: readonly unknown[]) => {
      const answer = await real[verb]!(...all);
      if (isDue && when()) {
        isDue = false;
        await meanwhile();
        aheadMs += 100_000;
      }
      return answer;
    };
    return {
      ...world.deps,
      stores: { ...world.deps.stores, [store]: Object.assign(Object.create(real) as object, { [verb]: read }) },
    };
  }

  it('writes the context note no second time', async () => {
    const { id } = await world.open();
    await world.user(id, 'one');
    await world.ask(id, { reason: 'help' });
    const first = await claim();
    await deliver(world.deps, first.delivery, createLease());
    await world.stores.lanes.complete(first);
    const lane = await claim();
    expect(lane.delivery.work.kind).toBe('POST_CONTEXT_NOTE');
    const deps = pausedIn('connections', () => true, successor);
    await expect(deliver(deps, lane.delivery, leaseOf(lane))).rejects.toThrow(LeaseLostError);
    expect(world.provider.calls.filter(verb => verb === 'postNote')).toHaveLength(1);
    expect(world.provider.shown().filter(line => line.startsWith('NOTE:'))).toHaveLength(1);
  });

  it('does not take the conversation from the people who have it by now', async () => {
    const { id } = await world.open();
    await world.user(id, 'one');
    await world.ask(id);
    await world.deliverAll();
    world.provider.set({ status: 'RESOLVED', agent: 'alice' });
    await world.read(id);
    await world.acknowledgeAll(id);
    await world.finishEndings();
    await world.deliverAll();
    await world.ask(id);
    const lane = await claim();
    expect(lane.delivery.work.kind).toBe('RETURN_TO_BOT');
    const deps = pausedIn(
      'connections',
      () => true,
      async () => {
        await successor();
        await world.deliverAll();
        world.provider.set({ agent: 'bob' });
      },
    );
    await expect(deliver(deps, lane.delivery, leaseOf(lane))).rejects.toThrow(LeaseLostError);
    expect(world.provider.onlyConversation.view).toMatchObject({ status: 'OPEN', agent: 'bob' });
  });

  it('posts no answer to a message a second time', async () => {
    const { id } = await world.open();
    await world.ask(id);
    await world.deliverAll();
    const { message } = await world.user(id, 'first');
    await world.deliverAll();
    await world.flows.recordEndUserMessage(scope, {
      sessionId: id,
      text: 'second',
      attachments: [],
      messageId: null,
      replyTo: message.id,
      idempotencyKey: world.nextKey(),
    });
    const lane = await claim();
    let reads = 0;
    // Its own message, then the answered one.
    const deps = pausedIn('messages', () => ++reads === 2, successor);
    await expect(deliver(deps, lane.delivery, leaseOf(lane))).rejects.toThrow(LeaseLostError);
    expect(world.provider.shown().filter(line => line.includes('second'))).toHaveLength(1);
  });
});

describe('a conversation that was made by a worker that died before it could say so', () => {
  async function orphaned(): Promise<string> {
    const { id } = await world.open();
    await world.ask(id);
    world.provider.failNext('openConversation', 'after');
    const lane = await claim();
    await expect(deliver(world.deps, lane.delivery, createLease())).rejects.toThrow('cut');
    await leasesEnd();
    world.provider.agentSays('Anybody there?');
    return id;
  }

  it('is read once it is found: hints about it led nowhere', async () => {
    const id = await orphaned();
    const lane = await claim();
    // As far as the link, and no further: nothing else asks for a reading.
    const held = async () => {
      if ((await world.session(id)).conversationId !== null) throw new LeaseLostError('lost');
    };
    await expect(deliver(world.deps, lane.delivery, createLease(held))).rejects.toThrow(LeaseLostError);
    expect((await world.stores.lanes.claimSyncs('HINT', 1, 60_000)).map(reading => reading.sessionId)).toEqual([id]);
  });

  it('is found though the handoff has ended since', async () => {
    const id = await orphaned();
    await cancel(id);
    expect(await world.deliverAll()).toEqual([]);
    const [reading] = await world.stores.lanes.claimSyncs('HINT', 1, 60_000);
    await world.read(reading!.sessionId);
    expect(await world.collected(id)).toContain('AGENT: Anybody there?');
    expect(world.provider.conversations).toHaveLength(1);
  });
});
