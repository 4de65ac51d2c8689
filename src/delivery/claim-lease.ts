import type { Lease } from '../core/flows/lease';
import { LeaseLostError, SupportError } from '../core/errors';
import { createTimeLimit } from '../core/time-limit';

/** The process stops. Another process continues after the last finished step. */
export class WorkStoppedError extends SupportError {
  readonly code = 'WORK_STOPPED';
}

/**
 * The lease of one claim as its work sees it. The heartbeat renews it; `ensureHeld` renews it too if the heartbeat is
 * late. Uses a clock that a changed wall time does not move.
 */
export class ClaimLease implements Lease {
  private endsAt: number;
  private isLost = false;
  private hasLentSignal = false;
  /** Aborts the running calls. Replaced if the lease is renewed after all. */
  private calls = new AbortController();

  /**
   * @param renewOne moves the end of the lease to the given milliseconds from now; false: another claim has the work
   * @param claimedAt when the claim was sent, in milliseconds of `now`
   */
  constructor(
    private readonly renewOne: (leaseMs: number) => Promise<boolean>,
    readonly leaseMs: number,
    claimedAt: number,
    private readonly stopped: AbortSignal,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.endsAt = claimedAt + leaseMs;
  }

  /** Milliseconds until another process may claim the work; negative if it already may. */
  get remainingMs(): number {
    return this.endsAt - this.now();
  }

  /** Whether another claim certainly has the work. */
  get isTaken(): boolean {
    return this.isLost;
  }

  /** Whether a remote call may have begun during the claim. */
  get mayHaveCalled(): boolean {
    return this.hasLentSignal;
  }

  async ensureHeld(): Promise<void> {
    if (this.stopped.aborted)
      throw new WorkStoppedError(
        'The process stops, so it releases what it has claimed. Another process continues the work.',
      );
    if (this.isLost) throw leaseLostError();
    if (this.remainingMs > this.leaseMs / 2) return;
    const from = this.now();
    if (await this.renewOne(this.leaseMs)) return this.markRenewed(from);
    this.markLost();
    throw leaseLostError();
  }

  signal(ms: number): AbortSignal {
    if (this.isLost || this.remainingMs <= 0) throw leaseLostError();
    this.hasLentSignal = true;
    return createTimeLimit(ms, {
      signal: this.calls.signal,
      until: () => (this.isLost ? -Infinity : performance.now() + this.remainingMs),
    });
  }

  /** Records that a renewal sent at `from` succeeded. */
  markRenewed(from: number): void {
    this.endsAt = Math.max(this.endsAt, from + this.leaseMs);
  }

  /**
   * Aborts the running calls, because the lease could not be renewed in time. New calls are possible if a later renewal
   * succeeds.
   */
  abortCalls(): void {
    this.calls.abort(leaseLostError());
    this.calls = new AbortController();
  }

  /** Records that another claim has the work. */
  markLost(): void {
    this.isLost = true;
    this.abortCalls();
  }
}

const leaseLostError = () =>
  new LeaseLostError('The lease has expired or was lost. Another replica continues the work.');
