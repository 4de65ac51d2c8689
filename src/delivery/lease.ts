import type { Lease } from '../core/flows/lease';
import { LeaseLostError, SupportError } from '../core/errors';
import { timeLimit } from '../core/time-limit';

/** The process stops: what was begun goes on elsewhere, behind the step that is done. */
export class WorkStoppedError extends SupportError {
  readonly code = 'WORK_STOPPED';
}

/**
 * One claim's lease as its work sees it. The heartbeat renews it; `held` does too when the heartbeat is late. Uses a clock
 * that a changed wall time does not move.
 */
export class ClaimLease implements Lease {
  private until: number;
  private isLost = false;
  private hasLentSignal = false;
  /** Ends the calls under way; a new one is made when the lease lives on after all. */
  private calls = new AbortController();

  /**
   * @param renewOne moves the lease's end to so many milliseconds from now; false: another claim has the work
   * @param claimedAt when the claim was sent, in milliseconds of `now`
   */
  constructor(
    private readonly renewOne: (leaseMs: number) => Promise<boolean>, readonly leaseMs: number, claimedAt: number,
    private readonly stopped: AbortSignal, private readonly now: () => number = () => performance.now(),
  ) {
    this.until = claimedAt + leaseMs;
  }

  /** Milliseconds until somebody else may take the work; negative when they may already. */
  get aheadMs(): number { return this.until - this.now(); }

  /** Whether another claim has the work for certain. */
  get hasBeenTaken(): boolean { return this.isLost; }

  /** Whether a remote call may have begun under it. */
  get mayHaveCalled(): boolean { return this.hasLentSignal; }

  async held(): Promise<void> {
    if (this.stopped.aborted) throw new WorkStoppedError('The process stops; what it had claimed is given back.');
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

  /** A renewal that was sent at `from` succeeded. */
  renewed(from: number): void { this.until = Math.max(this.until, from + this.leaseMs); }

  /** The lease could not be renewed in time: nothing that it covers may go on. It lives again if a later renewal succeeds. */
  cutCalls(): void {
    this.calls.abort(lost());
    this.calls = new AbortController();
  }

  /** Another claim has the work. */
  lose(): void {
    this.isLost = true;
    this.cutCalls();
  }
}

const lost = () => new LeaseLostError('The lease ended; another replica goes on with it.');
