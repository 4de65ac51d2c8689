import { randomUUID } from 'node:crypto';
import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';
import { ChatwootFixture } from './fixture';

const HERE = 'http://127.0.0.1:4000';

describe('an inbox of an account that cannot reach us', () => {
  let fixture: ChatwootFixture;
  afterEach(() => fixture.stop());

  const inboxId = randomUUID();
  const shown = async () =>
    (await fixture.farSide.get(`${fixture.account}/inboxes/${fixture.inbox.externalId}`, fixture.admin)).webhook_url ??
    null;
  /** Sets up an account and inbox with a webhook address. */
  async function registered(webhookUrl: string): Promise<void> {
    fixture = await ChatwootFixture.open();
    fixture.access = { ...fixture.access, webhookUrl: webhookUrl.replace('ACCOUNT', fixture.access.accountId) };
    await fixture.ensureAccount();
    fixture.inbox = await fixture.ensureInbox('Shop bot', undefined, inboxId);
    fixture.access = { ...fixture.access, webhookUrl: '' };
  }
  const again = () => fixture.ensureInbox('Shop bot', fixture.inbox, inboxId);
  const desired = () => ({
    access: fixture.access,
    owners: [],
    teams: [],
    inboxes: [
      {
        inboxId,
        chatbotId: 'bot',
        name: 'Shop bot',
        externalId: fixture.inbox.externalId,
        providerData: fixture.inbox.providerData,
        members: null,
      },
    ],
  });
  const problems = async () =>
    (await fixture.provider.drift!.inspectDrift(desired(), fixture.signal())).items.filter(
      ({ problem }) => problem !== null,
    );

  it('loses a webhook that was ours, and keeps one that others set', async () => {
    await registered(`${HERE}/webhooks/ACCOUNT/secret`);
    await again();
    expect(await shown()).toBeNull();
    await fixture.farSide.call('PATCH', `${fixture.account}/inboxes/${fixture.inbox.externalId}`, fixture.admin, {
      channel: { webhook_url: 'https://theirs.example/hook' },
    });
    await again();
    expect(await shown()).toBe('https://theirs.example/hook');
    expect(await problems()).toEqual([]);
  });

  it('is reported as drift while it has our webhook, and repaired', async () => {
    await registered(`${HERE}/webhooks/ACCOUNT/secret`);
    expect(await problems()).toMatchObject([
      { kind: 'INBOX_WEBHOOK_URL', desired: 'none', observed: `${HERE}/…`, repairable: true },
    ]);
    await fixture.provider.drift!.repairDrift(
      {
        desired: desired(),
        items: [`inbox:${inboxId}:webhook-url`],
        save: async () => {},
        withInboxLock: async (_id, work) => {
          await work(desired().inboxes[0]!, fixture.signal());
        },
      },
      fixture.signal(),
    );
    expect(await shown()).toBeNull();
    expect(await problems()).toEqual([]);
  });

  it('is set up without one, and the operator gets a manual step', async () => {
    fixture = await ChatwootFixture.open();
    expect((await fixture.ensureAccount()).manualSteps).toEqual([expect.stringContaining('SUPPORT_PUBLIC_URL')]);
    fixture.inbox = await fixture.ensureInbox();
    expect(await shown()).toBeNull();
  });
});

describe('without an address that Chatwoot can reach', () => {
  let world: ChatwootWorld;
  afterEach(() => world.close());
  const scope = { organizationId: ORG };
  const webhookOf = async () =>
    (await world.farSide.get(`${world.accountPath}/inboxes/${world.inbox.externalId}`, world.admin)).webhook_url ??
    null;

  it("a handoff is synced at once, agents' messages are found on the timer, and no message is marked as failed", async () => {
    world = await createChatwootWorld();
    const alice = await world.addPerson('Alice');
    expect(await webhookOf()).toContain(world.account.id);
    world.deps.isReachableFrom = () => false;
    await world.enableAgain();
    expect(await webhookOf()).toBeNull();
    world.double.clearRequests();

    const sessionId = await world.handedOver();
    expect(await world.runDueSyncs()).toBeGreaterThan(0);
    const acting = await world.acting(alice, sessionId);
    await acting.reply('Here I am.');
    expect(await world.runDueSyncs()).toBe(0);
    await world.pool.query("update lane set next_run_at = now() where destination = 'SYNC'");
    await world.runDueSyncs();
    expect(await world.collected(sessionId)).toContain('AGENT: Here I am.');
    expect((await world.messages(sessionId)).map(({ status }) => status)).not.toContain('failed');
    expect(world.double.deliveries().filter(({ body }) => body.includes('Here I am.'))).toEqual([]);
  });

  it('the choice is made for each account by its own base URL', async () => {
    world = await createChatwootWorld();
    const asked: string[] = [];
    world.deps.isReachableFrom = baseUrl => {
      asked.push(baseUrl);
      return true;
    };
    await world.flows.enableSupport(scope, {
      provider: 'chatwoot',
      name: 'Acme',
      baseUrl: world.double.baseUrl,
      settings: {},
      credentials: {},
      owners: [],
    });
    expect(new Set(asked)).toEqual(new Set([world.double.baseUrl]));
    await world.enableAgain();
    expect(await webhookOf()).toContain(world.account.id);
  });
});
