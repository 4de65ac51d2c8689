import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { FlowDeps } from '../../src/core/flows/deps';
import type { FileArchive } from '../../src/core/ports/file-archive';
import { runFullScan } from '../../src/core/flows/from-provider/full-scan';
import { scanAccount, scanClaimMs } from '../../src/core/flows/from-provider/scan-account';
import type { RuntimePush } from '../../src/core/ports/runtime-push';
import { CircuitBreakers } from '../../src/delivery/remote-limiter';
import { Heartbeats } from '../../src/delivery/heartbeats';
import { HealthMonitor } from '../../src/delivery/health-monitor';
import { LaneRunner } from '../../src/delivery/lane-runner';
import { createMediaHandler } from '../../src/delivery/media-handler';
import { createProviderHandler } from '../../src/delivery/provider-handler';
import { SyncRunner } from '../../src/delivery/sync-runner';
import { createRuntimeHandler } from '../../src/delivery/runtime-handler';
import { PostgresSetupLocks } from '../../src/persistence/setup/setup-locks';
import { TIME_LIMITS } from '../../src/time-limits';
import { table } from './figures';
import { idleProvider, openEnvironment, type BenchEnvironment } from './environment';

const ORG = 'org-recovery';
const silentLog = { error: () => undefined, warn: () => undefined, info: () => undefined };
/** How long a request to a Chatwoot with its default time limit may still take effect after it was cut off. */
export const AMBIGUOUS_MS = 18_000;
/** Upper limit of any recovery; a longer one means that the measurement is wrong. */
const MAX_SECONDS = 600;

/** Time that passes only on request: for workers by their clock, for the database by shifting every stored time. */
export class InjectedTime {
  ms = 0;
  readonly now = (): number => this.ms;
  constructor(private readonly world: BenchEnvironment) {}

  async pass(ms: number): Promise<void> {
    this.ms += ms;
    const by = `- ${ms} * interval '1 ms'`;
    await this.world.pool.query(
      `update lane set next_run_at = next_run_at ${by}, requested_at = requested_at ${by}, ambiguous_until = ambiguous_until ${by} where next_run_at is not null or ambiguous_until is not null`,
    );
    await this.world.pool.query(`update setup_lock set until = until ${by}`);
    await this.world.pool.query(
      `update account_scan set full_scanned_at = full_scanned_at ${by}, next_full_scan_at = next_full_scan_at ${by}, full_scan_started_at = full_scan_started_at ${by}, scanned_at = scanned_at ${by}, next_scan_at = next_scan_at ${by}`,
    );
  }
}

/** A provider whose next call of one verb takes effect but never returns. */
class HangingCall {
  private verb: string | null = null;
  private readonly pending: (() => void)[] = [];
  reached = false;

  hangAt(verb: string): void {
    this.verb = verb;
  }
  async pass(verb: string): Promise<void> {
    if (this.verb !== verb) return;
    this.verb = null;
    this.reached = true;
    await new Promise<void>(resolve => this.pending.push(resolve));
  }
  /** Lets the hanging calls return so that the test can end; their process counts as dead. */
  release(): void {
    for (const resolve of this.pending.splice(0)) resolve();
  }
}

function createProvider(stuck: HangingCall) {
  const provider = idleProvider();
  const { instance } = provider;
  const opened = new Set<string>();
  Object.assign(instance, {
    ambiguousForMs: () => AMBIGUOUS_MS,
    ensureContact: async (_inbox: unknown, sessionId: string) => `contact-${sessionId}`,
    postMessage: async ({ message }: { message: { id: string } }) => {
      await stuck.pass('postMessage');
      return `post-${message.id}`;
    },
    postNote: async () => 'note',
    returnToBot: async () => undefined,
    openForAgents: async ({ conversation }: { conversation: { conversationId: string } }) => {
      opened.add(conversation.conversationId);
      await stuck.pass('openForAgents');
    },
    readConversation: async ({ conversationId }: { conversationId: string }) => {
      await stuck.pass('readConversation');
      return { status: opened.has(conversationId) ? 'OPEN' : 'BOT_HELD', agent: null, teamId: null };
    },
    listMessages: async () => ({ observations: [], after: null, hasMore: false }),
    listChangedConversations: async () => {
      await stuck.pass('listChangedConversations');
      return { conversationIds: [], hasMore: false };
    },
  });
  return provider;
}

