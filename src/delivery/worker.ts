import { SupportDisabledError } from '../core/errors';
import { conversationLost, deliver, deliveryRefused } from '../core/flows/deliver';
import type { FlowDeps } from '../core/flows/deps';
import { endForDisabled } from '../core/flows/disable';
import { finishEndings } from '../core/flows/end-handoff';
import { lookOver } from '../core/flows/look-over';
import { readForward } from '../core/flows/read-forward';
import type { ClaimedLane, ClaimedReading } from '../core/ports/stores';
import { HealthWatch } from './health-watch';
import { LaneLease, LeaseLostError } from './lease';
import { Loop, type LoopLog } from './loop';
import { WorkPool } from './pool';
import { backoffMs, codeOf, verdictOn } from './retry-policy';

export interface WorkerLog extends LoopLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface WorkerOptions {
  /** How long a claim lasts; must outlast two provider calls. */
  readonly leaseMs: number;
  /** Deliveries, and likewise readings, under way at once. */
  readonly width: number;
  /** How often to look without being woken. */
  readonly pollMs: number;
}

/** The background half of one replica: deliveries to providers, readings of providers, and endings whose drain is over. */
export class Worker {
  private readonly deliveries: WorkPool;
  private readonly readings: WorkPool;
  private readonly health: HealthWatch;
  private readonly loops: readonly Loop[];
  /** Not woken by commits: nothing that they do waits for somebody. */
  private readonly slowLoops: readonly Loop[];

  constructor(private readonly deps: FlowDeps, private readonly options: WorkerOptions, private readonly log: WorkerLog) {
    const delivering = new Loop('deliveries', () => this.claimDeliveries(), options.pollMs, log);
    const reading = new Loop('readings', () => this.claimReadings(), options.pollMs, log);
    const ending = new Loop('endings', async () => (await finishEndings(deps, 100)) === 100, options.pollMs, log);
    const checking = new Loop('checks', () => this.health.turn(), options.pollMs, log);
    const looking = new Loop('looks', () => this.lookOver(), options.pollMs * 10, log);
    this.loops = [delivering, reading, ending];
    this.slowLoops = [looking, checking];
    this.health = new HealthWatch(deps, log, () => checking.wake());
    this.deliveries = new WorkPool(options.width, () => delivering.wake());
    this.readings = new WorkPool(options.width, () => reading.wake());
  }

  /** Our own outage may have swallowed hints: every live handoff is read once. */
  async start(): Promise<void> {
    const live = await this.deps.stores.lanes.wantReadingOfLive();
    if (live > 0) this.log.info({ live }, 'reading all live handoffs after start');
    await this.deps.stores.watches.wantLooks();
    for (const loop of [...this.loops, ...this.slowLoops]) loop.start();
  }

  wake(): void { for (const loop of this.loops) loop.wake(); }

  /** Stops claiming, then lets what is under way finish. */
  async stop(): Promise<void> {
    await Promise.all([...this.loops, ...this.slowLoops].map(loop => loop.stop()));
    await Promise.all([this.deliveries.drained(), this.readings.drained(), this.health.drained()]);
  }

  private async claimDeliveries(): Promise<boolean> {
    if (this.deliveries.room === 0) return false;
    const claimedAt = performance.now();
    const lanes = await this.deps.stores.lanes.claimDeliveries(this.deliveries.room, this.options.leaseMs);
    for (const lane of lanes) this.deliveries.run(() => this.deliverOne(lane, claimedAt));
    return lanes.length > 0;
  }

  private async deliverOne(lane: ClaimedLane, claimedAt: number): Promise<void> {
    const { lanes } = this.deps.stores;
    const { delivery } = lane;
    try {
      try {
        await deliver(this.deps, delivery, new LaneLease(lanes, lane, this.options.leaseMs, claimedAt));
        await lanes.complete(lane);
      } catch (error) {
        if (error instanceof LeaseLostError) return;
        if (!(error instanceof SupportDisabledError)) return void (await this.failed(lane, error));
        // Owed from before support was switched off: not any more, and nobody is waiting for people.
        await endForDisabled(this.deps, lane.organizationId, lane.sessionId);
        return void (await lanes.complete(lane));
      }
      await this.health.succeeded(lane, 'DELIVERY');
    } catch (error) {
      // The database is away: the lease ends by itself and the delivery comes back.
      this.log.error({ sessionId: lane.sessionId, delivery: delivery.id, code: codeOf(error) }, 'delivery left to its lease');
    }
  }

  private async failed(lane: ClaimedLane, error: unknown): Promise<void> {
    const { deps, log } = this;
    await this.health.failed(lane, 'DELIVERY', error);
    const { delivery } = lane;
    const verdict = verdictOn(error, delivery.earlierAttempts, deps.clock.now() - Date.parse(delivery.createdAt), deps.clock.random());
    const fields = {
      sessionId: lane.sessionId, delivery: delivery.id, kind: delivery.work.kind, attempt: delivery.earlierAttempts + 1, code: verdict.code,
      // Our own errors name things and steps, never people's words; of others only the class is known to be safe.
      reason: verdict.code === 'INTERNAL' ? (error instanceof Error ? error.name : 'unknown') : (error as Error).message,
    };
    switch (verdict.kind) {
      case 'park':
        log.error(fields, 'delivery set aside as a dead letter');
        await deliveryRefused(deps, delivery, verdict.code);
        await deps.stores.lanes.park(lane, verdict.code);
        return;
      case 'remake':
        log.warn(fields, 'conversation is gone at the provider; making a new one');
        await conversationLost(deps, lane.organizationId, lane.sessionId, null);
        await deps.stores.lanes.retry(lane, verdict.afterMs, verdict.code);
        return;
      case 'retry':
        log.warn({ ...fields, afterMs: verdict.afterMs }, 'delivery failed, will be tried again');
        await deps.stores.lanes.retry(lane, verdict.afterMs, verdict.code);
    }
  }

  private async lookOver(): Promise<boolean> {
    const look = await lookOver(this.deps);
    if (look !== null && look.readings > 0) this.log.info({ ...look }, 'reading conversations that changed');
    if (look?.complete === false) this.log.warn({ accountId: look.accountId }, 'more conversations changed than one look takes; the older ones wait for their webhooks');
    return look !== null;
  }

  private async claimReadings(): Promise<boolean> {
    if (this.readings.room === 0) return false;
    const readings = await this.deps.stores.lanes.claimReadings(this.readings.room, this.options.leaseMs);
    for (const reading of readings) this.readings.run(() => this.readOne(reading));
    return readings.length > 0;
  }

  private async readOne(reading: ClaimedReading): Promise<void> {
    const { deps, log } = this;
    const { organizationId, sessionId } = reading;
    try {
      try {
        await deps.stores.lanes.finishReading(reading, await readForward(deps, organizationId, sessionId), false);
      } catch (error) {
        if (error instanceof SupportDisabledError) return void (await deps.stores.lanes.finishReading(reading, null, false));
        await this.health.failed(reading, 'READING', error);
        log.warn({ sessionId, code: codeOf(error), failures: reading.failures + 1 }, 'reading the provider failed, will be tried again');
        return void (await deps.stores.lanes.finishReading(reading, backoffMs(reading.failures, deps.clock.random()), true));
      }
      await this.health.succeeded(reading, 'READING');
    } catch (error) {
      log.error({ sessionId, code: codeOf(error) }, 'reading left to its lease');
    }
  }
}
