import { caller, createFlowWorld, type FlowWorld, ORG, type GraphqlApi, startGraphqlApi } from './room';

let world: FlowWorld;
let api: GraphqlApi;
beforeEach(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
});
afterEach(async () => {
  await api?.stop();
  await world?.close();
});

const AGENT = 'agent { id externalId name email role user { id } }';
const FIELDS = {
  AddSupportAgent: `${AGENT} inboxes { chatbotId: id members { externalId } } teams { externalId members { externalId } }`,
  ChangeSupportAgentRole: AGENT,
  RemoveSupportAgent: AGENT,
  LinkSupportAgent: AGENT,
  SetSupportInboxMembers: 'inbox { id members { externalId } }',
  CreateSupportTeam: 'team { id externalId name members { externalId } }',
  SetSupportTeamMembers: 'team { id externalId members { externalId } }',
  CreateSupportLoginLink: 'agent { externalId } url',
} as const;
const OPERATOR = caller('operator');

async function mutate(name: keyof typeof FIELDS, input: object, as = OPERATOR): Promise<any> {
  const field = name[0]!.toLowerCase() + name.slice(1);
  const { body } = await api.run(
    `mutation ($input: ${name}Input!) { ${field}(input: $input) { ${FIELDS[name]} userErrors { code field message } } }`,
    { input },
    as,
  );
  return body.errors ? body : body.data[field];
}
const agents = async () =>
  (await api.run('{ supportAgents { id externalId role } }')).data.supportAgents as {
    id: string;
    externalId: string;
    role: string;
  }[];
const refusal = (code: string, field: string) =>
  expect.objectContaining({ userErrors: [expect.objectContaining({ code, field })] });