/**
 * Creates one process's runners; each tick does everything that is due. A dead process gets no more ticks and sends no
 * heartbeats.
 */
function createProcess(deps: FlowDeps, leaseMs: number, time: InjectedTime, stuck: HangingCall) {
  const options = { leaseMs, concurrency: 8, concurrencyPerRemote: 8, pollMs: 1 };
  const beats = new Heartbeats(deps.stores.lanes, leaseMs, time.now);
  const circuits = new CircuitBreakers(
    time.now,
    () => 0.5,
    () => undefined,
  );
  const health = new HealthMonitor(deps, silentLog, () => undefined);
  const files = { archive: () => stuck.pass('archive'), remove: async () => undefined } as unknown as FileArchive;
  const { lanes } = deps.stores;
  const runners = [
    new LaneRunner(lanes, createProviderHandler(deps, health), options, circuits, silentLog, () => undefined, beats),
    new LaneRunner(lanes, createRuntimeHandler(deps, silentLog), options, circuits, silentLog, () => undefined, beats),
    new LaneRunner(
      lanes,
      createMediaHandler(deps, files, leaseMs),
      options,
      circuits,
      silentLog,
      () => undefined,
      beats,
    ),
    new SyncRunner('HINT', deps, health, options, circuits, silentLog, () => undefined, beats),
    new SyncRunner('TIMER', deps, health, options, circuits, silentLog, () => undefined, beats),
  ];
  const stopped = new AbortController();
  const watches: Promise<unknown>[] = [];
  return {
    /** Starts everything that is due. */
    async begin(): Promise<void> {
      await beats.beat();
      for (const runner of runners) await runner.tick();
      watches.push(runFullScan(deps, stopped.signal).catch(() => undefined));
      const scan = await deps.stores.scans.claimScan(scanClaimMs(deps));
      if (scan !== null) watches.push(scanAccount(deps, scan, stopped.signal).catch(() => undefined));
    },
    async ends(): Promise<void> {
      await Promise.all([...runners.map(runner => runner.waitUntilIdle()), ...watches]);
    },
  };
}

/** Accepts every push and responds to an endpoint's challenge. */
const createPush = (stuck: HangingCall): RuntimePush => ({
  addressProblem: async () => null,
  async post(_url, _secrets, { body }) {
    await stuck.pass('push');
    return JSON.stringify({ challenge: (JSON.parse(body) as { data: { challenge?: string } }).data.challenge });
  },
});

export interface Situation {
  readonly what: string;
  /** Whether a remote write may be running when the process dies. */
  readonly mayWrite: boolean;
  /** Makes work due and names the verb during whose call the process dies; null: during none. */
  cause(world: BenchEnvironment, session: string, chatbotId: string): Promise<string | null>;
  /** Whether another process has completed it. */
  isDone(world: BenchEnvironment, session: string): Promise<boolean>;
}

const pendingOf = (world: BenchEnvironment, session: string) => world.stores.deliveries.countPending(ORG, session);
const isDelivered = async (world: BenchEnvironment, session: string): Promise<boolean> =>
  (await pendingOf(world, session)).provider === 0;
const laneIsFree =
  (destination: string) =>
  async (world: BenchEnvironment, session: string): Promise<boolean> =>
    (
      await world.pool.query('select from lane where session_id = $1 and destination = $2 and is_claimed', [
        session,
        destination,
      ])
    ).rowCount === 0;
const say = (world: BenchEnvironment, sessionId: string, text: string) =>
  world.flows.recordEndUserMessage(
    { organizationId: ORG },
    { sessionId, text, attachments: [], messageId: null, idempotencyKey: text },
  );
