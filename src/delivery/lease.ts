import type { Lease } from '../core/flows/lease';
import { LeaseLostError, SupportError } from '../core/errors';
import { timeLimit } from '../core/time-limit';

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
  private settlesMs = 0;

  /** @param renew moves its end to so many milliseconds from now; false: it was lost */
  constructor(private readonly renew: (leaseMs: number) => Promise<boolean>, private readonly leaseMs: number, claimedAt: number, private readonly stopped: AbortSignal) {
    this.until = claimedAt + leaseMs;
    // A call may take its whole time limit, which is at most half of a lease.
    this.aheadMs = leaseMs / 2;
  }

  outlasts(callMs: number, settlesMs: number): void {
    this.settlesMs = Math.max(this.settlesMs, settlesMs);
    this.aheadMs = Math.max(this.aheadMs, callMs + this.settlesMs);
  }

  async held(): Promise<void> {
    if (this.stopped.aborted) throw new WorkStoppedError('The process stops; what it had claimed is given back.');
    if (performance.now() < this.until - this.aheadMs) return;
    const [from, leaseMs] = [performance.now(), this.aheadMs + this.leaseMs / 2];
    if (!(await this.renew(leaseMs))) throw lost();
    this.until = from + leaseMs;
  }

  signal(ms: number): AbortSignal {
    const leftMs = Math.floor(this.until - this.settlesMs - performance.now());
    if (leftMs <= 0) throw lost();
    return timeLimit(Math.min(ms, leftMs));
  }
}

const lost = () => new LeaseLostError('The lease ended; another replica goes on with it.');
