import { ProviderUnavailableError } from '../../../src/core/errors';
import { scanAccount, scanClaimMs } from '../../../src/core/flows/from-provider/scan-account';
import type { FlowDeps } from '../../../src/core/flows/deps';
import { CircuitBreakers } from '../../../src/delivery/remote-limiter';
import { Heartbeats } from '../../../src/delivery/heartbeats';
import { HealthMonitor } from '../../../src/delivery/health-monitor';
import { SyncRunner } from '../../../src/delivery/sync-runner';
import { RATE_LIMITS, ServerRateLimiter } from '../../../src/providers/chatwoot/rate-limits';
import { InjectedTime } from '../../../scripts/bench/recovery';
import { idleProvider, openEnvironment, type BenchEnvironment } from '../../../scripts/bench/environment';
import { createTestDatabase, type TestDatabase } from '../../../src/testing/database';
import { quiet } from '../../support/quiet';

const ORG = 'org-live';
const LIVE = 2_000;
const LEASE_MS = 10_000;

let database: TestDatabase;
let world: BenchEnvironment;
afterEach(async () => {
  await world.end();
  await database.drop();
});

/**
 * One process that works on 2,000 live handoffs of one account, each of whose calls uses one request of the server's
 * limit. The test controls the time: nothing takes longer than its steps.
 */
async function process() {
  database = await createTestDatabase();
  const provider = idleProvider();
  const calls = { HINT: 0, TIMER: 0, SCAN: 0, refused: 0 };
  const read: string[] = [];
  const clock: { time?: InjectedTime } = {};
  const pace = new ServerRateLimiter(
    () => clock.time!.ms,
    () => 1,
  );
  const call = (isBackground: boolean | undefined, verb: 'SCAN' | null = null): void => {
    try {
      if (pace.reserve('https://chatwoot.example', 'account', isBackground) > 0)
        throw new ProviderUnavailableError('later', { retryAfterMs: 1_000, isOwnRateLimit: true });
    } catch (error) {
      calls.refused += 1;
      throw error;
    }
    calls[verb ?? (isBackground ? 'TIMER' : 'HINT')] += 1;
  };
  type Conversation = { conversationId: string; inbox: { account: { isBackground?: true } } };
  Object.assign(provider.instance, {
    readConversation: async ({ inbox }: Conversation) => {
      call(inbox.account.isBackground);
      return { status: 'OPEN', agent: null, teamId: null };
    },
    listMessages: async ({ conversation: { conversationId, inbox } }: { conversation: Conversation }) => {
      call(inbox.account.isBackground);
      read.push(conversationId);
      return { observations: [], after: null, hasMore: false };
    },
    listChangedConversations: async () => {
      call(false, 'SCAN');
      return { conversationIds: [], hasMore: false };
    },
  });
  world = await openEnvironment(database.url, 10, provider);
  const time = (clock.time = new InjectedTime(world));
  const deps: FlowDeps = {
    ...world.deps,
    publicUrl: 'http://127.0.0.1:1',
    limits: { ...world.deps.limits, liveScanIntervalMs: 20_000 },
  };
  const { accountId, inboxId, chatbotId } = await world.enable(ORG);
  await world.pool
    .query(
      `
    with opened as (
      insert into session (id, organization_id, chatbot_id, inbox_id, account_id, channel, external_id, end_user, control, epoch, last_message_seq, last_event_seq, status_writes, opened_at,
        contact_id, conversation_id, live_handoff_id, last_view)
      select gen_random_uuid(), $1, $2, $3, $4, 'bench', 's-' || n, '{}', 'NONE', 2, 0, 1, 0, now(), 'c', 'talk-' || n, gen_random_uuid(), '{"status": "OPEN", "agent": null, "teamId": null}'
      from generate_series(1, ${LIVE}) n returning id, live_handoff_id
    ), asked as (
      insert into handoff (id, organization_id, chatbot_id, session_id, origin, state, fields, links, requested_at, queued_at, history_through_seq, opened_for_agents)
      select live_handoff_id, $1, $2, id, 'REQUEST', 'QUEUED', '{}', '[]', now(), now(), 0, 'YES' from opened
    )
    select count(*) from opened`,
      [ORG, chatbotId, inboxId, accountId],
    )
    .catch((error: Error) => {
      throw new Error(`The handoffs could not be made: ${error.message}`);
    });
  await world.stores.scans
    .claimFullScan(1)
    .then(look => world.stores.scans.finishFullScan(look!.accountId, look!.startedAt, 3_600_000));

  const beats = new Heartbeats(deps.stores.lanes, LEASE_MS, time.now);
  const circuits = new CircuitBreakers(
    time.now,
    () => 0.5,
    () => undefined,
  );
  const health = new HealthMonitor(deps, quiet, () => undefined);
  const hinted = new SyncRunner(
    'HINT',
    deps,
    health,
    { leaseMs: LEASE_MS, concurrency: 64, concurrencyPerRemote: 8, pollMs: 1 },
    circuits,
    quiet,
    () => undefined,
    beats,
  );
  const timed = new SyncRunner(
    'TIMER',
    deps,
    health,
    { leaseMs: LEASE_MS, concurrency: 16, concurrencyPerRemote: 2, pollMs: 1 },
    circuits,
    quiet,
    () => undefined,
    beats,
  );
  const stopped = new AbortController().signal;
  return {
    accountId,
    calls,
    read,
    time,
    hint: async (conversation: string) => {
      const session = (await world.stores.sessions.findByConversation(accountId, conversation))!;
      await world.stores.sessions.transact(ORG, session.id, tx => tx.requestSync(new Date().toISOString(), 'MESSAGES'));
    },
    /** Runs all work that the job slots allow, and timers' work until the limiter admits no more. */
    async work(): Promise<void> {
      for (
        let scan = await world.stores.scans.claimScan(scanClaimMs(deps));
        scan !== null;
        scan = await world.stores.scans.claimScan(scanClaimMs(deps))
      )
        await scanAccount(deps, scan, stopped);
      while (await hinted.tick()) await hinted.waitUntilIdle();
      for (const { refused } = calls; calls.refused === refused && (await timed.tick()); ) await timed.waitUntilIdle();
    },
  };
}