const ask = (world: BenchEnvironment, sessionId: string) =>
  world.flows.requestHandoff(
    { organizationId: ORG },
    {
      sessionId,
      target: { team: null, agent: null },
      reason: null,
      summary: null,
      intent: null,
      fields: {},
      priority: null,
      resumeTarget: null,
      epoch: null,
      idempotencyKey: 'ask',
    },
  );

export const SITUATIONS: readonly Situation[] = [
  {
    what: 'posting a message',
    mayWrite: true,
    cause: async (world, session) => {
      await say(world, session, 'Hello?');
      return 'postMessage';
    },
    isDone: isDelivered,
  },
  {
    what: 'opening a handoff',
    mayWrite: true,
    cause: async (world, session) => {
      await ask(world, session);
      return 'openForAgents';
    },
    isDone: isDelivered,
  },
  {
    what: 'with a delivery that it had claimed and not begun',
    mayWrite: false,
    isDone: isDelivered,
    async cause(world, session) {
      await say(world, session, 'Hello?');
      await world.pool.query(
        "update lane set fence = fence + 1, is_claimed = true, claimed_by = 'dead', next_run_at = now() + $2 * interval '1 ms' where session_id = $1 and destination = 'PROVIDER'",
        [session, leaseOf(world)],
      );
      return null;
    },
  },
  {
    what: 'syncing a conversation',
    mayWrite: false,
    isDone: laneIsFree('SYNC'),
    async cause(world, session) {
      await world.stores.sessions.transact(ORG, session, async tx => {
        await tx.updateSession({
          contactId: 'c',
          conversationId: 'conversation',
          lastView: { status: 'OPEN', agent: null, teamId: null },
        });
        await tx.requestSync(new Date().toISOString());
      });
      return 'readConversation';
    },
  },
  {
    what: 'pushing to a runtime',
    mayWrite: false,
    isDone: async (world, session) => (await pendingOf(world, session)).runtime === 0,
    async cause(world, session) {
      const { endpoint } = await world.flows.registerEndpoint(
        { organizationId: ORG },
        { url: 'https://runtime.example/hook', chatbotId: null },
      );
      await world.flows.enableEndpoint({ organizationId: ORG }, endpoint.id);
      await world.stores.sessions.transact(ORG, session, async tx => {
        const message = await tx.insertMessage({
          id: randomUUID(),
          author: 'AGENT',
          visibility: 'PUBLIC',
          text: 'Good morning.',
          attachments: [],
          authorName: 'Ada',
          agentId: null,
          handoffId: null,
          callerMessageId: null,
          providerMessageId: null,
          createdAt: new Date().toISOString(),
        });
        await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: message.id });
      });
      return 'push';
    },
  },
  {
    what: 'fetching a file',
    mayWrite: false,
    isDone: laneIsFree('MEDIA'),
    async cause(world, session) {
      await world.stores.sessions.transact(ORG, session, tx =>
        tx.enqueueFileWork({ kind: 'ARCHIVE_FILE', messageId: '00000000-0000-4000-8000-000000000002', index: 0 }),
      );
      return 'archive';
    },
  },
  {
    what: 'running a full scan',
    mayWrite: false,
    cause: async world => {
      await world.stores.scans.claimFullScan(0);
      await world.stores.scans.requestFullScans();
      return 'listChangedConversations';
    },
    isDone: async world =>
      (await world.pool.query('select from account_scan where full_scan_started_at is null')).rowCount! > 0,
  },
];

const leases = new WeakMap<BenchEnvironment, number>();
const leaseOf = (world: BenchEnvironment): number => leases.get(world)!;

/**
 * `injected`: the time that passed on request. `all`: plus the real time of the measurement, which the database's clock
 * includes. In seconds.
 */
export interface RecoveryTime {
  readonly injected: number;
  readonly all: number;
}

/**
 * Measures the time from the death of a process until another one, already running or started at once, has completed
 * its work.
 */
