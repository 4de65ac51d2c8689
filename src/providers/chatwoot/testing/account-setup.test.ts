import type { ProviderHost } from '../../../core/ports/provider/definition';
import type { FaultMode } from './double';
import { WITHOUT_PLATFORM_APP_NOTE } from '../account-setup';
import { ChatwootFixture } from './fixture';

let workshop: ChatwootFixture;
afterEach(() => workshop?.stop());

/** Makes the provider's nth call fail in the given mode. */
function failingAt(nth: number, mode: FaultMode): ProviderHost['fetch'] {
  let calls = 0;
  return (url, init) => {
    if (++calls === nth) workshop.double.failNext({ mode });
    return fetch(url, init);
  };
}

/** The manual step of an account without an address for webhooks. */
const NO_WEBHOOKS = expect.stringContaining('SUPPORT_PUBLIC_URL');
const botProfile = () => workshop.farSide.get('/api/v1/profile', workshop.admin);
const agentBots = () => workshop.farSide.get(`${workshop.account}/agent_bots`, workshop.admin);

describe('setting up with a Platform App', () => {
  it('creates the account, BotAgent1 and owners as administrators, and an AgentBot without webhooks', async () => {
    workshop = await ChatwootFixture.open();
    const ensured = await workshop.ensureAccount([
      { name: 'Ada', email: 'ada@owners.example' },
      { name: 'Bob', email: 'bob@owners.example' },
    ]);
    expect(ensured.manualSteps).toEqual([NO_WEBHOOKS]);
    expect(ensured.settings).toMatchObject({ version: '4.10.0', botUserId: (await botProfile()).id });
    const people = await workshop.farSide.get(`${workshop.account}/agents`, workshop.admin);
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
    workshop = await ChatwootFixture.open();
    expect(await workshop.callsOf(() => workshop.ensureAccount())).toEqual([
      'GET /api',
      'POST /accounts',
      'POST /users',
      'POST /accounts/account_users',
      'GET /agent_bots',
      'POST /agent_bots',
      'POST /users',
      'POST /accounts/account_users',
    ]);
    expect(await workshop.callsOf(() => workshop.ensureAccount([]))).toEqual([
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
        workshop = await ChatwootFixture.open({}, fetchOf);
        const setUp = async () => {
          await workshop.ensureAccount();
          return workshop.ensureInbox('Shop bot', undefined, '7a6a1f0e-36a5-4b4a-9d7b-0b6f5b0a9c11');
        };
        expect({
          nth,
          code: await setUp().then(
            () => 'nothing failed',
            ({ code }) => code,
          ),
        }).toEqual({ nth, code: 'PROVIDER_UNAVAILABLE' });
        await setUp();
        expect({ nth, ...(await workshop.farSide.census()) }).toEqual({
          nth,
          accounts: 1,
          people: 2,
          bots: 1,
          inboxes: 1,
          contacts: 0,
          conversations: 0,
          teams: 0,
        });
        await workshop.stop();
      }
    });

  describe('with a Platform App of which an account was deleted, so that Chatwoot cannot list its accounts any more', () => {
    const listStatus = async () =>
      (
        await fetch(`${workshop.double.baseUrl}/platform/api/v1/accounts`, {
          headers: { 'api-access-token': workshop.double.platformToken },
        })
      ).status;
    /** Loses the response to the creation of the account. */
    const cutOff = async () => {
      workshop.double.failNext({
        mode: 'applyThenCut',
        match: { method: 'POST', path: /\/platform\/api\/v1\/accounts$/ },
      });
      await expect(workshop.ensureAccount()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    };

    beforeEach(async () => {
      workshop = await ChatwootFixture.open();
      const { id } = await workshop.farSide.platform('POST', '/accounts', { name: 'A demo' });
      await workshop.farSide.platform('DELETE', `/accounts/${id}`);
      await workshop.double.settled();
      expect(await listStatus()).toBe(500);
    });

    it('a first setup does not read the list and succeeds', async () => {
      expect(await workshop.callsOf(() => workshop.ensureAccount())).not.toContain('GET /accounts');
      expect((await botProfile()).name).toBe('BotAgent1');
    });

    it('an interrupted setup continues in another account, and reports the possible leftover', async () => {
      await cutOff();
      const ensured = await workshop.ensureAccount();
      expect(ensured.manualSteps).toEqual([
        expect.stringMatching(
          /cannot list the accounts.*second, empty account "Acme", suspend it, and do not delete it/,
        ),
        NO_WEBHOOKS,
      ]);
      // Reported once; from then on the account is known.
      expect((await workshop.ensureAccount()).manualSteps).toEqual([NO_WEBHOOKS]);
    });

    it('an outage is distinguished: nothing is created while the platform does not respond', async () => {
      await cutOff();
      workshop.double.failNext({ mode: 'status:500', match: { path: /\/platform\/api\/v1\/accounts/ }, times: 2 });
      await expect(workshop.ensureAccount()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      workshop.double.failNext({ mode: 'status:503', match: { path: /\/platform\/api\/v1\/accounts$/ } });
      await expect(workshop.ensureAccount()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    });
  });

  it('an account whose creation was interrupted is found in the list', async () => {
    workshop = await ChatwootFixture.open();
    workshop.double.failNext({
      mode: 'applyThenCut',
      match: { method: 'POST', path: /\/platform\/api\/v1\/accounts$/ },
    });
    await expect(workshop.ensureAccount()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    await workshop.ensureAccount();
    expect(await workshop.farSide.census()).toMatchObject({ accounts: 1 });
  });

  it('works before 4.5 without the list of accounts', async () => {
    workshop = await ChatwootFixture.open({ version: '3.16' });
    await workshop.ensureAccount();
    expect(workshop.access).toMatchObject({ externalId: '1', settings: { version: '3.16.0' } });
  });

  it('uses an account that this Platform App created before', async () => {
    workshop = await ChatwootFixture.open();
    const { id } = await workshop.farSide.platform('POST', '/accounts', { name: 'Made by hand' });
    workshop.access = { ...workshop.access, settings: { accountId: id } };
    expect((await workshop.ensureAccount()).externalId).toBe(String(id));
    expect((await workshop.farSide.census())['accounts']).toBe(1);
  });

  it('does not use an account of another Platform App', async () => {
    workshop = await ChatwootFixture.open();
    const { id } = await workshop.farSide.platform('POST', '/accounts', { name: 'Theirs' });
    workshop.access = {
      ...workshop.access,
      settings: { accountId: id },
      credentials: { platformToken: workshop.double.addPlatformApp('other') },
    };
    await expect(workshop.ensureAccount()).rejects.toMatchObject({ code: 'PROVIDER_AUTH' });
  });

  it('leaves an owner with a refused e-mail address to the operator, and creates the others', async () => {
    workshop = await ChatwootFixture.open();
    const { manualSteps } = await workshop.ensureAccount([
      { name: 'Nobody', email: 'no-address' },
      { name: 'Bob', email: 'bob@owners.example' },
    ]);
    expect(manualSteps).toEqual([expect.stringContaining('no-address'), NO_WEBHOOKS]);
    expect((await workshop.provider.listAgents(workshop.access, workshop.signal())).map(({ name }) => name)).toEqual([
      'Bob',
    ]);
  });

  it('makes an owner from elsewhere in the installation an administrator, without storing their token', async () => {
    workshop = await ChatwootFixture.open();
    const { id, access_token } = await workshop.farSide.platform('POST', '/users', {
      name: 'Ada',
      email: 'ada@owners.example',
      password: 'Passw0rd!x',
    });
    await workshop.ensureAccount();
    expect(
      (await workshop.provider.listAgents(workshop.access, workshop.signal())).map(({ externalId }) => externalId),
    ).toEqual([String(id)]);
    expect(JSON.stringify(workshop.access)).not.toContain(access_token);
  });

  it('reports a Chatwoot older than the supported versions', async () => {
    const old: ProviderHost['fetch'] = async (url, init) =>
      String(url).endsWith('/api')
        ? Response.json({ version: '3.15.2', queue_services: 'ok', data_services: 'ok' })
        : fetch(url, init);
    workshop = await ChatwootFixture.open({}, old);
    expect((await workshop.ensureAccount()).manualSteps).toEqual([expect.stringContaining('3.15.2'), NO_WEBHOOKS]);
  });

  it('reports that webhooks cannot reach this service, since 4.14', async () => {
    workshop = await ChatwootFixture.open({ version: '4.14' });
    workshop.access = { ...workshop.access, webhookUrl: 'http://127.0.0.1:4000/webhooks/1/secret' };
    expect((await workshop.ensureAccount()).manualSteps).toEqual([
      expect.stringContaining('SAFE_FETCH_ALLOW_PRIVATE_NETWORK'),
    ]);
    workshop.access = { ...workshop.access, webhookUrl: 'https://support.example.com/webhooks/1/secret' };
    expect((await workshop.ensureAccount()).manualSteps).toEqual([]);
  });

  it.each([['a wrong token', { platformToken: 'wrong' }, 'PROVIDER_AUTH']])(
    'fails with %s',
    async (_what, credentials, code) => {
      workshop = await ChatwootFixture.open();
      workshop.access = { ...workshop.access, credentials };
      await expect(workshop.ensureAccount()).rejects.toMatchObject({ code });
    },
  );
});

describe('setting up again repairs', () => {
  const botId = () => workshop.access.settings['botUserId'];

  it("BotAgent1's role", async () => {
    workshop = await ChatwootFixture.ready();
    await workshop.setRole(botId(), 'agent');
    await workshop.ensureAccount();
    expect((await botProfile()).accounts).toEqual([expect.objectContaining({ role: 'administrator' })]);
  });

  it("BotAgent1's membership", async () => {
    workshop = await ChatwootFixture.ready();
    await workshop.farSide.platform('DELETE', `/accounts/${workshop.access.externalId}/account_users`, {
      user_id: botId(),
    });
    await workshop.ensureAccount();
    expect((await botProfile()).accounts).toEqual([expect.objectContaining({ role: 'administrator' })]);
  });

  it("BotAgent1's token", async () => {
    workshop = await ChatwootFixture.ready();
    const [before, id] = [workshop.admin, botId()];
    await workshop.farSide.call('POST', '/api/v1/profile/reset_access_token', before);
    await expect(workshop.provider.listTeams(workshop.access, workshop.signal())).rejects.toMatchObject({
      code: 'PROVIDER_AUTH',
    });
    await workshop.ensureAccount();
    expect(workshop.admin).not.toBe(before);
    expect(botId()).toBe(id);
    await workshop.provider.listTeams(workshop.access, workshop.signal());
  });

  it.each(['3.16', '4.10', '4.14'] as const)(
    "BotAgent1's token when its e-mail address was changed too, from 4.3 on without a second BotAgent1 (%s)",
    async version => {
      workshop = await ChatwootFixture.ready({ version });
      const [before, id] = [workshop.admin, botId()];
      await workshop.farSide.platform('PATCH', `/users/${String(id)}`, { email: 'robot@people.example' });
      await workshop.farSide.call('POST', '/api/v1/profile/reset_access_token', before);
      await workshop.ensureAccount();
      expect(workshop.admin).not.toBe(before);
      expect(botId() === id).toBe(version !== '3.16');
      expect((await workshop.farSide.census())['people']).toBe(version === '3.16' ? 3 : 2);
      await workshop.provider.listTeams(workshop.access, workshop.signal());
    },
  );

  it('BotAgent1 itself', async () => {
    workshop = await ChatwootFixture.ready();
    await workshop.farSide.platform('DELETE', `/users/${botId()}`);
    await workshop.ensureAccount();
    expect((await botProfile()).accounts).toEqual([expect.objectContaining({ role: 'administrator' })]);
  });

  it.each(['', 'http://127.0.0.1:1/ours'])(
    'a deleted AgentBot, and our inboxes with it, of which Chatwoot knows the webhook "%s"; nobody else\'s',
    async webhookUrl => {
      workshop = await ChatwootFixture.open();
      workshop.access = { ...workshop.access, webhookUrl };
      await workshop.ensureAccount();
      workshop.inbox = await workshop.ensureInbox();
      const channel = {
        type: 'api',
        webhook_url: webhookUrl,
        additional_attributes: { support_inbox_id: 'of another installation of this service' },
      };
      const other = await workshop.farSide.call('POST', `${workshop.account}/inboxes`, workshop.admin, {
        name: 'Theirs',
        channel,
      });
      await workshop.farSide.call(
        'DELETE',
        `${workshop.account}/agent_bots/${workshop.access.settings['agentBotId']}`,
        workshop.admin,
      );
      await expect(workshop.conversation()).rejects.toMatchObject({ code: 'PROVIDER_AUTH' });
      await workshop.ensureAccount();
      workshop.inbox = { ...workshop.inbox, account: workshop.access };
      const botOf = async (id: string) =>
        (await workshop.farSide.get(`${workshop.account}/inboxes/${id}/agent_bot`, workshop.admin)).agent_bot.id;
      expect(await botOf(workshop.inbox.externalId)).toBe(workshop.access.settings['agentBotId']);
      expect(await botOf(other.id)).toBeUndefined();
      await workshop.conversation();
    },
  );
});

describe("setting up with an administrator's token", () => {
  /** Creates an account in which a user has a role, and returns that user's token. */
  async function hosted(role: 'agent' | 'administrator') {
    workshop = await ChatwootFixture.open();
    const { id } = await workshop.farSide.platform('POST', '/accounts', { name: 'Hosted' });
    const person = await workshop.farSide.platform('POST', '/users', {
      name: 'Root',
      email: 'root@people.example',
      password: 'Passw0rd!x',
    });
    workshop.access = { ...workshop.access, externalId: String(id) };
    await workshop.setRole(person.id, role);
    workshop.access = {
      ...workshop.access,
      externalId: null,
      settings: { accountId: String(id) },
      credentials: { adminToken: person.access_token },
    };
    return person;
  }

  it('works as that person, and reports manual steps', async () => {
    const person = await hosted('administrator');
    const ensured = await workshop.ensureAccount();
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
    workshop.inbox = await workshop.ensureInbox();
    await workshop.post(await workshop.conversation(), 'hello');
  });

  it('makes owners administrators: existing users by their role, others by one invitation', async () => {
    await hosted('administrator');
    workshop.access = { ...workshop.access, externalId: '1' };
    const [ada, bob] = [await workshop.addPerson('Ada', 'administrator'), await workshop.addPerson('Bob', 'agent')];
    const owners = [
      { name: 'Ada', email: 'ADA@people.example' },
      { name: 'Bob', email: 'bob@people.example' },
      { name: 'Carol', email: 'carol@people.example' },
    ];
    const setUp = async () =>
      (await workshop.ensureAccount(owners)).manualSteps.filter(sentence => sentence.includes('people.example'));
    expect(await setUp()).toEqual([expect.stringMatching(/carol@people.example .*invitation/)]);
    const administrators = async () =>
      (await workshop.farSide.get(`${workshop.account}/agents`, workshop.admin))
        .filter(({ role }: any) => role === 'administrator')
        .map(({ id, name }: any) => [id, name]);
    expect(await administrators()).toEqual([
      [ada, 'Ada'],
      [bob, 'Bob'],
      [expect.any(Number), 'Carol'],
      [expect.any(Number), 'Root'],
    ]);
    // Reported until the invitation is followed; none is sent twice.
    const again = await workshop.callsOf(async () =>
      expect(await setUp()).toEqual([expect.stringMatching(/carol@people.example .*invitation/)]),
    );
    expect(again.filter(call => !call.startsWith('GET'))).toEqual([]);
  });

  it('leaves an owner whose invitation is refused to the operator, and creates the others', async () => {
    await hosted('administrator');
    const { manualSteps } = await workshop.ensureAccount([
      { name: 'Nobody', email: 'bad' },
      { name: 'Carol', email: 'carol@people.example' },
    ]);
    expect(manualSteps).toEqual([
      expect.stringContaining('owner bad'),
      expect.stringContaining('carol@people.example'),
      WITHOUT_PLATFORM_APP_NOTE,
      NO_WEBHOOKS,
    ]);
    expect((await workshop.provider.listAgents(workshop.access, workshop.signal())).map(({ name }) => name)).toContain(
      'Carol',
    );
  });

  it('refuses a person who is no administrator', async () => {
    await hosted('agent');
    await expect(workshop.ensureAccount()).rejects.toMatchObject({
      code: 'PROVIDER_AUTH',
      message: expect.stringContaining('"agent"'),
    });
  });

  it('refuses a person of another account', async () => {
    await hosted('administrator');
    const other = await workshop.farSide.platform('POST', '/accounts', { name: 'Other' });
    workshop.access = { ...workshop.access, settings: { accountId: other.id } };
    await expect(workshop.ensureAccount()).rejects.toMatchObject({
      code: 'PROVIDER_AUTH',
      message: expect.stringContaining('not in Chatwoot account 2'),
    });
  });
});
