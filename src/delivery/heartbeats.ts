import type { ClaimKey, LaneStore } from '../core/ports/lane-store';
import { ClaimLease } from './claim-lease';

/** The share of the lease after which a claim is renewed. Short work thus needs no renewal. */
const RENEW_AFTER_SHARE = 0.25;

/**
 * Renews the leases of all claims of this process in one statement. Leases can therefore be short: work of a dead
 * process is free again within one lease, and long work keeps its claim.
 */
export class Heartbeats {
  private readonly claims = new Map<ClaimLease, ClaimKey>();

  /** @param now milliseconds of a clock that a changed wall time does not move */
  constructor(
    private readonly lanes: Pick<LaneStore, 'renew' | 'renewAll'>,
    readonly leaseMs: number,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** How often to call `beat`, in milliseconds. */
  get everyMs(): number {
    return this.leaseMs * RENEW_AFTER_SHARE;
  }

  /**
   * Runs work and renews the lease of its claim until the work has ended.
   * @param claimedAt the time of `now` before the claim was sent
   */
  async runUnderLease<T>(
    claim: ClaimKey,
    claimedAt: number,
    stopped: AbortSignal,
    work: (lease: ClaimLease) => Promise<T>,
  ): Promise<T> {
    const lease = new ClaimLease(
      leaseMs => this.lanes.renew(claim, leaseMs),
      this.leaseMs,
      claimedAt,
      stopped,
      this.now,
    );
    this.claims.set(lease, claim);
    try {
      return await work(lease);
    } finally {
      this.claims.delete(lease);
    }
  }

  /**
   * Renews the leases that have lasted long enough. Called every `everyMs`, and before each claim while renewals
   * fail, so that a process does not claim its own work as that of a dead one.
   * @throws the database's error; the calls of leases that have expired are aborted
   */
  async beat(): Promise<void> {
    // Abort before waiting for anything, because a process that was paused must not continue with its calls.
    this.abortExpired();
    const due = [...this.claims].filter(
      ([lease]) => !lease.isTaken && lease.remainingMs < this.leaseMs * (1 - RENEW_AFTER_SHARE),
    );
    if (due.length === 0) return;
    const from = this.now();
    try {
      const renewed = await this.lanes.renewAll(
        due.map(([, claim]) => claim),
        this.leaseMs,
      );
      for (const [lease, claim] of due) {
        if (renewed.has(claim.fence + claim.destination + claim.sessionId)) lease.markRenewed(from);
        else lease.markLost();
      }
    } finally {
      this.abortExpired();
    }
  }

  private abortExpired(): void {
    for (const lease of this.claims.keys()) if (lease.remainingMs <= 0 && !lease.isTaken) lease.abortCalls();
  }

  /** Whether a lease has expired, or is about to, because it could not be renewed. */
  get areRenewalsLate(): boolean {
    return [...this.claims.keys()].some(lease => lease.remainingMs < this.leaseMs / 4);
  }
}
