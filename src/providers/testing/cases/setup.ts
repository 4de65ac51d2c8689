import { randomUUID } from 'node:crypto';
import type { AccountAccess } from '../../../core/ports/provider/access';
import type { AccountProgress } from '../../../core/ports/provider/setup-verbs';
import { withProgress, type ContractFixture } from '../contract-fixture';

const CRASH = new Error('crashed here');

const difference = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(after).map(([what, count]) => [what, count - (before[what] ?? 0)]));

export function setUpCases(fixture: ContractFixture): void {
  it('finds no problem in the settings of its own harness', async () => {
    const { baseUrl, settings, credentials } = (await fixture.harness.newAccount()).access;
    expect(fixture.factory.definition.parseSettings({ baseUrl, settings, credentials }).problems).toEqual([]);
  });

  it('declares the capabilities that its harness names', async () => {
    expect(await fixture.provider.readCapabilities(fixture.account, fixture.signal())).toEqual(fixture.capabilities);
  });

  it('creates nothing new when an account is set up again', async () => {
    const before = await fixture.harness.census();
    await fixture.harness.restart();
    const again = await fixture.setUp({ ...fixture.fresh, access: fixture.account });
    expect(again.externalId).toBe(fixture.account.externalId);
    expect(await fixture.harness.census()).toEqual(before);
  });

  it('saves its progress, and after a crash following any save continues without creating anything twice', async () => {
    const start = await fixture.harness.census();
    let saves = 0;
    await fixture.setUp(await fixture.harness.newAccount(), async () => {
      saves += 1;
    });
    const clean = difference(start, await fixture.harness.census());
    expect(saves).toBeGreaterThan(0);

    for (let crashAt = 1; crashAt <= saves; crashAt++) {
      const before = await fixture.harness.census();
      const fresh = await fixture.harness.newAccount();
      let stored: AccountAccess = fresh.access;
      let seen = 0;
      const save = async (progress: AccountProgress) => {
        stored = withProgress(stored, progress);
        if (++seen === crashAt) throw CRASH;
      };
      await expect(fixture.setUp(fresh, save)).rejects.toBe(CRASH);
      await fixture.harness.restart();
      const resumed = await fixture.setUp({ ...fresh, access: stored });
      expect({ crashAt, made: difference(before, await fixture.harness.census()) }).toEqual({ crashAt, made: clean });
      if (stored.externalId !== null) expect(resumed.externalId).toBe(stored.externalId);
    }
  });

  it('lists the owners as administrators, and does not list the BotAgent', async () => {
    const fresh = await fixture.harness.newAccount();
    const agents = await fixture.provider.listAgents(await fixture.setUp(fresh), fixture.signal());
    expect(
      agents.map(({ name, email, role }) => ({ name, email, role })).sort((a, b) => a.name.localeCompare(b.name)),
    ).toEqual(
      fresh.owners
        .map(({ name, email }) => ({ name, email, role: 'ADMINISTRATOR' }))
        .sort((a, b) => a.name.localeCompare(b.name)),
    );
  });

  it('keeps the ids of agents from one listing to the next', async () => {
    const first = await fixture.provider.listAgents(fixture.account, fixture.signal());
    await fixture.harness.restart();
    const second = await fixture.provider.listAgents(fixture.account, fixture.signal());
    expect(new Set(first.map(agent => agent.externalId)).size).toBe(first.length);
    expect(second).toEqual(first);
  });

  it('returns the same inbox when asked again', async () => {
    const request = {
      account: fixture.account,
      externalId: null,
      providerData: {},
      inboxId: randomUUID(),
      chatbotId: 'bot-again',
      name: 'Asked twice',
    };
    const first = await fixture.provider.ensureInbox(request, fixture.signal());
    const before = await fixture.harness.census();
    const known = await fixture.provider.ensureInbox({ ...request, ...first }, fixture.signal());
    expect(known.externalId).toBe(first.externalId);
    expect(await fixture.harness.census()).toEqual(before);
  });

  it('finds the inbox again when its first response was lost', async () => {
    const request = {
      account: fixture.account,
      externalId: null,
      providerData: {},
      inboxId: randomUUID(),
      chatbotId: 'bot-lost',
      name: 'Answer lost',
    };
    const first = await fixture.provider.ensureInbox(request, fixture.signal());
    const before = await fixture.harness.census();
    await fixture.harness.restart();
    expect((await fixture.provider.ensureInbox(request, fixture.signal())).externalId).toBe(first.externalId);
    expect(await fixture.harness.census()).toEqual(before);
  });

  it('renames an inbox', async () => {
    const request = {
      account: fixture.account,
      externalId: null,
      providerData: {},
      inboxId: randomUUID(),
      chatbotId: 'bot-renamed',
      name: 'Old name',
    };
    const first = await fixture.provider.ensureInbox(request, fixture.signal());
    const renamed = await fixture.provider.ensureInbox({ ...request, ...first, name: 'New name' }, fixture.signal());
    expect(renamed.externalId).toBe(first.externalId);
    expect(await fixture.harness.inboxName({ account: fixture.account, ...renamed })).toBe('New name');
  });

  if (fixture.capabilities.teams)
    it('lists teams under stable ids', async () => {
      await fixture.harness.addTeam(fixture.account, 'listed team');
      const first = await fixture.provider.listTeams(fixture.account, fixture.signal());
      await fixture.harness.restart();
      expect(first.map(team => team.name)).toContain('listed team');
      expect(await fixture.provider.listTeams(fixture.account, fixture.signal())).toEqual(first);
    });
}
