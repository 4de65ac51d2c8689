import type { Pool } from 'pg';
import type { DeliveryOutcome, LaneDelivery, LaneDestination, AttemptOutcome } from '../../core/delivery';
import type { EventBody } from '../../core/event';
import type { AccountId } from '../../core/ids';
import { notifyUndelivered } from '../../core/flows/undelivered';
import { instantOf, type Clock } from '../../core/ports/clock';
import type {
  AnyLane,
  ClaimedLane,
  ClaimedSync,
  ClaimKey,
  RemoteCapacity,
  LaneStore,
  SyncCause,
} from '../../core/ports/lane-store';
import type { SessionStore } from '../../core/ports/session-store';
import type { HandoffRows, MessageRows, EventLog } from '../../core/ports/session-transaction';
import {
  CLAIM_DELIVERIES,
  CLAIM_SYNCS,
  TAKE_HEADS,
  MARK_IDLE,
  RELEASE_CLAIMED,
  COMPLETE,
  COMPLETE_AND_KEEP,
  RETRY,
  RELEASE,
  RENEW,
  RENEW_ALL,
  POSTPONE,
  CLAIMERS,
  END_LEASES_OF,
  FINISH_SYNC,
  REQUEST_TIMER_SYNCS_OF_LIVE,
} from './lane-sql';
import { rowsOf, type Statement } from '../postgres/sql';
import { retryConflicts } from '../postgres/retry-conflicts';

interface Lane {
  readonly sessionId: string;
  readonly remoteId: string;
  readonly fence: string;
  readonly tail: string;
  readonly abandonedMs: number | null;
  readonly wasResent: boolean;
}
type Head<To extends LaneDestination> = LaneDelivery<To> & { readonly hasUnreportedAttempt: boolean };

