import { setTimeout } from 'node:timers/promises';
import type { FlowDeps } from '../core/flows/deps';
import { finishEndings } from '../core/flows/handoff/finish-endings';
import { type UnfinishedEnding } from '../core/flows/handoff/finish-endings';
import type { FileArchive } from '../core/ports/file-archive';
import type { SyncCause } from '../core/ports/lane-store';
import { runFullScan } from '../core/flows/from-provider/full-scan';
import { scanAccount, scanClaimMs } from '../core/flows/from-provider/scan-account';
import { CircuitBreakers } from './remote-limiter';
import { describeFailure } from './describe-failure';
import { Heartbeats } from './heartbeats';
import { HealthMonitor } from './health-monitor';
import { LaneRunner } from './lane-runner';
import { Loop } from './loop';
import { mediaOptions, createMediaHandler } from './media-handler';
import type { WorkerLog, WorkerOptions } from './options';
import { WorkPool } from './work-pool';
import { createProviderHandler } from './provider-handler';
import { SyncRunner } from './sync-runner';
import { RetentionJob } from './retention-job';
import { createRuntimeHandler } from './runtime-handler';

/** How often old files are removed. */
const SWEEP_MS = 3_600_000;

/** How many accounts are scanned at the same time. */
const SCAN_CONCURRENCY = 8;

/** Nobody waits for a timer's sync, so it gets a small share of the workers and of each provider. */
const timerOptions = (options: WorkerOptions): WorkerOptions => ({
  ...options,
  concurrency: Math.min(options.concurrency, 16),
  concurrencyPerRemote: Math.min(options.concurrencyPerRemote, 2),
});

/** How many endings one tick handles. */
const ENDINGS_PER_TICK = 100;

/**
 * The background part of one replica: deliveries, pushes to runtimes, files, syncs, endings whose drain is over, and
 * retention.
 */
export class Worker {
  private readonly breakers: CircuitBreakers;
  private readonly heartbeats: Heartbeats;
  private readonly runners: { stop(): Promise<void> }[] = [];
  private readonly health: HealthMonitor;
  private readonly scans: WorkPool;
  private readonly stopping = new AbortController();
  private readonly loops: Loop[] = [];
  /** Loops that commits do not wake, because nobody waits for their work. */
  private readonly slowLoops: Loop[] = [];

  /** Runs until all claimed work has ended. */
  private readonly heartbeatLoop: Loop;

  constructor(
    private readonly deps: FlowDeps,
    private readonly options: WorkerOptions,
    private readonly log: WorkerLog,
  ) {
    this.breakers = this.createBreakers();
    this.heartbeats = new Heartbeats(deps.stores.lanes, options.leaseMs);
    this.heartbeatLoop = this.createLoop(
      'heartbeats',
      async () => {
        await this.heartbeats.beat();
        return false;
      },
      this.heartbeats.everyMs,
    );
    const checkLoop = this.createLoop('checks', () => this.health.tick());
    this.health = new HealthMonitor(deps, log, () => checkLoop.wake());
    const scanLoop = this.createLoop('scans', () => this.scanAccounts());
    this.scans = new WorkPool(SCAN_CONCURRENCY, () => scanLoop.wake());
    this.addDeliveries();
    this.addPushes();
    this.addSyncs();
    this.loops.push(this.createLoop('endings', () => this.finishEndings()));
    this.slowLoops.push(
      scanLoop,
      this.createLoop('fullScans', () => this.fullScan(), options.pollMs * 10),
      checkLoop,
    );
    // There is almost never anything to reroute. A change that a running transaction blocks is checked again.
    this.slowLoops.push(
      this.createLoop('endpoints', async () => {
        await deps.stores.endpoints.rerouteLanes();
        return false;
      }),
    );
    const retention = deps.retention && new RetentionJob(deps, deps.retention, log, this.stopping.signal);
    if (retention) this.slowLoops.push(this.createLoop('retention', () => retention.tick(), options.pollMs * 10));
    if (deps.files !== undefined) this.addFiles(deps.files);
  }

  private createLoop(name: string, tick: () => Promise<boolean>, everyMs = this.options.pollMs): Loop {
    return new Loop(name, tick, everyMs, this.log);
  }

  private createBreakers(): CircuitBreakers {
    return new CircuitBreakers(
      () => performance.now(),
      () => this.deps.clock.random(),
      (remoteId, state) =>
        this.log.warn(
          { remoteId },
          state === 'resting'
            ? 'remote does not respond; its work waits while the remote is probed from time to time'
            : 'remote responds again',
        ),
    );
  }

  private addDeliveries(): void {
    const { deps, options, log } = this;
    const loop = this.createLoop('deliveries', () => runner.tick());
    const runner = new LaneRunner(
      deps.stores.lanes,
      createProviderHandler(deps, this.health),
      options,
      this.breakers,
      log,
      () => loop.wake(),
      this.heartbeats,
    );
    this.runners.push(runner);
    this.loops.push(loop);
  }

  private addPushes(): void {
    const { deps, options, log } = this;
    const loop = this.createLoop('pushes', () => runner.tick());
    const runner = new LaneRunner(
      deps.stores.lanes,
      createRuntimeHandler(deps, log),
      { ...options, ...options.pushes },
      this.createBreakers(),
      log,
      () => loop.wake(),
      this.heartbeats,
    );
    this.runners.push(runner);
    this.loops.push(loop);
  }

  private addSyncs(): void {
    this.loops.push(this.createSyncLoop('syncs', 'HINT', this.options));
    this.slowLoops.push(this.createSyncLoop('timers', 'TIMER', timerOptions(this.options)));
  }

