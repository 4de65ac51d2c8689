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

  /** @param renew moves its end to `leaseMs` from now; false: it was lost */
  constructor(private readonly renew: () => Promise<boolean>, private readonly leaseMs: number, claimedAt: number, private readonly stopped: AbortSignal) {
    this.until = claimedAt + leaseMs;
  }

  async held(): Promise<void> {
    if (this.stopped.aborted) throw new WorkStoppedError('The process stops; what it had claimed is given back.');
    // A call may take its whole time limit: half of the lease must still be ahead.
    if (performance.now() < this.until - this.leaseMs / 2) return;
    const from = performance.now();
    if (!(await this.renew())) throw new LeaseLostError('The lease ended; another replica goes on with it.');
    this.until = from + this.leaseMs;
  }
}
