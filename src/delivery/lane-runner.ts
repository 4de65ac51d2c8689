import type { LaneDestination } from '../core/delivery';
import { LeaseLostError, ProviderUnavailableError } from '../core/errors';
import type { Lease } from '../core/flows/lease';
import type { ClaimedLane, LaneStore } from '../core/ports/stores';
import { type Answered, type Circuits, FarSides } from './far-sides';
import { ClaimLease, WorkStoppedError } from './lease';
import { failureOf, remoteOf } from './failure';
import type { WorkerLog, WorkerOptions } from './options';
import { patiently } from './patience';
import { WorkPool } from './pool';
import { answeredAfter, outcomeAfter, type Verdict } from './retry-policy';

/** What the delivery was about is no longer wanted: it counts as done. */
export interface NothingOwed { readonly kind: 'nothingOwed' }
/** It will never be done, and no operator needs to decide about it: it is listed as given up. `reason` is in words of ours. */
export interface GivenUp { readonly kind: 'givenUp'; readonly code: string; readonly reason: string }
/** The far side is switched off: the lane waits until it is on again, and this was no try. */
export interface NotNow { readonly kind: 'notNow' }

/** What is done with the deliveries of one destination. */
export interface LaneWorkOf<To extends LaneDestination> {
  readonly to: To;
  deliver(lane: ClaimedLane<To>, lease: Lease): Promise<void>;
  /** After `deliver` threw and the lease is still ours: what becomes of the head, everything else about it already done. */
  failed(lane: ClaimedLane<To>, error: unknown): Promise<Verdict | NothingOwed | GivenUp | NotNow>;
  /** Neither success nor failure tells whether the far side as a whole answers. */
  readonly saysNothingOfFarSide?: true;
  /** After success. */
  succeeded?(lane: ClaimedLane<To>): Promise<void>;
}

/** Claims lanes of one destination, works on their heads, and settles each claim. */
export class LaneRunner<To extends LaneDestination> {
  private readonly pool: WorkPool;
  private readonly sides: FarSides;
  private readonly stopping = new AbortController();

  constructor(private readonly lanes: LaneStore, private readonly work: LaneWorkOf<To>, private readonly options: WorkerOptions, circuits: Circuits, private readonly log: WorkerLog, onRoom: () => void) {
    this.pool = new WorkPool(options.width, onRoom);
    this.sides = new FarSides(options.widthOfFarSide, circuits);
  }

  /** One turn: claims what is due. True: there may be more. */
  async turn(): Promise<boolean> {
    if (this.pool.room === 0) return false;
    const claimedAt = performance.now();
    const claimed = await this.lanes.claimDeliveries(this.work.to, this.pool.room, this.options.leaseMs, this.sides.room);
    for (const lane of claimed)
      this.pool.run(() => this.sides.during(lane.farSideId, () => this.one(lane, claimedAt)));
    return claimed.length > 0;
  }

  /** What is under way ends after its present step; the rest of it is given back. */
  stop(): Promise<void> {
    this.stopping.abort();
    return this.drained();
  }

  drained(): Promise<void> { return this.pool.drained(); }

  private async one(lane: ClaimedLane<To>, claimedAt: number): Promise<Answered> {
    const { delivery } = lane;
    const patient = <T>(work: () => Promise<T>): Promise<T> => patiently(claimedAt + this.options.leaseMs, this.stopping.signal, work);
    let answered: Answered = 'unknown';
    try {
      try {
        await this.work.deliver(lane, new ClaimLease(leaseMs => this.lanes.renew(lane, leaseMs), this.options.leaseMs, claimedAt, this.stopping.signal));
      } catch (error) {
        if (error instanceof LeaseLostError) return answered;
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
      await patient(() => this.lanes.complete(lane));
      await this.work.succeeded?.(lane);
    } catch (error) {
      // The database stays away: the lease ends by itself and the delivery comes back.
      this.log.error({
        ...remoteOf(lane), sessionId: lane.sessionId, delivery: delivery.id, to: lane.destination, kind: delivery.work.kind, ...failureOf(error),
        next: 'It is tried again when its lease ends. See whether the database answers.',
      }, 'delivery left to its lease');
    }
    return answered;
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
      this.log.warn({ ...fields, reason: verdict.reason }, 'delivery given up');
      await this.lanes.discard(lane, verdict.code, verdict.reason, said);
      return;
    }
    if (verdict.kind === 'park') {
      const outcome = await this.lanes.park(lane, verdict.code, said, settlesAfterMs);
      if (outcome !== null) this.log.error({ ...fields, outcome }, outcome === 'UNKNOWN' ? 'delivery set aside as a dead letter; whether an earlier try of it was stored is not known' : 'delivery set aside as a dead letter');
      return;
    }
    this.log.warn({ ...fields, afterMs: verdict.afterMs }, verdict.kind === 'remake' ? 'conversation is gone at the provider; making a new one' : 'delivery failed, will be tried again');
    await this.lanes.retry(lane, verdict.afterMs, verdict.code, !('wasNoTry' in verdict), said, settlesAfterMs);
  }
}
