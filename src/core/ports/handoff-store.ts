import type { HandoffRecord } from '../handoff';
import type { ChatbotId, HandoffId, Instant, OrganizationId, SessionId, TeamId } from '../ids';
import type { PageRequest, Page } from './page';

export interface HandoffFilter {
  readonly chatbotIds: readonly ChatbotId[] | null;
  readonly states: readonly string[] | null;
  readonly live: boolean | null;
  readonly teamIds: readonly TeamId[] | null;
  readonly sessionId: SessionId | null;
}

export interface HandoffStore {
  get(organizationId: OrganizationId, id: HandoffId): Promise<HandoffRecord | null>;
  getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (HandoffRecord | null)[]>;
  /** Lists handoffs, newest first. @throws InvalidInputError CURSOR_INVALID */
  page(organizationId: OrganizationId, filter: HandoffFilter, page: PageRequest): Promise<Page<HandoffRecord>>;
  /**
   * Returns the newest handoff of each session, live or ended, in the order of `sessionIds`; null for a session without
   * one. Uses one statement.
   */
  findLastOfSessions(
    organizationId: OrganizationId,
    sessionIds: readonly string[],
  ): Promise<readonly (HandoffRecord | null)[]>;
  /**
   * Lists ENDING handoffs that are due to end, for the timer, across organizations. They await no sync, and `drainBy`
   * has passed, all messages are acknowledged, or the session is closed. Excludes those in `exceptions` and skips
   * sessions that are locked at this moment.
   */
  findDueToEnd(
    now: Instant,
    limit: number,
    exceptions?: readonly HandoffId[],
  ): Promise<
    readonly { readonly organizationId: OrganizationId; readonly sessionId: SessionId; readonly handoffId: HandoffId }[]
  >;
}
