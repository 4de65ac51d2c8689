import { setTimeout } from 'node:timers/promises';
import { LeaseLostError } from '../core/errors';
import type { FlowDeps, Retention } from '../core/flows/deps';
import { NEW_WALK, removeOld, type RetentionWalk } from '../core/flows/operate/retention';
import { ClaimLease, WorkStoppedError } from './lease';
import type { WorkerLog } from './options';

/** The pause between two batches, which leaves the database to other work. */
const PAUSE_MS = 200;
/** Renewed during a longer batch. If the replica dies, another one runs the next batch. */
const LEASE_MS = 60_000;
/** The time between two walks over all expired rows. */
const EVERY_MS = 3_600_000;

/** Removes expired rows batch by batch, on one replica at a time. */
export class RetentionTurn {
  private walk: RetentionWalk | null = null;

  /** @param stopped ends a batch after its current step */
  constructor(private readonly deps: FlowDeps, private readonly retention: Retention, private readonly log: Pick<WorkerLog, 'info'>, private readonly stopped: AbortSignal) {}

  /** Removes one batch. True: there is more. */
  async turn(): Promise<boolean> {
    const { retention } = this.deps.stores;
    const claimedAt = performance.now();
    let claim = await retention.claim(LEASE_MS);
    if (claim === null) return false;
    const lease = new ClaimLease(async leaseMs => (claim = await retention.renew(claim!, leaseMs)) !== null, LEASE_MS, claimedAt, this.stopped);
    try {
      const { removed, walk } = await removeOld(this.deps, this.retention, this.walk ?? NEW_WALK, lease);
      this.walk = walk;
      if (Object.values(removed).some(count => count > 0)) this.log.info({ ...removed }, 'removed expired rows');
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
