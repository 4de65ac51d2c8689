import { ProviderUnavailableError, SupportDisabledError } from '../core/errors';
import type { FlowDeps } from '../core/flows/deps';
import { causeOfNext, readForward } from '../core/flows/from-provider/sync-conversation';
import type { ClaimedReading, SyncCause } from '../core/ports/stores';
import { type Answered, type Circuits, FarSides } from './far-sides';
import { failureOf } from './failure';
import type { HealthWatch } from './health-watch';
import type { WorkerLog, WorkerOptions } from './options';
import { Heartbeats } from './heartbeats';
import { patiently, RECORDING_MS } from './patience';
import { WorkPool } from './pool';
import { answeredAfter, backoffMs } from './retry-policy';

/**
 * Claims and runs the syncs of one cause. Each cause has its own workers, so that a hint's sync never waits for a
 * timer's.
 */
export class ReadingRunner {
  private readonly pool: WorkPool;
  private readonly sides: FarSides;
  private readonly stopping = new AbortController();

  constructor(private readonly cause: SyncCause, private readonly deps: FlowDeps, private readonly health: HealthWatch, private readonly options: WorkerOptions, circuits: Circuits, private readonly log: WorkerLog, onRoom: () => void, private readonly beats = new Heartbeats(deps.stores.lanes, options.leaseMs)) {
    this.pool = new WorkPool(options.width, onRoom);
    this.sides = new FarSides(options.widthOfFarSide, circuits);
  }

  async turn(): Promise<boolean> {
    if (this.pool.room === 0) return false;
    if (this.beats.areLate) await this.beats.beat();
    const claimedAt = this.beats.now();
    const readings = await this.deps.stores.lanes.claimReadings(this.cause, this.pool.room, this.options.leaseMs, this.sides.room);
    for (const reading of readings)
      this.pool.run(() => this.sides.during(reading.farSideId, () =>
        this.beats.during({ ...reading, destination: 'READING' }, claimedAt, this.stopping.signal, () => this.one(reading))));
    return readings.length > 0;
  }

  stop(): Promise<void> {
    this.stopping.abort();
    return this.drained();
  }

  drained(): Promise<void> { return this.pool.drained(); }

  private async one(reading: ClaimedReading): Promise<Answered> {
    const { deps, log } = this;
    const { lanes } = deps.stores;
    const { organizationId, sessionId } = reading;
    const patient = <T>(work: () => Promise<T>): Promise<T> => patiently(RECORDING_MS, this.stopping.signal, work);
    let answered: Answered = 'unknown';
    try {
      try {
        const nextMs = await readForward(deps, organizationId, sessionId, this.cause);
        answered = 'yes';
        await patient(() => lanes.finishReading(reading, nextMs, false, causeOfNext(nextMs) ?? undefined));
      } catch (error) {
        if (error instanceof SupportDisabledError) {
          await patient(() => lanes.finishReading(reading, null, false));
          return answered;
        }
        answered = answeredAfter(error);
        await patient(() => this.health.failed(reading, 'READING', error, reading.failures + 1));
        if (!(error instanceof ProviderUnavailableError && error.isOwnPace))
          log.warn({ accountId: reading.farSideId, organizationId, sessionId, work: 'readings', failures: reading.failures + 1, ...failureOf(error) }, 'sync failed; it is retried');
        await patient(() => lanes.finishReading(reading, backoffMs(error, reading.failures, deps.clock.random()), true));
        return answered;
      }
      await this.health.succeeded(reading, 'READING');
    } catch (error) {
      log.error({ accountId: reading.farSideId, organizationId, sessionId, work: 'readings', ...failureOf(error), next: 'It is retried when its lease expires. Check that the database responds.' }, 'could not record the result of a sync');
    }
    return answered;
  }
}
