import { instantOf } from '../../../src/core/ports/clock';
import { createFlowWorld, type FlowWorld } from '../../../src/testing/flow-world';

const READ_MARK_MS = 3 * 60_000;
const RAREST_MS = 15 * 60_000;

let world: FlowWorld;
let sessionId: string;
/** Until when agents have seen everything, as the provider reports it. */
let agentsReadAt: string | null;

beforeEach(async () => {
  world = await createFlowWorld({ lines: { queued: null, ended: null } });
  agentsReadAt = null;
  const readConversation = world.provider.readConversation;
  Object.assign(world.provider, {
    listChangedConversations: async () => ({ conversationIds: [], hasMore: false }),
    readConversation: async (...given: Parameters<typeof readConversation>) => ({
      ...(await readConversation(...given)),
      agentsReadAt,
    }),
  });
  ({ id: sessionId } = await world.open());
  await world.user(sessionId, 'help');
  await world.ask(sessionId);
  await world.deliverAll();
});
afterEach(() => world.close());

/** In how many milliseconds the next sync is due, by the database's clock; far longer than a test takes. */
const dueInMs = async () =>
  (
    await world.pool.query<{ ms: number }>(
      "select extract(epoch from next_run_at - now())::float8 * 1000 as ms from lane where destination = 'SYNC'",
    )
  ).rows[0]!.ms;
const sync = async () => {
  const nextMs = (await world.read(sessionId))!;
  await world.pool.query("update lane set next_run_at = now() + $1 * interval '1 ms' where destination = 'SYNC'", [
    nextMs,
  ]);
  return nextMs;
};

describe("the next sync soon checks whether the end-user's message was read", () => {
  it('when this sync finds the agent who has taken the conversation', async () => {
    world.provider.set({ agent: 'alice' });
    expect(await sync()).toBe(READ_MARK_MS);
  });

  it('when this sync finds the agent by a reply', async () => {
    world.provider.agentSays('hello', 'alice', instantOf(world.time.ms));
    expect(await sync()).toBe(READ_MARK_MS);
  });

  it('when the end-user writes while this sync runs', async () => {
    world.provider.set({ agent: 'alice' });
    agentsReadAt = instantOf((world.time.ms += 1_000));
    await sync();
    world.time.ms += 5_000;
    world.provider.hooks.set('listMessages', async () => {
      await world.user(sessionId, 'hello?');
    });
    expect(await sync()).toBe(READ_MARK_MS);
  });

  it('when the end-user writes after this sync', async () => {
    world.provider.set({ agent: 'alice' });
    agentsReadAt = instantOf((world.time.ms += 1_000));
    expect(await sync()).toBe(RAREST_MS);
    world.time.ms += 5_000;
    await world.user(sessionId, 'hello?');
    await world.deliverAll();
    expect(await dueInMs()).toBeLessThanOrEqual(READ_MARK_MS);
  });
});

describe('the next sync runs at its ordinary time', () => {
  it('when this sync finds that the agent has read everything', async () => {
    world.provider.set({ agent: 'alice' });
    expect(await sync()).toBe(READ_MARK_MS);
    agentsReadAt = instantOf((world.time.ms += 1_000));
    expect(await sync()).toBe(RAREST_MS);
  });

  it('when this sync finds that the agent has returned it to the queue', async () => {
    world.provider.set({ agent: 'alice' });
    expect(await sync()).toBe(READ_MARK_MS);
    world.provider.set({ agent: null });
    expect(await sync()).toBe(RAREST_MS);
  });

  it('while no agent has taken the conversation, whatever the end-user writes', async () => {
    expect(await sync()).toBe(RAREST_MS);
    await world.user(sessionId, 'hello?');
    await world.deliverAll();
    expect(await dueInMs()).toBeGreaterThan(READ_MARK_MS);
  });
});
