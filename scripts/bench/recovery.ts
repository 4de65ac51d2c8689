import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { FlowDeps } from '../../src/core/flows/deps';
import type { FileKeeper } from '../../src/core/flows/archive-file';
import { lookOver } from '../../src/core/flows/from-provider/full-scan';
import { scanAccount, watchClaimMs } from '../../src/core/flows/from-provider/scan-account';
import type { RuntimePush } from '../../src/core/ports/runtime-push';
import { Circuits } from '../../src/delivery/far-sides';
import { Heartbeats } from '../../src/delivery/heartbeats';
import { HealthWatch } from '../../src/delivery/health-watch';
import { LaneRunner } from '../../src/delivery/lane-runner';
import { mediaWork } from '../../src/delivery/media-work';
import { providerWork } from '../../src/delivery/provider-work';
import { ReadingRunner } from '../../src/delivery/reading-runner';
import { runtimeWork } from '../../src/delivery/runtime-work';
import { PostgresSetUpTurns } from '../../src/persistence/set-up-turns';
import { TIME_LIMITS } from '../../src/time-limits';
import { table } from './figures';
import { idleProvider, openWorld, type BenchWorld } from './world';

const ORG = 'org-recovery';
const quiet = { error: () => undefined, warn: () => undefined, info: () => undefined };
/** How long a request to a Chatwoot with its default time limit may still take effect after it was cut off. */
export const SETTLES_MS = 18_000;
/** Upper limit of any recovery; a longer one means that the measurement is wrong. */
const MOST_SECONDS = 600;

/** Time that passes only on request: for workers by their clock, for the database by shifting every stored time. */
export class InjectedTime {
  ms = 0;
  readonly now = (): number => this.ms;
  constructor(private readonly world: BenchWorld) {}

  async pass(ms: number): Promise<void> {
    this.ms += ms;
    const by = `- ${ms} * interval '1 ms'`;
    await this.world.pool.query(`update lane set next_run_at = next_run_at ${by}, wanted_at = wanted_at ${by}, settles_at = settles_at ${by} where next_run_at is not null or settles_at is not null`);
    await this.world.pool.query(`update set_up_turn set until = until ${by}`);
    await this.world.pool.query(`update account_watch set looked_at = looked_at ${by}, next_look_at = next_look_at ${by}, look_started_at = look_started_at ${by}, scanned_at = scanned_at ${by}, next_scan_at = next_scan_at ${by}`);
  }
}

/** A provider whose next call of one verb takes effect but never returns. */
class Stuck {
  private verb: string | null = null;
  private readonly never: (() => void)[] = [];
  reached = false;

  at(verb: string): void { this.verb = verb; }
  async pass(verb: string): Promise<void> {
    if (this.verb !== verb) return;
    this.verb = null;
    this.reached = true;
    await new Promise<void>((resolve) => this.never.push(resolve));
  }
  /** Lets the hanging calls return so that the test can end; their process counts as dead. */
  letGo(): void { for (const resolve of this.never.splice(0)) resolve(); }
}

function providerThat(stuck: Stuck) {
  const provider = idleProvider();
  const { instance } = provider;
  const opened = new Set<string>();
  Object.assign(instance, {
    settlesAfterMs: () => SETTLES_MS,
    ensureContact: async (_inbox: unknown, sessionId: string) => `contact-${sessionId}`,
    postMessage: async ({ message }: { message: { id: string } }) => { await stuck.pass('postMessage'); return `post-${message.id}`; },
    postNote: async () => 'note',
    holdForBot: async () => undefined,
    openForAgents: async ({ conversation }: { conversation: { conversationId: string } }) => { opened.add(conversation.conversationId); await stuck.pass('openForAgents'); },
    readConversation: async ({ conversationId }: { conversationId: string }) => { await stuck.pass('readConversation'); return { status: opened.has(conversationId) ? 'OPEN' : 'BOT_HELD', agent: null, teamId: null }; },
    readForward: async () => ({ observations: [], after: null, more: false }),
    changedConversations: async () => { await stuck.pass('changedConversations'); return { conversationIds: [], more: false }; },
  });
  return provider;
}

/**
 * Creates one process's runners; each tick does everything that is due. A dead process gets no more ticks and sends no
 * heartbeats.
 */
