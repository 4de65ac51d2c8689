import type { AccountId, Instant, OrganizationId, ProviderConversationId, SessionId } from '../ids';
import type { SessionRecord } from '../session';
import type { EndUserReference } from './provider/webhook';
import type { ConversationHint } from './provider/read-verbs';

/** Stores when each account was last scanned for changed conversations. One replica at a time claims a scan. */
export interface ScanStore {
  /** Makes a full scan of every account in use due now. Called at start. */
  requestFullScans(): Promise<void>;
  /**
   * Claims the full scan of the next due account. Returns how long the account was not scanned, and where to begin: at
   * page 1, or where the scan that began at `startedAt` paused. A claim that is neither paused nor finished ends after
   * `leaseMs`.
   */
  claimFullScan(leaseMs: number): Promise<{
    readonly organizationId: OrganizationId;
    readonly accountId: AccountId;
    readonly unscannedMs: number;
    readonly startedAt: Instant;
    readonly page: number;
  } | null>;
  /**
   * Pauses the full scan, which continues at `page`. Another replica may claim it after `afterMs` unless this claim
   * pauses it again before. Nothing counts as seen yet.
   */
  pauseFullScan(accountId: AccountId, startedAt: Instant, page: number, afterMs: number): Promise<void>;
  /**
   * Finishes the full scan that began at `startedAt` and saw everything up to then. The next one begins `everyMs`
   * after it. No scan comes before `scanAfterMs` after it (0 if omitted), because it would find the same changes.
   */
  finishFullScan(accountId: AccountId, startedAt: Instant, everyMs: number, scanAfterMs?: number): Promise<void>;
  /** Makes the account's full scan due now, because more changed than a scan reads. */
  requestFullScan(accountId: AccountId): Promise<void>;
  /** Treats every account as unscanned and its webhooks as unproven. Called at start. */
  requestScans(): Promise<void>;
  /**
   * Claims the next due scan of an account with live handoffs, for one replica. The claim ends after `leaseMs`. If
   * nothing was live when the scan became due, it comes `firstAfterMs` (0 if omitted) after the first handoff was
   * requested.
   */
  claimScan(leaseMs: number, firstAfterMs?: number): Promise<ClaimedScan | null>;
  /**
   * Finishes the scan that began at `startedAt` and saw everything up to then; null: it saw nothing. The next one comes
   * after `everyMs`.
   */
  finishScan(accountId: AccountId, startedAt: Instant | null, everyMs: number): Promise<void>;
  /**
   * Records that a timer found news that no webhook announced. The next scan comes at most `everyMs` after the last,
   * as if webhooks had never proved themselves.
   */
  recordMissedWebhook(accountId: AccountId, everyMs: number): Promise<void>;
  /**
   * Returns what is stored of those conversations that belong to a session. `isLastMessageSynced`: a sync has seen one
   * of the two given messages last. With `trustsOwnPosts` and without a live handoff, it is also true if the last
   * message is our own post, though an agent's message may precede that.
   */
  findKnownConversations(
    accountId: AccountId,
    hints: ReadonlyMap<ProviderConversationId, Pick<ConversationHint, 'lastMessageId' | 'lastAuthoredId'>>,
    trustsOwnPosts: boolean,
  ): Promise<readonly KnownConversation[]>;
  /**
   * Schedules a timer sync of these conversations' sessions after at most `afterMs`. Returns how many.
   * @param about `MESSAGES`: their state is known. `CHECK` if omitted
   */
  requestTimerSyncs(
    accountId: AccountId,
    conversationIds: readonly ProviderConversationId[],
    afterMs: number,
    about?: 'MESSAGES' | 'CHECK',
  ): Promise<number>;
  /**
   * Schedules a sync of these conversations' sessions now, which also rechecks their last agents' messages. Returns how
   * many sessions.
   */
  requestSyncs(accountId: AccountId, conversationIds: readonly ProviderConversationId[]): Promise<number>;
  /** Lists conversations of the account whose last syncs failed at least `failures` times in a row; at most `limit`. */
  findFailingConversations(
    accountId: AccountId,
    failures: number,
    limit: number,
  ): Promise<readonly ProviderConversationId[]>;
  /**
   * Returns agent-initiated conversations: with an end-user of one of the account's sessions, in that session's inbox,
   * but not the session's own, and not recorded yet.
   */
  findAgentInitiated(
    accountId: AccountId,
    seen: ReadonlyMap<ProviderConversationId, EndUserReference>,
  ): Promise<readonly AgentInitiatedConversation[]>;
}

/**
 * `unscannedMs`: how long the account's changes were not seen. `everyMs`: the planned time between the last scan and
 * this one; null if this one came as early as possible.
 */
export interface ClaimedScan {
  readonly organizationId: OrganizationId;
  readonly accountId: AccountId;
  readonly startedAt: Instant;
  readonly unscannedMs: number;
  readonly everyMs: number | null;
}

export interface KnownConversation extends Pick<SessionRecord, 'lastView' | 'statusWrites'> {
  readonly conversationId: ProviderConversationId;
  readonly isLastMessageSynced: boolean;
}

export interface AgentInitiatedConversation {
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  readonly conversationId: ProviderConversationId;
}