export async function timeUntilDone(
  databaseUrl: string,
  { cause, isDone }: Situation,
  leaseMs: number,
  provesDeath = false,
): Promise<RecoveryTime> {
  const stuck = new HangingCall();
  const world = await openEnvironment(databaseUrl, 10, createProvider(stuck), createPush(stuck));
  leases.set(world, leaseMs);
  const time = new InjectedTime(world);
  const deps: FlowDeps = { ...world.deps, limits: { ...world.deps.limits, callMs: 10_000 } };
  const { chatbotId } = await world.enable(ORG);
  const [session] = await world.open(ORG, chatbotId, 1);
  const dead = createProcess(deps, leaseMs, time, stuck);
  const verb = await cause(world, session!, chatbotId);
  if (verb !== null) {
    stuck.hangAt(verb);
    await dead.begin();
    while (!stuck.reached) await setImmediate();
  }
  const from = performance.now();
  const alive = createProcess(deps, leaseMs, time, stuck);
  if (provesDeath) await world.stores.lanes.endLeasesOfDead(() => true);
  let seconds = 0;
  for (; ; seconds++) {
    await alive.begin();
    await alive.ends();
    if (await isDone(world, session!)) break;
    if (seconds >= MAX_SECONDS)
      throw new Error(`The work was not completed within ${MAX_SECONDS} s, so the measurement is wrong.`);
    await time.pass(1_000);
  }
  const took = { injected: seconds, all: seconds + (performance.now() - from) / 1_000 };
  stuck.release();
  await dead.ends();
  await world.end();
  return took;
}

/** The same for the setup of an account: the time until another call may begin. */
export async function timeUntilSetUp(databaseUrl: string, writes: boolean, provesDeath = false): Promise<RecoveryTime> {
  const world = await openEnvironment(databaseUrl, 4);
  const time = new InjectedTime(world);
  const times = { ...TIME_LIMITS.setupLock, renewMs: 2 ** 30 };
  const locks = () => new PostgresSetupLocks(world.pool, world.deps.clock, times, 'dead');
  const subject = { id: '00000000-0000-4000-8000-000000000003', field: 'organizationId' };
  let letGo: (() => void) | undefined;
  const dead = locks().withLock(subject, 0, async lock => {
    if (writes) await lock.signal(10_000, AMBIGUOUS_MS);
    await new Promise<void>(end => {
      letGo = end;
    });
  });
  while (letGo === undefined) await setImmediate();
  const from = performance.now();
  if (provesDeath) await locks().releaseLocksOfDead(() => true);
  let seconds = 0;
  for (; ; seconds++) {
    if (
      await locks()
        .withLock(subject, 0, async () => true)
        .catch(() => false)
    )
      break;
    if (seconds >= MAX_SECONDS)
      throw new Error(`The setup lock was not free within ${MAX_SECONDS} s, so the measurement is wrong.`);
    await time.pass(1_000);
  }
  const took = { injected: seconds, all: seconds + (performance.now() - from) / 1_000 };
  letGo();
  await dead;
  await world.end();
  return took;
}

/**
 * Measures how long a session makes no progress after `kill -9`, in seconds of injected time, with the default lease.
 */
export async function measureRecovery(newDatabase: () => Promise<string>): Promise<string> {
  const leaseMs = 10_000;
  const rows: string[][] = [];
  const row = (what: string, writes: boolean, ...took: readonly RecoveryTime[]): void => {
    rows.push([what, `${writes ? AMBIGUOUS_MS / 1_000 : 0} s`, ...took.map(({ all }) => `${all.toFixed(0)} s`)]);
  };
  for (const situation of SITUATIONS)
    row(
      situation.what,
      situation.mayWrite,
      await timeUntilDone(await newDatabase(), situation, leaseMs),
      await timeUntilDone(await newDatabase(), situation, leaseMs, true),
    );
  for (const writes of [true, false])
    row(
      `setting up an account, ${writes ? 'within a call' : 'before its first call'}`,
      writes,
      await timeUntilSetUp(await newDatabase(), writes),
      await timeUntilSetUp(await newDatabase(), writes, true),
    );
  return table(
    [
      'killed while',
      'an ambiguous write needs',
      'until another process has done it',
      'the same, when one that starts at the same place proves the death',
    ],
    rows,
  );
}
