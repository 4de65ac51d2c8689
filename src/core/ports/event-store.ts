import type { InvalidInputError } from '../errors';
import type { EventRecord } from '../event';
import type { OrganizationId, SessionId } from '../ids';

/** Requests one session's events after a number; null: from the first that still exists. */
export interface SessionEventsRequest {
  readonly sessionId: SessionId;
  readonly afterSeq: number | null;
  readonly limit: number;
}

export interface EventStore {
  /**
   * Lists one session's events after a number, ascending, at most `limit`; null: from the first that still exists.
   * @throws InvalidInputError CURSOR_EXPIRED when events after the number were removed
   */
  listBySession(
    organizationId: OrganizationId,
    sessionId: SessionId,
    afterSeq: number | null,
    limit: number,
  ): Promise<readonly EventRecord[]>;
  /**
   * Lists events of many sessions in one statement, in the order of `requests`. A request that fails with
   * CURSOR_EXPIRED has the error in its place.
   */
  listBySessions(
    organizationId: OrganizationId,
    requests: readonly SessionEventsRequest[],
  ): Promise<readonly (readonly EventRecord[] | InvalidInputError)[]>;
  /**
   * Lists HANDOFF_CHANGED events of all sessions of an organization, ascending from an opaque cursor. Never skips a row
   * that becomes visible later. `cursor` is the position to continue from, also if nothing was found.
   * @throws InvalidInputError CURSOR_INVALID, or CURSOR_EXPIRED when events after the cursor were removed
   */
  listHandoffChanges(
    organizationId: OrganizationId,
    after: string,
    limit: number,
  ): Promise<{
    readonly events: readonly { readonly event: EventRecord; readonly cursor: string }[];
    readonly cursor: string;
  }>;
  /** Returns the current cursor. Everything committed so far is before it. */
  currentCursor(): Promise<string>;
}
