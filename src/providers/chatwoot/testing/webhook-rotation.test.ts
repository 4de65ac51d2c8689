import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';

const scope = { organizationId: ORG };
const DAY_SECONDS = 86_400;

describe.each(['3.16', '4.10', '4.14'] as const)('the secret in the URL of Chatwoot %s', version => {
  let world: ChatwootWorld;
  let failing = false;
  beforeEach(async () => {
    failing = false;
    world = await createChatwootWorld({
      version,
      fetch: (input, init) =>
        failing && init?.method === 'PATCH' ? Promise.reject(new TypeError('fetch failed')) : fetch(input, init),
    });
  });
  afterEach(() => world.close());

  const rotate = (idempotencyKey: string, previousValidSeconds: number | null = null) =>
    world.flows.rotateWebhookSecret(scope, { accountId: null, idempotencyKey, previousValidSeconds });
  const account = async () => (await world.stores.setup.findAccount(ORG, world.account.id))!;
  const urlThere = async (): Promise<string> =>
    (await world.farSide.get(`${world.accountPath}/inboxes/${world.inbox.externalId}`, world.admin)).webhook_url;
  const urlWith = (secret: string) => `${world.deps.publicUrl}/webhooks/${world.account.id}/${secret}`;
  /** Returns whether the secret is accepted. */
  const isAccepted = async (secret: string) =>
    (await world.stores.setup.findAccountForWebhook(world.account.id, secret)) !== null;
  /** Returns whether an agent's reply arrives by webhook. */
  async function isTold(text: string): Promise<boolean> {
    const sessionId = await world.handedOver();
    const alice = await world.addPerson(`Alice${world.nextKey()}`);
    await world.runDueSyncs();
    await (await world.acting(alice, sessionId)).reply(text);
    await world.runDueSyncs();
    return (await world.collected(sessionId)).includes(`AGENT: ${text}`);
  }

  it('is changed here and in Chatwoot, and the old one is accepted for a while', async () => {
    const { webhookSecret: old } = await account();
    expect(await urlThere()).toBe(urlWith(old));
    const { manualSteps, previousExpiresAt } = await rotate('a');
    const { webhookSecret: next } = await account();
    expect(manualSteps).toEqual([]);
    expect(next).not.toBe(old);
    expect(await urlThere()).toBe(urlWith(next));
    expect(await isTold('one moment')).toBe(true);
    expect(Date.parse(previousExpiresAt!) - world.deps.clock.now()).toBeLessThanOrEqual(DAY_SECONDS * 1_000);
    expect([await isAccepted(old), await isAccepted(next)]).toEqual([true, true]);
    world.time.aheadMs += DAY_SECONDS * 1_000 + 1_000;
    expect([await isAccepted(old), await isAccepted(next)]).toEqual([false, true]);
  });

  it('is created once per key, and is accepted together with earlier ones for several keys', async () => {
    const { webhookSecret: first } = await account();
    await rotate('a');
    const { webhookSecret: second } = await account();
    await rotate('a');
    expect((await account()).webhookSecret).toBe(second);
    await rotate('b');
    const { webhookSecret: third } = await account();
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await Promise.all([first, second, third].map(isAccepted))).toEqual([true, true, true]);
    await rotate('c', 0);
    expect(await Promise.all([first, second, third].map(isAccepted))).toEqual([false, false, false]);
    expect(await urlThere()).toBe(urlWith((await account()).webhookSecret));
  });

  it('that Chatwoot did not get leaves the old one accepted, until the same call or a check has set it', async () => {
    const { webhookSecret: old } = await account();
    failing = true;
    const { manualSteps, previousExpiresAt } = await rotate('a');
    expect([manualSteps.length, previousExpiresAt]).toEqual([1, null]);
    expect(manualSteps.join()).not.toContain(old);
    // As if the process had died here: only its commits remain.
    world.restart();
    world.time.aheadMs += 30 * DAY_SECONDS * 1_000;
    expect(await urlThere()).toBe(urlWith(old));
    expect(await isTold('one moment')).toBe(true);
    failing = false;
    const { webhookSecret: next } = await account();
    if (version === '4.14') {
      const items = (await world.flows.inspectDrift(scope, world.account.id)).filter(
        ({ kind, problem }) => kind === 'INBOX_WEBHOOK_URL' && problem !== null,
      );
      await world.flows.repairDrift(
        scope,
        world.account.id,
        items.map(({ id }) => id),
      );
    } else await rotate('a');
    expect((await account()).webhookSecret).toBe(next);
    expect(await urlThere()).toBe(urlWith(next));
    expect(await isAccepted(old)).toBe(true);
    world.time.aheadMs += DAY_SECONDS * 1_000 + 1_000;
    expect(await isAccepted(old)).toBe(false);
  });

  it('is checked at the call', async () => {
    await expect(rotate('a', -1)).rejects.toMatchObject({ code: 'INPUT_INVALID', field: 'previousValidSeconds' });
    await expect(rotate(' ')).rejects.toMatchObject({ code: 'INPUT_INVALID', field: 'idempotencyKey' });
    await world.flows.disableSupport(scope, null);
    await expect(
      world.flows.rotateWebhookSecret(scope, {
        accountId: world.account.id,
        idempotencyKey: 'a',
        previousValidSeconds: null,
      }),
    ).rejects.toMatchObject({ code: 'ACCOUNT_DISABLED' });
  });
});
