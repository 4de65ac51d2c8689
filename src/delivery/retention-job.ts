import { setTimeout } from 'node:timers/promises';
import { LeaseLostError } from '../core/errors';
import type { FlowDeps, Retention } from '../core/flows/deps';
import { NEW_PROGRESS, removeExpired, type RetentionProgress } from '../core/flows/operate/retention';
import { ClaimLease, WorkStoppedError } from './claim-lease';
import type { WorkerLog } from './options';

/** The pause between two batches, which leaves the database to other work. */
const PAUSE_MS = 200;
/** Renewed during a longer batch. If the replica dies, another one runs the next batch. */
const LEASE_MS = 60_000;
/** The time between two walks over all expired rows. */
const EVERY_MS = 3_600_000;

/** Removes expired rows batch by batch, on one replica at a time. */
export class RetentionJob {
  private progress: RetentionProgress | null = null;

  /** @param stopped ends a batch after its current step */
  constructor(
    private readonly deps: FlowDeps,
    private readonly retention: Retention,
    private readonly log: Pick<WorkerLog, 'info'>,
    private readonly stopped: AbortSignal,
  ) {}

  /** Removes one batch. True: there is more. */
  async tick(): Promise<boolean> {
    const { retention } = this.deps.stores;
    const claimedAt = performance.now();
    let claim = await retention.claim(LEASE_MS);
    if (claim === null) return false;
    const lease = new ClaimLease(
      async leaseMs => (claim = await retention.renew(claim!, leaseMs)) !== null,
      LEASE_MS,
      claimedAt,
      this.stopped,
    );
    try {
      const { removed, progress } = await removeExpired(
        this.deps,
        this.retention,
        this.progress ?? NEW_PROGRESS,
        lease,
      );
      this.progress = progress;
      if (Object.values(removed).some(count => count > 0)) this.log.info({ ...removed }, 'removed expired rows');
    } catch (error) {
      if (error instanceof LeaseLostError) return false;
      if (!(error instanceof WorkStoppedError)) throw error;
      await retention.release(claim, 0);
      return false;
    }
    if (this.progress !== null) await setTimeout(PAUSE_MS, undefined, { signal: this.stopped }).catch(() => undefined);
    await retention.release(claim, this.progress === null ? EVERY_MS : 0);
    return this.progress !== null;
  }
}
