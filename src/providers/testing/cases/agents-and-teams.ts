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

export function agentAndTeamCases(stage: ContractFixture): void {
  const { managesAgents, inboxMembers, managesTeams, loginLinks } = stage.capabilities;
  const people = (): AgentAndTeamVerbs => stage.provider.agentsAndTeams!;
  const listed = async () => stage.provider.listAgents(stage.account, stage.signal());
  const email = () => `carol-${randomUUID()}@people.example`;
  const add = (role: 'AGENT' | 'ADMINISTRATOR' = 'AGENT', address = email(), access = stage.account) =>
    people().addAgent({ access, name: 'Carol', email: address, role }, stage.signal());

  if (managesAgents) {
    it('adds an agent once, by e-mail address', async () => {
      const address = email();
      const added = await add('AGENT', address);
      const before = await stage.harness.census();
      expect(await add('AGENT', address.toUpperCase())).toEqual(added);
      expect(await stage.harness.census()).toEqual(before);
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
        expect(await people().changeAgentRole({ access: stage.account, agentId, role }, stage.signal())).toMatchObject({
          externalId: agentId,
          role,
        });
        expect((await listed()).find(({ externalId }) => externalId === agentId)).toMatchObject({ role });
      }
    });

    it('removes an agent from the account, and finds nothing to remove the second time', async () => {
      const { externalId: agentId } = await add();
      const remove = () =>
        people().removeAgent({ access: stage.account, agentId, deletePerson: false }, stage.signal());
      expect(await remove()).toBe('REMOVED');
      expect((await listed()).map(({ externalId }) => externalId)).not.toContain(agentId);
      expect(await remove()).toBe('NOT_THERE');
    });

    it('takes nobody of another organization', async () => {
      const other = await stage.setUp(await stage.harness.newAccount());
      const before = await stage.provider.listAgents(stage.account, stage.signal());
      await expect(
        people().changeAgentRole({ access: other, agentId: stage.ada.externalId, role: 'AGENT' }, stage.signal()),
      ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED', gone: true });
      expect(
        await people().removeAgent(
          { access: other, agentId: stage.ada.externalId, deletePerson: true },
          stage.signal(),
        ),
      ).toBe('NOT_THERE');
      expect(await stage.provider.listAgents(stage.account, stage.signal())).toEqual(before);
    });
  } else {
    it('does not manage agents', async () => {
      await unsupported(() => stage.provider.agentsAndTeams && add());
      await unsupported(() =>
        stage.provider.agentsAndTeams?.changeAgentRole(
          { access: stage.account, agentId: stage.ada.externalId, role: 'AGENT' },
          stage.signal(),
        ),
      );
      await unsupported(() =>
        stage.provider.agentsAndTeams?.removeAgent(
          { access: stage.account, agentId: stage.ada.externalId, deletePerson: false },
          stage.signal(),
        ),
      );
    });
  }

  if (inboxMembers) {
    it('sets exactly the members of an inbox', async () => {
      const inbox = await stage.newInbox(stage.account);
      const [ada, bob] = [stage.ada.externalId, stage.bob.externalId];
      for (const wanted of [[ada, bob], [bob], [bob], []]) {
        await people().setInboxMembers(inbox, wanted, stage.signal());
        expect(await stage.harness.membersOf!({ inbox })).toEqual(wanted.sort());
      }
    });

    it('adds one member to an inbox, once, beside those who are there', async () => {
      const inbox = await stage.newInbox(stage.account);
      await people().setInboxMembers(inbox, [stage.ada.externalId], stage.signal());
      for (let time = 0; time < 2; time++) {
        await people().addInboxMember(inbox, stage.bob.externalId, stage.signal());
        expect(await stage.harness.membersOf!({ inbox })).toEqual([stage.ada.externalId, stage.bob.externalId].sort());
      }
    });

    it('refuses a member whom the account does not have, and changes nothing', async () => {
      const inbox = await stage.newInbox(stage.account);
      await people().setInboxMembers(inbox, [stage.ada.externalId], stage.signal());
      const other = await stage.setUp(await stage.harness.newAccount());
      const [stranger] = await stage.provider.listAgents(other, stage.signal());
      await expect(people().setInboxMembers(inbox, [stranger!.externalId], stage.signal())).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
      });
      await expect(people().addInboxMember(inbox, stranger!.externalId, stage.signal())).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
      });
      expect(await stage.harness.membersOf!({ inbox })).toEqual([stage.ada.externalId]);
    });
  } else {
    it('has no members of inboxes', async () => {
      await unsupported(() => stage.provider.agentsAndTeams?.setInboxMembers(stage.inbox, [], stage.signal()));
      await unsupported(() =>
        stage.provider.agentsAndTeams?.addInboxMember(stage.inbox, stage.ada.externalId, stage.signal()),
      );
    });
  }

  if (managesTeams) {
    it('makes a team, under whatever spelling, and refuses a second one of its name', async () => {
      const name = `Night Shift ${randomUUID().slice(0, 8)}`;
      const team = await people().createTeam(stage.account, { name, autoAssign: false }, stage.signal());
      expect(
        (await stage.provider.listTeams(stage.account, stage.signal())).map(({ externalId }) => externalId),
      ).toContain(team.externalId);
      const before = await stage.harness.census();
      await expect(
        people().createTeam(stage.account, { name, autoAssign: false }, stage.signal()),
      ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      expect(await stage.harness.census()).toEqual(before);
    });

    it('sets exactly the members of a team, and nobody whom the account does not have', async () => {
      const team = (
        await people().createTeam(
          stage.account,
          { name: `Day Shift ${randomUUID().slice(0, 8)}`, autoAssign: false },
          stage.signal(),
        )
      ).externalId;
      const [ada, bob] = [stage.ada.externalId, stage.bob.externalId];
      const members = () => stage.harness.membersOf!({ account: stage.account, team });
      for (const wanted of [[ada, bob], [bob], [bob], []]) {
        await people().setTeamMembers(stage.account, team, wanted, stage.signal());
        expect(await members()).toEqual(wanted.sort());
      }
      for (const wanted of [[ada], [ada], [ada, bob]]) {
        await people().addTeamMember(stage.account, team, wanted.at(-1)!, stage.signal());
        expect(await members()).toEqual(wanted.sort());
      }
      await people().setTeamMembers(stage.account, team, [], stage.signal());
      const other = await stage.setUp(await stage.harness.newAccount());
      const [stranger] = await stage.provider.listAgents(other, stage.signal());
      await expect(
        people().addTeamMember(stage.account, team, stranger!.externalId, stage.signal()),
      ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      await expect(
        people().setTeamMembers(stage.account, team, [stranger!.externalId], stage.signal()),
      ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      await expect(people().setTeamMembers(other, team, [], stage.signal())).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
        gone: true,
      });
      expect(await members()).toEqual([]);
    });
  } else {
    it('makes no teams', async () => {
      await unsupported(() =>
        stage.provider.agentsAndTeams?.createTeam(stage.account, { name: 'night', autoAssign: false }, stage.signal()),
      );
      await unsupported(() => stage.provider.agentsAndTeams?.setTeamMembers(stage.account, '1', [], stage.signal()));
      await unsupported(() =>
        stage.provider.agentsAndTeams?.addTeamMember(stage.account, '1', stage.ada.externalId, stage.signal()),
      );
    });
  }

  if (loginLinks)
    it('gives a login link to a person whom it made, and to nobody of another organization', async () => {
      const { externalId } = await add();
      expect(await stage.provider.login!.createLoginLink(stage.account, externalId, stage.signal())).toMatch(
        /^https?:\/\//,
      );
      const other = await stage.setUp(await stage.harness.newAccount());
      expect(await stage.provider.login!.createLoginLink(other, externalId, stage.signal())).toBeNull();
    });
  else
    it('gives no login links', async () => {
      await unsupported(() =>
        stage.provider.login?.createLoginLink(stage.account, stage.ada.externalId, stage.signal()),
      );
    });
}