function processOn(deps: FlowDeps, leaseMs: number, time: InjectedTime, stuck: Stuck) {
  const options = { leaseMs, width: 8, widthOfFarSide: 8, pollMs: 1 };
  const beats = new Heartbeats(deps.stores.lanes, leaseMs, time.now);
  const circuits = new Circuits(time.now, () => 0.5, () => undefined);
  const health = new HealthWatch(deps, quiet, () => undefined);
  const files = { keep: () => stuck.pass('keep'), remove: async () => undefined } as unknown as FileKeeper;
  const { lanes } = deps.stores;
  const runners = [
    new LaneRunner(lanes, providerWork(deps, health), options, circuits, quiet, () => undefined, beats),
    new LaneRunner(lanes, runtimeWork(deps, quiet), options, circuits, quiet, () => undefined, beats),
    new LaneRunner(lanes, mediaWork(deps, files, leaseMs), options, circuits, quiet, () => undefined, beats),
    new ReadingRunner('HINT', deps, health, options, circuits, quiet, () => undefined, beats),
    new ReadingRunner('TIMER', deps, health, options, circuits, quiet, () => undefined, beats),
  ];
  const stopped = new AbortController();
  const watches: Promise<unknown>[] = [];
  return {
    /** Starts everything that is due. */
    async begin(): Promise<void> {
      await beats.beat();
      for (const runner of runners) await runner.turn();
      watches.push(lookOver(deps, stopped.signal).catch(() => undefined));
      const scan = await deps.stores.watches.claimScan(watchClaimMs(deps));
      if (scan !== null) watches.push(scanAccount(deps, scan, stopped.signal).catch(() => undefined));
    },
    async ends(): Promise<void> { await Promise.all([...runners.map((runner) => runner.drained()), ...watches]); },
  };
}

/** Accepts every push and responds to an endpoint's challenge. */
const pushThat = (stuck: Stuck): RuntimePush => ({
  whyRefused: async () => null,
  async post(_url, _secrets, { body }) {
    await stuck.pass('push');
    return JSON.stringify({ challenge: (JSON.parse(body) as { data: { challenge?: string } }).data.challenge });
  },
});

export interface Situation {
  readonly what: string;
  /** Whether a remote write may be running when the process dies. */
  readonly writes: boolean;
  /** Makes work due and names the verb during whose call the process dies; null: during none. */
  cause(world: BenchWorld, session: string, chatbotId: string): Promise<string | null>;
  /** Whether another process has completed it. */
  isDone(world: BenchWorld, session: string): Promise<boolean>;
}

const owed = (world: BenchWorld, session: string) => world.stores.deliveries.owed(ORG, session);
const isDelivered = async (world: BenchWorld, session: string): Promise<boolean> => (await owed(world, session)).provider === 0;
const laneIsFree = (destination: string) => async (world: BenchWorld, session: string): Promise<boolean> =>
  (await world.pool.query('select from lane where session_id = $1 and destination = $2 and is_claimed', [session, destination])).rowCount === 0;
const say = (world: BenchWorld, sessionId: string, text: string) => world.flows.recordEndUserMessage({ organizationId: ORG }, { sessionId, text, attachments: [], messageId: null, idempotencyKey: text });
const ask = (world: BenchWorld, sessionId: string) => world.flows.requestHandoff({ organizationId: ORG }, {
  sessionId, target: { team: null, agent: null }, reason: null, summary: null, intent: null, fields: {}, priority: null, resumeTarget: null, epoch: null, idempotencyKey: 'ask',
});

export const SITUATIONS: readonly Situation[] = [
  { what: 'posting a message', writes: true, cause: async (world, session) => { await say(world, session, 'Hello?'); return 'postMessage'; }, isDone: isDelivered },
  { what: 'opening a handoff', writes: true, cause: async (world, session) => { await ask(world, session); return 'openForAgents'; }, isDone: isDelivered },
  {
    what: 'with a delivery that it had claimed and not begun', writes: false, isDone: isDelivered,
    async cause(world, session) {
      await say(world, session, 'Hello?');
      await world.pool.query("update lane set fence = fence + 1, is_claimed = true, claimed_by = 'dead', next_run_at = now() + $2 * interval '1 ms' where session_id = $1 and destination = 'PROVIDER'", [session, leaseOf(world)]);
      return null;
    },
  },
  {
    what: 'syncing a conversation', writes: false, isDone: laneIsFree('READING'),
    async cause(world, session) {
      await world.stores.sessions.transact(ORG, session, async (tx) => { await tx.updateSession({ contactId: 'c', conversationId: 'talk', lastView: { status: 'OPEN', agent: null, teamId: null } }); await tx.wantReading(new Date().toISOString()); });
      return 'readConversation';
    },
  },
  {
    what: 'pushing to a runtime', writes: false, isDone: async (world, session) => (await owed(world, session)).runtime === 0,
    async cause(world, session) {
      const { endpoint } = await world.flows.registerEndpoint({ organizationId: ORG }, { url: 'https://runtime.example/hook', chatbotId: null });
      await world.flows.enableEndpoint({ organizationId: ORG }, endpoint.id);
      await world.stores.sessions.transact(ORG, session, async (tx) => {
        const message = await tx.insertMessage({
          id: randomUUID(), author: 'AGENT', visibility: 'PUBLIC', text: 'Good morning.', attachments: [], authorName: 'Ada', agentId: null, handoffId: null,
          callerMessageId: null, providerMessageId: null, createdAt: new Date().toISOString(),
        });
        await tx.oweRuntime({ kind: 'MESSAGE', messageId: message.id });
      });
      return 'push';
    },
  },
  {
    what: 'fetching a file', writes: false, isDone: laneIsFree('MEDIA'),
    async cause(world, session) {
      await world.stores.sessions.transact(ORG, session, (tx) => tx.oweMedia({ kind: 'KEEP_FILE', messageId: '00000000-0000-4000-8000-000000000002', index: 0 }));
      return 'keep';
    },
  },
  {
    what: 'running a full scan', writes: false,
    cause: async (world) => { await world.stores.watches.claimLook(0); await world.stores.watches.wantLooks(); return 'changedConversations'; },
    isDone: async (world) => (await world.pool.query('select from account_watch where look_started_at is null')).rowCount! > 0,
  },
];