describe('agents', () => {
  it('are added with name, address, role and user, and are listed at once', async () => {
    const added = await mutate('AddSupportAgent', { name: 'Bob', email: 'bob@example.com', userId: 'u-bob' });
    expect(added).toMatchObject({
      userErrors: [],
      agent: { externalId: 'bob', name: 'Bob', email: 'bob@example.com', role: 'AGENT', user: { id: 'u-bob' } },
    });
    expect((await agents()).map(({ externalId }) => externalId).sort()).toEqual(['alice', 'bob']);
  });

  it('are added with their inboxes and teams, beside existing members', async () => {
    const inbox = (await world.stores.setup.findInboxByChatbot(ORG, 'bot-1'))!;
    await mutate('SetSupportInboxMembers', { chatbotId: 'bot-1', agentIds: ['alice'] });
    const input = { name: 'Bob', email: 'bob@example.com', userId: 'u-bob', inboxIds: [inbox.id], teamIds: ['47'] };
    const added = await mutate('AddSupportAgent', input);
    expect(added).toMatchObject({
      userErrors: [],
      agent: { externalId: 'bob', user: { id: 'u-bob' } },
      inboxes: [{ members: [{ externalId: 'alice' }, { externalId: 'bob' }] }],
      teams: [{ externalId: '47' }],
    });
    expect(await mutate('AddSupportAgent', input)).toEqual(added);
    expect([...world.provider.members]).toEqual([
      ['inbox-1', ['alice', 'bob']],
      ['47', ['bob']],
    ]);
    // The members of the team were never set from here, so any members are right.
    expect((await world.stores.setup.findTeam(inbox.accountId, '47'))!.memberIds).toBeNull();
  });

  it('are not added when an inbox or team does not exist', async () => {
    const strangeId = '5d3b8d0c-0a55-4d0f-9a3c-1f6a2f3c7e21';
    expect(await mutate('AddSupportAgent', { name: 'Bob', email: 'bob@example.com', inboxIds: [strangeId] })).toEqual(
      refusal('INBOX_NOT_FOUND', 'inboxIds.0'),
    );
    expect(await mutate('AddSupportAgent', { name: 'Bob', email: 'bob@example.com', teamIds: ['47', '99'] })).toEqual(
      refusal('TEAM_NOT_FOUND', 'teamIds.1'),
    );
    expect((await agents()).map(({ externalId }) => externalId)).toEqual(['alice']);
  });

  it('are added even when a membership fails, which is named, and the same call again completes it', async () => {
    const { id } = (await world.stores.setup.findInboxByChatbot(ORG, 'bot-1'))!;
    const input = { name: 'Bob', email: 'bob@example.com', inboxIds: [id], teamIds: ['47', '48'] };
    world.provider.failNext('addInboxMember', 'after');
    world.provider.failNext('addTeamMember', 'refused');
    expect(await mutate('AddSupportAgent', input)).toMatchObject({
      agent: { externalId: 'bob' },
      inboxes: [],
      teams: [{ externalId: '48' }],
      userErrors: [
        { code: 'MEMBERSHIP_NOT_SET', field: 'inboxIds.0' },
        { code: 'INPUT_INVALID', field: 'teamIds.0' },
      ],
    });
    expect(await mutate('AddSupportAgent', input)).toMatchObject({
      userErrors: [],
      inboxes: [{}],
      teams: [{ externalId: '47' }, { externalId: '48' }],
    });
    expect([...world.provider.members].map(([of, members]) => [of, [...members]])).toEqual([
      ['inbox-1', ['bob']],
      ['48', ['bob']],
      ['47', ['bob']],
    ]);
    expect((await agents()).map(({ externalId }) => externalId).sort()).toEqual(['alice', 'bob']);
  });

  it("change their role by our id and by the provider's", async () => {
    const [alice] = await agents();
    expect(await mutate('ChangeSupportAgentRole', { agentId: alice!.id, role: 'ADMINISTRATOR' })).toMatchObject({
      userErrors: [],
      agent: { role: 'ADMINISTRATOR' },
    });
    expect(await mutate('ChangeSupportAgentRole', { agentId: 'alice', role: 'AGENT' })).toMatchObject({
      userErrors: [],
      agent: { id: alice!.id, role: 'AGENT' },
    });
  });

  it('are removed, and still named as authors', async () => {
    const [alice] = await agents();
    expect(await mutate('RemoveSupportAgent', { agentId: 'alice' })).toMatchObject({
      userErrors: [],
      agent: { id: alice!.id },
    });
    expect(await agents()).toEqual([]);
    expect(await mutate('RemoveSupportAgent', { agentId: 'alice' })).toEqual(refusal('AGENT_NOT_FOUND', 'agentId'));
    expect((await world.stores.setup.findAgentsByIds(ORG, [alice!.id]))[0]).toMatchObject({ name: 'Alice' });
  });

  it('are not deleted as persons without the explicit option', async () => {
    world.provider.removal = 'WOULD_DELETE_PERSON';
    expect(await mutate('RemoveSupportAgent', { agentId: 'alice' })).toEqual(
      refusal('WOULD_DELETE_PERSON', 'deletePerson'),
    );
    expect(await agents()).toHaveLength(1);
    expect(await mutate('RemoveSupportAgent', { agentId: 'alice', deletePerson: true })).toMatchObject({
      userErrors: [],
    });
    expect(await agents()).toEqual([]);
  });

  it('are no owners any more once they are removed or demoted', async () => {
    const [account] = await world.stores.setup.listAccounts(ORG);
    const owners = async () =>
      (await world.stores.setup.findAccount(ORG, account!.id))!.owners.map(({ email }) => email);
    const own = () =>
      world.stores.setup.updateAccount(account!.id, {
        owners: [
          { name: 'Alice', email: 'Alice@example.com' },
          { name: 'Zoe', email: 'zoe@example.com' },
        ],
      });
    await own();
    await mutate('ChangeSupportAgentRole', { agentId: 'alice', role: 'ADMINISTRATOR' });
    expect(await owners()).toHaveLength(2);
    await mutate('ChangeSupportAgentRole', { agentId: 'alice', role: 'AGENT' });
    expect(await owners()).toEqual(['zoe@example.com']);
    await own();
    await mutate('RemoveSupportAgent', { agentId: 'alice' });
    expect(await owners()).toEqual(['zoe@example.com']);
  });

  it('are refused with the invalid field', async () => {
    expect(await mutate('AddSupportAgent', { name: 'Bob', email: 'nowhere' })).toEqual(
      refusal('INPUT_INVALID', 'email'),
    );
    world.provider.failNext('addAgent', 'refused');
    expect(await mutate('AddSupportAgent', { name: 'Bob', email: 'bob@example.com' })).toEqual(
      refusal('INPUT_INVALID', 'email'),
    );
    expect(await mutate('ChangeSupportAgentRole', { agentId: 'nobody', role: 'AGENT' })).toEqual(
      refusal('AGENT_NOT_FOUND', 'agentId'),
    );
    expect(await mutate('AddSupportAgent', { name: 'Bob', email: 'bob@example.com', accountId: 'elsewhere' })).toEqual(
      refusal('ACCOUNT_NOT_FOUND', 'accountId'),
    );
  });

  it('can be changed by operators only, and by nobody of another organization', async () => {
    expect(
      (await mutate('AddSupportAgent', { name: 'Bob', email: 'bob@example.com' }, caller('bot'))).errors[0].extensions
        .code,
    ).toBe('FORBIDDEN');
    const [alice] = await agents();
    expect(await mutate('RemoveSupportAgent', { agentId: alice!.id }, caller('operator', 'org-2'))).toEqual(
      refusal('ORGANIZATION_NOT_ENABLED', 'accountId'),
    );
    expect(await agents()).toHaveLength(1);
  });

  it('return UNSUPPORTED_BY_PROVIDER when the provider cannot manage them', async () => {
    const [account] = await world.stores.setup.listAccounts(ORG);
    const none = { managesAgents: false, inboxMembers: false, managesTeams: false, loginLinks: false };
    await world.stores.setup.updateAccount(account!.id, { capabilities: { ...account!.capabilities, ...none } });
    const calls: [keyof typeof FIELDS, object][] = [
      ['AddSupportAgent', { name: 'Bob', email: 'bob@example.com' }],
      ['ChangeSupportAgentRole', { agentId: 'alice', role: 'AGENT' }],
      ['RemoveSupportAgent', { agentId: 'alice' }],
      ['SetSupportInboxMembers', { chatbotId: 'bot-1', agentIds: [] }],
      ['CreateSupportTeam', { name: 'Night' }],
      ['SetSupportTeamMembers', { teamId: '47', agentIds: [] }],
      ['CreateSupportLoginLink', { agentId: 'alice' }],
    ];
    for (const [name, input] of calls)
      expect({ name, ...(await mutate(name, input)) }).toEqual(refusal('UNSUPPORTED_BY_PROVIDER', 'provider'));
  });
});

