import type { Lease } from '../core/flows/lease';
import { LeaseLostError, SupportError } from '../core/errors';

/** The process stops: what was begun goes on elsewhere, behind the step that is done. */
export class WorkStoppedError extends SupportError {
  readonly code = 'WORK_STOPPED';
}

/**
 * A claim's lease as work sees it. Asked before each remote call: a process that was paused past its lease finds that
 * out before it speaks, not after. Uses a clock that a changed wall time does not move.
 */
export class ClaimLease implements Lease {
  private until: number;
  private aheadMs: number;

  /** @param renew moves its end to so many milliseconds from now; false: it was lost */
  constructor(private readonly renew: (leaseMs: number) => Promise<boolean>, private readonly leaseMs: number, claimedAt: number, private readonly stopped: AbortSignal) {
    this.until = claimedAt + leaseMs;
    // A call may take its whole time limit, which is at most half of a lease.
    this.aheadMs = leaseMs / 2;
  }

  outlasts(callMs: number): void { this.aheadMs = Math.max(this.aheadMs, callMs); }

  async held(): Promise<void> {
    if (this.stopped.aborted) throw new WorkStoppedError('The process stops; what it had claimed is given back.');
    if (performance.now() < this.until - this.aheadMs) return;
    const [from, leaseMs] = [performance.now(), this.aheadMs + this.leaseMs / 2];
    if (!(await this.renew(leaseMs))) throw new LeaseLostError('The lease ended; another replica goes on with it.');
    this.until = from + leaseMs;
  }
}
