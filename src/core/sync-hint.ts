/**
 * What the next sync has to read. `MESSAGES`: words only, while the state is known; `CHECK`: everything, though no webhook has told of a
 * change (a scan, or a state that was read and not believed); `ALL`: everything, because a change was reported.
 */
export type SyncHint = 'MESSAGES' | 'CHECK' | 'ALL';

/** Combines a pending hint with one that arrives: a hint only ever widens. `widenedHint` in persistence/sync-requests.ts is the same in SQL. */
export const widened = (pending: SyncHint | null, arrived: SyncHint): SyncHint => (pending === null || pending === arrived ? arrived : 'ALL');

interface Hints { readonly readHint: SyncHint | null; readonly hintCount: number; readonly stateHintCount: number }

/** Whether a hint arrived after that sync began: what it asks for, the sync may have read too early. */
export const hasNewHint = (began: Hints, now: Hints): boolean => now.hintCount !== began.hintCount;

/**
 * The hint that stays pending after a sync: what arrived after it began, and what it could not read.
 * @param began the Session as it was before the sync read anything
 * @param isStateBelieved false if the sync has read the state and could not use it
 */
export function hintAfterSync(began: Hints, now: Hints, isStateBelieved: boolean): SyncHint | null {
  if (now.stateHintCount !== began.stateHintCount) return now.readHint;
  if (!isStateBelieved) return hasNewHint(began, now) ? 'ALL' : 'CHECK';
  return hasNewHint(began, now) ? 'MESSAGES' : null;
}
