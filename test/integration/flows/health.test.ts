import { ProviderAuthError } from '../../../src/core/errors';
import { healthFlows } from '../../../src/core/flows/setup/health';
import type { DriftItem } from '../../../src/core/ports/provider/drift';
import { Worker } from '../../../src/delivery';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { until } from '../../support/until';

let world: FlowWorld;
let worker: Worker | undefined;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  await world.close();
});

const account = async () => (await world.stores.setup.listAccounts(ORG))[0]!;
const health = async () => (await account()).health;
const due = () => world.pool.query("update support_account set next_check_at = now() - interval '1 s'");

async function startWorker(): Promise<void> {
  worker = new Worker(
    world.deps,
    { leaseMs: 60_000, concurrency: 4, concurrencyPerRemote: 4, pollMs: 5 },
    { info: () => undefined, warn: () => undefined, error: () => undefined },
  );
  await worker.start();
}
const drifted = (given: Partial<DriftItem> = {}): DriftItem => ({
  id: 'inbox:name',
  kind: 'INBOX_NAME',
  subject: 'Bot one',
  desired: 'Bot one',
  observed: 'Other',
  repairable: true,
  problem: 'It is called otherwise.',
  ...given,
});
const demoted = drifted({
  id: 'bot-agent:role',
  kind: 'BOT_AGENT_ROLE',
  subject: 'BotAgent1',
  problem: 'BotAgent1 is no longer an administrator.',
});

describe('the health of an account', () => {
  it('is good after setup, and checked again only when the check is due', async () => {
    expect(await health()).toEqual({
      state: 'HEALTHY',
      problem: null,
      checkedAt: new Date(world.time.ms).toISOString(),
      source: 'CHECK',
    });
    await world.pool.query("update support_account set next_check_at = now() + interval '1 hour'");
    expect(await world.stores.setup.claimChecks(10, 1_000)).toEqual([]);
  });

  it('is checked by one replica at a time, and again after the interval', async () => {
    await due();
    const claims = await Promise.all(Array.from({ length: 6 }, () => world.stores.setup.claimChecks(10, 60_000)));
    expect(claims.flat().map(({ id }) => id)).toEqual([(await account()).id]);
    expect(await world.stores.setup.claimChecks(10, 60_000)).toEqual([]);
    const {
      rows: [{ seconds }],
    } = await world.pool.query('select extract(epoch from next_check_at - now()) as seconds from support_account');
    expect(Number(seconds)).toBeGreaterThan(50);
  });

  it('reports drift on schedule, and learns the version of the server', async () => {
    world.provider.drifted = [drifted(), drifted({ id: 'other', subject: 'Ada' })];
    await due();
    await startWorker();
    await until(async () => (await health()).state === 'DRIFTED');
    expect((await health()).problem).toEqual({
      code: 'DRIFT',
      message: expect.stringContaining('Bot one: It is called otherwise. And 1 more'),
    });
    expect((await account()).settings).toMatchObject({ version: '2.0' });
  });

  it('names a demoted BotAgent1 first, in exactly those words', async () => {
    world.provider.drifted = [drifted(), demoted];
    expect(await healthFlows(world.deps).checkAccount(await account())).toMatchObject({
      state: 'UNAUTHORIZED',
      problem: { code: 'PROVIDER_AUTH', message: 'BotAgent1 is no longer an administrator.' },
    });
  });

  it('distinguishes an unreachable provider, a refusal, and our own errors', async () => {
    const flows = healthFlows(world.deps);
    world.provider.failNext('inspectDrift', 'before');
    expect(await flows.checkAccount(await account())).toMatchObject({
      state: 'UNREACHABLE',
      problem: { code: 'PROVIDER_UNAVAILABLE' },
    });
    world.provider.failNext('inspectDrift', 'auth');
    expect(await flows.checkAccount(await account())).toMatchObject({
      state: 'UNAUTHORIZED',
      problem: { code: 'PROVIDER_AUTH' },
    });
    expect(await flows.checkAccount(await account())).toMatchObject({ state: 'HEALTHY', problem: null });
    world.provider.hooks.set('inspectDrift', () => Promise.reject(new TypeError('a mistake of ours')));
    await expect(flows.checkAccount(await account())).rejects.toThrow('a mistake of ours');
    expect(await health()).toMatchObject({ state: 'HEALTHY' });
  });

  it('shows what stopped the setup, while what works continues', async () => {
    const { ensureAccount } = world.provider;
    world.provider.ensureAccount = () =>
      Promise.reject(new ProviderAuthError('The account is suspended. Activate it again.'));
    const enable = () =>
      world.flows.enableSupport(scope, {
        provider: 'scripted',
        name: 'One',
        baseUrl: null,
        settings: {},
        credentials: {},
        owners: [],
      });
    expect(await enable()).toMatchObject({
      manualSteps: [expect.stringContaining('suspended')],
      account: { state: 'READY', health: { state: 'UNAUTHORIZED', problem: { code: 'PROVIDER_AUTH' } } },
    });
    world.provider.ensureAccount = ensureAccount;
    expect(await enable()).toMatchObject({
      manualSteps: [],
      account: { state: 'READY', problem: null, health: { state: 'HEALTHY', problem: null } },
    });
  });

  it('mirrors agents and teams with each check', async () => {
    world.provider.agents.push({ externalId: 'zoe', name: 'Zoe', email: 'zoe@example.com', role: 'AGENT' });
    await healthFlows(world.deps).checkAccount(await account());
    expect((await world.stores.setup.listAgents(ORG, null)).map(({ externalId }) => externalId)).toContain('zoe');
  });

  it('changes at once when a delivery is refused for our credentials, and recovers with the first that is accepted', async () => {
    const { id } = await world.open();
    world.provider.failNext('ensureContact', 'auth');
    await world.user(id, 'hello');
    await startWorker();
    await until(async () => (await health()).state === 'UNAUTHORIZED');
    expect(await health()).toMatchObject({
      source: 'DELIVERY',
      problem: { code: 'PROVIDER_AUTH', message: 'BotAgent1 is no longer an administrator of the account.' },
    });
    const other = await world.open();
    await world.user(other.id, 'another one');
    await until(async () => (await health()).state === 'HEALTHY');
  });

  it('does not recover by the success of another kind: the credentials for writes and reads may differ', async () => {
    const { id } = await world.open();
    await world.user(id, 'hello');
    await world.deliverAll();
    await world.stores.setup.markHealth(ORG, id, {
      state: 'UNAUTHORIZED',
      problem: { code: 'PROVIDER_AUTH', message: 'x' },
      checkedAt: null,
      source: 'SYNC',
    });
    expect(await world.stores.setup.hasUnauthorizedAccounts()).toBe(true);
    const at = new Date(world.time.ms).toISOString();
    expect(await world.stores.setup.markRecovered(ORG, id, 'DELIVERY', at)).toBe(false);
    expect(await health()).toMatchObject({ state: 'UNAUTHORIZED' });
    expect(await world.stores.setup.markRecovered('org-2', id, 'SYNC', at)).toBe(false);
    expect(await world.stores.setup.markRecovered(ORG, id, 'SYNC', at)).toBe(true);
    expect(await world.stores.setup.hasUnauthorizedAccounts()).toBe(false);
    expect((await world.stores.setup.claimChecks(1, 1_000)).map(one => one.id)).toEqual([(await account()).id]);
  });

  it('needs no statement per success while no account is marked', async () => {
    const { id } = await world.open();
    await startWorker();
    let asked = 0;
    const { markRecovered } = world.stores.setup;
    (world.stores.setup as { markRecovered: typeof markRecovered }).markRecovered = (...given) => {
      asked += 1;
      return markRecovered(...given);
    };
    await world.user(id, 'hello');
    await until(
      async () =>
        world.provider.calls.includes('postMessage') &&
        (await world.flows.explain(scope, id)).pendingDeliveries.provider === 0,
    );
    expect(asked).toBe(0);
  });
});

