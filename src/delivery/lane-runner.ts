import type { LaneDestination } from '../core/delivery';
import { LeaseLostError, ProviderUnavailableError } from '../core/errors';
import type { Lease } from '../core/flows/lease';
import type { ClaimedLane, LaneStore } from '../core/ports/stores';
import { type Answered, type Circuits, FarSides } from './far-sides';
import { failureOf, remoteOf } from './failure';
import { Heartbeats } from './heartbeats';
import { type ClaimLease, WorkStoppedError } from './lease';
import type { WorkerLog, WorkerOptions } from './options';
import { patiently, RECORDING_MS } from './patience';
import { WorkPool } from './pool';
import { answeredAfter, outcomeAfter, type Verdict } from './retry-policy';

/** The delivery is no longer needed and counts as done. */
export interface NothingOwed { readonly kind: 'nothingOwed' }
/**
 * The delivery will never succeed and needs no decision of an operator. It is listed as discarded. `reason` is a text
 * of this service.
 */
export interface GivenUp { readonly kind: 'givenUp'; readonly code: string; readonly reason: string }
/** The remote is disabled. The lane waits until it is enabled, and this was no attempt. */
export interface NotNow { readonly kind: 'notNow' }

/** Handles the deliveries of one destination. */
export interface LaneWorkOf<To extends LaneDestination> {
  readonly to: To;
  deliver(lane: ClaimedLane<To>, lease: Lease): Promise<void>;
  /**
   * Decides about the head after `deliver` threw while the lease is still ours. Does everything else that the failure
   * requires first.
   */
  failed(lane: ClaimedLane<To>, error: unknown): Promise<Verdict | NothingOwed | GivenUp | NotNow>;
  /**
   * Returns how long a remote write of a dead process may still take effect, in milliseconds. Called before the work of
   * an abandoned claim continues. If omitted: such a write delays nothing.
   */
  settlesMs?(lane: ClaimedLane<To>): Promise<number>;
  /** True: success and failure do not show whether the remote as a whole responds. */
  readonly saysNothingOfFarSide?: true;
  /** After success the lane goes on with its next delivery under the same place, without another claim. */
  readonly goesOn?: true;
  /** After success. */
  succeeded?(lane: ClaimedLane<To>): Promise<void>;
}

/** How many deliveries of one lane are done in a row, before other lanes of the same far side get its place. */
const IN_A_ROW = 10;

/** Claims lanes of one destination, works on their heads, and settles each claim. */
export class LaneRunner<To extends LaneDestination> {
  private readonly pool: WorkPool;
  private readonly sides: FarSides;
  private readonly stopping = new AbortController();

  constructor(private readonly lanes: LaneStore, private readonly work: LaneWorkOf<To>, private readonly options: WorkerOptions, circuits: Circuits, private readonly log: WorkerLog, onRoom: () => void, private readonly beats = new Heartbeats(lanes, options.leaseMs)) {
    this.pool = new WorkPool(options.width, onRoom);
    this.sides = new FarSides(options.widthOfFarSide, circuits);
  }

  /** Claims and starts the deliveries that are due. True: there may be more. */
  async turn(): Promise<boolean> {
    if (this.pool.room === 0) return false;
    if (this.beats.areLate) await this.beats.beat();
    const claimedAt = this.beats.now();
    const claimed = await this.lanes.claimDeliveries(this.work.to, this.pool.room, this.options.leaseMs, this.sides.room);
    for (const lane of claimed) this.pool.run(() => this.sides.during(lane.farSideId, () => this.inARow(lane, claimedAt)));
    return claimed.length > 0;
  }

  /** Does the head of a lane, and what is due after it: a handoff's steps follow each other without waiting for a claim. */
  private async inARow(first: ClaimedLane<To>, firstClaimedAt: number): Promise<Answered> {
    let claimed: { readonly lane: ClaimedLane<To>; readonly at: number } = { lane: first, at: firstClaimedAt };
    for (let left = this.work.goesOn ? IN_A_ROW : 1; ; left--) {
      const { lane, at } = claimed;
      const next: (typeof claimed)[] = [];
      const complete = async (): Promise<void> => {
        if (left <= 1 || this.stopping.signal.aborted) return void await this.lanes.complete(lane);
        const from = this.beats.now();
        const taken = await this.lanes.completeAndTakeNext(lane, this.options.leaseMs);
        if (taken !== null) next.push({ lane: taken, at: from });
      };
      const answered = await this.beats.during(lane, at, this.stopping.signal, (lease) => this.one(lane, lease, complete));
      if (next[0] === undefined) return answered;
      this.sides.report(lane.farSideId, answered);
      claimed = next[0];
    }
  }

  /** What is under way ends after its present step; the rest of it is given back. */
  stop(): Promise<void> {
    this.stopping.abort();
    return this.drained();
  }

  drained(): Promise<void> { return this.pool.drained(); }

