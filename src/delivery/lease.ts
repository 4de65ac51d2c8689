import type { Lease } from '../core/flows/lease';
import { LeaseLostError, SupportError } from '../core/errors';
import { timeLimit } from '../core/time-limit';

/** The process stops. Another process continues after the last finished step. */
export class WorkStoppedError extends SupportError {
  readonly code = 'WORK_STOPPED';
}

/**
 * The lease of one claim as its work sees it. The heartbeat renews it; `held` renews it too if the heartbeat is
 * late. Uses a clock that a changed wall time does not move.
 */
export class ClaimLease implements Lease {
  private until: number;
  private isLost = false;
  private hasLentSignal = false;
  /** Aborts the running calls. Replaced if the lease is renewed after all. */
  private calls = new AbortController();

  /**
   * @param renewOne moves the end of the lease to the given milliseconds from now; false: another claim has the work
   * @param claimedAt when the claim was sent, in milliseconds of `now`
   */
  constructor(
    private readonly renewOne: (leaseMs: number) => Promise<boolean>, readonly leaseMs: number, claimedAt: number,
    private readonly stopped: AbortSignal, private readonly now: () => number = () => performance.now(),
  ) {
    this.until = claimedAt + leaseMs;
  }

  /** Milliseconds until another process may claim the work; negative if it already may. */
  get aheadMs(): number { return this.until - this.now(); }

  /** Whether another claim certainly has the work. */
  get hasBeenTaken(): boolean { return this.isLost; }

  /** Whether a remote call may have begun during the claim. */
  get mayHaveCalled(): boolean { return this.hasLentSignal; }

  async held(): Promise<void> {
    if (this.stopped.aborted) throw new WorkStoppedError('The process stops, so it releases what it has claimed. Another process continues the work.');
    if (this.isLost) throw lost();
    if (this.aheadMs > this.leaseMs / 2) return;
    const from = this.now();
    if (await this.renewOne(this.leaseMs)) return this.renewed(from);
    this.lose();
    throw lost();
  }

  signal(ms: number): AbortSignal {
    if (this.isLost || this.aheadMs <= 0) throw lost();
    this.hasLentSignal = true;
    return timeLimit(ms, { signal: this.calls.signal, until: () => (this.isLost ? -Infinity : performance.now() + this.aheadMs) });
  }

  /** Records that a renewal sent at `from` succeeded. */
  renewed(from: number): void { this.until = Math.max(this.until, from + this.leaseMs); }

  /**
   * Aborts the running calls, because the lease could not be renewed in time. New calls are possible if a later renewal
   * succeeds.
   */
  cutCalls(): void {
    this.calls.abort(lost());
    this.calls = new AbortController();
  }

  /** Records that another claim has the work. */
  lose(): void {
    this.isLost = true;
    this.cutCalls();
  }
}

const lost = () => new LeaseLostError('The lease has expired or was lost. Another replica continues the work.');
