import { randomUUID } from 'node:crypto';
import { UnsupportedByProviderError } from '../../../core/errors';
import type { AgentAndTeamVerbs } from '../../../core/ports/provider/agents-and-teams';
import type { ContractFixture } from '../contract-fixture';

/** Asserts that an act is unsupported. A provider may omit the group of verbs or let them throw. */
async function unsupported(act: () => Promise<unknown> | undefined): Promise<void> {
  const work = async () => {
    if ((await act()) === undefined) throw new UnsupportedByProviderError('left out');
  };
  await expect(work()).rejects.toMatchObject({ code: 'UNSUPPORTED_BY_PROVIDER' });
}

export function agentAndTeamCases(fixture: ContractFixture): void {
  const { managesAgents, inboxMembers, managesTeams, loginLinks } = fixture.capabilities;
  const agentVerbs = (): AgentAndTeamVerbs => fixture.provider.agentsAndTeams!;
  const listed = async () => fixture.provider.listAgents(fixture.account, fixture.signal());
  const email = () => `carol-${randomUUID()}@people.example`;
  const add = (role: 'AGENT' | 'ADMINISTRATOR' = 'AGENT', address = email(), access = fixture.account) =>
    agentVerbs().addAgent({ access, name: 'Carol', email: address, role }, fixture.signal());

  if (managesAgents) {
    it('adds an agent once, by e-mail address', async () => {
      const address = email();
      const added = await add('AGENT', address);
      const before = await fixture.harness.census();
      expect(await add('AGENT', address.toUpperCase())).toEqual(added);
      expect(await fixture.harness.census()).toEqual(before);
      expect(await listed()).toContainEqual({
        externalId: added.externalId,
        name: 'Carol',
        email: address,
        role: 'AGENT',
      });
    });

    it('gives an agent another role, and the same one again', async () => {
      const { externalId: agentId } = await add();
      for (const role of ['ADMINISTRATOR', 'ADMINISTRATOR', 'AGENT'] as const) {
        expect(
          await agentVerbs().changeAgentRole({ access: fixture.account, agentId, role }, fixture.signal()),
        ).toMatchObject({
          externalId: agentId,
          role,
        });
        expect((await listed()).find(({ externalId }) => externalId === agentId)).toMatchObject({ role });
      }
    });

    it('removes an agent from the account, and finds nothing to remove the second time', async () => {
      const { externalId: agentId } = await add();
      const remove = () =>
        agentVerbs().removeAgent({ access: fixture.account, agentId, deletePerson: false }, fixture.signal());
      expect(await remove()).toBe('REMOVED');
      expect((await listed()).map(({ externalId }) => externalId)).not.toContain(agentId);
      expect(await remove()).toBe('NOT_THERE');
    });

    it('accepts nobody of another organization', async () => {
      const other = await fixture.setUp(await fixture.harness.newAccount());
      const before = await fixture.provider.listAgents(fixture.account, fixture.signal());
      await expect(
        agentVerbs().changeAgentRole(
          { access: other, agentId: fixture.ada.externalId, role: 'AGENT' },
          fixture.signal(),
        ),
      ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED', gone: true });
      expect(
        await agentVerbs().removeAgent(
          { access: other, agentId: fixture.ada.externalId, deletePerson: true },
          fixture.signal(),
        ),
      ).toBe('NOT_THERE');
      expect(await fixture.provider.listAgents(fixture.account, fixture.signal())).toEqual(before);
    });
  } else {
    it('does not manage agents', async () => {
      await unsupported(() => fixture.provider.agentsAndTeams && add());
      await unsupported(() =>
        fixture.provider.agentsAndTeams?.changeAgentRole(
          { access: fixture.account, agentId: fixture.ada.externalId, role: 'AGENT' },
          fixture.signal(),
        ),
      );
      await unsupported(() =>
        fixture.provider.agentsAndTeams?.removeAgent(
          { access: fixture.account, agentId: fixture.ada.externalId, deletePerson: false },
          fixture.signal(),
        ),
      );
    });
  }

  if (inboxMembers) {
    it('sets exactly the members of an inbox', async () => {
      const inbox = await fixture.newInbox(fixture.account);
      const [ada, bob] = [fixture.ada.externalId, fixture.bob.externalId];
      for (const wanted of [[ada, bob], [bob], [bob], []]) {
        await agentVerbs().setInboxMembers(inbox, wanted, fixture.signal());
        expect(await fixture.harness.membersOf!({ inbox })).toEqual(wanted.sort());
      }
    });

    it('adds one member to an inbox, once, beside existing ones', async () => {
      const inbox = await fixture.newInbox(fixture.account);
      await agentVerbs().setInboxMembers(inbox, [fixture.ada.externalId], fixture.signal());
      for (let time = 0; time < 2; time++) {
        await agentVerbs().addInboxMember(inbox, fixture.bob.externalId, fixture.signal());
        expect(await fixture.harness.membersOf!({ inbox })).toEqual(
          [fixture.ada.externalId, fixture.bob.externalId].sort(),
        );
      }
    });

    it('refuses a member whom the account does not have, and changes nothing', async () => {
      const inbox = await fixture.newInbox(fixture.account);
      await agentVerbs().setInboxMembers(inbox, [fixture.ada.externalId], fixture.signal());
      const other = await fixture.setUp(await fixture.harness.newAccount());
      const [stranger] = await fixture.provider.listAgents(other, fixture.signal());
      await expect(agentVerbs().setInboxMembers(inbox, [stranger!.externalId], fixture.signal())).rejects.toMatchObject(
        {
          code: 'PROVIDER_REFUSED',
        },
      );
      await expect(agentVerbs().addInboxMember(inbox, stranger!.externalId, fixture.signal())).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
      });
      expect(await fixture.harness.membersOf!({ inbox })).toEqual([fixture.ada.externalId]);
    });
  } else {
    it('has no members of inboxes', async () => {
      await unsupported(() => fixture.provider.agentsAndTeams?.setInboxMembers(fixture.inbox, [], fixture.signal()));
      await unsupported(() =>
        fixture.provider.agentsAndTeams?.addInboxMember(fixture.inbox, fixture.ada.externalId, fixture.signal()),
      );
    });
  }

  if (managesTeams) {
    it('creates a team, under any spelling, and refuses a second one of its name', async () => {
      const name = `Night Shift ${randomUUID().slice(0, 8)}`;
      const team = await agentVerbs().createTeam(fixture.account, { name, autoAssign: false }, fixture.signal());
      expect(
        (await fixture.provider.listTeams(fixture.account, fixture.signal())).map(({ externalId }) => externalId),
      ).toContain(team.externalId);
      const before = await fixture.harness.census();
      await expect(
        agentVerbs().createTeam(fixture.account, { name, autoAssign: false }, fixture.signal()),
      ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      expect(await fixture.harness.census()).toEqual(before);
    });

    it('sets exactly the members of a team, and nobody whom the account does not have', async () => {
      const team = (
        await agentVerbs().createTeam(
          fixture.account,
          { name: `Day Shift ${randomUUID().slice(0, 8)}`, autoAssign: false },
          fixture.signal(),
        )
      ).externalId;
      const [ada, bob] = [fixture.ada.externalId, fixture.bob.externalId];
      const members = () => fixture.harness.membersOf!({ account: fixture.account, team });
      for (const wanted of [[ada, bob], [bob], [bob], []]) {
        await agentVerbs().setTeamMembers(fixture.account, team, wanted, fixture.signal());
        expect(await members()).toEqual(wanted.sort());
      }
      for (const wanted of [[ada], [ada], [ada, bob]]) {
        await agentVerbs().addTeamMember(fixture.account, team, wanted.at(-1)!, fixture.signal());
        expect(await members()).toEqual(wanted.sort());
      }
      await agentVerbs().setTeamMembers(fixture.account, team, [], fixture.signal());
      const other = await fixture.setUp(await fixture.harness.newAccount());
      const [stranger] = await fixture.provider.listAgents(other, fixture.signal());
      await expect(
        agentVerbs().addTeamMember(fixture.account, team, stranger!.externalId, fixture.signal()),
      ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      await expect(
        agentVerbs().setTeamMembers(fixture.account, team, [stranger!.externalId], fixture.signal()),
      ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      await expect(agentVerbs().setTeamMembers(other, team, [], fixture.signal())).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
        gone: true,
      });
      expect(await members()).toEqual([]);
    });
  } else {
    it('creates no teams', async () => {
      await unsupported(() =>
        fixture.provider.agentsAndTeams?.createTeam(
          fixture.account,
          { name: 'night', autoAssign: false },
          fixture.signal(),
        ),
      );
      await unsupported(() =>
        fixture.provider.agentsAndTeams?.setTeamMembers(fixture.account, '1', [], fixture.signal()),
      );
      await unsupported(() =>
        fixture.provider.agentsAndTeams?.addTeamMember(fixture.account, '1', fixture.ada.externalId, fixture.signal()),
      );
    });
  }

  if (loginLinks)
    it('gives a login link to a person whom it created, and to nobody of another organization', async () => {
      const { externalId } = await add();
      expect(await fixture.provider.login!.createLoginLink(fixture.account, externalId, fixture.signal())).toMatch(
        /^https?:\/\//,
      );
      const other = await fixture.setUp(await fixture.harness.newAccount());
      expect(await fixture.provider.login!.createLoginLink(other, externalId, fixture.signal())).toBeNull();
    });
  else
    it('gives no login links', async () => {
      await unsupported(() =>
        fixture.provider.login?.createLoginLink(fixture.account, fixture.ada.externalId, fixture.signal()),
      );
    });
}
