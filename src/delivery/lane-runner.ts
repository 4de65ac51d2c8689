import type { LaneDestination } from '../core/delivery';
import { LeaseLostError, ProviderUnavailableError } from '../core/errors';
import type { Lease } from '../core/flows/lease';
import type { ClaimedLane, LaneStore } from '../core/ports/lane-store';
import { type Reachability, type CircuitBreakers, RemoteLimiter } from './remote-limiter';
import { describeFailure, remoteOf } from './describe-failure';
import { Heartbeats } from './heartbeats';
import { type ClaimLease, WorkStoppedError } from './claim-lease';
import type { WorkerLog, WorkerOptions } from './options';
import { retryUntil, RECORD_RESULT_MS } from './retry-until';
import { WorkPool } from './work-pool';
import { reachabilityAfter, outcomeAfter, type Verdict } from './retry-policy';

/** The delivery is no longer needed and counts as done. */
export interface ObsoleteVerdict {
  readonly kind: 'obsolete';
}
/**
 * The delivery will never succeed and needs no decision of an operator. It is listed as discarded. `reason` is a text
 * of this service.
 */
export interface DiscardVerdict {
  readonly kind: 'discard';
  readonly code: string;
  readonly reason: string;
}
/** The remote is disabled. The lane waits until it is enabled, and this was no attempt. */
export interface PostponeVerdict {
  readonly kind: 'postpone';
}

/** Handles the deliveries of one destination. */
export interface LaneHandler<To extends LaneDestination> {
  readonly destination: To;
  deliver(lane: ClaimedLane<To>, lease: Lease): Promise<void>;
  /**
   * Decides about the head after `deliver` threw while the lease is still ours. Does everything else that the failure
   * requires first.
   */
  handleFailure(
    lane: ClaimedLane<To>,
    error: unknown,
  ): Promise<Verdict | ObsoleteVerdict | DiscardVerdict | PostponeVerdict>;
  /**
   * Returns how long a remote write of a dead process may still take effect, in milliseconds. Called before the work of
   * an abandoned claim continues. If omitted: such a write delays nothing.
   */
  ambiguousForMs?(lane: ClaimedLane<To>): Promise<number>;
  /** True: success and failure do not show whether the remote as a whole responds. */
  readonly ignoresReachability?: true;
  /** After success the lane continues with its next delivery in the same worker slot, without another claim. */
  readonly goesOn?: true;
  /** After success. */
  handleSuccess?(lane: ClaimedLane<To>): Promise<void>;
}

/** How many deliveries of one lane run in a row, before another lane of the same remote gets the slot. */
const IN_A_ROW = 10;

/** Claims lanes of one destination, executes their heads, and records each result. */
export class LaneRunner<To extends LaneDestination> {
  private readonly pool: WorkPool;
  private readonly remotes: RemoteLimiter;
  private readonly stopping = new AbortController();

  constructor(
    private readonly lanes: LaneStore,
    private readonly work: LaneHandler<To>,
    private readonly options: WorkerOptions,
    breakers: CircuitBreakers,
    private readonly log: WorkerLog,
    onRoom: () => void,
    private readonly beats = new Heartbeats(lanes, options.leaseMs),
  ) {
    this.pool = new WorkPool(options.concurrency, onRoom);
    this.remotes = new RemoteLimiter(options.concurrencyPerRemote, breakers);
  }

  /** Claims and starts the deliveries that are due. True: there may be more. */
  async tick(): Promise<boolean> {
    if (this.pool.freeSlots === 0) return false;
    if (this.beats.areRenewalsLate) await this.beats.beat();
    const claimedAt = this.beats.now();
    const claimed = await this.lanes.claimDeliveries(
      this.work.destination,
      this.pool.freeSlots,
      this.options.leaseMs,
      this.remotes.capacity,
    );
    for (const lane of claimed)
      this.pool.run(() => this.remotes.run(lane.remoteId, () => this.inARow(lane, claimedAt)));
    return claimed.length > 0;
  }

  /**
   * Executes the head of a lane and the due deliveries after it, so that a handoff's steps need no further claim.
   */
  private async inARow(first: ClaimedLane<To>, firstClaimedAt: number): Promise<Reachability> {
    let claimed: { readonly lane: ClaimedLane<To>; readonly at: number } = { lane: first, at: firstClaimedAt };
    for (let left = this.work.goesOn ? IN_A_ROW : 1; ; left--) {
      const { lane, at } = claimed;
      const next: (typeof claimed)[] = [];
      const complete = async (): Promise<void> => {
        if (left <= 1 || this.stopping.signal.aborted) return void (await this.lanes.complete(lane));
        const from = this.beats.now();
        const taken = await this.lanes.completeAndTakeNext(lane, this.options.leaseMs);
        if (taken !== null) next.push({ lane: taken, at: from });
      };
      const answered = await this.beats.runUnderLease(lane, at, this.stopping.signal, lease =>
        this.runHead(lane, lease, complete),
      );
      if (next[0] === undefined) return answered;
      this.remotes.report(lane.remoteId, answered);
      claimed = next[0];
    }
  }

  /** Running work stops after its current step; its lanes are released. */
  stop(): Promise<void> {
    this.stopping.abort();
    return this.waitUntilIdle();
  }

  waitUntilIdle(): Promise<void> {
    return this.pool.waitUntilIdle();
  }

