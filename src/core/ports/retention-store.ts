import type { Instant, MessageId } from '../ids';

/** The position of a walk over old rows. Null: before the first row, or after the last. */
export type OldRow = { readonly at: Instant; readonly id: string } | null;

export interface Removed { readonly count: number; readonly next: OldRow }

export interface OldMessages {
  /** Sessions whose oldest messages have expired. */
  readonly sessionIds: readonly string[];
  /** Expired messages that have files, and how many files each has. */
  readonly withFiles: readonly { readonly id: MessageId; readonly files: number }[];
  readonly next: OldRow;
}

/**
 * Removes rows that are older than their retention time. It works in small batches, finds them by index, and waits for
 * no lock. It skips locked rows, and sessions with a live handoff or with a waiting or parked delivery; a later walk
 * removes those. It removes a session's events and messages only from the oldest on, so that the rest has no gap. The
 * session records how far (`SessionRecord.forgotten`).
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
  rest(claim: Instant, afterMs: number): Promise<void>;
  removeKeys(before: Instant, limit: number): Promise<number>;
  /** Removes DONE and DISCARDED deliveries. */
  removeDeliveries(before: Instant, limit: number): Promise<number>;
  removeEvents(before: Instant, after: OldRow, limit: number): Promise<Removed>;
  /** Lists what the next `removeMessages` would remove, so that the files can be removed first. */
  oldMessages(before: Instant, after: OldRow, limit: number): Promise<OldMessages>;
  removeMessages(before: Instant, sessionIds: readonly string[], limit: number): Promise<number>;
  /**
   * Removes closed sessions without events, messages and deliveries, together with their lanes and handoffs. Their
   * runtime keys become free again.
   */
  removeSessions(before: Instant, after: OldRow, limit: number): Promise<Removed>;
}
