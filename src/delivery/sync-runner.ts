import { ProviderUnavailableError, SupportDisabledError } from '../core/errors';
import type { FlowDeps } from '../core/flows/deps';
import { nextSyncCause, syncConversation } from '../core/flows/from-provider/sync-conversation';
import type { ClaimedSync, SyncCause } from '../core/ports/lane-store';
import { type Reachability, type CircuitBreakers, RemoteLimiter } from './remote-limiter';
import { describeFailure } from './describe-failure';
import type { HealthMonitor } from './health-monitor';
import type { WorkerLog, WorkerOptions } from './options';
import { Heartbeats } from './heartbeats';
import { retryUntil, RECORD_RESULT_MS } from './retry-until';
import { WorkPool } from './work-pool';
import { reachabilityAfter, backoffMs } from './retry-policy';

/**
 * Claims and runs the syncs of one cause. Each cause has its own workers, so that a hint's sync never waits for a
 * timer's.
 */
export class SyncRunner {
  private readonly pool: WorkPool;
  private readonly remotes: RemoteLimiter;
  private readonly stopping = new AbortController();

  constructor(
    private readonly cause: SyncCause,
    private readonly deps: FlowDeps,
    private readonly health: HealthMonitor,
    private readonly options: WorkerOptions,
    breakers: CircuitBreakers,
    private readonly log: WorkerLog,
    onRoom: () => void,
    private readonly beats = new Heartbeats(deps.stores.lanes, options.leaseMs),
  ) {
    this.pool = new WorkPool(options.concurrency, onRoom);
    this.remotes = new RemoteLimiter(options.concurrencyPerRemote, breakers);
  }

  async tick(): Promise<boolean> {
    if (this.pool.freeSlots === 0) return false;
    if (this.beats.areRenewalsLate) await this.beats.beat();
    const claimedAt = this.beats.now();
    const readings = await this.deps.stores.lanes.claimSyncs(
      this.cause,
      this.pool.freeSlots,
      this.options.leaseMs,
      this.remotes.capacity,
    );
    for (const reading of readings)
      this.pool.run(() =>
        this.remotes.run(reading.remoteId, () =>
          this.beats.runUnderLease({ ...reading, destination: 'SYNC' }, claimedAt, this.stopping.signal, () =>
            this.runSync(reading),
          ),
        ),
      );
    return readings.length > 0;
  }

  stop(): Promise<void> {
    this.stopping.abort();
    return this.waitUntilIdle();
  }

  waitUntilIdle(): Promise<void> {
    return this.pool.waitUntilIdle();
  }

  private async runSync(reading: ClaimedSync): Promise<Reachability> {
    const { deps, log } = this;
    const { lanes } = deps.stores;
    const { organizationId, sessionId } = reading;
    const recordWithRetries = <T>(work: () => Promise<T>): Promise<T> =>
      retryUntil(RECORD_RESULT_MS, this.stopping.signal, work);
    let answered: Reachability = 'unknown';
    try {
      try {
        const nextMs = await syncConversation(deps, organizationId, sessionId, this.cause);
        answered = 'yes';
        await recordWithRetries(() => lanes.finishSync(reading, nextMs, false, nextSyncCause(nextMs) ?? undefined));
      } catch (error) {
        if (error instanceof SupportDisabledError) {
          await recordWithRetries(() => lanes.finishSync(reading, null, false));
          return answered;
        }
        answered = reachabilityAfter(error);
        await recordWithRetries(() => this.health.recordFailure(reading, 'SYNC', error, reading.failures + 1));
        if (!(error instanceof ProviderUnavailableError && error.isOwnRateLimit))
          log.warn(
            {
              accountId: reading.remoteId,
              organizationId,
              sessionId,
              work: 'syncs',
              failures: reading.failures + 1,
              ...describeFailure(error),
            },
            'sync failed; it is retried',
          );
        await recordWithRetries(() =>
          lanes.finishSync(reading, backoffMs(error, reading.failures, deps.clock.random()), true),
        );
        return answered;
      }
      await this.health.recordSuccess(reading, 'SYNC');
    } catch (error) {
      log.error(
        {
          accountId: reading.remoteId,
          organizationId,
          sessionId,
          work: 'syncs',
          ...describeFailure(error),
          next: 'It is retried when its lease expires. Check that the database responds.',
        },
        'could not record the result of a sync',
      );
    }
    return answered;
  }
}