describe('2,000 live handoffs of one account', () => {
  it('cause an occasional scan while nothing happens, and leave the request budget to agents', async () => {
    const { calls, time, work } = await process();
    await world.stores.scans.requestScans();
    const from = performance.now();
    for (let step = 0; step < 120; step++) {
      await work();
      await time.pass(2_000);
    }
    // 20 s, 40 s, 80 s and then 120 s apart; the database's clock also advances by itself.
    const seconds = 240 + (performance.now() - from) / 1_000;
    expect(calls.SCAN).toBeGreaterThanOrEqual(4);
    expect(calls.SCAN).toBeLessThanOrEqual(5 + Math.ceil((seconds - 240) / 120));
    expect({ hints: calls.HINT, timers: calls.TIMER, refused: calls.refused }).toEqual({
      hints: 0,
      timers: 0,
      refused: 0,
    });
  });

  it('let a hint be synced at once, although all of them are due on a timer', async () => {
    const { accountId, calls, read, hint, time, work } = await process();
    await world.stores.lanes.requestTimerSyncsOfLive(accountId, 0);
    // Timers use all that they are given.
    for (let step = 0; step < 5; step++) {
      await work();
      await time.pass(1_000);
    }
    expect(calls.TIMER).toBeGreaterThan(0);
    expect(read.length).toBeLessThan(LIVE / 2);
    for (let reply = 1; reply <= 20; reply++) {
      const conversation = `talk-${LIVE - reply}`;
      await hint(conversation);
      const before = calls.HINT;
      await work();
      expect(calls.HINT).toBeGreaterThan(before);
      await time.pass(1_000);
    }
    // Timers had the rest, and no more than the server allows.
    expect(calls.HINT + calls.TIMER + calls.SCAN).toBeLessThanOrEqual(RATE_LIMITS.requestsPerMinute);
  });
});
