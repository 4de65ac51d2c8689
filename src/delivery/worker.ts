import { setTimeout } from 'node:timers/promises';
import type { FlowDeps } from '../core/flows/deps';
import { finishEndings, type EndingLeft } from '../core/flows/from-runtime/end-handoff';
import type { FileKeeper } from '../core/flows/archive-file';
import { lookOver } from '../core/flows/from-provider/full-scan';
import { scanAccount, watchClaimMs } from '../core/flows/from-provider/scan-account';
import { Circuits } from './far-sides';
import { failureOf } from './failure';
import { Heartbeats } from './heartbeats';
import { HealthWatch } from './health-watch';
import { LaneRunner } from './lane-runner';
import { Loop } from './loop';
import { mediaOptions, mediaWork } from './media-work';
import type { WorkerLog, WorkerOptions } from './options';
import { WorkPool } from './pool';
import { providerWork } from './provider-work';
import { ReadingRunner } from './reading-runner';
import { RetentionTurn } from './retention-turn';
import { runtimeWork } from './runtime-work';

/** How often old files are removed. */
const SWEEP_MS = 3_600_000;

/** How many accounts are scanned at the same time. */
const SCANS = 8;

/** Nobody waits for a timer's sync, so it gets a small share of the workers and of each provider. */
const timerOptions = (options: WorkerOptions): WorkerOptions =>
  ({ ...options, width: Math.min(options.width, 16), widthOfFarSide: Math.min(options.widthOfFarSide, 2) });

/** How many endings one tick handles. */
const ENDINGS = 100;

/**
 * The background part of one replica: deliveries, pushes to runtimes, files, syncs, endings whose drain is over, and
 * retention.
 */
export class Worker {
  private readonly runners: { stop(): Promise<void> }[];
  private readonly health: HealthWatch;
  private readonly scans: WorkPool;
  private readonly stopping = new AbortController();
  private readonly loops: Loop[];
  /** Loops that commits do not wake, because nobody waits for their work. */
  private readonly slowLoops: Loop[];

  /** Runs until all claimed work has ended. */
  private readonly beating: Loop;

  constructor(private readonly deps: FlowDeps, private readonly options: WorkerOptions, private readonly log: WorkerLog) {
    const circuitsOf = () => new Circuits(() => performance.now(), () => deps.clock.random(), (farSideId, state) =>
      log.warn({ farSideId }, state === 'resting' ? 'remote does not respond; its work waits while the remote is probed from time to time' : 'remote responds again'));
    const circuits = circuitsOf();
    const beats = new Heartbeats(deps.stores.lanes, options.leaseMs);
    this.beating = new Loop('heartbeats', async () => { await beats.beat(); return false; }, beats.everyMs, log);
    const checking = new Loop('checks', () => health.turn(), options.pollMs, log);
    const health = new HealthWatch(deps, log, () => checking.wake());
    const delivering = new Loop('deliveries', () => deliveries.turn(), options.pollMs, log);
    const deliveries = new LaneRunner(deps.stores.lanes, providerWork(deps, health), options, circuits, log, () => delivering.wake(), beats);
    const reading = new Loop('readings', () => readings.turn(), options.pollMs, log);
    const readings = new ReadingRunner('HINT', deps, health, options, circuits, log, () => reading.wake(), beats);
    const timing = new Loop('timers', () => timers.turn(), options.pollMs, log);
    const timers = new ReadingRunner('TIMER', deps, health, timerOptions(options), circuits, log, () => timing.wake(), beats);
    const pushing = new Loop('pushes', () => pushes.turn(), options.pollMs, log);
    const pushes = new LaneRunner(deps.stores.lanes, runtimeWork(deps, log), { ...options, ...options.pushes }, circuitsOf(), log, () => pushing.wake(), beats);
    // There is almost never anything to reroute. A change that a running transaction blocks is checked again.
    const settling = new Loop('endpoints', async () => { await deps.stores.endpoints.settle(); return false; }, options.pollMs, log);
    const leftOver = ({ organizationId, sessionId, handoffId }: EndingLeft, error: unknown) => log.error({ organizationId, sessionId, handoffId, work: 'endings', ...failureOf(error), next: 'It is retried automatically. Check that the database responds.' }, 'could not finish an ending');
    const ending = new Loop('endings', async () => (await finishEndings(deps, ENDINGS, leftOver)) >= ENDINGS, options.pollMs, log);
    const looking = new Loop('looks', () => this.lookOver(), options.pollMs * 10, log);
    const removing = deps.retention && new RetentionTurn(deps, deps.retention, log, this.stopping.signal);
    this.health = health;
    this.scans = new WorkPool(SCANS, () => scanning.wake());
    const scanning = new Loop('scans', () => this.scan(), options.pollMs, log);
    this.runners = [deliveries, pushes, readings, timers];
    this.loops = [delivering, pushing, reading, ending];
    this.slowLoops = [timing, scanning, looking, checking, settling, ...(removing ? [new Loop('retention', () => removing.turn(), options.pollMs * 10, log)] : [])];
    const { files } = deps;
    if (files === undefined) return;
    const keeping = new Loop('files', () => keepings.turn(), options.pollMs, log);
    const keepings = new LaneRunner(deps.stores.lanes, mediaWork(deps, files, options.leaseMs), mediaOptions(options), circuits, log, () => keeping.wake(), beats);
    this.runners.push(keepings);
    this.loops.push(keeping);
    this.slowLoops.push(new Loop('sweeps', () => this.sweep(files), SWEEP_MS, log));
  }

