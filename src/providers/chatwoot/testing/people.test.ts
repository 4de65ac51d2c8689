import { ChatwootFixture } from './fixture';

let fixture: ChatwootFixture;
afterEach(() => fixture?.stop());

const agentVerbs = () => fixture.provider.agentsAndTeams!;
const listed = async () =>
  (await fixture.provider.listAgents(fixture.access, fixture.signal())).map(({ externalId }) => externalId);
const add = (email = 'carol@people.example', role: 'AGENT' | 'ADMINISTRATOR' = 'AGENT') =>
  agentVerbs().addAgent({ access: fixture.access, name: 'Carol', email, role }, fixture.signal());
const exists = async (id: string) =>
  (
    await fetch(`${fixture.double.baseUrl}/platform/api/v1/users/${id}`, {
      headers: { api_access_token: fixture.double.platformToken },
    })
  ).status === 200;
const createLoginLink = (id: string) => fixture.provider.login!.createLoginLink(fixture.access, id, fixture.signal());

/** The same account, set up with an administrator's token only. */
async function hosted(): Promise<void> {
  fixture = await ChatwootFixture.ready();
  const { access_token } = await fixture.farSide.platform('GET', `/users/${fixture.ownerId}`);
  const { agentBotToken } = fixture.access.credentials;
  fixture.access = {
    ...fixture.access,
    settings: { ...fixture.access.settings, botUserId: fixture.ownerId },
    credentials: { adminToken: access_token, agentBotToken: agentBotToken! },
  };
}

describe('§9.25 deleting an agent deletes the person when this was their last account', () => {
  it('with a Platform App removes the person from the account and keeps them in Chatwoot', async () => {
    fixture = await ChatwootFixture.ready();
    const { externalId } = await add();
    expect(
      await fixture.callsOf(() =>
        agentVerbs().removeAgent(
          { access: fixture.access, agentId: externalId, deletePerson: false },
          fixture.signal(),
        ),
      ),
    ).toEqual(['GET /agents', 'DELETE /accounts/account_users']);
    expect(await listed()).not.toContain(externalId);
    expect(await exists(externalId)).toBe(true);
  });

  it('deletes the person only on explicit request', async () => {
    fixture = await ChatwootFixture.ready();
    const { externalId } = await add();
    expect(
      await agentVerbs().removeAgent(
        { access: fixture.access, agentId: externalId, deletePerson: true },
        fixture.signal(),
      ),
    ).toBe('REMOVED');
    expect(await exists(externalId)).toBe(false);
  });

  it('without a Platform App does nothing unless that is requested', async () => {
    await hosted();
    const { externalId } = await add();
    const remove = (deletePerson: boolean) =>
      agentVerbs().removeAgent({ access: fixture.access, agentId: externalId, deletePerson }, fixture.signal());
    expect(await remove(false)).toBe('WOULD_DELETE_PERSON');
    expect(await listed()).toContain(externalId);
    expect(await remove(true)).toBe('REMOVED');
    expect(await exists(externalId)).toBe(false);
  });
});

describe('agents of an account', () => {
  it('are invited where there is no Platform App, once', async () => {
    await hosted();
    const calls = await fixture.callsOf(() => add());
    expect(calls).toContain('POST /agents');
    expect(await fixture.callsOf(() => add('CAROL@people.example'))).toEqual(['GET /agents', 'GET /agents']);
    expect((await add('carol@people.example', 'ADMINISTRATOR')).role).toBe('ADMINISTRATOR');
  });

  it('never include BotAgent1, who is not added, changed, removed, put into an inbox, or let in', async () => {
    fixture = await ChatwootFixture.ready();
    const bot = String(fixture.access.settings['botUserId']);
    const { email } = await fixture.farSide.get('/api/v1/profile', fixture.admin);
    const refused = { code: 'PROVIDER_REFUSED' };
    await expect(add(email)).rejects.toMatchObject(refused);
    await expect(
      agentVerbs().changeAgentRole({ access: fixture.access, agentId: bot, role: 'AGENT' }, fixture.signal()),
    ).rejects.toMatchObject(refused);
    await expect(
      agentVerbs().removeAgent({ access: fixture.access, agentId: bot, deletePerson: true }, fixture.signal()),
    ).rejects.toMatchObject(refused);
    await expect(agentVerbs().setInboxMembers(fixture.inbox, [bot], fixture.signal())).rejects.toMatchObject(refused);
    expect(await createLoginLink(bot)).toBeNull();
    expect((await fixture.farSide.get('/api/v1/profile', fixture.admin)).accounts).toEqual([
      expect.objectContaining({ role: 'administrator' }),
    ]);
  });

  it('§9.17 have teams whose names come back in lower case', async () => {
    fixture = await ChatwootFixture.ready();
    const team = await agentVerbs().createTeam(
      fixture.access,
      { name: 'Night SHIFT', autoAssign: false },
      fixture.signal(),
    );
    expect(team.name).toBe('night shift');
    await expect(
      agentVerbs().createTeam(fixture.access, { name: 'NIGHT shift', autoAssign: false }, fixture.signal()),
    ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });

  it('refuses an address that Chatwoot does not take', async () => {
    fixture = await ChatwootFixture.ready();
    await expect(add('no-address')).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });
});

describe('a login link', () => {
  it('signs in a person whom this service created, once', async () => {
    fixture = await ChatwootFixture.ready();
    const url = new URL((await createLoginLink((await add()).externalId)) ?? '');
    const signIn = () =>
      fetch(`${fixture.double.baseUrl}/auth/sign_in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          email: url.searchParams.get('email'),
          sso_auth_token: url.searchParams.get('sso_auth_token'),
        }),
      });
    expect((await signIn()).status).toBe(200);
    expect((await signIn()).status).toBe(401);
    expect(await createLoginLink(String(fixture.ownerId))).not.toBeNull();
  });

  it('§9.21 is not given for a person who was there before, though the platform would give it', async () => {
    fixture = await ChatwootFixture.ready();
    const { id } = await fixture.farSide.platform('POST', '/users', {
      name: 'Dan',
      email: 'dan@people.example',
      password: 'Passw0rd!x',
    });
    const { externalId } = await add('dan@people.example');
    expect(externalId).toBe(String(id));
    expect(await createLoginLink(externalId)).toBeNull();
    expect(await createLoginLink('no number')).toBeNull();
  });

  it('is not given for a person who left the account', async () => {
    fixture = await ChatwootFixture.ready();
    const { externalId } = await add();
    await agentVerbs().removeAgent(
      { access: fixture.access, agentId: externalId, deletePerson: false },
      fixture.signal(),
    );
    expect(await createLoginLink(externalId)).toBeNull();
  });
});
