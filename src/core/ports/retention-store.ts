import type { Instant, MessageId } from '../ids';

/** The position of a walk over old rows. Null: before the first row, or after the last. */
export type RetentionCursor = { readonly at: Instant; readonly id: string } | null;

export interface RemovalResult {
  readonly count: number;
  readonly next: RetentionCursor;
}

export interface ExpiredMessages {
  /** Sessions whose oldest messages have expired. */
  readonly sessionIds: readonly string[];
  /** Expired messages that have files, and how many files each has. */
  readonly messagesWithFiles: readonly { readonly id: MessageId; readonly files: number }[];
  readonly next: RetentionCursor;
}

/**
 * Removes rows that are older than their retention time. It works in small batches, finds them by index, and waits for
 * no lock. It skips locked rows, and sessions with a live handoff or with a waiting or parked delivery; a later walk
 * removes those. It removes a session's events and messages only from the oldest on, so that the rest has no gap. The
 * session records how far (`SessionRecord.removedHistory`).
 */
export interface RetentionStore {
  /**
   * Claims removal for this replica until the returned time, `leaseMs` from now. That time proves the claim. Null:
   * another replica has it, or the pause after the last run is not over.
   */
  claim(leaseMs: number): Promise<Instant | null>;
  /** Extends the claim to `leaseMs` from now. Null: the claim was lost. */
  renew(claim: Instant, leaseMs: number): Promise<Instant | null>;
  /** Ends the claim. The next claim succeeds after `afterMs`. Changes nothing if the claim was lost. */
  release(claim: Instant, afterMs: number): Promise<void>;
  removeIdempotencyKeys(before: Instant, limit: number): Promise<number>;
  /** Removes DONE and DISCARDED deliveries. */
  removeDeliveries(before: Instant, limit: number): Promise<number>;
  removeEvents(before: Instant, after: RetentionCursor, limit: number): Promise<RemovalResult>;
  /** Lists what the next `removeMessages` would remove, so that the files can be removed first. */
  findExpiredMessages(before: Instant, after: RetentionCursor, limit: number): Promise<ExpiredMessages>;
  removeMessages(before: Instant, sessionIds: readonly string[], limit: number): Promise<number>;
  /**
   * Removes closed sessions without events, messages and deliveries, together with their lanes and handoffs. Their
   * runtime keys become free again.
   */
  removeSessions(before: Instant, after: RetentionCursor, limit: number): Promise<RemovalResult>;
}