describe('members', () => {
  it("of an inbox are set by our ids and the provider's, each once", async () => {
    await mutate('AddSupportAgent', { name: 'Bob', email: 'bob@example.com' });
    const alice = (await agents()).find(({ externalId }) => externalId === 'alice')!;
    const set = await mutate('SetSupportInboxMembers', { chatbotId: 'bot-1', agentIds: [alice.id, 'alice', 'bob'] });
    expect(set).toMatchObject({ userErrors: [], inbox: { members: [{ externalId: 'alice' }, { externalId: 'bob' }] } });
    expect(world.provider.members.get('inbox-1')).toEqual(['alice', 'bob']);
    await mutate('RemoveSupportAgent', { agentId: 'bob' });
    expect(
      (await api.run('{ supportInboxes { members { externalId } hasManagedMembers } }')).data.supportInboxes,
    ).toEqual([{ members: [{ externalId: 'alice' }], hasManagedMembers: true }]);
    expect(await mutate('SetSupportInboxMembers', { chatbotId: 'bot-1', agentIds: ['stranger'] })).toEqual(
      refusal('AGENT_NOT_FOUND', 'agentIds'),
    );
    expect(await mutate('SetSupportInboxMembers', { chatbotId: 'bot-2', agentIds: [] })).toEqual(
      refusal('CHATBOT_NOT_ENABLED', 'chatbotId'),
    );
  });

  it('of a team are set whatever spelling the provider gives its name', async () => {
    const made = await mutate('CreateSupportTeam', { name: 'Night Shift', agentIds: ['alice'] });
    expect(made).toMatchObject({
      userErrors: [],
      team: { externalId: '49', name: 'night shift', members: [{ externalId: 'alice' }] },
    });
    expect(world.provider.members.get('49')).toEqual(['alice']);
    expect(await mutate('SetSupportTeamMembers', { teamId: made.team.id, agentIds: [] })).toMatchObject({
      userErrors: [],
      team: { members: [] },
    });
    expect(await mutate('SetSupportTeamMembers', { teamId: '47', agentIds: ['alice'] })).toMatchObject({
      team: { externalId: '47', members: [{ externalId: 'alice' }] },
    });
    expect(await mutate('SetSupportTeamMembers', { teamId: '4711', agentIds: [] })).toEqual(
      refusal('TEAM_NOT_FOUND', 'teamId'),
    );
    expect(
      (await api.run('{ supportTeams { externalId hasManagedMembers members { externalId } } }')).data.supportTeams,
    ).toEqual(
      expect.arrayContaining([
        { externalId: '48', hasManagedMembers: false, members: [] },
        { externalId: '47', hasManagedMembers: true, members: [{ externalId: 'alice' }] },
      ]),
    );
  });
});

