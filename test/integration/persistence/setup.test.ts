import { randomUUID } from 'node:crypto';
import { createStores, SecretBox } from '../../../src/persistence';
import { accountOf, createStoreWorld, FOREIGN, inboxOf, ORG, type StoreWorld } from './store-world';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());
const setup = () => world.stores.setup;

describe('a support account', () => {
  it('is returned as it was stored', async () => {
    const given = accountOf({
      organizationId: randomUUID(),
      problem: { code: 'PROVIDER_AUTH', message: 'token refused' },
      baseUrl: null,
    });
    expect(await setup().insertAccount(given)).toEqual(given);
    expect(await setup().findAccount(given.organizationId, given.id)).toEqual(given);
    expect(await setup().listAccounts(given.organizationId)).toEqual([given]);
  });

  it('is one per organization and provider, however many insert it at once', async () => {
    const organizationId = randomUUID();
    const replicas = [world.stores, world.replica()];
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        replicas[i % 2]!.setup.insertAccount(accountOf({ organizationId, name: `by ${i}` })),
      ),
    );
    expect(new Set(answers.map(({ id, name, webhookSecret }) => `${id} ${name} ${webhookSecret}`)).size).toBe(1);
    const other = await setup().insertAccount(accountOf({ organizationId, provider: 'other' }));
    expect((await setup().listAccounts(organizationId)).map(({ id }) => id).sort()).toEqual(
      [answers[0]!.id, other.id].sort(),
    );
  });

  it('has no secret in plain text, anywhere in the database', async () => {
    const secrets = { platformToken: `plain-${randomUUID()}`, botToken: `plain-${randomUUID()}` };
    const account = await setup().insertAccount(accountOf({ organizationId: randomUUID(), credentials: secrets }));
    await setup().updateAccount(account.id, { credentials: { ...secrets, botToken: 'a new one' } });
    const [{ row }] = (await world.sql<{ row: string }>('select a::text as row from support_account a where id = $1', [
      account.id,
    ])) as [{ row: string }];
    for (const secret of [...Object.values(secrets), 'a new one', account.webhookSecret]) {
      expect(row).not.toContain(secret);
      expect(row).not.toContain(Buffer.from(secret).toString('base64').slice(0, -3));
      expect(row).not.toContain(Buffer.from(secret).toString('hex'));
    }
    expect(await setup().findAccount(account.organizationId, account.id)).toMatchObject({
      credentials: { ...secrets, botToken: 'a new one' },
      webhookSecret: account.webhookSecret,
    });
  });

  it('cannot be decrypted with another key, or in another row', async () => {
    const account = await setup().insertAccount(accountOf({ organizationId: randomUUID() }));
    const clock = { now: Date.now, newId: randomUUID, random: Math.random, newSecret: randomUUID };
    const stranger = createStores(world.pool, {
      secretBox: new SecretBox('quite another secret, as long as that'),
      clock,
      wake: { committed: () => undefined },
    });
    await expect(stranger.setup.findAccount(account.organizationId, account.id)).rejects.toThrow(/secret key/);
    const victim = await setup().insertAccount(accountOf({ organizationId: randomUUID() }));
    await world.sql(
      'update support_account v set credentials_sealed = a.credentials_sealed from support_account a where v.id = $1 and a.id = $2',
      [victim.id, account.id],
    );
    await expect(setup().findAccount(victim.organizationId, victim.id)).rejects.toThrow(/does not open/);
  });

  it('is changed in the named fields only', async () => {
    const account = await setup().insertAccount(accountOf({ organizationId: randomUUID() }));
    const patch = {
      name: 'Two',
      state: 'FAILED',
      problem: { code: 'X', message: 'y' },
      settings: { a: 1 },
      externalId: undefined,
    } as const;
    expect(await setup().updateAccount(account.id, patch)).toEqual({
      ...account,
      name: 'Two',
      state: 'FAILED',
      problem: { code: 'X', message: 'y' },
      settings: { a: 1 },
    });
    expect(await setup().updateAccount(account.id, { problem: null, baseUrl: null })).toMatchObject({
      problem: null,
      baseUrl: null,
      name: 'Two',
    });
    expect(await setup().updateAccount(account.id, {})).toMatchObject({ name: 'Two' });
    for (const id of [randomUUID(), 'no id'])
      await expect(setup().updateAccount(id, { name: 'x' })).rejects.toMatchObject({ code: 'ACCOUNT_NOT_FOUND' });
  });

  it('verifies a webhook by its current secret only', async () => {
    const account = await setup().insertAccount(accountOf({ organizationId: randomUUID() }));
    expect(await setup().findAccountForWebhook(account.id, account.webhookSecret)).toEqual(account);
    for (const [id, secret] of [
      [account.id, 'guess'],
      [account.id, ''],
      [randomUUID(), account.webhookSecret],
      ['no id', account.webhookSecret],
      [world.account.id, account.webhookSecret],
    ] as const)
      expect(await setup().findAccountForWebhook(id, secret)).toBeNull();
    await setup().updateAccount(account.id, { webhookSecret: 'rotated' });
    expect(await setup().findAccountForWebhook(account.id, account.webhookSecret)).toBeNull();
    expect(await setup().findAccountForWebhook(account.id, 'rotated')).toMatchObject({
      id: account.id,
      webhookSecret: 'rotated',
    });
  });
});