  private async runHead(
    lane: ClaimedLane<To>,
    lease: ClaimLease,
    complete: () => Promise<void>,
  ): Promise<Reachability> {
    const { delivery } = lane;
    const recordWithRetries = <T>(work: () => Promise<T>): Promise<T> =>
      retryUntil(RECORD_RESULT_MS, this.stopping.signal, work);
    let answered: Reachability = 'unknown';
    try {
      try {
        if (await this.postponeIfAmbiguous(lane)) return answered;
        await this.work.deliver(lane, lease);
      } catch (error) {
        if (lease.isTaken) return answered;
        if (error instanceof LeaseLostError) {
          await this.giveBack(lane, lease, recordWithRetries);
          return answered;
        }
        if (error instanceof WorkStoppedError) {
          await this.lanes.release(lane, true);
          return answered;
        }
        if (!this.work.ignoresReachability) answered = reachabilityAfter(error);
        const verdict = await recordWithRetries(() => this.work.handleFailure(lane, error));
        await recordWithRetries(() => this.applyVerdict(lane, verdict, error));
        return answered;
      }
      if (!this.work.ignoresReachability) answered = 'yes';
      await recordWithRetries(complete);
      await this.work.handleSuccess?.(lane);
    } catch (error) {
      // Another claim has the lane.
      if (error instanceof LeaseLostError) return answered;
      // The database does not respond. The delivery is retried when the lease expires.
      this.log.error(
        {
          ...remoteOf(lane),
          sessionId: lane.sessionId,
          delivery: delivery.id,
          to: lane.destination,
          kind: delivery.work.kind,
          ...describeFailure(error),
          next: 'It is retried when its lease expires. Check that the database responds.',
        },
        'could not record the result of a delivery',
      );
    }
    return answered;
  }

  /**
   * Postpones an abandoned claim that may have begun a remote write. Until that write can no longer take effect,
   * nothing is looked up or repeated.
   */
  private async postponeIfAmbiguous(lane: ClaimedLane<To>): Promise<boolean> {
    if (lane.abandonedMs === null || this.work.ambiguousForMs === undefined) return false;
    const leftMs = (await this.work.ambiguousForMs(lane)) - lane.abandonedMs;
    if (leftMs <= 0) return false;
    await this.lanes.postpone(lane, leftMs);
    this.log.info(
      { sessionId: lane.sessionId, delivery: lane.delivery.id, afterMs: Math.ceil(leftMs) },
      'a process ended during this delivery; it continues once its last call can no longer take effect',
    );
    return true;
  }

  /**
   * Releases a lane whose lease expired before it was renewed, and which may not have been claimed again, so that it
   * need not wait for a whole lease. An aborted call may still take effect, so the lane continues after that. Does not
   * change another process's claim.
   */
  private async giveBack(
    lane: ClaimedLane<To>,
    lease: ClaimLease,
    patient: (work: () => Promise<boolean>) => Promise<boolean>,
  ): Promise<void> {
    const endedAt = this.beats.now();
    let afterMs = 0;
    const isGivenBack = await patient(async () => {
      if (!lease.mayHaveCalled) return this.lanes.release(lane, false);
      const keepLockedMs = (await this.work.ambiguousForMs?.(lane)) ?? 0;
      afterMs = Math.max(0, Math.ceil(keepLockedMs - (this.beats.now() - endedAt)));
      return this.lanes.retry(lane, afterMs, 'LEASE_LOST', false, 'UNKNOWN', afterMs);
    });
    if (isGivenBack)
      this.log.info(
        { sessionId: lane.sessionId, delivery: lane.delivery.id, afterMs },
        'the lease of this delivery expired before it could be renewed; the delivery is retried',
      );
  }

  private async applyVerdict(
    lane: ClaimedLane<To>,
    verdict: Verdict | ObsoleteVerdict | DiscardVerdict | PostponeVerdict,
    error: unknown,
  ): Promise<void> {
    const { delivery } = lane;
    if (verdict.kind === 'obsolete') return void (await this.lanes.complete(lane));
    if (verdict.kind === 'postpone') return void (await this.lanes.release(lane, false));
    const [said, ambiguousForMs] = [
      outcomeAfter(error),
      error instanceof ProviderUnavailableError ? error.ambiguousForMs : 0,
    ];
    const fields = {
      ...remoteOf(lane),
      sessionId: lane.sessionId,
      delivery: delivery.id,
      to: lane.destination,
      kind: delivery.work.kind,
      attempt: delivery.previousAttempts + 1,
      ...describeFailure(error),
      code: verdict.code,
    };
    if (verdict.kind === 'discard') {
      this.log.warn({ ...fields, reason: verdict.reason }, 'delivery discarded');
      await this.lanes.discard(lane, verdict.code, verdict.reason, said);
      return;
    }
    if (verdict.kind === 'park') {
      const outcome = await this.lanes.park(lane, verdict.code, said, ambiguousForMs);
      if (outcome !== null)
        this.log.error(
          { ...fields, outcome },
          outcome === 'UNKNOWN'
            ? 'delivery parked as a dead letter; it is unknown whether an attempt took effect'
            : 'delivery parked as a dead letter',
        );
      return;
    }
    this.log.warn(
      { ...fields, afterMs: verdict.afterMs },
      verdict.kind === 'recreate'
        ? 'conversation is gone at the provider; creating a new one'
        : 'delivery failed; it is retried',
    );
    await this.lanes.retry(lane, verdict.afterMs, verdict.code, !('isNotCounted' in verdict), said, ambiguousForMs);
  }
}