  /** Starts all loops. Scans every account first, because hints may have been lost while this service was down. */
  async start(): Promise<void> {
    await this.takeOver();
    await this.deps.stores.watches.wantScans();
    await this.deps.stores.watches.wantLooks();
    for (const loop of [this.beating, ...this.loops, ...this.slowLoops]) loop.start();
  }

  wake(): void { for (const loop of this.loops) loop.wake(); }

  /** Stops claiming, then lets running remote calls finish, all within one limit. Unfinished work keeps its lease. */
  async stop(limitMs = Infinity): Promise<void> {
    this.stopping.abort();
    // Files may take minutes, so they are aborted.
    this.deps.files?.stop();
    // A runner stops after its loop, which may be claiming, but does not wait for the slow loops.
    const ended = Promise.all([
      Promise.all(this.loops.map(loop => loop.stop())).then(() => Promise.all(this.runners.map(runner => runner.stop()))),
      Promise.all(this.slowLoops.map(loop => loop.stop())).then(() => Promise.all([this.health.stop(), this.scans.drained()])),
    ]);
    const late = new AbortController();
    await (limitMs === Infinity ? ended : Promise.race([ended, setTimeout(limitMs, undefined, { signal: late.signal }).catch(() => undefined)]));
    late.abort();
    await this.beating.stop();
  }

  /** Ends the claims of dead processes that ran in the same place, so that their work continues at once. */
  private async takeOver(): Promise<void> {
    const { lanes, setUpTurns } = this.deps.stores;
    const isDead = this.options.isDead;
    if (isDead === undefined) return;
    const claims = await lanes.endLeasesOfDead((claimer) => isDead(claimer)) + await setUpTurns.endTurnsOfDead((claimer) => isDead(claimer));
    if (claims > 0) this.log.info({ claims }, 'released the claims of a dead process');
  }

  private async sweep(files: FileKeeper): Promise<boolean> {
    const removed = await files.sweep();
    if (removed > 0) this.log.info({ removed }, 'removed expired files');
    return false;
  }

  /** Scans accounts in parallel, so that one that does not respond delays no other. */
  private async scan(): Promise<boolean> {
    if (this.scans.room === 0) return false;
    const scan = await this.deps.stores.watches.claimScan(watchClaimMs(this.deps), this.deps.limits.livePollMs);
    if (scan === null) return false;
    const { accountId } = scan;
    this.scans.run(async () => {
      try {
        const scanned = await scanAccount(this.deps, scan, this.stopping.signal);
        if (scanned !== null && scanned.syncs > 0) this.log.info({ ...scanned }, 'conversations changed without a webhook so far; they are synced');
      } catch (error) {
        this.log.warn({ accountId, work: 'scans', ...failureOf(error), next: 'It is scanned again automatically; until then its live handoffs are synced one by one. Read supportAccounts { health } for the needed repair.' }, 'an account could not be scanned');
      }
    });
    return true;
  }

  private async lookOver(): Promise<boolean> {
    let hasFailed = false;
    const look = await lookOver(this.deps, this.stopping.signal, (account, error) => {
      hasFailed = true;
      this.log.warn({
        ...account, work: 'looks', ...failureOf(error),
        next: 'It is scanned again automatically; until then webhooks and the timers of live handoffs find changes. Read supportAccounts { health } for the needed repair.',
      }, 'the full scan of an account failed');
    });
    if (look !== null && look.readings > 0) this.log.info({ ...look }, 'syncing conversations that changed');
    if (look?.complete === false && !hasFailed) this.log.info({ accountId: look.accountId }, 'more conversations changed than one tick reads; the full scan continues with older ones');
    return look !== null;
  }
}
