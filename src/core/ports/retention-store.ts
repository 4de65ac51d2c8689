import type { Instant, MessageId } from '../ids';

/** Where a walk over old rows goes on. Null: at its end, or before its beginning. */
export type OldRow = { readonly at: Instant; readonly id: string } | null;

export interface Removed { readonly count: number; readonly next: OldRow }

export interface OldMessages {
  /** Whose front is old. */
  readonly sessionIds: readonly string[];
  /** Messages with files among what may go, and how many each has. */
  readonly withFiles: readonly { readonly id: MessageId; readonly files: number }[];
  readonly next: OldRow;
}

/**
 * Removes what is older than it is kept: in small batches, found by index, and waiting for no lock. What is locked, and
 * Sessions with a live handoff or with anything waiting or parked, are passed over until a later walk. Of a Session's
 * events and messages only the front goes, so that what is left has no gap; the Session remembers how far
 * (`SessionRecord.forgotten`).
 */
export interface RetentionStore {
  /** This replica removes now, and no other one until the answer, `leaseMs` from now, which proves the claim. Null: another one does, or all rest. */
  claim(leaseMs: number): Promise<Instant | null>;
  /** Moves the end of the claim to `leaseMs` from now. Null: it was lost. */
  renew(claim: Instant, leaseMs: number): Promise<Instant | null>;
  /** Ends the claim; the next one succeeds after `afterMs`. Changes nothing when it was lost. */
  rest(claim: Instant, afterMs: number): Promise<void>;
  removeKeys(before: Instant, limit: number): Promise<number>;
  /** DONE and DISCARDED ones. */
  removeDeliveries(before: Instant, limit: number): Promise<number>;
  removeEvents(before: Instant, after: OldRow, limit: number): Promise<Removed>;
  /** What the next `removeMessages` would remove, so that files can go first. */
  oldMessages(before: Instant, after: OldRow, limit: number): Promise<OldMessages>;
  removeMessages(before: Instant, sessionIds: readonly string[], limit: number): Promise<number>;
  /** Closed ones with no event, message or delivery left, with their lanes and handoffs. Their runtime keys are free again. */
  removeSessions(before: Instant, after: OldRow, limit: number): Promise<Removed>;
}
