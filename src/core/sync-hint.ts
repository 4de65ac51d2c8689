/**
 * The data that the next sync has to read. `MESSAGES`: messages only; the state is known. `CHECK`: everything, although
 * no webhook reported a change (a scan, or a state that was read but not believed). `ALL`: everything, because a change
 * was reported.
 */
export type SyncHint = 'MESSAGES' | 'CHECK' | 'ALL';

/**
 * Combines a pending hint with one that arrives; the result covers both. `widenedHint` in
 * persistence/scans/sync-requests.ts is the same in SQL.
 */
export const widened = (pending: SyncHint | null, arrived: SyncHint): SyncHint =>
  pending === null || pending === arrived ? arrived : 'ALL';

interface Hints {
  readonly syncHint: SyncHint | null;
  readonly hintCount: number;
  readonly stateHintCount: number;
}

/** Returns whether a hint arrived after the sync began. The sync may have read its data too early. */
export const hasNewHint = (began: Hints, now: Hints): boolean => now.hintCount !== began.hintCount;

/**
 * Returns the hint that stays pending after a sync: hints that arrived after it began, and data that it could not read.
 * @param began the session as it was before the sync read anything
 * @param isStateBelieved false if the sync has read the state and could not use it
 */
export function hintAfterSync(began: Hints, now: Hints, isStateBelieved: boolean): SyncHint | null {
  if (now.stateHintCount !== began.stateHintCount) return now.syncHint;
  if (!isStateBelieved) return hasNewHint(began, now) ? 'ALL' : 'CHECK';
  return hasNewHint(began, now) ? 'MESSAGES' : null;
}
