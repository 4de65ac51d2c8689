import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';

const scope = { organizationId: 'org-2' };
/** Delays every write. */
const slowly: typeof fetch = async (url, init) => {
  if (init?.method === 'POST') await new Promise(resolve => setTimeout(resolve, 100));
  return fetch(url, init);
};

let world: ChatwootWorld;
const enable = () =>
  world.flows.enableSupport(scope, {
    provider: 'chatwoot',
    name: 'Twice',
    baseUrl: world.double.baseUrl,
    settings: { requestSeconds: 3 },
    credentials: { platformToken: world.double.platformToken },
    owners: [{ name: 'Ada Owner', email: 'ada@owners.example' }],
  });
const enableBot = () =>
  world.flows.enableChatbot(scope, { chatbotId: 'bot-2', name: 'Twice bot', accountId: null, policy: {} });

/** Each setup looks for what an earlier one created, and cannot find what is still being created. */
describe('two setups at once', () => {
  beforeEach(async () => {
    world = await createChatwootWorld({ fetch: slowly });
  });
  afterEach(() => world.close());

  it('of an organization create one account', async () => {
    const before = await world.farSide.census();
    const [one, other] = await Promise.all([enable(), enable()]);
    expect([one.account.state, other.account.state]).toEqual(['READY', 'READY']);
    expect(other.account.externalId).toBe(one.account.externalId);
    const after = await world.farSide.census();
    expect({ accounts: after.accounts! - before.accounts!, bots: after.bots! - before.bots! }).toEqual({
      accounts: 1,
      bots: 1,
    });
  });

  it('of a chatbot create one inbox', async () => {
    await enable();
    const before = await world.farSide.census();
    const [one, other] = await Promise.all([enableBot(), enableBot()]);
    expect([one.inbox.state, other.inbox.state]).toEqual(['READY', 'READY']);
    expect((await world.farSide.census()).inboxes! - before.inboxes!).toBe(1);
  });
});

describe('a repair during a setup', () => {
  beforeEach(async () => {
    world = await createChatwootWorld({ fetch: slowly });
  });
  afterEach(() => world.close());

  it('creates a deleted inbox again once', async () => {
    const ours = { organizationId: ORG };
    const inboxes = async () =>
      (await world.farSide.get(`${world.accountPath}/inboxes`, world.admin)).payload as { id: number }[];
    await world.farSide.call('DELETE', `${world.accountPath}/inboxes/${world.inbox.externalId}`, world.admin);
    while ((await inboxes()).length > 0) await world.double.whenIdle();
    const broken = (await world.flows.inspectDrift(ours, world.account.id))
      .filter(({ problem }) => problem !== null)
      .map(({ id }) => id);
    expect(broken).not.toEqual([]);
    const [repaired, inbox] = await Promise.all([
      world.flows.repairDrift(ours, world.account.id, broken),
      world.enableAgain(),
    ]);
    expect(repaired.items.filter(({ problem }) => problem !== null)).toEqual([]);
    expect((await inboxes()).map(({ id }) => String(id))).toEqual([inbox.externalId]);
  });
});

/** A gateway that times out but still passes on the request. */
describe('a setup whose last write may still take effect', () => {
  const late: Promise<unknown>[] = [];
  let isLate = false;
  const gateway: typeof fetch = async (url, init) => {
    if (!isLate || init?.method !== 'POST' || !/\/(accounts|inboxes)$/.test(String(url))) return fetch(url, init);
    isLate = false;
    late.push(new Promise(resolve => setTimeout(resolve, 1_500)).then(() => fetch(url, { ...init, signal: null })));
    return new Response('<h1>504 Gateway Time-out</h1>', { status: 504, headers: { 'content-type': 'text/html' } });
  };
  beforeEach(async () => {
    world = await createChatwootWorld({ fetch: gateway });
  });
  afterEach(async () => {
    await Promise.all(late);
    await world.close();
  });

  it('makes the next one wait, which then finds the result', async () => {
    const before = await world.farSide.census();
    isLate = true;
    expect((await enable()).account).toMatchObject({ state: 'FAILED', problem: { code: 'PROVIDER_UNAVAILABLE' } });
    expect((await enable()).account).toMatchObject({ state: 'READY', problem: null });
    isLate = true;
    expect((await enableBot()).inbox).toMatchObject({ state: 'FAILED', problem: { code: 'PROVIDER_UNAVAILABLE' } });
    expect((await enableBot()).inbox).toMatchObject({ state: 'READY', problem: null });
    await Promise.all(late);
    const after = await world.farSide.census();
    expect({ accounts: after.accounts! - before.accounts!, inboxes: after.inboxes! - before.inboxes! }).toEqual({
      accounts: 1,
      inboxes: 1,
    });
  });

  it('of an inbox that was deleted there makes the next one look up the result', async () => {
    const inboxes = async () =>
      (await world.farSide.get(`${world.accountPath}/inboxes`, world.admin)).payload as unknown[];
    await world.flows.enableSupport(
      { organizationId: ORG },
      {
        provider: 'chatwoot',
        name: 'Acme',
        baseUrl: world.double.baseUrl,
        settings: { requestSeconds: 3 },
        credentials: {},
        owners: [],
      },
    );
    await world.farSide.call('DELETE', `${world.accountPath}/inboxes/${world.inbox.externalId}`, world.admin);
    while ((await inboxes()).length > 0) await world.double.whenIdle();
    isLate = true;
    expect(await world.enableAgain()).toMatchObject({ problem: { code: 'PROVIDER_UNAVAILABLE' } });
    expect(await world.enableAgain()).toMatchObject({ state: 'READY', problem: null });
    await Promise.all(late);
    expect(await inboxes()).toHaveLength(1);
  });
});