describe('an inbox', () => {
  it("stores the provider's data, which may contain a secret, encrypted", async () => {
    const secret = `plain-${randomUUID()}`;
    const inbox = await setup().insertInbox(
      inboxOf(world.account, { chatbotId: randomUUID(), providerData: { webhookSecret: secret } }),
    );
    expect(inbox.providerData).toEqual({ webhookSecret: secret });
    await setup().updateInbox(inbox.id, { providerData: { webhookSecret: `${secret} again` } });
    const row = async () =>
      (await world.sql<{ row: string }>('select i::text as row from inbox i where id = $1', [inbox.id]))[0]!.row;
    expect(await row()).not.toContain(secret);
    expect((await setup().findInbox(ORG, inbox.id))!.providerData).toEqual({ webhookSecret: `${secret} again` });

    const victim = await setup().insertInbox(inboxOf(world.account, { chatbotId: randomUUID() }));
    await world.sql(
      'update inbox v set provider_data_sealed = i.provider_data_sealed from inbox i where v.id = $1 and i.id = $2',
      [victim.id, inbox.id],
    );
    await expect(setup().findInbox(ORG, victim.id)).rejects.toThrow(/does not open/);
    await world.sql('delete from inbox where id = $1', [victim.id]);
  });

  it('is readable for sessions without that data', async () => {
    const session = await world.open();
    const { result } = await world.stores.sessions.transact(ORG, session.id, async tx => tx.inbox);
    expect(result).not.toHaveProperty('providerData');
    expect(result).toMatchObject({ id: world.inbox.id, state: 'READY' });
  });

  it('is returned as it was stored, and is one per chatbot', async () => {
    const given = inboxOf(world.account, { chatbotId: randomUUID(), externalId: null });
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => setup().insertInbox({ ...given, id: randomUUID() })),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    const inbox = { ...given, id: answers[0]!.id };
    expect(answers[0]).toEqual(inbox);
    expect(await setup().findInbox(ORG, inbox.id)).toEqual(inbox);
    expect(await setup().findInboxByChatbot(ORG, given.chatbotId)).toEqual(inbox);
    const policy = { ...given.policy, whileWaiting: 'BOT_MAY_ANSWER' as const };
    expect(await setup().updateInbox(inbox.id, { policy, externalId: '17', providerData: { token: 't' } })).toEqual({
      ...inbox,
      policy,
      externalId: '17',
      providerData: { token: 't' },
    });
    expect(await setup().listInboxes(ORG, world.account.id)).toContainEqual({
      ...inbox,
      policy,
      externalId: '17',
      providerData: { token: 't' },
    });
    expect(await setup().listInboxes(ORG, randomUUID())).toEqual([]);
    expect(await setup().listInboxes(ORG, 'no id')).toEqual([]);
    await expect(setup().updateInbox(randomUUID(), { name: 'x' })).rejects.toMatchObject({ code: 'INBOX_NOT_FOUND' });
  });
});

