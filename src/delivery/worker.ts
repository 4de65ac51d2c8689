import { setTimeout } from 'node:timers/promises';
import type { FlowDeps } from '../core/flows/deps';
import { finishEndings, type EndingLeft } from '../core/flows/end-handoff';
import type { FileKeeper } from '../core/flows/keep-file';
import { lookOver } from '../core/flows/look-over';
import { Circuits } from './far-sides';
import { failureOf } from './failure';
import { HealthWatch } from './health-watch';
import { LaneRunner } from './lane-runner';
import { Loop } from './loop';
import { mediaOptions, mediaWork } from './media-work';
import type { WorkerLog, WorkerOptions } from './options';
import { providerWork } from './provider-work';
import { ReadingRunner } from './reading-runner';
import { RetentionTurn } from './retention-turn';
import { runtimeWork } from './runtime-work';

/** How often files are looked over for their age. */
const SWEEP_MS = 3_600_000;

/** Looked at in one go. */
const ENDINGS = 100;

/** The background half of one replica: deliveries, pushes to runtimes, files, readings of providers, endings whose drain is over, and the removal of what is old. */
export class Worker {
  private readonly runners: { stop(): Promise<void> }[];
  private readonly health: HealthWatch;
  private readonly stopping = new AbortController();
  private readonly loops: Loop[];
  /** Not woken by commits: nothing that they do waits for somebody. */
  private readonly slowLoops: Loop[];

  constructor(private readonly deps: FlowDeps, options: WorkerOptions, private readonly log: WorkerLog) {
    const circuitsOf = () => new Circuits(() => performance.now(), () => deps.clock.random(), (farSideId, state) =>
      log.warn({ farSideId }, state === 'resting' ? 'far side does not answer; its work waits while it is tried now and then' : 'far side answers again'));
    const circuits = circuitsOf();
    const checking = new Loop('checks', () => health.turn(), options.pollMs, log);
    const health = new HealthWatch(deps, log, () => checking.wake());
    const delivering = new Loop('deliveries', () => deliveries.turn(), options.pollMs, log);
    const deliveries = new LaneRunner(deps.stores.lanes, providerWork(deps, health), options, circuits, log, () => delivering.wake());
    const reading = new Loop('readings', () => readings.turn(), options.pollMs, log);
    const readings = new ReadingRunner(deps, health, options, circuits, log, () => reading.wake());
    const pushing = new Loop('pushes', () => pushes.turn(), options.pollMs, log);
    const pushes = new LaneRunner(deps.stores.lanes, runtimeWork(deps, log), { ...options, ...options.pushes }, circuitsOf(), log, () => pushing.wake());
    // Almost always there is nothing to settle; a change that a transaction is in the way of is looked at again.
    const settling = new Loop('endpoints', async () => { await deps.stores.endpoints.settle(); return false; }, options.pollMs, log);
    const leftOver = ({ organizationId, sessionId, handoffId }: EndingLeft, error: unknown) => log.error({ organizationId, sessionId, handoffId, work: 'endings', ...failureOf(error), next: 'It is tried again by itself. See whether the database answers.' }, 'ending left for the next turn');
    const ending = new Loop('endings', async () => (await finishEndings(deps, ENDINGS, leftOver)) >= ENDINGS, options.pollMs, log);
    const looking = new Loop('looks', () => this.lookOver(), options.pollMs * 10, log);
    const removing = deps.retention && new RetentionTurn(deps, deps.retention, log, this.stopping.signal);
    this.health = health;
    this.runners = [deliveries, pushes, readings];
    this.loops = [delivering, pushing, reading, ending];
    this.slowLoops = [looking, checking, settling, ...(removing ? [new Loop('retention', () => removing.turn(), options.pollMs * 10, log)] : [])];
    const { files } = deps;
    if (files === undefined) return;
    const keeping = new Loop('files', () => keepings.turn(), options.pollMs, log);
    const keepings = new LaneRunner(deps.stores.lanes, mediaWork(deps, files, options.leaseMs), mediaOptions(options), circuits, log, () => keeping.wake());
    this.runners.push(keepings);
    this.loops.push(keeping);
    this.slowLoops.push(new Loop('sweeps', () => this.sweep(files), SWEEP_MS, log));
  }

  /** Our own outage may have swallowed hints: every live handoff is read once. */
  async start(): Promise<void> {
    const live = await this.deps.stores.lanes.wantReadingOfLive();
    if (live > 0) this.log.info({ live }, 'reading all live handoffs after start');
    await this.deps.stores.watches.wantLooks();
    for (const loop of [...this.loops, ...this.slowLoops]) loop.start();
  }

  wake(): void { for (const loop of this.loops) loop.wake(); }

  /** Stops claiming, then lets remote calls that are under way finish, all within one limit. What is left keeps its lease. */
  async stop(limitMs = Infinity): Promise<void> {
    this.stopping.abort();
    // Files may take minutes: they are cut off.
    this.deps.files?.stop();
    // A runner is stopped behind its loop, which may be claiming; and waits for no turn of the slow ones.
    const ended = Promise.all([
      Promise.all(this.loops.map(loop => loop.stop())).then(() => Promise.all(this.runners.map(runner => runner.stop()))),
      Promise.all(this.slowLoops.map(loop => loop.stop())).then(() => this.health.stop()),
    ]);
    if (limitMs === Infinity) return void (await ended);
    const late = new AbortController();
    await Promise.race([ended, setTimeout(limitMs, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
}

  private async sweep(files: FileKeeper): Promise<boolean> {
    const removed = await files.sweep();
    if (removed > 0) this.log.info({ removed }, 'removed files that are older than they are kept');
    return false;
  }

  private async lookOver(): Promise<boolean> {
    let hasFailed = false;
    const look = await lookOver(this.deps, this.stopping.signal, (account, error) => {
      hasFailed = true;
      this.log.warn({
        ...account, work: 'looks', ...failureOf(error),
        next: 'It is asked again by itself; until then webhooks and the timers of live handoffs find what changes. supportAccounts { health } says what to repair.',
      }, 'a support account could not be asked which conversations changed');
    });
    if (look !== null && look.readings > 0) this.log.info({ ...look }, 'reading conversations that changed');
    if (look?.complete === false && !hasFailed) this.log.info({ accountId: look.accountId }, 'more conversations changed than one turn takes; it goes on with the older ones');
    return look !== null;
  }
}
