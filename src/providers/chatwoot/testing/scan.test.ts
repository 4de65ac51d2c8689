import { createChatwootWorld, type ChatwootWorld } from './chatwoot-world';
import { scanAccount } from '../../../core/flows/from-provider/scan-account';

let world: ChatwootWorld;
beforeEach(async () => {
  world = await createChatwootWorld();
  // Admits the account; the changes before are covered.
  const look = (await world.stores.scans.claimFullScan(1))!;
  await world.stores.scans.finishFullScan(look.accountId, look.startedAt, 3_600_000);
});
afterEach(() => world.close());

const stopped = new AbortController().signal;
async function scan() {
  await world.pool.query("update account_scan set next_scan_at = now() - interval '1 s'");
  return scanAccount(world.deps, (await world.stores.scans.claimScan(1_000))!, stopped);
}
const everyMs = async () =>
  (await world.pool.query<{ ms: number | null }>('select scan_every_ms as ms from account_scan')).rows[0]!.ms;
/** Simulates that the longest delivery time of a webhook has passed. */
const webhooksHadTheirTime = () =>
  world.pool.query("update lane set next_run_at = next_run_at - interval '5 s' where destination = 'SYNC'");
/** Postpones syncs that nothing requests, so that none is due meanwhile. */
const noTimers = () =>
  world.pool.query("update lane set next_run_at = now() + interval '1 hour' where destination = 'SYNC'");

/** Creates live handoffs that were fully synced. */
async function live(count: number): Promise<readonly string[]> {
  const sessions: string[] = [];
  for (let n = 0; n < count; n++) sessions.push(await world.handedOver({ reason: 'asked' }));
  await world.runDueSyncs();
  await noTimers();
  await scan();
  await webhooksHadTheirTime();
  await world.runDueSyncs();
  await noTimers();
  return sessions;
}

