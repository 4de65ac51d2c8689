import { setTimeout } from 'node:timers/promises';
import { LeaseLostError } from '../core/errors';
import type { FlowDeps, Retention } from '../core/flows/deps';
import { NEW_WALK, removeOld, type RetentionWalk } from '../core/flows/retention';
import { ClaimLease, WorkStoppedError } from './lease';
import type { WorkerLog } from './options';

/** Between two batches: the database belongs to the work. */
const PAUSE_MS = 200;
/** Renewed within a batch that takes longer; a replica that dies in it leaves the next one to another. */
const LEASE_MS = 60_000;
/** Between two walks over everything that is old. */
const EVERY_MS = 3_600_000;

/** Removes what is older than it is kept, batch by batch, on one replica at a time. */
export class RetentionTurn {
  private walk: RetentionWalk | null = null;

  /** @param stopped ends a batch after its present step */
  constructor(private readonly deps: FlowDeps, private readonly retention: Retention, private readonly log: Pick<WorkerLog, 'info'>, private readonly stopped: AbortSignal) {}

  /** True: there is more. */
  async turn(): Promise<boolean> {
    const { retention } = this.deps.stores;
    const claimedAt = performance.now();
    let claim = await retention.claim(LEASE_MS);
    if (claim === null) return false;
    const lease = new ClaimLease(async leaseMs => (claim = await retention.renew(claim!, leaseMs)) !== null, LEASE_MS, claimedAt, this.stopped);
    try {
      const { removed, walk } = await removeOld(this.deps, this.retention, this.walk ?? NEW_WALK, lease);
      this.walk = walk;
      if (Object.values(removed).some(count => count > 0)) this.log.info({ ...removed }, 'removed what is older than it is kept');
    } catch (error) {
      if (error instanceof LeaseLostError) return false;
      if (!(error instanceof WorkStoppedError)) throw error;
      await retention.rest(claim, 0);
      return false;
    }
    if (this.walk !== null) await setTimeout(PAUSE_MS, undefined, { signal: this.stopped }).catch(() => undefined);
    await retention.rest(claim, this.walk === null ? EVERY_MS : 0);
    return this.walk !== null;
  }
}
