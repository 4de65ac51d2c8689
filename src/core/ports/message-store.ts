import type { InvalidInputError } from '../errors';
import type { MessageId, OrganizationId, SessionId } from '../ids';
import type { MessageRecord } from '../message';
import type { PageRequest, Page } from './page';

/** A page of one session's list. */
export interface SessionPageRequest extends PageRequest {
  readonly sessionId: SessionId;
}

export interface MessageStore {
  get(organizationId: OrganizationId, id: MessageId): Promise<MessageRecord | null>;
  getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (MessageRecord | null)[]>;
  /** Returns whether an agent has sent a public message after `seq`. */
  hasAgentMessageSince(organizationId: OrganizationId, sessionId: SessionId, seq: number): Promise<boolean>;
  /**
   * Lists messages, oldest first.
   * @throws InvalidInputError CURSOR_INVALID, or CURSOR_EXPIRED when messages after the cursor were removed
   */
  page(organizationId: OrganizationId, sessionId: SessionId, page: PageRequest): Promise<Page<MessageRecord>>;
  /**
   * Returns pages of many sessions in one statement, in the order of `requests`. A request that fails with
   * CURSOR_INVALID or CURSOR_EXPIRED has the error in its place and does not affect the others.
   */
  listPagesBySessions(
    organizationId: OrganizationId,
    requests: readonly SessionPageRequest[],
  ): Promise<readonly (Page<MessageRecord> | InvalidInputError)[]>;
}