  private createSyncLoop(name: string, cause: SyncCause, options: WorkerOptions): Loop {
    const loop = this.createLoop(name, () => runner.tick());
    const runner = new SyncRunner(
      cause,
      this.deps,
      this.health,
      options,
      this.breakers,
      this.log,
      () => loop.wake(),
      this.heartbeats,
    );
    this.runners.push(runner);
    return loop;
  }

  private addFiles(files: FileArchive): void {
    const { deps, options, log } = this;
    const loop = this.createLoop('files', () => runner.tick());
    const runner = new LaneRunner(
      deps.stores.lanes,
      createMediaHandler(deps, files, options.leaseMs),
      mediaOptions(options),
      this.breakers,
      log,
      () => loop.wake(),
      this.heartbeats,
    );
    this.runners.push(runner);
    this.loops.push(loop);
    this.slowLoops.push(this.createLoop('sweeps', () => this.sweepFiles(files), SWEEP_MS));
  }

  private async finishEndings(): Promise<boolean> {
    const logUnfinished = ({ organizationId, sessionId, handoffId }: UnfinishedEnding, error: unknown) =>
      this.log.error(
        {
          organizationId,
          sessionId,
          handoffId,
          work: 'endings',
          ...describeFailure(error),
          next: 'It is retried automatically. Check that the database responds.',
        },
        'could not finish an ending',
      );
    return (await finishEndings(this.deps, ENDINGS_PER_TICK, logUnfinished)) >= ENDINGS_PER_TICK;
  }

  /** Starts all loops. Scans every account first, because hints may have been lost while this service was down. */
  async start(): Promise<void> {
    await this.releaseDeadClaims();
    await this.deps.stores.scans.requestScans();
    await this.deps.stores.scans.requestFullScans();
    for (const loop of [this.heartbeatLoop, ...this.loops, ...this.slowLoops]) loop.start();
  }

  wake(): void {
    for (const loop of this.loops) loop.wake();
  }

  /** Stops claiming, then lets running remote calls finish, all within one limit. Unfinished work keeps its lease. */
  async stop(limitMs = Infinity): Promise<void> {
    this.stopping.abort();
    // Files may take minutes, so they are aborted.
    this.deps.files?.stop();
    // A runner stops after its loop, which may be claiming, but does not wait for the slow loops.
    const ended = Promise.all([
      Promise.all(this.loops.map(loop => loop.stop())).then(() =>
        Promise.all(this.runners.map(runner => runner.stop())),
      ),
      Promise.all(this.slowLoops.map(loop => loop.stop())).then(() =>
        Promise.all([this.health.stop(), this.scans.waitUntilIdle()]),
      ),
    ]);
    const late = new AbortController();
    await (limitMs === Infinity
      ? ended
      : Promise.race([ended, setTimeout(limitMs, undefined, { signal: late.signal }).catch(() => undefined)]));
    late.abort();
    await this.heartbeatLoop.stop();
  }

  /** Ends the claims of dead processes that ran in the same place, so that their work continues at once. */
  private async releaseDeadClaims(): Promise<void> {
    const { lanes, setupLocks } = this.deps.stores;
    const isDead = this.options.isDead;
    if (isDead === undefined) return;
    const claims =
      (await lanes.endLeasesOfDead(claimer => isDead(claimer))) +
      (await setupLocks.releaseLocksOfDead(claimer => isDead(claimer)));
    if (claims > 0) this.log.info({ claims }, 'released the claims of a dead process');
  }

  private async sweepFiles(files: FileArchive): Promise<boolean> {
    const removed = await files.sweep();
    if (removed > 0) this.log.info({ removed }, 'removed expired files');
    return false;
  }

  /** Scans accounts in parallel, so that one that does not respond delays no other. */
  private async scanAccounts(): Promise<boolean> {
    if (this.scans.freeSlots === 0) return false;
    const scan = await this.deps.stores.scans.claimScan(scanClaimMs(this.deps), this.deps.limits.liveScanIntervalMs);
    if (scan === null) return false;
    const { accountId } = scan;
    this.scans.run(async () => {
      try {
        const scanned = await scanAccount(this.deps, scan, this.stopping.signal);
        if (scanned !== null && scanned.syncs > 0)
          this.log.info({ ...scanned }, 'conversations changed without a webhook so far; they are synced');
      } catch (error) {
        this.log.warn(
          {
            accountId,
            work: 'scans',
            ...describeFailure(error),
            next: 'It is scanned again automatically; until then its live handoffs are synced one by one. Read supportAccounts { health } for the needed repair.',
          },
          'an account could not be scanned',
        );
      }
    });
    return true;
  }

  private async fullScan(): Promise<boolean> {
    let hasFailed = false;
    const look = await runFullScan(this.deps, this.stopping.signal, (account, error) => {
      hasFailed = true;
      this.log.warn(
        {
          ...account,
          work: 'fullScans',
          ...describeFailure(error),
          next: 'It is scanned again automatically; until then webhooks and the timers of live handoffs find changes. Read supportAccounts { health } for the needed repair.',
        },
        'the full scan of an account failed',
      );
    });
    if (look !== null && look.requestedSyncs > 0) this.log.info({ ...look }, 'syncing conversations that changed');
    if (look?.complete === false && !hasFailed)
      this.log.info(
        { accountId: look.accountId },
        'more conversations changed than one tick reads; the full scan continues with older ones',
      );
    return look !== null;
  }
}
