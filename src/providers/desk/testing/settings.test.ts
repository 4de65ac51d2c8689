import { desk } from '..';
import { openDesk, type DeskFixture } from './stand';

const problems = (input: {
  baseUrl?: string;
  settings?: Record<string, unknown>;
  credentials?: Record<string, string>;
}) =>
  desk.parseSettings({ baseUrl: null, settings: {}, credentials: {}, ...input }).problems.map(problem => problem.field);

describe('settings of the desk', () => {
  it('may all be omitted', () => {
    expect(problems({})).toEqual([]);
  });

  it.each<[string, Parameters<typeof problems>[0], readonly string[]]>([
    ['an unknown setting', { settings: { colour: 'red' } }, ['settings']],
    ['an agent without e-mail', { settings: { agents: [{ name: 'Cy' }] } }, ['settings.agents.0.email']],
    ['a team without a name', { settings: { teams: [{ name: ' ' }] } }, ['settings.teams.0.name']],
    [
      'a member that is no e-mail',
      { settings: { teams: [{ name: 'support', members: ['Cy'] }] } },
      ['settings.teams.0.members.0'],
    ],
    ['an address that is none', { baseUrl: 'support.example.com' }, ['baseUrl']],
    ['an address of another kind', { baseUrl: 'ftp://support.example.com' }, ['baseUrl']],
    ['a credential', { credentials: { token: 'x' } }, ['credentials.token']],
    [
      'several at once',
      { baseUrl: 'x', settings: { teams: 'all', agents: [{}] }, credentials: { token: 'x' } },
      ['baseUrl', 'settings.agents.0.name', 'settings.agents.0.email', 'settings.teams', 'credentials.token'],
    ],
  ])('are refused by field: %s', (_what, input, fields) => {
    expect(problems(input).sort()).toEqual([...fields].sort());
  });

  describe('at setup', () => {
    let fixture: DeskFixture;
    beforeAll(async () => {
      fixture = await openDesk({
        agents: [{ name: 'Cy', email: 'Cy@Example.org' }],
        teams: [{ name: 'everybody' }, { name: 'billing', members: ['cy@example.org', 'stranger@example.org'] }],
      });
    });
    afterAll(() => fixture.world.stop());

    it('create a team "support" of all agents by default', async () => {
      const { teams, agents, organizationId, manualSteps } = await fixture.enable();
      expect(Object.keys(teams)).toEqual(['support']);
      expect(manualSteps).toEqual([]);
      const listed = (await fixture.world.call({ path: '/api/agents', organizationId })).body.agents;
      expect(listed.map((agent: any) => [agent.id, agent.teamIds])).toEqual([
        [agents.Ada, [teams.support]],
        [agents.Bob, [teams.support]],
      ]);
    });

    it('create the named agents and teams, with the known members', async () => {
      const listed = (await fixture.call({ path: '/api/agents' })).body.agents;
      expect(listed.map((agent: any) => [agent.name, agent.role, agent.teamIds])).toEqual([
        ['Ada', 'ADMINISTRATOR', [fixture.teams.everybody]],
        ['Bob', 'ADMINISTRATOR', [fixture.teams.everybody]],
        ['Cy', 'AGENT', [fixture.teams.everybody, fixture.teams.billing]],
      ]);
    });

    it('report an unknown member as a manual step', () => {
      expect(fixture.manualSteps).toEqual([expect.stringContaining('stranger@example.org')]);
    });

    it('report a desk without agents as a manual step', async () => {
      const access = {
        accountId: 'empty',
        externalId: null,
        baseUrl: null,
        settings: {},
        credentials: {},
        webhookUrl: '',
      };
      const { manualSteps } = await fixture.provider.ensureAccount(
        { access, organizationId: 'org-empty', name: 'Empty', owners: [], save: async () => {} },
        fixture.signal(),
      );
      expect(manualSteps).toHaveLength(1);
    });

    it('give the BotAgent its role back when they are applied again', async () => {
      const stand = await fixture.enable();
      await fixture.world.database.query(
        `update desk_agent set role = 'AGENT' where kind = 'BOT' and account_id = $1`,
        [stand.inbox.account.externalId],
      );
      await expect(fixture.provider.listAgents(stand.inbox.account, fixture.signal())).rejects.toMatchObject({
        code: 'PROVIDER_AUTH',
      });
      await fixture.provider.ensureAccount(
        {
          access: stand.inbox.account,
          organizationId: stand.organizationId,
          name: 'Acme',
          owners: [],
          save: async () => {},
        },
        fixture.signal(),
      );
      expect(await fixture.provider.listAgents(stand.inbox.account, fixture.signal())).toHaveLength(2);
    });

    it("keep an owner's role when they name the owner as an agent", async () => {
      const access = {
        accountId: 'both',
        externalId: null,
        baseUrl: null,
        settings: { agents: [{ name: 'Ada', email: 'ADA@both.example' }] },
        credentials: {},
        webhookUrl: '',
      };
      const apply = (owners: { name: string; email: string }[]) =>
        fixture.provider.ensureAccount(
          { access, organizationId: 'org-both', name: 'Both', owners, save: async () => {} },
          fixture.signal(),
        );
      const { externalId } = await apply([{ name: 'Ada', email: 'ada@both.example' }]);
      await apply([]);
      expect(
        (await fixture.provider.listAgents({ ...access, externalId }, fixture.signal())).map(agent => agent.role),
      ).toEqual(['ADMINISTRATOR']);
    });

    it('create one account when four replicas apply them at once', async () => {
      const access = {
        accountId: 'raced',
        externalId: null,
        baseUrl: null,
        settings: {},
        credentials: {},
        webhookUrl: '',
      };
      const owners = [{ name: 'Ada', email: 'ada@raced.example' }];
      const made = await Promise.all(
        Array.from({ length: 4 }, () =>
          fixture.provider.ensureAccount(
            { access, organizationId: 'org-raced', name: 'Raced', owners, save: async () => {} },
            fixture.signal(),
          ),
        ),
      );
      expect(new Set(made.map(account => account.externalId)).size).toBe(1);
      expect(
        await fixture.provider.listAgents({ ...access, externalId: made[0]!.externalId }, fixture.signal()),
      ).toHaveLength(1);
    });
  });
});