describe('a scan of an account', () => {
  it('finds what no webhook reported, with one call, and makes no other', async () => {
    const sessions = await live(4);
    const acting = await world.acting(await world.addPerson('Alice'), sessions[2]!);
    world.setDown(true);
    await acting.reply('Is anybody there?');
    await world.double.whenIdle();
    expect(
      await world.callsOf(async () => {
        expect(await scan()).toMatchObject({ syncs: 1 });
      }),
    ).toEqual(['GET /conversations']);
    // A webhook may still arrive.
    expect(await world.runDueSyncs()).toBe(0);
    await webhooksHadTheirTime();
    expect(await world.runDueSyncs()).toBe(1);
    expect(await world.collected(sessions[2]!)).toContain('AGENT: Is anybody there?');
  });

  it('finds that agents took, returned and resolved', async () => {
    const [taken, resolved] = await live(2);
    const alice = await world.addPerson('Alice');
    world.setDown(true);
    await (await world.acting(alice, taken!)).assign({ agentId: alice });
    await (await world.acting(alice, resolved!)).resolve();
    await world.double.whenIdle();
    expect(await scan()).toMatchObject({ syncs: 2 });
    await webhooksHadTheirTime();
    await world.runDueSyncs();
    expect((await world.liveHandoff(taken!))?.state).toBe('ASSIGNED');
    expect((await world.liveHandoff(resolved!))?.state ?? 'ENDED').toMatch(/^END/);
  });

  it('requests no sync of what a webhook reported, and one call after our own writes', async () => {
    const [session] = await live(1);
    const acting = await world.acting(await world.addPerson('Alice'), session!);
    await acting.reply('Good morning.');
    await world.runDueSyncs();
    expect(await scan()).toMatchObject({ changed: expect.any(Number), syncs: 0 });
    await world.user(session!, 'Hello!');
    await world.deliverAll();
    await world.runDueSyncs();
    // An agent's message may have a lower id. The list shows that the state did not change.
    expect(await scan()).toMatchObject({ syncs: 1 });
    await webhooksHadTheirTime();
    await world.pool.query("update session set state_read_at = state_read_at - interval '10 min'");
    expect(await world.callsOf(() => world.runDueSyncs())).toEqual(['GET /conversations/messages']);
    expect(await scan()).toMatchObject({ syncs: 0 });
    // Nor because of a note that was read before.
    await acting.note('For colleagues.');
    await world.runDueSyncs();
    await scan();
    await webhooksHadTheirTime();
    await world.runDueSyncs();
    expect(await scan()).toMatchObject({ syncs: 0 });
  });

  it('runs more rarely while webhooks arrive, up to a limit, and at full rate once one was lost', async () => {
    const [session] = await live(1);
    await world.stores.scans.requestScans();
    const waits: (number | null)[] = [];
    for (let n = 0; n < 6; n++) {
      await scan();
      waits.push(await everyMs());
    }
    expect(waits).toEqual([20_000, 40_000, 80_000, 120_000, 120_000, 120_000]);
    const acting = await world.acting(await world.addPerson('Alice'), session!);
    world.setDown(true);
    await acting.reply('Hello?');
    await world.double.whenIdle();
    await scan();
    await webhooksHadTheirTime();
    await world.runDueSyncs();
    expect(await everyMs()).toBeNull();
    await scan();
    expect(await everyMs()).toBe(20_000);
  });

  it('stays frequent where no webhook can come', async () => {
    await live(1);
    world.deps.isReachableFrom = () => false;
    for (let n = 0; n < 3; n++) await scan();
    expect(await everyMs()).toBe(20_000);
  });

  it('finds a message below our own post where no webhook can come', async () => {
    const [session] = await live(1);
    world.deps.isReachableFrom = () => false;
    world.setDown(true);
    const acting = await world.acting(await world.addPerson('Alice'), session!);
    await acting.reply('Is anybody there?');
    await world.user(session!, 'Hello!');
    await world.deliverAll();
    await world.double.whenIdle();
    expect(await scan()).toMatchObject({ syncs: 1 });
    await world.runDueSyncs();
    expect(await world.collected(session!)).toContain('AGENT: Is anybody there?');
  });

  it.each(["the end-user's", "the bot's"])(
    "finds an agent's message whose webhook was lost below a newer one, %s",
    async whose => {
      const [session] = await live(1);
      const acting = await world.acting(await world.addPerson('Alice'), session!);
      world.double.dropWebhooks({ event: 'message_created', times: 1 });
      await acting.reply('Is anybody there?');
      await world.double.whenIdle();
      if (whose === "the bot's") await world.pool.query("update session set control = 'BOT'");
      await (whose === "the bot's" ? world.bot(session!, 'Let me see.') : world.user(session!, 'Hello!'));
      await world.deliverAll();
      expect(await world.runDueSyncs()).toBe(0);
      expect(await scan()).toMatchObject({ syncs: 1 });
      await webhooksHadTheirTime();
      await world.runDueSyncs();
      expect(await world.collected(session!)).toContain('AGENT: Is anybody there?');
      expect(await scan()).toMatchObject({ syncs: 0 });
    },
  );

  it('requests no sync of messages of bot and end-users where no agent has the conversation', async () => {
    const [, session] = [await live(1), await world.openMirroredSession()];
    await world.runDueSyncs();
    await scan();
    await world.bot(session, 'Good morning.');
    await world.deliverAll();
    expect(await scan()).toMatchObject({ syncs: 0 });
  });

  it('that fails has each live handoff synced on a timer instead', async () => {
    const sessions = await live(3);
    const acting = await world.acting(await world.addPerson('Alice'), sessions[1]!);
    world.setDown(true);
    await acting.reply('Hello?');
    await world.double.whenIdle();
    Object.assign(world.provider, { listChangedConversations: () => Promise.reject(new Error('the list is broken')) });
    await expect(scan()).rejects.toThrow('the list is broken');
    await world.pool.query("update lane set next_run_at = next_run_at - interval '130 s' where destination = 'SYNC'");
    expect(await world.runDueSyncs()).toBe(3);
    expect(await world.collected(sessions[1]!)).toContain('AGENT: Hello?');
  });

  it('runs at its ordinary time after the first handoff of an account that had none for long', async () => {
    const firstAfterMs = world.deps.limits.liveScanIntervalMs;
    const claim = () => world.stores.scans.claimScan(1_000, firstAfterMs);
    const elapse = (ms: number) =>
      world.pool.query("update handoff set requested_at = requested_at - $1 * interval '1 ms'", [ms]);
    await world.pool.query(
      "update account_scan set next_scan_at = now() - interval '1 hour', scanned_at = now() - interval '1 hour'",
    );
    await world.handedOver();
    expect(await claim()).toBeNull();
    await elapse(firstAfterMs / 2);
    expect(await claim()).toBeNull();
    // A second handoff neither advances nor delays the scan.
    await world.handedOver();
    expect(await claim()).toBeNull();
    await elapse(firstAfterMs / 2);
    expect(await claim()).toMatchObject({ accountId: world.account.id });
  });

  it('runs at once at a start while a handoff is live, however new it is', async () => {
    await world.handedOver();
    await world.stores.scans.requestScans();
    expect(await world.stores.scans.claimScan(1_000, world.deps.limits.liveScanIntervalMs)).toMatchObject({
      accountId: world.account.id,
    });
  });

  it('keeps its interval while handoffs follow each other', async () => {
    await world.handedOver();
    const [scanned] = await live(1);
    expect(scanned).toBeDefined();
    await world.pool.query('update account_scan set next_scan_at = now()');
    await world.handedOver();
    expect(await world.stores.scans.claimScan(1_000, world.deps.limits.liveScanIntervalMs)).toMatchObject({
      accountId: world.account.id,
    });
  });

  it('is made of no account without live handoffs', async () => {
    await world.openMirroredSession();
    await world.pool.query("update account_scan set next_scan_at = now() - interval '1 s'");
    expect(await world.stores.scans.claimScan(1_000)).toBeNull();
  });
});
