import { ChatwootFixture } from './fixture';

let workshop: ChatwootFixture;
afterEach(() => workshop?.stop());

const people = () => workshop.provider.agentsAndTeams!;
const listed = async () =>
  (await workshop.provider.listAgents(workshop.access, workshop.signal())).map(({ externalId }) => externalId);
const add = (email = 'carol@people.example', role: 'AGENT' | 'ADMINISTRATOR' = 'AGENT') =>
  people().addAgent({ access: workshop.access, name: 'Carol', email, role }, workshop.signal());
const exists = async (id: string) =>
  (
    await fetch(`${workshop.double.baseUrl}/platform/api/v1/users/${id}`, {
      headers: { api_access_token: workshop.double.platformToken },
    })
  ).status === 200;
const createLoginLink = (id: string) =>
  workshop.provider.login!.createLoginLink(workshop.access, id, workshop.signal());

/** The same account, set up with an administrator's token only. */
async function hosted(): Promise<void> {
  workshop = await ChatwootFixture.ready();
  const { access_token } = await workshop.farSide.platform('GET', `/users/${workshop.ownerId}`);
  const { agentBotToken } = workshop.access.credentials;
  workshop.access = {
    ...workshop.access,
    settings: { ...workshop.access.settings, botUserId: workshop.ownerId },
    credentials: { adminToken: access_token, agentBotToken: agentBotToken! },
  };
}

describe('§9.25 deleting an agent deletes the person when this was their last account', () => {
  it('with a Platform App removes the person from the account and keeps them in Chatwoot', async () => {
    workshop = await ChatwootFixture.ready();
    const { externalId } = await add();
    expect(
      await workshop.callsOf(() =>
        people().removeAgent({ access: workshop.access, agentId: externalId, deletePerson: false }, workshop.signal()),
      ),
    ).toEqual(['GET /agents', 'DELETE /accounts/account_users']);
    expect(await listed()).not.toContain(externalId);
    expect(await exists(externalId)).toBe(true);
  });

  it('deletes the person only on explicit request', async () => {
    workshop = await ChatwootFixture.ready();
    const { externalId } = await add();
    expect(
      await people().removeAgent(
        { access: workshop.access, agentId: externalId, deletePerson: true },
        workshop.signal(),
      ),
    ).toBe('REMOVED');
    expect(await exists(externalId)).toBe(false);
  });

  it('without a Platform App does nothing unless that is requested', async () => {
    await hosted();
    const { externalId } = await add();
    const remove = (deletePerson: boolean) =>
      people().removeAgent({ access: workshop.access, agentId: externalId, deletePerson }, workshop.signal());
    expect(await remove(false)).toBe('WOULD_DELETE_PERSON');
    expect(await listed()).toContain(externalId);
    expect(await remove(true)).toBe('REMOVED');
    expect(await exists(externalId)).toBe(false);
  });
});

describe('agents of an account', () => {
  it('are invited where there is no Platform App, once', async () => {
    await hosted();
    const calls = await workshop.callsOf(() => add());
    expect(calls).toContain('POST /agents');
    expect(await workshop.callsOf(() => add('CAROL@people.example'))).toEqual(['GET /agents', 'GET /agents']);
    expect((await add('carol@people.example', 'ADMINISTRATOR')).role).toBe('ADMINISTRATOR');
  });

  it('never include BotAgent1, who is not added, changed, removed, put into an inbox, or let in', async () => {
    workshop = await ChatwootFixture.ready();
    const bot = String(workshop.access.settings['botUserId']);
    const { email } = await workshop.farSide.get('/api/v1/profile', workshop.admin);
    const refused = { code: 'PROVIDER_REFUSED' };
    await expect(add(email)).rejects.toMatchObject(refused);
    await expect(
      people().changeAgentRole({ access: workshop.access, agentId: bot, role: 'AGENT' }, workshop.signal()),
    ).rejects.toMatchObject(refused);
    await expect(
      people().removeAgent({ access: workshop.access, agentId: bot, deletePerson: true }, workshop.signal()),
    ).rejects.toMatchObject(refused);
    await expect(people().setInboxMembers(workshop.inbox, [bot], workshop.signal())).rejects.toMatchObject(refused);
    expect(await createLoginLink(bot)).toBeNull();
    expect((await workshop.farSide.get('/api/v1/profile', workshop.admin)).accounts).toEqual([
      expect.objectContaining({ role: 'administrator' }),
    ]);
  });

  it('§9.17 have teams whose names come back in lower case', async () => {
    workshop = await ChatwootFixture.ready();
    const team = await people().createTeam(
      workshop.access,
      { name: 'Night SHIFT', autoAssign: false },
      workshop.signal(),
    );
    expect(team.name).toBe('night shift');
    await expect(
      people().createTeam(workshop.access, { name: 'NIGHT shift', autoAssign: false }, workshop.signal()),
    ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });

  it('refuses an address that Chatwoot does not take', async () => {
    workshop = await ChatwootFixture.ready();
    await expect(add('no-address')).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });
});

describe('a login link', () => {
  it('signs in a person whom this service created, once', async () => {
    workshop = await ChatwootFixture.ready();
    const url = new URL((await createLoginLink((await add()).externalId)) ?? '');
    const signIn = () =>
      fetch(`${workshop.double.baseUrl}/auth/sign_in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          email: url.searchParams.get('email'),
          sso_auth_token: url.searchParams.get('sso_auth_token'),
        }),
      });
    expect((await signIn()).status).toBe(200);
    expect((await signIn()).status).toBe(401);
    expect(await createLoginLink(String(workshop.ownerId))).not.toBeNull();
  });

  it('§9.21 is not given for a person who was there before, though the platform would give it', async () => {
    workshop = await ChatwootFixture.ready();
    const { id } = await workshop.farSide.platform('POST', '/users', {
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
    workshop = await ChatwootFixture.ready();
    const { externalId } = await add();
    await people().removeAgent(
      { access: workshop.access, agentId: externalId, deletePerson: false },
      workshop.signal(),
    );
    expect(await createLoginLink(externalId)).toBeNull();
  });
});
