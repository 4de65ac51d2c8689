import type { HandoffRecord } from '../handoff';
import type { HandoffId, OrganizationId, SessionId } from '../ids';
import type { SessionRecord } from '../session';
import type { AccountRecord, InboxRecord } from '../setup';

/** Everything that remote calls about one session need, as it was at one moment. */
export interface SessionConnection {
  readonly session: SessionRecord;
  readonly inbox: InboxRecord | null;
  readonly account: AccountRecord | null;
  readonly liveHandoff: HandoffRecord | null;
  /** The handoff that the caller named; null: it named none, or there is none. */
  readonly handoff: HandoffRecord | null;
}

/** Reads what connects a session to its provider. */
export interface ConnectionStore {
  /**
   * Reads all of it in one statement, without a lock. Called once per delivery and per sync, before the first remote
   * call. Null: the organization has no such session.
   */
  load(
    organizationId: OrganizationId,
    sessionId: SessionId,
    handoffId: HandoffId | null,
  ): Promise<SessionConnection | null>;
}