describe('the mirrored lists', () => {
  const account = async () => setup().insertAccount(accountOf({ organizationId: randomUUID() }));

  it('follow the provider: new, renamed, deleted, and back again under the same id', async () => {
    const mine = await account();
    const sync = (...teams: [string, string][]) =>
      setup().syncTeams(
        mine,
        teams.map(([externalId, name]) => ({ externalId, name })),
      );
    const [billing, sales] = await sync(['1', 'billing'], ['2', 'sales']);
    expect([billing, sales]).toEqual(
      [
        ['1', 'billing'],
        ['2', 'sales'],
      ].map(([externalId, name]) => ({
        id: expect.any(String),
        organizationId: mine.organizationId,
        accountId: mine.id,
        externalId,
        name,
        memberIds: null,
        autoAssign: null,
      })),
    );
    expect(await sync(['2', 'sales and more'], ['3', 'zoo'])).toMatchObject([
      { id: sales!.id, name: 'sales and more' },
      { name: 'zoo' },
    ]);
    // Old handoffs still name it; no new handoff can.
    expect(await setup().findTeamsByIds(mine.organizationId, [billing!.id])).toEqual([billing]);
    expect(await setup().findTeam(mine.id, '1')).toBeNull();
    expect(await setup().findTeam(mine.id, billing!.id)).toBeNull();
    expect(await sync(['1', 'billing'])).toEqual([billing]);
    expect(await setup().listTeams(mine.organizationId, null)).toEqual([billing]);
    expect(await sync()).toEqual([]);
  });

  it('accept a provider that lists one item twice', async () => {
    const mine = await account();
    expect(
      await setup().syncTeams(mine, [
        { externalId: '1', name: 'a' },
        { externalId: '1', name: 'b' },
      ]),
    ).toMatchObject([{ name: 'b' }]);
  });

  it('can be updated by several replicas at once', async () => {
    const mine = await account();
    const teams = Array.from({ length: 400 }, (_, i) => ({ externalId: String(i), name: `team ${i}` }));
    const replica = world.replica();
    // In different orders, each list without some of the other's: locking rows in order of arrival would deadlock.
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        (i % 2 ? world.stores : replica).setup.syncTeams(mine, i % 2 ? teams.slice(20) : teams.slice(0, -20).reverse()),
      ),
    );
    const final = await setup().syncTeams(mine, teams);
    expect(new Set(final.map(({ externalId }) => externalId)).size).toBe(400);
  });

  it("are searchable by our id or the provider's, ours first, and in the account only", async () => {
    const mine = await account();
    const [one] = await setup().syncTeams(mine, [{ externalId: '17', name: 'one' }]);
    // A provider may use UUIDs itself, even one that is another team's id in our store.
    const [, tricky] = await setup().syncTeams(mine, [
      { externalId: '17', name: 'one' },
      { externalId: one!.id, name: 'tricky' },
    ]);
    expect(await setup().findTeam(mine.id, '17')).toEqual(one);
    expect(await setup().findTeam(mine.id, one!.id)).toEqual(one);
    expect(await setup().findTeam(mine.id, tricky!.id)).toEqual(tricky);
    for (const id of ['18', randomUUID(), '']) expect(await setup().findTeam(mine.id, id)).toBeNull();
    expect(await setup().findTeam((await account()).id, '17')).toBeNull();
    expect(await setup().findTeam('no id', '17')).toBeNull();
  });

  it('keep the link between an agent and a user through every update', async () => {
    const mine = await account();
    const listed = (name: string) => [
      { externalId: '1', name, email: 'ann@example.org', role: 'AGENT' as const },
      { externalId: '2', name: 'Bob', email: null, role: 'ADMINISTRATOR' as const },
    ];
    const [ann] = await setup().syncAgents(mine, listed('Ann'));
    expect(await setup().linkAgentToUser(mine.organizationId, ann!.id, 'user-1')).toEqual({ ...ann, userId: 'user-1' });
    await setup().syncAgents(mine, listed('Ann Lee'));
    const byUsers = await setup().findAgentsByUsers(mine.organizationId, ['user-1', 'user-2']);
    expect(byUsers).toEqual(
      new Map([
        ['user-1', [{ ...ann, name: 'Ann Lee', userId: 'user-1' }]],
        ['user-2', []],
      ]),
    );
    expect(await setup().findAgentsByUsers(FOREIGN, ['user-1'])).toEqual(new Map([['user-1', []]]));
    for (const [organization, id] of [
      [FOREIGN, ann!.id],
      [mine.organizationId, randomUUID()],
      [mine.organizationId, 'no id'],
    ] as const)
      expect(await setup().linkAgentToUser(organization, id, 'user-1')).toBeNull();
    expect(await setup().linkAgentToUser(mine.organizationId, ann!.id, null)).toMatchObject({ userId: null });
    expect(await setup().listAgents(mine.organizationId, mine.id)).toHaveLength(2);
  });
});

