import type { ProviderHost } from '../../../core/ports/provider/definition';
import type { FaultMode } from './double';
import { WITHOUT_PLATFORM_APP_NOTE } from '../account-setup';
import { ChatwootFixture } from './fixture';

let fixture: ChatwootFixture;
afterEach(() => fixture?.stop());

/** Makes the provider's nth call fail in the given mode. */
function failingAt(nth: number, mode: FaultMode): ProviderHost['fetch'] {
  let calls = 0;
  return (url, init) => {
    if (++calls === nth) fixture.double.failNext({ mode });
    return fetch(url, init);
  };
}

/** The manual step of an account without an address for webhooks. */
const NO_WEBHOOKS = expect.stringContaining('SUPPORT_PUBLIC_URL');
const botProfile = () => fixture.farSide.get('/api/v1/profile', fixture.admin);
const agentBots = () => fixture.farSide.get(`${fixture.account}/agent_bots`, fixture.admin);

describe('setting up with a Platform App', () => {
  it('creates the account, BotAgent1 and owners as administrators, and an AgentBot without webhooks', async () => {
    fixture = await ChatwootFixture.open();
    const ensured = await fixture.ensureAccount([
      { name: 'Ada', email: 'ada@owners.example' },
      { name: 'Bob', email: 'bob@owners.example' },
    ]);
    expect(ensured.manualSteps).toEqual([NO_WEBHOOKS]);
    expect(ensured.settings).toMatchObject({ version: '4.10.0', botUserId: (await botProfile()).id });
    const people = await fixture.farSide.get(`${fixture.account}/agents`, fixture.admin);
    expect(people.map(({ name, role }: any) => [name, role]).sort()).toEqual([
      ['Ada', 'administrator'],
      ['Bob', 'administrator'],
      ['BotAgent1', 'administrator'],
    ]);
    expect(await agentBots()).toEqual([
      expect.objectContaining({ id: ensured.settings['agentBotId'], outgoing_url: null }),
    ]);
  });

  it('takes eight calls with one owner the first time, and three when there is nothing to do', async () => {
    fixture = await ChatwootFixture.open();
    expect(await fixture.callsOf(() => fixture.ensureAccount())).toEqual([
      'GET /api',
      'POST /accounts',
      'POST /users',
      'POST /accounts/account_users',
      'GET /agent_bots',
      'POST /agent_bots',
      'POST /users',
      'POST /accounts/account_users',
    ]);
    expect(await fixture.callsOf(() => fixture.ensureAccount([]))).toEqual([
      'GET /api',
      'GET /api/v1/profile',
      'GET /agent_bots',
    ]);
  });

  const CALLS = 11;
  for (const mode of ['applyThenCut', 'applyThen500', 'cutBeforeApply'] as const)
    it(`creates nothing twice when any of its ${CALLS} calls ends with ${mode}`, async () => {
      for (let nth = 1; nth <= CALLS; nth++) {
        const fetchOf = failingAt(nth, mode);
        fixture = await ChatwootFixture.open({}, fetchOf);
        const setUp = async () => {
          await fixture.ensureAccount();
          return fixture.ensureInbox('Shop bot', undefined, '7a6a1f0e-36a5-4b4a-9d7b-0b6f5b0a9c11');
        };
        expect({
          nth,
          code: await setUp().then(
            () => 'nothing failed',
            ({ code }) => code,
          ),
        }).toEqual({ nth, code: 'PROVIDER_UNAVAILABLE' });
        await setUp();
        expect({ nth, ...(await fixture.farSide.census()) }).toEqual({
          nth,
          accounts: 1,
          people: 2,
          bots: 1,
          inboxes: 1,
          contacts: 0,
          conversations: 0,
          teams: 0,
        });
        await fixture.stop();
      }
    });

  describe('with a Platform App of which an account was deleted, so that Chatwoot cannot list its accounts any more', () => {
    const listStatus = async () =>
      (
        await fetch(`${fixture.double.baseUrl}/platform/api/v1/accounts`, {
          headers: { 'api-access-token': fixture.double.platformToken },
        })
      ).status;
    /** Loses the response to the creation of the account. */
    const cutOff = async () => {
      fixture.double.failNext({
        mode: 'applyThenCut',
        match: { method: 'POST', path: /\/platform\/api\/v1\/accounts$/ },
      });
      await expect(fixture.ensureAccount()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    };

    beforeEach(async () => {
      fixture = await ChatwootFixture.open();
      const { id } = await fixture.farSide.platform('POST', '/accounts', { name: 'A demo' });
      await fixture.farSide.platform('DELETE', `/accounts/${id}`);
      await fixture.double.whenIdle();
      expect(await listStatus()).toBe(500);
    });

    it('a first setup does not read the list and succeeds', async () => {
      expect(await fixture.callsOf(() => fixture.ensureAccount())).not.toContain('GET /accounts');
      expect((await botProfile()).name).toBe('BotAgent1');
    });

    it('an interrupted setup continues in another account, and reports the possible leftover', async () => {
      await cutOff();
      const ensured = await fixture.ensureAccount();
      expect(ensured.manualSteps).toEqual([
        expect.stringMatching(
          /cannot list the accounts.*second, empty account "Acme", suspend it, and do not delete it/,
        ),
        NO_WEBHOOKS,
      ]);
      // Reported once; from then on the account is known.
      expect((await fixture.ensureAccount()).manualSteps).toEqual([NO_WEBHOOKS]);
    });

    it('an outage is distinguished: nothing is created while the platform does not respond', async () => {
      await cutOff();
      fixture.double.failNext({ mode: 'status:500', match: { path: /\/platform\/api\/v1\/accounts/ }, times: 2 });
      await expect(fixture.ensureAccount()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      fixture.double.failNext({ mode: 'status:503', match: { path: /\/platform\/api\/v1\/accounts$/ } });
      await expect(fixture.ensureAccount()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    });
  });

  it('an account whose creation was interrupted is found in the list', async () => {
    fixture = await ChatwootFixture.open();
    fixture.double.failNext({
      mode: 'applyThenCut',
      match: { method: 'POST', path: /\/platform\/api\/v1\/accounts$/ },
    });
    await expect(fixture.ensureAccount()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    await fixture.ensureAccount();
    expect(await fixture.farSide.census()).toMatchObject({ accounts: 1 });
  });

  it('works before 4.5 without the list of accounts', async () => {
    fixture = await ChatwootFixture.open({ version: '3.16' });
    await fixture.ensureAccount();
    expect(fixture.access).toMatchObject({ externalId: '1', settings: { version: '3.16.0' } });
  });

  it('uses an account that this Platform App created before', async () => {
    fixture = await ChatwootFixture.open();
    const { id } = await fixture.farSide.platform('POST', '/accounts', { name: 'Made by hand' });
    fixture.access = { ...fixture.access, settings: { accountId: id } };
    expect((await fixture.ensureAccount()).externalId).toBe(String(id));
    expect((await fixture.farSide.census())['accounts']).toBe(1);
  });

  it('does not use an account of another Platform App', async () => {
    fixture = await ChatwootFixture.open();
    const { id } = await fixture.farSide.platform('POST', '/accounts', { name: 'Theirs' });
    fixture.access = {
      ...fixture.access,
      settings: { accountId: id },
      credentials: { platformToken: fixture.double.addPlatformApp('other') },
    };
    await expect(fixture.ensureAccount()).rejects.toMatchObject({ code: 'PROVIDER_AUTH' });
  });

  it('leaves an owner with a refused e-mail address to the operator, and creates the others', async () => {
    fixture = await ChatwootFixture.open();
    const { manualSteps } = await fixture.ensureAccount([
      { name: 'Nobody', email: 'no-address' },
      { name: 'Bob', email: 'bob@owners.example' },
    ]);
    expect(manualSteps).toEqual([expect.stringContaining('no-address'), NO_WEBHOOKS]);
    expect((await fixture.provider.listAgents(fixture.access, fixture.signal())).map(({ name }) => name)).toEqual([
      'Bob',
    ]);
  });

  it('makes an owner from elsewhere in the installation an administrator, without storing their token', async () => {
    fixture = await ChatwootFixture.open();
    const { id, access_token } = await fixture.farSide.platform('POST', '/users', {
      name: 'Ada',
      email: 'ada@owners.example',
      password: 'Passw0rd!x',
    });
    await fixture.ensureAccount();
    expect(
      (await fixture.provider.listAgents(fixture.access, fixture.signal())).map(({ externalId }) => externalId),
    ).toEqual([String(id)]);
    expect(JSON.stringify(fixture.access)).not.toContain(access_token);
  });

  it('reports a Chatwoot older than the supported versions', async () => {
    const old: ProviderHost['fetch'] = async (url, init) =>
      String(url).endsWith('/api')
        ? Response.json({ version: '3.15.2', queue_services: 'ok', data_services: 'ok' })
        : fetch(url, init);
    fixture = await ChatwootFixture.open({}, old);
    expect((await fixture.ensureAccount()).manualSteps).toEqual([expect.stringContaining('3.15.2'), NO_WEBHOOKS]);
  });

  it('reports that webhooks cannot reach this service, since 4.14', async () => {
    fixture = await ChatwootFixture.open({ version: '4.14' });
    fixture.access = { ...fixture.access, webhookUrl: 'http://127.0.0.1:4000/webhooks/1/secret' };
    expect((await fixture.ensureAccount()).manualSteps).toEqual([
      expect.stringContaining('SAFE_FETCH_ALLOW_PRIVATE_NETWORK'),
    ]);
    fixture.access = { ...fixture.access, webhookUrl: 'https://support.example.com/webhooks/1/secret' };
    expect((await fixture.ensureAccount()).manualSteps).toEqual([]);
  });

  it.each([['a wrong token', { platformToken: 'wrong' }, 'PROVIDER_AUTH']])(
    'fails with %s',
    async (_what, credentials, code) => {
      fixture = await ChatwootFixture.open();
      fixture.access = { ...fixture.access, credentials };
      await expect(fixture.ensureAccount()).rejects.toMatchObject({ code });
    },
  );
});

describe('setting up again repairs', () => {
  const botId = () => fixture.access.settings['botUserId'];

  it("BotAgent1's role", async () => {
    fixture = await ChatwootFixture.ready();
    await fixture.setRole(botId(), 'agent');
    await fixture.ensureAccount();
    expect((await botProfile()).accounts).toEqual([expect.objectContaining({ role: 'administrator' })]);
  });

  it("BotAgent1's membership", async () => {
    fixture = await ChatwootFixture.ready();
    await fixture.farSide.platform('DELETE', `/accounts/${fixture.access.externalId}/account_users`, {
      user_id: botId(),
    });
    await fixture.ensureAccount();
    expect((await botProfile()).accounts).toEqual([expect.objectContaining({ role: 'administrator' })]);
  });

  it("BotAgent1's token", async () => {
    fixture = await ChatwootFixture.ready();
    const [before, id] = [fixture.admin, botId()];
    await fixture.farSide.call('POST', '/api/v1/profile/reset_access_token', before);
    await expect(fixture.provider.listTeams(fixture.access, fixture.signal())).rejects.toMatchObject({
      code: 'PROVIDER_AUTH',
    });
    await fixture.ensureAccount();
    expect(fixture.admin).not.toBe(before);
    expect(botId()).toBe(id);
    await fixture.provider.listTeams(fixture.access, fixture.signal());
  });

  it.each(['3.16', '4.10', '4.14'] as const)(
    "BotAgent1's token when its e-mail address was changed too, from 4.3 on without a second BotAgent1 (%s)",
    async version => {
      fixture = await ChatwootFixture.ready({ version });
      const [before, id] = [fixture.admin, botId()];
      await fixture.farSide.platform('PATCH', `/users/${String(id)}`, { email: 'robot@people.example' });
      await fixture.farSide.call('POST', '/api/v1/profile/reset_access_token', before);
      await fixture.ensureAccount();
      expect(fixture.admin).not.toBe(before);
      expect(botId() === id).toBe(version !== '3.16');
      expect((await fixture.farSide.census())['people']).toBe(version === '3.16' ? 3 : 2);
      await fixture.provider.listTeams(fixture.access, fixture.signal());
    },
  );

  it('BotAgent1 itself', async () => {
    fixture = await ChatwootFixture.ready();
    await fixture.farSide.platform('DELETE', `/users/${botId()}`);
    await fixture.ensureAccount();
    expect((await botProfile()).accounts).toEqual([expect.objectContaining({ role: 'administrator' })]);
  });

  it.each(['', 'http://127.0.0.1:1/ours'])(
    'a deleted AgentBot, and our inboxes with it, of which Chatwoot knows the webhook "%s"; nobody else\'s',
    async webhookUrl => {
      fixture = await ChatwootFixture.open();
      fixture.access = { ...fixture.access, webhookUrl };
      await fixture.ensureAccount();
      fixture.inbox = await fixture.ensureInbox();
      const channel = {
        type: 'api',
        webhook_url: webhookUrl,
        additional_attributes: { support_inbox_id: 'of another installation of this service' },
      };
      const other = await fixture.farSide.call('POST', `${fixture.account}/inboxes`, fixture.admin, {
        name: 'Theirs',
        channel,
      });
      await fixture.farSide.call(
        'DELETE',
        `${fixture.account}/agent_bots/${fixture.access.settings['agentBotId']}`,
        fixture.admin,
      );
      await expect(fixture.conversation()).rejects.toMatchObject({ code: 'PROVIDER_AUTH' });
      await fixture.ensureAccount();
      fixture.inbox = { ...fixture.inbox, account: fixture.access };
      const botOf = async (id: string) =>
        (await fixture.farSide.get(`${fixture.account}/inboxes/${id}/agent_bot`, fixture.admin)).agent_bot.id;
      expect(await botOf(fixture.inbox.externalId)).toBe(fixture.access.settings['agentBotId']);
      expect(await botOf(other.id)).toBeUndefined();
      await fixture.conversation();
    },
  );
});

describe("setting up with an administrator's token", () => {
  /** Creates an account in which a user has a role, and returns that user's token. */
  async function hosted(role: 'agent' | 'administrator') {
    fixture = await ChatwootFixture.open();
    const { id } = await fixture.farSide.platform('POST', '/accounts', { name: 'Hosted' });
    const person = await fixture.farSide.platform('POST', '/users', {
      name: 'Root',
      email: 'root@people.example',
      password: 'Passw0rd!x',
    });
    fixture.access = { ...fixture.access, externalId: String(id) };
    await fixture.setRole(person.id, role);
    fixture.access = {
      ...fixture.access,
      externalId: null,
      settings: { accountId: String(id) },
      credentials: { adminToken: person.access_token },
    };
    return person;
  }

  it('works as that person, and reports manual steps', async () => {
    const person = await hosted('administrator');
    const ensured = await fixture.ensureAccount();
    expect(ensured).toMatchObject({
      externalId: '1',
      settings: { botUserId: person.id },
      capabilities: { createsAccounts: false },
    });
    expect(ensured.manualSteps).toEqual([
      expect.stringMatching(/ada@owners.example .*invitation/),
      WITHOUT_PLATFORM_APP_NOTE,
      NO_WEBHOOKS,
    ]);
    fixture.inbox = await fixture.ensureInbox();
    await fixture.post(await fixture.conversation(), 'hello');
  });

  it('makes owners administrators: existing users by their role, others by one invitation', async () => {
    await hosted('administrator');
    fixture.access = { ...fixture.access, externalId: '1' };
    const [ada, bob] = [await fixture.addPerson('Ada', 'administrator'), await fixture.addPerson('Bob', 'agent')];
    const owners = [
      { name: 'Ada', email: 'ADA@people.example' },
      { name: 'Bob', email: 'bob@people.example' },
      { name: 'Carol', email: 'carol@people.example' },
    ];
    const setUp = async () =>
      (await fixture.ensureAccount(owners)).manualSteps.filter(sentence => sentence.includes('people.example'));
    expect(await setUp()).toEqual([expect.stringMatching(/carol@people.example .*invitation/)]);
    const administrators = async () =>
      (await fixture.farSide.get(`${fixture.account}/agents`, fixture.admin))
        .filter(({ role }: any) => role === 'administrator')
        .map(({ id, name }: any) => [id, name]);
    expect(await administrators()).toEqual([
      [ada, 'Ada'],
      [bob, 'Bob'],
      [expect.any(Number), 'Carol'],
      [expect.any(Number), 'Root'],
    ]);
    // Reported until the invitation is followed; none is sent twice.
    const again = await fixture.callsOf(async () =>
      expect(await setUp()).toEqual([expect.stringMatching(/carol@people.example .*invitation/)]),
    );
    expect(again.filter(call => !call.startsWith('GET'))).toEqual([]);
  });

  it('leaves an owner whose invitation is refused to the operator, and creates the others', async () => {
    await hosted('administrator');
    const { manualSteps } = await fixture.ensureAccount([
      { name: 'Nobody', email: 'bad' },
      { name: 'Carol', email: 'carol@people.example' },
    ]);
    expect(manualSteps).toEqual([
      expect.stringContaining('owner bad'),
      expect.stringContaining('carol@people.example'),
      WITHOUT_PLATFORM_APP_NOTE,
      NO_WEBHOOKS,
    ]);
    expect((await fixture.provider.listAgents(fixture.access, fixture.signal())).map(({ name }) => name)).toContain(
      'Carol',
    );
  });

  it('refuses a person who is no administrator', async () => {
    await hosted('agent');
    await expect(fixture.ensureAccount()).rejects.toMatchObject({
      code: 'PROVIDER_AUTH',
      message: expect.stringContaining('"agent"'),
    });
  });

  it('refuses a person of another account', async () => {
    await hosted('administrator');
    const other = await fixture.farSide.platform('POST', '/accounts', { name: 'Other' });
    fixture.access = { ...fixture.access, settings: { accountId: other.id } };
    await expect(fixture.ensureAccount()).rejects.toMatchObject({
      code: 'PROVIDER_AUTH',
      message: expect.stringContaining('not in Chatwoot account 2'),
    });
  });
});
