import { SupportDisabledError } from '../core/errors';
import type { FlowDeps } from '../core/flows/deps';
import { readForward } from '../core/flows/read-forward';
import type { ClaimedReading } from '../core/ports/stores';
import { type Answered, type Circuits, FarSides } from './far-sides';
import type { HealthWatch } from './health-watch';
import type { WorkerLog, WorkerOptions } from './options';
import { patiently } from './patience';
import { WorkPool } from './pool';
import { answeredAfter, backoffMs, codeOf } from './retry-policy';

/** Claims wishes to read a conversation, and reads. */
export class ReadingRunner {
  private readonly pool: WorkPool;
  private readonly sides: FarSides;
  private readonly stopping = new AbortController();

  constructor(private readonly deps: FlowDeps, private readonly health: HealthWatch, private readonly options: WorkerOptions, circuits: Circuits, private readonly log: WorkerLog, onRoom: () => void) {
    this.pool = new WorkPool(options.width, onRoom);
    this.sides = new FarSides(options.widthOfFarSide, circuits);
  }

  async turn(): Promise<boolean> {
    if (this.pool.room === 0) return false;
    const readings = await this.deps.stores.lanes.claimReadings(this.pool.room, this.options.leaseMs, this.sides.room);
    for (const reading of readings)
      this.pool.run(() => this.sides.during(reading.farSideId, () => this.one(reading)));
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
    const claimedAt = performance.now();
    const patient = <T>(work: () => Promise<T>): Promise<T> => patiently(claimedAt + this.options.leaseMs, this.stopping.signal, work);
    let answered: Answered = 'unknown';
    try {
      try {
        const nextMs = await readForward(deps, organizationId, sessionId);
        answered = 'yes';
        await patient(() => lanes.finishReading(reading, nextMs, false));
      } catch (error) {
        if (error instanceof SupportDisabledError) {
          await patient(() => lanes.finishReading(reading, null, false));
          return answered;
        }
        answered = answeredAfter(error);
        await patient(() => this.health.failed(reading, 'READING', error, reading.failures + 1));
        log.warn({ sessionId, code: codeOf(error), failures: reading.failures + 1 }, 'reading the provider failed, will be tried again');
        await patient(() => lanes.finishReading(reading, backoffMs(error, reading.failures, deps.clock.random()), true));
        return answered;
      }
      await this.health.succeeded(reading, 'READING');
    } catch (error) {
      log.error({ sessionId, code: codeOf(error) }, 'reading left to its lease');
    }
    return answered;
  }
}
