import type { DeliveryOutcome, LaneDelivery, LaneDestination, AttemptOutcome } from '../delivery';
import type { AccountId, OrganizationId, SessionId } from '../ids';

/** How many lanes of a remote may be claimed: `perRemote`, except for the remotes in `exceptions`. */
export interface RemoteCapacity {
  readonly perRemote: number;
  readonly exceptions: ReadonlyMap<string, number>;
}

/** A claimed lane. `fence` proves the claim at completion. */
export interface ClaimedLane<To extends LaneDestination = 'PROVIDER'> {
  readonly destination: To;
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  /** The receiver of the work: a support account or a runtime's endpoint. */
  readonly remoteId: string;
  readonly fence: string;
  /** The head of the lane. */
  readonly delivery: LaneDelivery<To>;
  /**
   * Set if the claim before this one ended without a result because its process died or paused, perhaps during a remote
   * call. It is the time in milliseconds since that claim's lease ended; the claim could begin no call after that.
   * Null: no call of an earlier claim can be running unnoticed.
   */
  readonly abandonedMs: number | null;
}

/** Identifies a claim. */
export interface ClaimKey {
  readonly destination: LaneDestination | 'SYNC';
  readonly sessionId: SessionId;
  readonly fence: string;
}

export interface ClaimedSync {
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  readonly remoteId: string;
  readonly fence: string;
  /** How many syncs failed in a row before this one. */
  readonly failures: number;
}

/** HINT: something indicates news, and somebody waits. TIMER: neither. */
export type SyncCause = 'HINT' | 'TIMER';

export type AnyLane = ClaimedLane<LaneDestination>;

/** Lanes keep strict order per session over any number of replicas. A claim that is not renewed ends with its lease. */
export interface LaneStore {
  /** Claims due lanes, longest due first. Without `capacity`, one remote may take all of `limit`. */
  claimDeliveries<To extends LaneDestination>(
    to: To,
    limit: number,
    leaseMs: number,
    capacity?: RemoteCapacity,
  ): Promise<readonly ClaimedLane<To>[]>;
  /** Removes the head and makes the next delivery due. False: the lease was lost, and nothing changed. */
  complete(lane: AnyLane): Promise<boolean>;
  /**
   * Removes the head and claims the next delivery at once if it is due, so that a worked lane continues without another
   * claim. Null: nothing is due, or the lease was lost; then the lane is left as after `complete`.
   */
  completeAndTakeNext<To extends LaneDestination>(
    lane: ClaimedLane<To>,
    leaseMs: number,
  ): Promise<ClaimedLane<To> | null>;
  /**
   * Leaves the head where it is for another attempt; nothing passes it. False: the lease was lost.
   * @param hasFailed whether the attempt counts towards parking; the first one that does sets `failingSince`
   * @param outcome what the attempt says about its write; unknown if the process died before it could report one
   * @param ambiguousForMs how long its write may still take effect. Nothing of the lane begins before, not even a
   * resent delivery
   */
  retry(
    lane: AnyLane,
    afterMs: number,
    code: string,
    hasFailed?: boolean,
    outcome?: AttemptOutcome,
    ambiguousForMs?: number,
  ): Promise<boolean>;
  /**
   * Parks the head as a dead letter and records that in the session's history, in one transaction. The lane continues,
   * or waits until an operator decides, as the inbox's policy says. Returns the combined outcome of all its attempts.
   * Null: the lease was lost, and nothing changed.
   * @param outcome as for `retry`
   */
  park(lane: AnyLane, code: string, outcome?: AttemptOutcome, ambiguousForMs?: number): Promise<DeliveryOutcome | null>;
  /**
   * Discards the head where no operator needs to decide, and records that in the session's history. It is listed
   * together with deliveries that operators discarded. `reason` is a text of this service. False: the lease was lost,
   * and nothing changed.
   * @param outcome as for `retry`
   */
  discard(lane: AnyLane, code: string, reason: string, outcome?: AttemptOutcome): Promise<boolean>;

  /**
   * Releases the lane: it is due now, for any worker. False: the lease was lost.
   * @param wasTried whether something may have reached the remote; otherwise it counts as if it had not been claimed
   */
  release(lane: AnyLane, wasTried: boolean): Promise<boolean>;
  /** Extends the lease to `leaseMs` from now. False: another claim has the work. */
  renew(claim: ClaimKey, leaseMs: number): Promise<boolean>;
  /** Renews all claims of a process in one statement. Returns `fence + sessionId` of those that still hold. */
  renewAll(claims: readonly ClaimKey[], leaseMs: number): Promise<ReadonlySet<string>>;
  /**
   * Postpones a claimed lane: nothing of it begins for `ms`, because a call of an abandoned claim may still take
   * effect. This claim does not count as an attempt. False: the lease was lost.
   */
  postpone(lane: AnyLane, ms: number): Promise<boolean>;
  /**
   * Ends the leases of processes that are proved dead, so that their work continues at once. Called at start. Returns
   * how many claims it ended.
   * @param isDead whether the process that claimed under this name is proved to be dead; see `StoreParts.claimer`
   */
  endLeasesOfDead(isDead: (claimer: string) => boolean): Promise<number>;

  /** Claims syncs that are due for one cause. Syncs that hints requested never wait for timer syncs. */
  claimSyncs(
    cause: SyncCause,
    limit: number,
    leaseMs: number,
    capacity?: RemoteCapacity,
  ): Promise<readonly ClaimedSync[]>;
  /**
   * Finishes a sync and schedules the next one after `nextMs`, or none (null) until one is requested. A request that
   * arrived meanwhile stays.
   * @param next the cause of the next sync. If omitted: the same as this one's
   */
  finishSync(sync: ClaimedSync, nextMs: number | null, failed: boolean, next?: SyncCause): Promise<boolean>;
  /**
   * Schedules a timer sync of each live handoff of one account, spread over `withinMs`. Called when the account cannot
   * be scanned. Returns how many.
   */
  requestTimerSyncsOfLive(accountId: AccountId, withinMs: number): Promise<number>;
}