const leases = new WeakMap<BenchWorld, number>();
const leaseOf = (world: BenchWorld): number => leases.get(world)!;

/**
 * `injected`: the time that passed on request. `all`: plus the real time of the measurement, which the database's clock
 * includes. In seconds.
 */
export interface Took { readonly injected: number; readonly all: number }

/**
 * Measures the time from the death of a process until another one, already running or started at once, has completed
 * its work.
 */
export async function timeUntilDone(databaseUrl: string, { cause, isDone }: Situation, leaseMs: number, provesDeath = false): Promise<Took> {
  const stuck = new Stuck();
  const world = await openWorld(databaseUrl, 10, providerThat(stuck), pushThat(stuck));
  leases.set(world, leaseMs);
  const time = new InjectedTime(world);
  const deps: FlowDeps = { ...world.deps, limits: { ...world.deps.limits, callMs: 10_000 } };
  const { chatbotId } = await world.enable(ORG);
  const [session] = await world.open(ORG, chatbotId, 1);
  const dead = processOn(deps, leaseMs, time, stuck);
  const verb = await cause(world, session!, chatbotId);
  if (verb !== null) {
    stuck.at(verb);
    await dead.begin();
    while (!stuck.reached) await setImmediate();
  }
  const from = performance.now();
  const alive = processOn(deps, leaseMs, time, stuck);
  if (provesDeath) await world.stores.lanes.endLeasesOfDead(() => true);
  let seconds = 0;
  for (; ; seconds++) {
    await alive.begin();
    await alive.ends();
    if (await isDone(world, session!)) break;
    if (seconds >= MOST_SECONDS) throw new Error(`The work was not completed within ${MOST_SECONDS} s, so the measurement is wrong.`);
    await time.pass(1_000);
  }
  const took = { injected: seconds, all: seconds + (performance.now() - from) / 1_000 };
  stuck.letGo();
  await dead.ends();
  await world.end();
  return took;
}

/** The same for the setup of an account: the time until another call may begin. */
export async function timeUntilSetUp(databaseUrl: string, writes: boolean, provesDeath = false): Promise<Took> {
  const world = await openWorld(databaseUrl, 4);
  const time = new InjectedTime(world);
  const times = { ...TIME_LIMITS.setUpTurn, renewMs: 2 ** 30 };
  const turns = () => new PostgresSetUpTurns(world.pool, world.deps.clock, times, 'dead');
  const subject = { id: '00000000-0000-4000-8000-000000000003', field: 'organizationId' };
  let letGo: (() => void) | undefined;
  const dead = turns().inTurn(subject, 0, async (turn) => {
    if (writes) await turn.signal(10_000, SETTLES_MS);
    await new Promise<void>((end) => { letGo = end; });
  });
  while (letGo === undefined) await setImmediate();
  const from = performance.now();
  if (provesDeath) await turns().endTurnsOfDead(() => true);
  let seconds = 0;
  for (; ; seconds++) {
    if (await turns().inTurn(subject, 0, async () => true).catch(() => false)) break;
    if (seconds >= MOST_SECONDS) throw new Error(`The setup lock was not free within ${MOST_SECONDS} s, so the measurement is wrong.`);
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
export async function recovery(newDatabase: () => Promise<string>): Promise<string> {
  const leaseMs = 10_000;
  const rows: string[][] = [];
  const row = (what: string, writes: boolean, ...took: readonly Took[]): void => {
    rows.push([what, `${writes ? SETTLES_MS / 1_000 : 0} s`, ...took.map(({ all }) => `${all.toFixed(0)} s`)]);
  };
  for (const situation of SITUATIONS)
    row(situation.what, situation.writes, await timeUntilDone(await newDatabase(), situation, leaseMs), await timeUntilDone(await newDatabase(), situation, leaseMs, true));
  for (const writes of [true, false])
    row(`setting up an account, ${writes ? 'within a call' : 'before its first call'}`, writes, await timeUntilSetUp(await newDatabase(), writes), await timeUntilSetUp(await newDatabase(), writes, true));
  return table(['killed while', 'an ambiguous write needs', 'until another process has done it', 'the same, when one that starts at the same place proves the death'], rows);
}
