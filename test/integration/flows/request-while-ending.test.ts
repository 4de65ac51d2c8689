import { ProviderUnavailableError } from '../../../src/core/errors';
import { createFlows } from '../../../src/core/flows';
import type { Flows } from '../../../src/core/flows/api';
import { finishEndings } from '../../../src/core/flows/handoff/finish-endings';
import type { FlowDeps } from '../../../src/core/flows/deps';
import { instantOf } from '../../../src/core/ports/clock';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';

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
const cancel = (sessionId: string) =>
  world.flows.endHandoff(scope, {
    sessionId,
    handoffId: null,
    reason: 'BOT_CANCELLED',
    idempotencyKey: world.nextKey(),
  });
const withLimits = (limits: Partial<FlowDeps['limits']>): FlowDeps => ({
  ...world.deps,
  limits: { ...world.deps.limits, ...limits },
});

const ask = (flows: Flows, sessionId: string) =>
  flows.requestHandoff(scope, {
    sessionId,
    target: { team: null, agent: null },
    reason: null,
    summary: null,
    intent: null,
    fields: {},
    priority: null,
    resumeTarget: null,
    epoch: null,
    idempotencyKey: world.nextKey(),
  });

/** A handoff that an agent has, with a first reply that the runtime has collected. */
async function withAgent() {
  const { id } = await world.open();
  await world.user(id, 'help');
  const { handoff } = await world.ask(id);
  await world.deliverAll();
  world.provider.set({ agent: 'alice' });
  world.provider.agentSays('hello', 'alice', now());
  await world.read(id);
  await world.acknowledgeAll(id);
  return { id, handoff };
}

describe('a handoff that is requested while another one ends', () => {
  it('starts after what the agent said before that end, and its outcome', async () => {
    const { id, handoff } = await withAgent();
    world.provider.agentSays('one moment', 'alice', now());
    await cancel(id);
    world.time.ms += 1;
    const { handoff: second, alreadyLive } = await world.ask(id);
    expect([second.id === handoff.id, alreadyLive]).toEqual([false, false]);
    expect(await world.collected(id)).toEqual(['AGENT: one moment', 'OUTCOME ENDED BOT_CANCELLED']);
    await world.deliverAll();
    await world.read(id);
    expect(await world.collected(id)).toEqual(['AGENT: one moment', 'OUTCOME ENDED BOT_CANCELLED', 'QUEUED']);
    expect(await statesOf(id)).toEqual(['REQUESTED QUEUED', 'REQUESTED ENDED']);
  });

  it('is not refused for the epoch that the sync of that end has raised', async () => {
    const { id } = await withAgent();
    await cancel(id);
    const { epoch } = await world.session(id);
    expect(await world.ask(id, { epoch })).toMatchObject({ alreadyLive: false, handoff: { state: 'REQUESTED' } });
  });

  it('retries a provider that fails briefly', async () => {
    const { id } = await withAgent();
    world.provider.agentSays('one moment', 'alice', now());
    await cancel(id);
    world.provider.failNext('listMessages', 'before');
    await world.ask(id);
    expect(await world.collected(id)).toEqual(['AGENT: one moment', 'OUTCOME ENDED BOT_CANCELLED']);
  });

  it('does not wait for a provider that refuses us: the messages come after the outcome, and join nobody', async () => {
    const { id } = await withAgent();
    world.provider.agentSays('one moment', 'alice', now());
    await cancel(id);
    world.provider.failNext('listMessages', 'auth');
    world.time.ms += 1;
    await world.ask(id);
    await world.read(id);
    expect(await world.collected(id)).toEqual(['OUTCOME ENDED BOT_CANCELLED', 'AGENT: one moment']);
    expect(await statesOf(id)).toEqual(['REQUESTED REQUESTED', 'REQUESTED ENDED']);
  });

  it.each([
    ['does not respond', false],
    ['fails each time', true],
  ])('waits no longer than that end does for a provider that %s', async (_, fails) => {
    const { id } = await withAgent();
    const deps = withLimits({ endSyncMs: 20 });
    await createFlows(deps).endHandoff(scope, {
      sessionId: id,
      handoffId: null,
      reason: 'BOT_CANCELLED',
      idempotencyKey: world.nextKey(),
    });
    world.provider.listMessages = () =>
      fails ? Promise.reject(new ProviderUnavailableError('away')) : new Promise(() => undefined);
    world.time.ms += 1;
    await ask(createFlows(deps), id);
    expect(await statesOf(id)).toEqual(['REQUESTED REQUESTED', 'REQUESTED ENDED']);
  });

  it('does not wait once the time of that sync has passed', async () => {
    const { id } = await withAgent();
    await cancel(id);
    world.time.ms += 5_000;
    world.provider.listMessages = () => new Promise(() => undefined);
    expect(await world.ask(id)).toMatchObject({ alreadyLive: false });
  });

  it('is joined by an agent who writes after the return, although a sync found that before the return was recorded', async () => {
    const { id, handoff } = await withAgent();
    await cancel(id);
    world.time.ms += 1;
    const { handoff: second } = await world.ask(id);
    world.provider.hooks.set('returnToBot', async () => {
      world.provider.agentSays('are you there?', 'alice', now());
      await world.read(id);
      expect(await statesOf(id)).toEqual(['REQUESTED REQUESTED', 'REQUESTED ENDED']);
    });
    expect(await world.deliverAll()).toEqual([]);
    expect(await world.handoff(second.id)).toMatchObject({ state: 'ACTIVE', agent: { externalId: 'alice' } });
    expect(await world.session(id)).toMatchObject({ control: 'HUMAN', liveHandoffId: second.id });
    expect(
      (await world.collected(id)).filter(
        line => line.startsWith('AGENT') || line.startsWith('OUTCOME') || line === 'ACTIVE',
      ),
    ).toEqual(['OUTCOME ENDED BOT_CANCELLED', 'AGENT: are you there?', 'ACTIVE']);
    expect((await world.handoff(handoff.id)).state).toBe('ENDED');
    expect(world.provider.onlyConversation.view.status).toBe('OPEN');
  });
});