describe('linking by e-mail address', () => {
  it('links the agent who has the address, and one who is listed with it later', async () => {
    expect(await mutate('LinkSupportAgent', { email: 'ALICE@example.com', userId: 'u-1' })).toMatchObject({
      userErrors: [],
      agent: { externalId: 'alice', user: { id: 'u-1' } },
    });
    expect(await mutate('LinkSupportAgent', { email: 'bob@example.com', userId: 'u-2' })).toEqual({
      userErrors: [],
      agent: null,
    });
    expect(await mutate('AddSupportAgent', { name: 'Bob', email: 'Bob@example.com' })).toMatchObject({
      agent: { user: { id: 'u-2' } },
    });
  });

  it('replaces no link of another kind, and is removed by its own mutation', async () => {
    const [alice] = await agents();
    await mutate('LinkSupportAgent', { agentId: alice!.id, userId: 'u-9' });
    expect(await mutate('LinkSupportAgent', { email: 'alice@example.com', userId: 'u-1' })).toMatchObject({
      agent: { user: { id: 'u-9' } },
    });
    await mutate('LinkSupportAgent', { agentId: alice!.id, userId: null });
    await world.flows.refreshDirectory({ organizationId: ORG }, (await world.stores.setup.listAccounts(ORG))[0]!.id);
    expect((await world.stores.setup.findAgentsByIds(ORG, [alice!.id]))[0]).toMatchObject({ userId: null });

    await mutate('LinkSupportAgent', { email: 'alice@example.com', userId: 'u-1' });
    await mutate('LinkSupportAgent', { email: 'alice@example.com', userId: 'u-2' });
    expect((await world.stores.setup.findAgentsByIds(ORG, [alice!.id]))[0]).toMatchObject({ userId: 'u-2' });
    expect(await mutate('LinkSupportAgent', { email: 'alice@example.com', userId: null })).toMatchObject({
      agent: { user: null },
    });
  });

  it('requires exactly one of agent and address', async () => {
    const [alice] = await agents();
    for (const input of [{ userId: 'u' }, { agentId: alice!.id, email: 'alice@example.com', userId: 'u' }])
      expect(await mutate('LinkSupportAgent', input)).toEqual(refusal('INPUT_INVALID', 'agentId'));
  });
});

describe('a login link', () => {
  const asUser = (userId: string) => ({ ...caller('ui'), 'x-user-id': userId });

  it('is for an operator and the person themselves, and for nobody else', async () => {
    await mutate('AddSupportAgent', { name: 'Bob', email: 'bob@example.com', userId: 'u-bob' });
    const link = { userErrors: [], agent: { externalId: 'bob' }, url: 'https://support.example/login/bob' };
    expect(await mutate('CreateSupportLoginLink', { agentId: 'bob' })).toEqual(link);
    expect(await mutate('CreateSupportLoginLink', { agentId: 'bob' }, asUser('u-bob'))).toEqual(link);
    for (const as of [asUser('u-eve'), caller('ui'), caller('bot'), caller('gateway')])
      expect(await mutate('CreateSupportLoginLink', { agentId: 'bob' }, as)).toEqual(
        refusal('LOGIN_LINK_REFUSED', 'agentId'),
      );
    expect(world.provider.calls.filter(call => call === 'createLoginLink')).toHaveLength(2);
  });

  it('is refused for a person whom this service did not create, and is logged nowhere', async () => {
    expect(await mutate('CreateSupportLoginLink', { agentId: 'alice' })).toEqual({
      ...refusal('LOGIN_LINK_REFUSED', 'agentId').sample,
      agent: null,
      url: null,
    });
    expect(JSON.stringify(api.log)).not.toContain('/login/');
  });
});
