import type { ClaimKey, LaneStore } from '../core/ports/stores';
import { ClaimLease } from './lease';

/** A claim is renewed once this part of its lease is over, so that short work costs no statement. */
const RENEW_AFTER = 0.25;

/**
 * Renews the leases of everything that this process has claimed, all in one statement. So leases can be short: work that a
 * dead process had claimed is free again within one lease, and work that takes long keeps its claim.
 */
export class Heartbeats {
  private readonly claims = new Map<ClaimLease, ClaimKey>();

  /** @param now milliseconds of a clock that a changed wall time does not move */
  constructor(private readonly lanes: Pick<LaneStore, 'renew' | 'renewAll'>, readonly leaseMs: number, readonly now: () => number = () => performance.now()) {}

  /** How often `beat` is to be called, in milliseconds. */
  get everyMs(): number { return this.leaseMs * RENEW_AFTER; }

  /** Runs work under the lease of its claim, which is renewed until the work has ended. @param claimedAt of `now`, before the claim was sent */
  async during<T>(claim: ClaimKey, claimedAt: number, stopped: AbortSignal, work: (lease: ClaimLease) => Promise<T>): Promise<T> {
    const lease = new ClaimLease((leaseMs) => this.lanes.renew(claim, leaseMs), this.leaseMs, claimedAt, stopped, this.now);
    this.claims.set(lease, claim);
    try {
      return await work(lease);
    } finally {
      this.claims.delete(lease);
    }
  }

  /**
   * Renews what is no longer young. Called every `everyMs`, and before each claim while renewals fail: a process must not
   * take its own work for a dead one's.
   * @throws the database's error; leases whose end has come stop their calls
   */
  async beat(): Promise<void> {
    // Before anything is waited for: a process that stood still must not go on with what it was sending.
    this.cutWhatIsOver();
    const due = [...this.claims].filter(([lease]) => !lease.hasBeenTaken && lease.aheadMs < this.leaseMs * (1 - RENEW_AFTER));
    if (due.length === 0) return;
    const from = this.now();
    try {
      const renewed = await this.lanes.renewAll(due.map(([, claim]) => claim), this.leaseMs);
      for (const [lease, claim] of due) {
        if (renewed.has(claim.fence + claim.destination + claim.sessionId)) lease.renewed(from);
        else lease.lose();
      }
    } finally {
      this.cutWhatIsOver();
    }
  }

  private cutWhatIsOver(): void {
    for (const lease of this.claims.keys()) if (lease.aheadMs <= 0 && !lease.hasBeenTaken) lease.cutCalls();
  }

  /** Whether a lease has ended, or is about to, because it could not be renewed. */
  get areLate(): boolean { return [...this.claims.keys()].some((lease) => lease.aheadMs < this.leaseMs / 4); }
}
