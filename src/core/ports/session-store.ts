import type { AccountId, ChatbotId, InboxId, Instant, OrganizationId, ProviderConversationId, SessionId } from '../ids';
import type { EndUser, SessionRecord } from '../session';
import type { SessionTransaction } from './session-transaction';

export interface OpenSessionRow {
  readonly id: SessionId;
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly inboxId: InboxId;
  readonly channel: string;
  readonly externalId: string;
  readonly endUser: EndUser;
  readonly at: Instant;
}

/**
 * Identifies a stored result of a runtime mutation. The result is stored in the same transaction as the data it
 * reports.
 */
export interface IdempotencyScope {
  readonly organizationId: OrganizationId;
  readonly operation: string;
  readonly key: string;
  /** A digest of the normalized input. A different digest under the same key is a reuse of the key. */
  readonly requestDigest: string;
}

export interface SessionStore {
  /**
   * Finds the session by its runtime key, or creates it (`uq_session_runtime_key`). `created`: whether it was created
   * now. An existing session is returned unchanged, with its end-user, even if it is closed.
   */
  open(row: OpenSessionRow): Promise<{ readonly session: SessionRecord; readonly created: boolean }>;
  /**
   * Runs `work` in one transaction with the session's row locked, and commits. With `idempotency`, it stores the result
   * under the key in the same transaction (`uq_idempotency_key`). A repeat waits for the first call for a short time
   * and gets its result without running `work`. Errors of `work` are not stored. Serialization failures and deadlocks
   * are retried a few times.
   * @throws NotFoundError SESSION_NOT_FOUND for an unknown or foreign id
   * @throws ConflictError IDEMPOTENCY_KEY_REUSED
   * @throws InProgressError IDEMPOTENCY_IN_PROGRESS when the first call still runs after that time
   */
  transact<T>(
    organizationId: OrganizationId,
    sessionId: SessionId,
    work: (tx: SessionTransaction) => Promise<T>,
    idempotency?: IdempotencyScope,
  ): Promise<{ readonly result: T; readonly replayed: boolean }>;

  get(organizationId: OrganizationId, id: SessionId): Promise<SessionRecord | null>;
  getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (SessionRecord | null)[]>;
  findByRuntimeKey(
    organizationId: OrganizationId,
    chatbotId: ChatbotId,
    channel: string,
    externalId: string,
  ): Promise<SessionRecord | null>;
  /** Finds the session of a conversation across organizations. The caller has already verified the account. */
  findByConversation(accountId: AccountId, conversationId: ProviderConversationId): Promise<SessionRecord | null>;
}