describe('the comparison with the provider', () => {
  it('covers all that was set from here: owners, inboxes, members, teams; nothing that is disabled', async () => {
    const { flows, provider } = world;
    await flows.enableSupport(scope, {
      provider: 'scripted',
      name: 'One',
      baseUrl: null,
      settings: {},
      credentials: {},
      owners: [{ name: 'Ada', email: 'ada@example.com' }],
    });
    // A repeat without owners keeps them.
    await flows.enableSupport(scope, {
      provider: 'scripted',
      name: 'One',
      baseUrl: null,
      settings: {},
      credentials: {},
      owners: [],
    });
    await flows.enableChatbot(scope, { chatbotId: 'bot-2', name: 'Bot two', accountId: null, policy: {} });
    await flows.disableChatbot(scope, 'bot-2');
    await flows.setInboxMembers(scope, { chatbotId: 'bot-1', agentIds: ['alice'] });
    await flows.setTeamMembers(scope, { accountId: null, teamId: '47', agentIds: ['alice'] });
    const look = async () => {
      await flows.inspectDrift(scope, (await account()).id);
      return provider.inspected.at(-1)!;
    };
    expect(await look()).toMatchObject({
      owners: [{ email: 'ada@example.com' }],
      inboxes: [{ chatbotId: 'bot-1', name: 'Bot one', members: ['alice'] }],
      teams: [{ externalId: '47', members: ['alice'] }],
    });
    expect((await look()).inboxes).toHaveLength(1);
    await flows.removeAgent(scope, { accountId: null, agentId: 'alice', deletePerson: false });
    expect(await look()).toMatchObject({ inboxes: [{ members: [] }], teams: [{ members: [] }] });
  });

  it('repairs item by item, keeps what the repair learned, and is healthy then', async () => {
    world.provider.drifted = [drifted(), demoted];
    const { id } = await account();
    expect(await world.flows.inspectDrift(scope, id)).toHaveLength(2);
    expect(await health()).toMatchObject({ state: 'UNAUTHORIZED' });
    const first = await world.flows.repairDrift(scope, id, ['bot-agent:role']);
    expect(first).toMatchObject({
      items: [{ id: 'inbox:name' }],
      account: { health: { state: 'DRIFTED' }, credentials: { token: 't-2' } },
    });
    expect(await world.flows.repairDrift(scope, id, ['inbox:name'])).toMatchObject({
      items: [],
      account: { health: { state: 'HEALTHY' } },
    });
  });
});