  private async one(lane: ClaimedLane<To>, lease: ClaimLease, complete: () => Promise<void>): Promise<Answered> {
    const { delivery } = lane;
    const patient = <T>(work: () => Promise<T>): Promise<T> => patiently(RECORDING_MS, this.stopping.signal, work);
    let answered: Answered = 'unknown';
    try {
      try {
        if (await this.hasPutOff(lane)) return answered;
        await this.work.deliver(lane, lease);
      } catch (error) {
        if (lease.hasBeenTaken) return answered;
        if (error instanceof LeaseLostError) {
          await this.giveBack(lane, lease, patient);
          return answered;
        }
        if (error instanceof WorkStoppedError) {
          await this.lanes.release(lane, true);
          return answered;
        }
        if (!this.work.saysNothingOfFarSide) answered = answeredAfter(error);
        const verdict = await patient(() => this.work.failed(lane, error));
        await patient(() => this.settle(lane, verdict, error));
        return answered;
      }
      if (!this.work.saysNothingOfFarSide) answered = 'yes';
      await patient(complete);
      await this.work.succeeded?.(lane);
    } catch (error) {
      // Another claim has the lane.
      if (error instanceof LeaseLostError) return answered;
      // The database does not respond. The delivery is retried when the lease expires.
      this.log.error({
        ...remoteOf(lane), sessionId: lane.sessionId, delivery: delivery.id, to: lane.destination, kind: delivery.work.kind, ...failureOf(error),
        next: 'It is retried when its lease expires. Check that the database responds.',
      }, 'could not record the result of a delivery');
    }
    return answered;
  }

  /**
   * Postpones an abandoned claim that may have begun a remote write. Until that write can no longer take effect,
   * nothing is looked up or repeated.
   */
  private async hasPutOff(lane: ClaimedLane<To>): Promise<boolean> {
    if (lane.abandonedMs === null || this.work.settlesMs === undefined) return false;
    const leftMs = await this.work.settlesMs(lane) - lane.abandonedMs;
    if (leftMs <= 0) return false;
    await this.lanes.putOff(lane, leftMs);
    this.log.info({ sessionId: lane.sessionId, delivery: lane.delivery.id, afterMs: Math.ceil(leftMs) }, 'a process ended during this delivery; it continues once its last call can no longer take effect');
    return true;
  }

  /**
   * Releases a lane whose lease expired before it was renewed, and which may not have been claimed again, so that it
   * need not wait for a whole lease. An aborted call may still take effect, so the lane continues after that. Does not
   * change another process's claim.
   */
  private async giveBack(lane: ClaimedLane<To>, lease: ClaimLease, patient: (work: () => Promise<boolean>) => Promise<boolean>): Promise<void> {
    const endedAt = this.beats.now();
    let afterMs = 0;
    const isGivenBack = await patient(async () => {
      if (!lease.mayHaveCalled) return this.lanes.release(lane, false);
      const settlesMs = await this.work.settlesMs?.(lane) ?? 0;
      afterMs = Math.max(0, Math.ceil(settlesMs - (this.beats.now() - endedAt)));
      return this.lanes.retry(lane, afterMs, 'LEASE_LOST', false, 'UNKNOWN', afterMs);
    });
    if (isGivenBack) this.log.info({ sessionId: lane.sessionId, delivery: lane.delivery.id, afterMs }, 'the lease of this delivery expired before it could be renewed; the delivery is retried');
  }

  private async settle(lane: ClaimedLane<To>, verdict: Verdict | NothingOwed | GivenUp | NotNow, error: unknown): Promise<void> {
    const { delivery } = lane;
    if (verdict.kind === 'nothingOwed') return void (await this.lanes.complete(lane));
    if (verdict.kind === 'notNow') return void (await this.lanes.release(lane, false));
    const [said, settlesAfterMs] = [outcomeAfter(error), error instanceof ProviderUnavailableError ? error.settlesAfterMs : 0];
    const fields = {
      ...remoteOf(lane), sessionId: lane.sessionId, delivery: delivery.id, to: lane.destination, kind: delivery.work.kind, attempt: delivery.earlierAttempts + 1,
      ...failureOf(error), code: verdict.code,
    };
    if (verdict.kind === 'givenUp') {
      this.log.warn({ ...fields, reason: verdict.reason }, 'delivery discarded');
      await this.lanes.discard(lane, verdict.code, verdict.reason, said);
      return;
    }
    if (verdict.kind === 'park') {
      const outcome = await this.lanes.park(lane, verdict.code, said, settlesAfterMs);
      if (outcome !== null) this.log.error({ ...fields, outcome }, outcome === 'UNKNOWN' ? 'delivery parked as a dead letter; it is unknown whether an attempt took effect' : 'delivery parked as a dead letter');
      return;
    }
    this.log.warn({ ...fields, afterMs: verdict.afterMs }, verdict.kind === 'remake' ? 'conversation is gone at the provider; creating a new one' : 'delivery failed; it is retried');
    await this.lanes.retry(lane, verdict.afterMs, verdict.code, !('wasNoTry' in verdict), said, settlesAfterMs);
  }
}