export class PostgresLaneStore implements LaneStore {
  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
    private readonly sessions: Pick<SessionStore, 'transact'>,
    private readonly claimer: string | null = null,
  ) {}

  async claimDeliveries<To extends LaneDestination>(
    to: To,
    limit: number,
    leaseMs: number,
    room: RemoteCapacity = { perRemote: limit, exceptions: NO_EXCEPTIONS },
  ): Promise<readonly ClaimedLane<To>[]> {
    const lanes = await rowsOf<Lane>(this.pool, CLAIM_DELIVERIES.get(to)!, this.claimParameters(limit, leaseMs, room));
    return lanes.length === 0 ? [] : this.takeHeads(to, lanes);
  }

  private async takeHeads<To extends LaneDestination>(
    to: To,
    lanes: readonly Lane[],
  ): Promise<readonly ClaimedLane<To>[]> {
    const heads = new Map<string, Head<To>>();
    try {
      for (const head of await this.retryConflicts<Head<To>>(TAKE_HEADS, [
        lanes.map(lane => lane.sessionId),
        lanes.map(lane => lane.fence),
        to,
      ]))
        heads.set(head.sessionId, head);
      for (const { sessionId, fence, tail } of lanes)
        if (!heads.has(sessionId)) await this.retryConflicts(MARK_IDLE, [sessionId, to, fence, tail]);
    } catch (error) {
      await this.releaseClaimed(to, lanes, heads);
      throw error;
    }
    return lanes.flatMap(({ sessionId, remoteId, wasResent, abandonedMs }) => {
      const head = heads.get(sessionId);
      if (head === undefined) return [];
      const { hasUnreportedAttempt, ...delivery } = head;
      // A claim that ended before it took its head has begun nothing. After a resend, the head may differ from the one
      // that the earlier claim took.
      return [
        {
          destination: to,
          organizationId: head.organizationId,
          sessionId,
          remoteId: remoteId,
          fence: head.fence,
          delivery,
          abandonedMs: hasUnreportedAttempt || wasResent ? abandonedMs : null,
        },
      ];
    });
  }

  /** Releases claimed lanes, which would otherwise wait until their leases expire. */
  private async releaseClaimed(
    to: LaneDestination,
    lanes: readonly Lane[],
    heads: ReadonlyMap<string, LaneDelivery<LaneDestination>>,
  ): Promise<void> {
    const values = [
      lanes.map(lane => lane.sessionId),
      lanes.map(lane => lane.fence),
      lanes.map(lane => heads.get(lane.sessionId)?.id ?? null),
      to,
    ];
    // If the database does not respond, the leases expire by themselves, and the error of the claim is the one to
    // report.
    await this.retryConflicts(RELEASE_CLAIMED, values).catch(() => undefined);
  }

  complete(lane: AnyLane): Promise<boolean> {
    return this.changesAny(COMPLETE, [...claimKeyValues(lane), lane.delivery.id, this.now()]);
  }

  async completeAndTakeNext<To extends LaneDestination>(
    { destination, remoteId, sessionId, ...lane }: ClaimedLane<To>,
    leaseMs: number,
  ): Promise<ClaimedLane<To> | null> {
    const values = [...claimKeyValues({ ...lane, sessionId, destination }), lane.delivery.id, this.now(), leaseMs];
    const [kept] = await this.retryConflicts<{ fence: string; tail: string; isKept: boolean }>(
      COMPLETE_AND_KEEP,
      values,
    );
    if (kept?.isKept !== true) return null;
    const [next] = await this.takeHeads(destination, [
      { sessionId, remoteId, fence: kept.fence, tail: kept.tail, abandonedMs: null, wasResent: false },
    ]);
    return next ?? null;
  }

  retry(
    lane: AnyLane,
    afterMs: number,
    code: string,
    hasFailed = true,
    outcome: AttemptOutcome = null,
    ambiguousForMs = 0,
  ): Promise<boolean> {
    return this.changesAny(RETRY, [
      ...claimKeyValues(lane),
      lane.delivery.id,
      afterMs,
      code,
      hasFailed ? this.now() : null,
      outcome,
      ambiguousForMs,
    ]);
  }

  async park(
    lane: AnyLane,
    code: string,
    said: AttemptOutcome = null,
    ambiguousForMs = 0,
  ): Promise<DeliveryOutcome | null> {
    const { id: deliveryId, work } = lane.delivery;
    const { kind } = work;
    const { result } = await this.sessions.transact(lane.organizationId, lane.sessionId, async tx => {
      const outcome = await tx.parkHead(lane, code, said, ambiguousForMs);
      if (outcome === null) return null;
      await this.appendLaneEvent(tx, lane, { type: 'DELIVERY_PARKED', deliveryId, kind, code, outcome });
      await notifyUndelivered(tx, work, code, outcome);
      return outcome;
    });
    return result;
  }

  async discard(lane: AnyLane, code: string, reason: string, said: AttemptOutcome = null): Promise<boolean> {
    const {
      id: deliveryId,
      work: { kind },
    } = lane.delivery;
    const { result } = await this.sessions.transact(lane.organizationId, lane.sessionId, async tx => {
      const isDone = await tx.discardHead(lane, code, reason, said);
      if (isDone)
        await this.appendLaneEvent(tx, lane, { type: 'DELIVERY_DISCARDED', deliveryId, kind, reason, by: null });
      return isDone;
    });
    return result;
  }

  private async appendLaneEvent(
    tx: HandoffRows & MessageRows & EventLog,
    { delivery: { work } }: AnyLane,
    event: EventBody,
  ): Promise<void> {
    const about =
      'handoffId' in work
        ? work.handoffId
        : 'messageId' in work
          ? (await tx.findMessage(work.messageId))?.handoffId
          : null;
    await tx.appendEvent(event, about ?? tx.liveHandoff?.id ?? null, this.now());
  }

  release(lane: AnyLane, wasTried: boolean): Promise<boolean> {
    return this.changesAny(RELEASE, [...claimKeyValues(lane), lane.delivery.id, wasTried]);
  }

  renew(claim: ClaimKey, leaseMs: number): Promise<boolean> {
    return this.changesAny(RENEW, [...claimKeyValues(claim), leaseMs]);
  }

  async renewAll(claims: readonly ClaimKey[], leaseMs: number): Promise<ReadonlySet<string>> {
    const values = [
      claims.map(claim => claim.sessionId),
      claims.map(claim => claim.destination),
      claims.map(claim => claim.fence),
      leaseMs,
    ];
    return new Set((await this.retryConflicts<{ claim: string }>(RENEW_ALL, values)).map(({ claim }) => claim));
  }

  postpone(lane: AnyLane, ms: number): Promise<boolean> {
    return this.changesAny(POSTPONE, [...claimKeyValues(lane), lane.delivery.id, Math.ceil(ms)]);
  }

  async endLeasesOfDead(isDead: (claimer: string) => boolean): Promise<number> {
    const dead = (await rowsOf<{ claimer: string }>(this.pool, CLAIMERS)).map(({ claimer }) => claimer).filter(isDead);
    return dead.length === 0 ? 0 : (await this.retryConflicts(END_LEASES_OF, [dead])).length;
  }

  claimSyncs(
    cause: SyncCause,
    limit: number,
    leaseMs: number,
    room: RemoteCapacity = { perRemote: limit, exceptions: NO_EXCEPTIONS },
  ): Promise<readonly ClaimedSync[]> {
    return rowsOf<ClaimedSync>(this.pool, CLAIM_SYNCS[cause], this.claimParameters(limit, leaseMs, room));
  }

  finishSync(
    reading: ClaimedSync,
    nextMs: number | null,
    failed: boolean,
    next: SyncCause | null = null,
  ): Promise<boolean> {
    return this.changesAny(FINISH_SYNC, [
      ...claimKeyValues({ ...reading, destination: 'SYNC' }),
      nextMs,
      failed,
      next === null ? null : next === 'TIMER',
    ]);
  }

  async requestTimerSyncsOfLive(accountId: AccountId, withinMs: number): Promise<number> {
    return (await rowsOf(this.pool, REQUEST_TIMER_SYNCS_OF_LIVE, [accountId, withinMs])).length;
  }

  private retryConflicts<Row extends object>(sql: Statement, values: readonly unknown[]): Promise<Row[]> {
    return retryConflicts(
      () => rowsOf<Row>(this.pool, sql, values),
      () => this.clock.random(),
    );
  }

  private async changesAny(sql: Statement, values: readonly unknown[]): Promise<boolean> {
    return (await this.retryConflicts(sql, values)).length > 0;
  }

  private claimParameters(limit: number, leaseMs: number, { perRemote, exceptions }: RemoteCapacity): unknown[] {
    return [limit, leaseMs, [...exceptions.keys()], [...exceptions.values()], perRemote, this.claimer];
  }

  private now = (): string => instantOf(this.clock.now());
}

const NO_EXCEPTIONS: RemoteCapacity['exceptions'] = new Map();

const claimKeyValues = ({ sessionId, destination, fence }: ClaimKey): unknown[] => [sessionId, destination, fence];
