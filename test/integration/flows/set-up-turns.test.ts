import { randomUUID } from 'node:crypto';
import { createFlows } from '../../../src/core/flows';
import { isOver } from '../../../src/core/time-limit';
import { PostgresSetupLocks } from '../../../src/persistence/setup/setup-locks';
import { codeOf, createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

const SUPPORT = { provider: 'scripted', name: 'One', baseUrl: null, settings: {}, credentials: {}, owners: [] };
const CHATBOT = { chatbotId: 'bot-1', name: 'Bot one', accountId: null, policy: {} };
const account = async () => (await world.stores.setup.listAccounts(ORG))[0]!;
const inbox = async () => (await world.stores.setup.findInboxByChatbot(ORG, 'bot-1'))!;

/** Acts while the provider is at a step, whose signal is its last argument. */
function during(step: 'ensureAccount' | 'ensureInbox', act: (signal: AbortSignal) => Promise<void>): void {
  const real = world.provider[step] as (...given: unknown[]) => Promise<unknown>;
  Object.assign(world.provider, {
    [step]: async (...given: unknown[]) => {
      await act(given.at(-1) as AbortSignal);
      return real(...given);
    },
  });
}

it('the setup lock outlasts the calls that the provider may still process, in every step of a setup', async () => {
  Object.assign(world.provider, { ambiguousForMs: () => 3_600_000 });
  const seen: string[][] = [];
  const look = async () => {
    const { rows } = await world.pool.query<{ subject: string }>(
      "select subject from setup_lock where until > now() + interval '1 hour'",
    );
    seen.push(rows.map(({ subject }) => subject));
  };
  during('ensureAccount', look);
  during('ensureInbox', look);
  world.provider.drift.repairDrift = async ({ desired, withInboxLock }) =>
    withInboxLock(desired.inboxes[0]!.inboxId, async () => {
      await look();
      return null;
    });
  await world.flows.enableSupport(scope, SUPPORT);
  await world.flows.enableChatbot(scope, CHATBOT);
  await world.flows.repairDrift(scope, (await account()).id, []);
  const [ofAccount, ofInbox] = [(await account()).id, (await inbox()).id];
  expect(seen.map(subjects => subjects.sort())).toEqual([[ofAccount], [ofInbox], [ofAccount, ofInbox].sort()]);
  expect((await world.pool.query('select 1 from setup_lock')).rows).toEqual([]);
});

it('a setup records nothing once somebody else has taken its lock', async () => {
  const setupLocks = new PostgresSetupLocks(
    world.pool,
    { newId: randomUUID },
    { leaseMs: 60_000, renewMs: 10, askMs: 10 },
  );
  const flows = createFlows({ ...world.deps, stores: { ...world.stores, setupLocks } });
  const before = { account: await account(), inbox: await inbox() };
  const taken = async (signal: AbortSignal) => {
    expect(isOver(signal)).toBe(false);
    await world.pool.query('update setup_lock set holder = $1', [randomUUID()]);
    while (!signal.aborted) await world.pool.query('select 1');
    await world.pool.query('delete from setup_lock');
  };
  during('ensureInbox', taken);
  during('ensureAccount', taken);
  expect(await codeOf(flows.enableChatbot(scope, CHATBOT))).toBe('SETUP_IN_PROGRESS');
  expect(await codeOf(flows.enableSupport(scope, SUPPORT))).toBe('SETUP_IN_PROGRESS');
  expect({ account: await account(), inbox: await inbox() }).toEqual(before);
});
