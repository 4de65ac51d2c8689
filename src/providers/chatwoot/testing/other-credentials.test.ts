import { WITHOUT_PLATFORM_APP_NOTE } from '../account-setup';
import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';

const scope = { organizationId: ORG };
let world: ChatwootWorld;
afterEach(() => world.close());

const enable = (credentials: Record<string, string>, settings: Record<string, unknown> = {}) =>
  world.flows.enableSupport(scope, {
    provider: 'chatwoot',
    name: 'Acme',
    baseUrl: null,
    settings,
    credentials,
    owners: [],
  });
const credentialsOf = async () =>
  Object.keys((await world.stores.setup.findAccount(ORG, world.account.id))!.credentials).sort();
const said = async () => {
  const sessionId = await world.openMirroredSession('still here');
  return (await world.messages(sessionId)).map(({ content }) => content);
};

it("an administrator's token replaces the Platform App, and vice versa, in a running account", async () => {
  world = await createChatwootWorld();
  const root = await world.addPerson('Root', 'administrator');
  const { access_token: adminToken } = await world.farSide.platform('GET', `/users/${root}`);
  const bot = (await world.stores.setup.findAccount(ORG, world.account.id))!.settings['botUserId'];

  const byAdministrator = await enable({ adminToken }, { accountId: Number(world.account.externalId) });
  expect(byAdministrator.account).toMatchObject({
    state: 'READY',
    problem: null,
    settings: { botUserId: root },
    capabilities: { createsAccounts: false },
  });
  expect(byAdministrator.manualSteps).toEqual([expect.stringContaining('Remove it'), WITHOUT_PLATFORM_APP_NOTE]);
  expect(await credentialsOf()).toEqual(['adminToken', 'agentBotToken']);
  expect(await said()).toEqual(['still here']);

  const byPlatform = await enable({ platformToken: world.double.platformToken });
  expect(byPlatform).toMatchObject({
    manualSteps: [],
    account: { state: 'READY', problem: null, settings: { botUserId: bot }, capabilities: { createsAccounts: true } },
  });
  expect(await credentialsOf()).toEqual(['agentBotToken', 'botToken', 'platformToken']);
  expect(await said()).toEqual(['still here']);
});

it('both at once are refused, and change nothing', async () => {
  world = await createChatwootWorld();
  await expect(enable({ adminToken: 'a', platformToken: 'b' }, { accountId: 1 })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
  });
  expect(await credentialsOf()).toEqual(['agentBotToken', 'botToken', 'platformToken']);
});

it('an AgentBot that was deleted is put into the inboxes in use again by enabling the organization', async () => {
  world = await createChatwootWorld();
  const before = (await world.stores.setup.findAccount(ORG, world.account.id))!.settings['agentBotId'];
  await world.farSide.call('DELETE', `${world.accountPath}/agent_bots/${String(before)}`, world.admin);
  const { account } = await enable({});
  const { agent_bot: bot } = await world.farSide.get(
    `${world.accountPath}/inboxes/${world.inbox.externalId}/agent_bot`,
    world.admin,
  );
  expect(bot.id).toBe(account.settings['agentBotId']);
  expect(bot.id).not.toBe(before);
});

describe('input for a running account that does not work', () => {
  const stored = async () => (await world.stores.setup.findAccount(ORG, world.account.id))!;
  const both = (what: { baseUrl?: string; credentials?: Record<string, string>; settings?: Record<string, unknown> }) =>
    world.flows.enableSupport(scope, {
      provider: 'chatwoot',
      name: 'Acme',
      baseUrl: null,
      settings: {},
      credentials: {},
      owners: [],
      ...what,
    });
  let adminToken: string;
  beforeEach(async () => {
    world = await createChatwootWorld();
    const mia = await world.addPerson('Mia');
    adminToken = (await world.farSide.platform('GET', `/users/${mia}`)).access_token;
  });

  it.each([
    [
      "an unknown administrator's token",
      () => ({ credentials: { adminToken: 'mistyped' }, settings: { accountId: Number(world.account.externalId) } }),
      'PROVIDER_AUTH',
    ],
    [
      'the token of somebody who is none',
      () => ({ credentials: { adminToken }, settings: { accountId: Number(world.account.externalId) } }),
      'PROVIDER_AUTH',
    ],
    ['an address where nobody answers', () => ({ baseUrl: 'http://127.0.0.1:9' }), 'PROVIDER_UNAVAILABLE'],
  ] as const)('%s is reported, and the previous settings stay in use', async (_what, given, code) => {
    const before = await stored();
    const { account, manualSteps } = await both(given());
    expect(account).toMatchObject({
      state: 'READY',
      problem: { code, message: expect.stringContaining('What was in use before stays in use.') },
    });
    expect(manualSteps).toEqual([account.problem!.message]);
    const { baseUrl, settings, credentials, health } = before;
    expect(await stored()).toMatchObject({ baseUrl, settings, credentials, health });
    expect(await said()).toEqual(['still here']);
    // The next successful setup clears the problem.
    expect((await enable({})).account).toMatchObject({ state: 'READY', problem: null });
  });

  it('another account than the one that it is linked to is refused, and nothing changes', async () => {
    const before = await stored();
    await expect(both({ settings: { accountId: 999 } })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      field: 'settings.accountId',
      message: expect.stringContaining(`linked to Chatwoot account ${before.externalId}`),
    });
    expect(await stored()).toEqual(before);
  });

  it('leaves an account that never worked without previous settings, as its health reports', async () => {
    const never = (settings: Record<string, unknown>) =>
      world.flows.enableSupport(
        { organizationId: 'org-2' },
        {
          provider: 'chatwoot',
          name: 'Other',
          baseUrl: world.double.baseUrl,
          settings,
          credentials: { platformToken: 'mistyped' },
          owners: [],
        },
      );
    await never({ requestSeconds: 20 });
    const { account } = await never({ accountId: 1 });
    expect(account).toMatchObject({
      state: 'FAILED',
      problem: { code: 'PROVIDER_AUTH', message: expect.not.stringContaining('in use') },
      health: { state: 'UNAUTHORIZED' },
    });
  });
});
