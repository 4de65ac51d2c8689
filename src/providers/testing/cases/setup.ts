import { randomUUID } from 'node:crypto';
import type { AccountAccess } from '../../../core/ports/provider/access';
import type { AccountProgress } from '../../../core/ports/provider/setup-verbs';
import { withProgress, type ContractFixture } from '../contract-fixture';

const CRASH = new Error('crashed here');

const difference = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(after).map(([what, count]) => [what, count - (before[what] ?? 0)]));

export function setUpCases(stage: ContractFixture): void {
  it('finds no problem in the settings of its own harness', async () => {
    const { baseUrl, settings, credentials } = (await stage.harness.newAccount()).access;
    expect(stage.factory.definition.parseSettings({ baseUrl, settings, credentials }).problems).toEqual([]);
  });

  it('declares the capabilities that its harness names', async () => {
    expect(await stage.provider.readCapabilities(stage.account, stage.signal())).toEqual(stage.capabilities);
  });

  it('makes nothing new when an account is set up again', async () => {
    const before = await stage.harness.census();
    await stage.harness.restart();
    const again = await stage.setUp({ ...stage.fresh, access: stage.account });
    expect(again.externalId).toBe(stage.account.externalId);
    expect(await stage.harness.census()).toEqual(before);
  });

  it('saves what it knows, and after a crash behind any save resumes without making anything twice', async () => {
    const start = await stage.harness.census();
    let saves = 0;
    await stage.setUp(await stage.harness.newAccount(), async () => {
      saves += 1;
    });
    const clean = difference(start, await stage.harness.census());
    expect(saves).toBeGreaterThan(0);

    for (let crashAt = 1; crashAt <= saves; crashAt++) {
      const before = await stage.harness.census();
      const fresh = await stage.harness.newAccount();
      let stored: AccountAccess = fresh.access;
      let seen = 0;
      const save = async (progress: AccountProgress) => {
        stored = withProgress(stored, progress);
        if (++seen === crashAt) throw CRASH;
      };
      await expect(stage.setUp(fresh, save)).rejects.toBe(CRASH);
      await stage.harness.restart();
      const resumed = await stage.setUp({ ...fresh, access: stored });
      expect({ crashAt, made: difference(before, await stage.harness.census()) }).toEqual({ crashAt, made: clean });
      if (stored.externalId !== null) expect(resumed.externalId).toBe(stored.externalId);
    }
  });

  it('lists the owners as administrators, and the BotAgent not at all', async () => {
    const fresh = await stage.harness.newAccount();
    const agents = await stage.provider.listAgents(await stage.setUp(fresh), stage.signal());
    expect(
      agents.map(({ name, email, role }) => ({ name, email, role })).sort((a, b) => a.name.localeCompare(b.name)),
    ).toEqual(
      fresh.owners
        .map(({ name, email }) => ({ name, email, role: 'ADMINISTRATOR' }))
        .sort((a, b) => a.name.localeCompare(b.name)),
    );
  });

  it('keeps the ids of agents from one listing to the next', async () => {
    const first = await stage.provider.listAgents(stage.account, stage.signal());
    await stage.harness.restart();
    const second = await stage.provider.listAgents(stage.account, stage.signal());
    expect(new Set(first.map(agent => agent.externalId)).size).toBe(first.length);
    expect(second).toEqual(first);
  });

  it('answers the same inbox when asked again', async () => {
    const request = {
      account: stage.account,
      externalId: null,
      providerData: {},
      inboxId: randomUUID(),
      chatbotId: 'bot-again',
      name: 'Asked twice',
    };
    const first = await stage.provider.ensureInbox(request, stage.signal());
    const before = await stage.harness.census();
    const known = await stage.provider.ensureInbox({ ...request, ...first }, stage.signal());
    expect(known.externalId).toBe(first.externalId);
    expect(await stage.harness.census()).toEqual(before);
  });

  it('finds the inbox again when its first answer was lost', async () => {
    const request = {
      account: stage.account,
      externalId: null,
      providerData: {},
      inboxId: randomUUID(),
      chatbotId: 'bot-lost',
      name: 'Answer lost',
    };
    const first = await stage.provider.ensureInbox(request, stage.signal());
    const before = await stage.harness.census();
    await stage.harness.restart();
    expect((await stage.provider.ensureInbox(request, stage.signal())).externalId).toBe(first.externalId);
    expect(await stage.harness.census()).toEqual(before);
  });

  it('renames an inbox', async () => {
    const request = {
      account: stage.account,
      externalId: null,
      providerData: {},
      inboxId: randomUUID(),
      chatbotId: 'bot-renamed',
      name: 'Old name',
    };
    const first = await stage.provider.ensureInbox(request, stage.signal());
    const renamed = await stage.provider.ensureInbox({ ...request, ...first, name: 'New name' }, stage.signal());
    expect(renamed.externalId).toBe(first.externalId);
    expect(await stage.harness.inboxName({ account: stage.account, ...renamed })).toBe('New name');
  });

  if (stage.capabilities.teams)
    it('lists teams under ids that stay', async () => {
      await stage.harness.addTeam(stage.account, 'listed team');
      const first = await stage.provider.listTeams(stage.account, stage.signal());
      await stage.harness.restart();
      expect(first.map(team => team.name)).toContain('listed team');
      expect(await stage.provider.listTeams(stage.account, stage.signal())).toEqual(first);
    });
}