describe('an ending whose sync is pending', () => {
  it('is synced before support is disabled, like an open handoff', async () => {
    const { id, handoff } = await withAgent();
    world.provider.agentSays('one moment', 'alice', now());
    await cancel(id);
    await world.flows.disableChatbot(scope, 'bot-1');
    await world.acknowledgeAll(id);
    await world.finishEndings();
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'BOT_CANCELLED' });
    expect(await agentsWords(id)).toEqual(['hello', 'one moment']);
  });

  it('keeps its sync when its Session is closed', async () => {
    const { id, handoff } = await withAgent();
    world.provider.agentSays('one moment', 'alice', now());
    await cancel(id);
    await world.flows.closeSession(scope, { sessionId: id, idempotencyKey: world.nextKey() });
    expect((await world.handoff(handoff.id)).state).toBe('ENDING');
    await world.read(id);
    expect(await world.collected(id)).toEqual(['AGENT: one moment', 'OUTCOME ENDED BOT_CANCELLED']);
  });

  it("keeps its sync when the runtime's drain limit is shortened", async () => {
    const { id, handoff } = await withAgent();
    const deps = withLimits({ drainMs: 1_000 });
    await createFlows(deps).endHandoff(scope, {
      sessionId: id,
      handoffId: null,
      reason: 'BOT_CANCELLED',
      idempotencyKey: world.nextKey(),
    });
    world.time.ms += 1_000;
    expect(
      await finishEndings(deps, 10, (_, error) => {
        throw error;
      }),
    ).toBe(0);
    expect((await world.handoff(handoff.id)).state).toBe('ENDING');
    world.time.ms += 4_000;
    expect(
      await finishEndings(deps, 10, (_, error) => {
        throw error;
      }),
    ).toBe(1);
    expect((await world.handoff(handoff.id)).state).toBe('ENDED');
  });

  it.each(['TIMER', 'HINT'] as const)('does not count a sync that was already running (%s)', async cause => {
    const { id } = await withAgent();
    await world.pool.query("update lane set next_run_at = now(), is_timer = $1 where destination = 'SYNC'", [
      cause === 'TIMER',
    ]);
    const [before] = await world.stores.lanes.claimSyncs(cause, 10, 60_000);
    expect(before).toMatchObject({ sessionId: id });
    await cancel(id);
    const [after] = await world.stores.lanes.claimSyncs('HINT', 10, 60_000);
    expect(after).toMatchObject({ sessionId: id });
    // The earlier one has lost its claim, and decides nothing when the next sync comes.
    expect(await world.stores.lanes.finishSync(before!, 1_000, false, 'TIMER')).toBe(false);
    expect(await world.stores.lanes.finishSync(after!, null, false)).toBe(true);
  });
});

async function agentsWords(sessionId: string): Promise<string[]> {
  const { edges } = await world.stores.messages.page(ORG, sessionId, { first: 50, after: null });
  return edges.flatMap(({ node }) => (node.author === 'AGENT' ? [node.text] : []));
}