describe('the result of a setup', () => {
  async function made() {
    const account = await setup().insertAccount(accountOf({ organizationId: randomUUID() }));
    return { account, inbox: await setup().insertInbox(inboxOf(account, { chatbotId: randomUUID() })) };
  }
  const READY = { state: 'READY', problem: null } as const;

  it('is recorded unless something was disabled since', async () => {
    const { account, inbox } = await made();
    expect(await setup().finishAccountSetup(account, { ...READY, name: 'Two' })).toEqual({ ...account, name: 'Two' });
    expect(await setup().finishInboxSetup(inbox, account, { ...READY, providerData: { identifier: 'y' } })).toEqual({
      ...inbox,
      providerData: { identifier: 'y' },
    });
  });

  it('changes nothing that was disabled since, also when it was disabled before', async () => {
    const { account, inbox } = await made();
    const off = await setup().disableInbox(inbox.id);
    expect(off).toEqual({ ...inbox, state: 'DISABLED', disabledCount: 1 });
    const again = await setup().disableInbox(inbox.id);
    expect(await setup().finishInboxSetup(off, account, READY)).toBeNull();
    expect(await setup().findInbox(account.organizationId, inbox.id)).toEqual(again);
    expect(await setup().finishInboxSetup(again, account, READY)).toMatchObject({ state: 'READY' });
  });

  it('does not change the inboxes of a disabled account', async () => {
    const { account, inbox } = await made();
    const problem = { code: 'ACCOUNT_DISABLED', message: 'with its account' };
    const off = await setup().disableAccount(account.id, problem);
    expect(off).toEqual({ ...account, state: 'DISABLED', disabledCount: 1 });
    const offToo = (await setup().findInbox(account.organizationId, inbox.id))!;
    expect(offToo).toEqual({ ...inbox, state: 'DISABLED', problem, disabledCount: 1 });
    expect(await setup().finishAccountSetup(account, READY)).toBeNull();
    for (const known of [account, off]) expect(await setup().finishInboxSetup(offToo, known, READY)).toBeNull();
    expect(await setup().finishAccountSetup(off, READY)).toMatchObject({ state: 'READY' });
    expect(await setup().finishInboxSetup(offToo, off, READY)).toMatchObject({ state: 'READY' });
  });

  it('is enabled or disabled as a whole, however often both happen at once', async () => {
    for (let round = 0; round < 30; round += 1) {
      const { account, inbox } = await made();
      const off = await setup().disableInbox(inbox.id);
      await Promise.all([
        setup().finishInboxSetup(off, account, READY),
        world.replica().setup.disableAccount(account.id, null),
      ]);
      expect(await setup().findInbox(account.organizationId, inbox.id)).toMatchObject({ state: 'DISABLED' });
    }
  });
});
