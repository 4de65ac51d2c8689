import type { Control } from '../control';
import type { DeadLetterStore } from './dead-letter-store';
import type { InvalidInputError } from '../errors';
import type {
  DeliveryOutcome,
  DeliveryState,
  LaneDelivery,
  LaneDestination,
  MediaWork,
  AttemptOutcome,
  ProviderDelivery,
  ProviderWork,
  RuntimeDelivery,
  RuntimeNotice,
} from '../delivery';
import type { EventBody, EventRecord } from '../event';
import type { HandoffRecord } from '../handoff';
import type {
  AccountId,
  AgentId,
  ChatbotId,
  EndpointId,
  HandoffId,
  InboxId,
  Instant,
  MessageId,
  OrganizationId,
  ProviderConversationId,
  ProviderMessageId,
  SessionId,
  TeamId,
  UserId,
} from '../ids';
import type { MessageChange, MessageRecord, NewMessage } from '../message';
import type { EndpointDisabledReason } from '../runtime-endpoint';
import type { EndUser, SessionRecord } from '../session';
import type { SyncHint } from '../sync-hint';
import type {
  AccountHealth,
  AccountRecord,
  AgentRecord,
  InboxRecord,
  SupportPolicy,
  TeamRecord,
  WebhookRotation,
} from '../setup';
import type { RetentionStore } from './retention-store';
import type { RuntimeEndpointStore } from './runtime-endpoint-store';
import type { SetupLocks } from './setup-locks';
import type { EndUserReference, ProviderAgent, ProviderTeam, ConversationHint } from './provider/support-provider';

/**
 * An inbox without the provider's own data, which may contain a secret. It counts as DISABLED also while its account is
 * disabled.
 */
export type SessionInbox = Omit<InboxRecord, 'providerData' | 'disabledCount'>;

/**
 * One transaction over one session, whose row is locked from the first statement on. A second transaction on the
 * session waits and then sees what the first one committed. Nothing remote may happen inside. Getters include this
 * transaction's own writes.
 */
export interface SessionTransaction {
  readonly session: SessionRecord;
  readonly inbox: SessionInbox;
  /** The handoff that `session.liveHandoffId` names. */
  readonly liveHandoff: HandoffRecord | null;
  findHandoff(id: HandoffId): Promise<HandoffRecord | null>;
  findMessage(id: MessageId): Promise<MessageRecord | null>;
  /** Finds a message by the runtime's id of it. */
  findMessageByCallerId(callerMessageId: string): Promise<MessageRecord | null>;
  findMessageByProviderId(id: ProviderMessageId): Promise<MessageRecord | null>;
  /** Said by or to people and bot, public and internal, up to `throughSeq`, ascending, not yet known at the provider. */
  findUnpostedMessages(throughSeq: number): Promise<readonly MessageRecord[]>;
  /** The same, without what the messages hold. */
  unpostedSeqs(throughSeq: number): Promise<readonly UnpostedMessage[]>;
  /** Whether end-user or bot said something in a handoff after that message. */
  hasSaidIn(handoffId: HandoffId, afterSeq: number): Promise<boolean>;

  /** Inserts a message with the next `seq`. The caller has checked that neither unique id is taken. */
  insertMessage(message: NewMessage): Promise<MessageRecord>;
  /** Updates a message. Omitted fields keep their values. */
  updateMessage(id: MessageId, change: MessageChange): Promise<void>;
  /**
   * Sets READ on all public messages to the end-user up to `throughSeq` that are neither READ nor FAILED. Returns
   * those, ascending.
   */
  markRead(throughSeq: number): Promise<readonly Pick<MessageRecord, 'id' | 'author'>[]>;
  /** Returns whether the end-user has sent a message at or after `at`, by the clock of this service. */
  hasEndUserMessageSince(at: Instant): Promise<boolean>;
  /** Returns the session's newest handoff, live or ended. */
  findLastHandoff(): Promise<HandoffRecord | null>;
  /** Returns the session's handoff that this survey was recorded with; null for a new survey. */
  findHandoffOfSurvey(surveyId: ProviderMessageId): Promise<HandoffRecord | null>;
  /**
   * Records the provider's ids of posted messages and marks them as delivered. Returns the messages that were
   * undelivered until now, ascending by `seq`, as read under the session's lock.
   */
  recordPosts(posts: readonly PostedMessage[]): Promise<readonly MessageId[]>;
  /** Makes everything unposted again that was said to or by people and bot, and that nobody took back, as if agents had never seen it: the conversation it stood in is gone. */
  clearProviderMessageIds(): Promise<void>;
  /**
   * Inserts a handoff.
   * @throws on `uq_handoff_live` if another one is live. The lock rules that out; the constraint is a second guard.
   */
  insertHandoff(handoff: Omit<HandoffRecord, 'organizationId' | 'sessionId' | 'survey'>): Promise<HandoffRecord>;
  updateHandoff(
    id: HandoffId,
    patch: Partial<Omit<HandoffRecord, 'id' | 'organizationId' | 'sessionId'>>,
  ): Promise<HandoffRecord>;
  updateSession(
    patch: Partial<Omit<SessionRecord, 'id' | 'organizationId' | 'lastMessageSeq' | 'lastEventSeq' | 'removedHistory'>>,
  ): Promise<void>;
  /** Appends an event and returns its number. */
  appendEvent(body: EventBody, handoffId: HandoffId | null, at: Instant): Promise<number>;
  /** Enqueues work at the end of the session's provider lane. */
  enqueueForProvider(work: ProviderWork): Promise<void>;
  /**
   * Adds several to the end of the Session's provider lane, in this order, in one statement. One with `instead` takes the place of
   * that earlier post, which is no dead letter any more: it is looked for from where that one was enqueued. One that still waits keeps
   * its state; the caller knows that the lane drops it.
   */
  oweProviderAll(works: readonly EnqueuedWork[]): Promise<void>;
  /**
   * Posts of this Session's messages and transcripts that wait, that are dead letters, or that an operator gave up with an unknown
   * outcome; and DONE ones of messages that were tried before: dropped, or left when support was switched off, one may be there. Also
   * all DONE ones of transcripts.
   */
  unfinishedPosts(): Promise<readonly UnfinishedPost[]>;
  /**
   * Takes the posts of messages and the steps of an opening that wait out of the lane; whoever calls enqueues anew what is still needed.
   */
  withdrawOpening(withdrawing?: Withdrawing): Promise<void>;
  /**
   * Takes returns of the conversation that wait out of the lane, to be enqueued after posts that must precede them. Those that a message
   * waits after stay. Called before `withdrawOpening`.
   */
  withdrawReturns(): Promise<readonly EnqueuedWork[]>;
  /** Whether a return of the conversation waits in the lane. */
  isReturnWaiting(): Promise<boolean>;
  /** Returns the newest delivery of the handoff's context note that was attempted; null: none. */
  attemptedContextNote(handoffId: HandoffId): Promise<string | null>;
  /** Returns the newest delivery of the note with this id; null if none was enqueued for this Session, or it was removed since. */
  note(noteId: string): Promise<EnqueuedNote | null>;
  /** Enqueues work at the end of the session's file lane. */
  enqueueFileWork(work: MediaWork): Promise<void>;
  /** Enqueues a notice at the end of the session's runtime inbox, and in the runtime's lane if it has an endpoint. */
  enqueueForRuntime(notice: RuntimeNotice): Promise<void>;
  /**
   * Parks the head of a claimed lane. The lane continues or blocks, as the policy says. Null: the lease was lost, and
   * nothing changed.
   */
  parkHead(
    lane: AnyLane,
    code: string,
    outcome: AttemptOutcome,
    ambiguousForMs: number,
  ): Promise<DeliveryOutcome | null>;
  /** Discards the head of a claimed lane; the lane continues. False: the lease was lost, and nothing changed. */
  discardHead(lane: AnyLane, code: string, reason: string, outcome: AttemptOutcome): Promise<boolean>;
  /** Records that no attempt of this delivery so far may have taken effect without a record. */
  forgetOutcome(deliveryId: string): Promise<void>;
  /** The conversation is gone, and with it whatever dead letters of this Session may have written there. */
  clearUnknownOutcomes(): Promise<void>;
  /**
   * Requeues PARKED deliveries of this session in their earlier places, and skips other ids. A lane that one of them
   * blocked continues.
   * @param skipLookup they count as never attempted, because the caller has checked; otherwise the next attempt looks
   * up before it writes
   */
  resend(ids: readonly string[], skipLookup?: boolean): Promise<readonly DeliveryReference[]>;
  /** Discards PARKED deliveries of this session, and skips other ids. */
  discard(ids: readonly string[], reason: string): Promise<readonly DeliveryReference[]>;
  /** Counts unacknowledged runtime deliveries of one handoff's agent messages. */
  countUnacknowledged(handoffId: HandoffId): Promise<number>;
  /** Schedules a sync at or before `at`. An earlier request wins. `TIMER`: nothing is known to have happened. */
  requestSync(at: Instant, about?: 'MESSAGES' | 'ALL' | 'TIMER'): Promise<void>;
  /**
   * Schedules a sync of messages that starts now. A running sync started too early, so it loses its claim and this one
   * need not wait for it.
   */
  wantReadingNow(): Promise<void>;
  /** Records an agent-initiated conversation (`pk_agent_initiated_conversation`). False: it was recorded already. */
  addAgentInitiated(conversationId: ProviderConversationId): Promise<boolean>;
  removeAgentInitiated(conversationId: ProviderConversationId): Promise<void>;
  /** Records what the next sync has to read, and schedules none: the caller knows who does. */
  addHint(arrived: SyncHint): Promise<void>;
  /** Schedules another sync if one is running, because that one may have read before now. */
  requestAnotherSync(): Promise<void>;
  /**
   * Proves a worker's claim, and keeps others from claiming the lane until this transaction ends. Called in
   * transactions that record a worker's result. `of`: PROVIDER if omitted.
   * @throws LeaseLostError when the lane was claimed again
   */
  assertFence(claim: Pick<ProviderDelivery, 'fence'>, of?: LaneDestination): Promise<void>;
  /**
   * Disables an endpoint that is ACTIVE and has failed since `failingSince`. False: it is already disabled, works again
   * or was enabled again, and nothing changed. Call it before `holdLane`, because endpoints are locked before lanes.
   */
  disableEndpoint(
    id: EndpointId,
    reason: EndpointDisabledReason,
    failingSince: Instant | null,
    at: Instant,
  ): Promise<boolean>;
}

/** A delivery to be enqueued. `instead`: an earlier delivery of the same post that is over, whose place it takes. */
export interface EnqueuedWork {
  readonly work: ProviderWork;
  readonly instead?: string;
}

/** A note for agents that was enqueued, whatever its state is now. */
export interface EnqueuedNote {
  readonly id: string;
  readonly text: string;
  readonly wasAttempted: boolean;
}

/** `by`: the delivery whose worker withdraws; its current attempt has written nothing. `noteId`: a note to withdraw as well. */
export interface Withdrawing {
  readonly by?: string;
  readonly noteId?: string;
}

export type UnpostedMessage = Pick<MessageRecord, 'id' | 'seq' | 'reactions' | 'deletedAt'>;

/**
 * The post of a message, or of everything up to `throughSeq` as a file.
 * `isUnknown`: a try of it may have been stored. `isLeftToOperator`: it is not posted again by itself, because nothing but an operator can tell
 * whether it is there, or one has said to leave it.
 */
export interface UnfinishedPost {
  readonly id: string;
  readonly state: DeliveryState;
  readonly work: Extract<ProviderWork, { readonly kind: 'POST_MESSAGE' | 'POST_TRANSCRIPT' }>;
  readonly isUnknown: boolean;
  /** The Session's conversation when this was enqueued; null: there was none. */
  readonly conversationId: ProviderConversationId | null;
  /** True: it was a dead letter before, and was sent again or took that one's place. */
  readonly wasResent: boolean;
  readonly isLeftToOperator: boolean;
  readonly isBlockingLane: boolean;
}

/** A message and its id at the provider. */
export interface PostedMessage {
  readonly id: MessageId;
  readonly providerMessageId: ProviderMessageId;
}

export interface DeliveryReference {
  readonly id: string;
  readonly kind: string;
  readonly handoffId: HandoffId | null;
}

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

export interface HandoffFilter {
  readonly chatbotIds: readonly ChatbotId[] | null;
  readonly states: readonly string[] | null;
  readonly live: boolean | null;
  readonly teamIds: readonly TeamId[] | null;
  readonly sessionId: SessionId | null;
}

/** A keyset page. `after` is an opaque cursor made by the store. */
export interface PageRequest {
  readonly first: number;
  readonly after: string | null;
}
/** A page of one session's list. */
export interface SessionPageRequest extends PageRequest {
  readonly sessionId: SessionId;
}
/** Requests one session's events after a number; null: from the first that still exists. */
export interface SessionEventsRequest {
  readonly sessionId: SessionId;
  readonly afterSeq: number | null;
  readonly limit: number;
}
export interface Page<T> {
  readonly edges: readonly { readonly node: T; readonly cursor: string }[];
  readonly hasNextPage: boolean;
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
    but?: readonly HandoffId[],
  ): Promise<
    readonly { readonly organizationId: OrganizationId; readonly sessionId: SessionId; readonly handoffId: HandoffId }[]
  >;
}

export interface MessageStore {
  get(organizationId: OrganizationId, id: MessageId): Promise<MessageRecord | null>;
  getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (MessageRecord | null)[]>;
  /** Whether an agent has said something in public after that message. */
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
   * that becomes visible later (DESIGN §7). `cursor` is the position to continue from, also if nothing was found.
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

export interface RuntimeInboxFilter {
  readonly chatbotId: ChatbotId | null;
  readonly sessionId: SessionId | null;
}

export interface DeliveryStore {
  /** Lists waiting runtime deliveries, oldest first and in order within each session. */
  listRuntimeInbox(
    organizationId: OrganizationId,
    filter: RuntimeInboxFilter,
    page: PageRequest,
  ): Promise<Page<RuntimeDelivery>>;
  /**
   * Marks deliveries as collected, also parked ones. Discarded ones are acknowledged and stay discarded. Returns
   * unknown and foreign ids as `unknown`. Repeatable.
   */
  acknowledge(
    organizationId: OrganizationId,
    ids: readonly string[],
    at: Instant,
  ): Promise<{
    readonly acknowledged: readonly string[];
    readonly unknown: readonly string[];
    readonly sessionIds: readonly SessionId[];
  }>;
  /**
   * Marks the deliveries of a runtime inbox list up to and including `cursor` as collected: at most `limit`, oldest
   * first. The filter may narrow the list that the cursor came from, but never widens it. Deliveries that were in no
   * list the caller has read, or that become visible later, stay. Call again until `isComplete`.
   * @throws InvalidInputError CURSOR_INVALID
   */
  acknowledgeThrough(
    organizationId: OrganizationId,
    filter: RuntimeInboxFilter,
    cursor: string,
    limit: number,
    at: Instant,
  ): Promise<{
    readonly acknowledged: number;
    readonly sessionIds: readonly SessionId[];
    readonly isComplete: boolean;
  }>;
  /** Returns whether a runtime delivery still waits to be collected. */
  isWaiting(organizationId: OrganizationId, id: string): Promise<boolean>;
  /** Counts one session's pending deliveries, to explain why the bot is silent. */
  countPending(organizationId: OrganizationId, sessionId: SessionId): Promise<PendingDeliveries>;
}

export interface PendingDeliveries {
  readonly provider: number;
  readonly runtime: number;
  readonly parked: number;
  /** The part of `parked` whose outcome is unknown. */
  readonly parkedUnknown: number;
  readonly lastErrorCode: string | null;
}

/** How many lanes of a remote may be claimed: `each`, except for the remotes in `exceptions`. */
export interface RemoteCapacity {
  readonly perRemote: number;
  readonly exceptions: ReadonlyMap<string, number>;
}

/** A claimed lane. `fence` proves the claim at completion. */
export interface ClaimedLane<To extends LaneDestination = 'PROVIDER'> {
  readonly destination: To;
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  /** The receiver of the work: a support account or a runtime's endpoint. */
  readonly remoteId: string;
  readonly fence: string;
  /** The head of the lane. */
  readonly delivery: LaneDelivery<To>;
  /**
   * Set if the claim before this one ended without a result because its process died or paused, perhaps during a remote
   * call. It is the time in milliseconds since that claim's lease ended; the claim could begin no call after that.
   * Null: no call of an earlier claim can be running unnoticed.
   */
  readonly abandonedMs: number | null;
}

/** Identifies a claim. */
export interface ClaimKey {
  readonly destination: LaneDestination | 'SYNC';
  readonly sessionId: SessionId;
  readonly fence: string;
}
export interface ClaimedSync {
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  readonly remoteId: string;
  readonly fence: string;
  /** How many syncs failed in a row before this one. */
  readonly failures: number;
}

/** HINT: something indicates news, and somebody waits. TIMER: neither. */
export type SyncCause = 'HINT' | 'TIMER';

export type AnyLane = ClaimedLane<LaneDestination>;

/** Lanes keep strict order per session over any number of replicas. A claim that is not renewed ends with its lease. */
export interface LaneStore {
  /** Claims due lanes, longest due first. Without `room`, one remote may take all of `limit`. */
  claimDeliveries<To extends LaneDestination>(
    to: To,
    limit: number,
    leaseMs: number,
    room?: RemoteCapacity,
  ): Promise<readonly ClaimedLane<To>[]>;
  /** Removes the head and makes the next delivery due. False: the lease was lost, and nothing changed. */
  complete(lane: AnyLane): Promise<boolean>;
  /**
   * Takes the head off and claims the next one at once, if it is due: a lane that is worked on goes on without another claim.
   * Null: nothing is due, or the lease was lost; then the lane is left as after `complete`.
   */
  completeAndTakeNext<To extends LaneDestination>(
    lane: ClaimedLane<To>,
    leaseMs: number,
  ): Promise<ClaimedLane<To> | null>;
  /**
   * Leaves the head where it is; nothing passes it.
   * @param hasFailed whether the try counts towards giving up: the first that does is where `failingSince` begins
   * @param outcome what the try says of a write; of one that nobody has told about (its process died) it is unknown
   * @param ambiguousForMs for how long what it wrote may still take effect: nothing of the lane is begun before, also not what is sent again
   */
  retry(
    lane: AnyLane,
    afterMs: number,
    code: string,
    hasFailed?: boolean,
    outcome?: AttemptOutcome,
    ambiguousForMs?: number,
  ): Promise<boolean>;
  /**
   * Parks the head as a dead letter and records that in the session's history, in one transaction. The lane continues,
   * or waits until an operator decides, as the inbox's policy says. Returns the combined outcome of all its attempts.
   * Null: the lease was lost, and nothing changed.
   * @param outcome as for `retry`
   */
  park(lane: AnyLane, code: string, outcome?: AttemptOutcome, ambiguousForMs?: number): Promise<DeliveryOutcome | null>;
  /**
   * Discards the head where no operator needs to decide, and records that in the session's history. It is listed
   * together with deliveries that operators discarded. `reason` is a text of this service. False: the lease was lost,
   * and nothing changed.
   * @param outcome as for `retry`
   */
  discard(lane: AnyLane, code: string, reason: string, outcome?: AttemptOutcome): Promise<boolean>;

  /**
   * Releases the lane: it is due now, for any worker. False: the lease was lost.
   * @param wasTried whether something may have reached the remote; otherwise it counts as if it had not been claimed
   */
  release(lane: AnyLane, wasTried: boolean): Promise<boolean>;
  /** Extends the lease to `leaseMs` from now. False: another claim has the work. */
  renew(claim: ClaimKey, leaseMs: number): Promise<boolean>;
  /** Renews all claims of a process in one statement. Returns `fence + sessionId` of those that still hold. */
  renewAll(claims: readonly ClaimKey[], leaseMs: number): Promise<ReadonlySet<string>>;
  /**
   * Postpones a claimed lane: nothing of it begins for `ms`, because a call of an abandoned claim may still take
   * effect. This claim does not count as an attempt. False: the lease was lost.
   */
  postpone(lane: AnyLane, ms: number): Promise<boolean>;
  /**
   * Ends the leases of processes that are proved dead, so that their work continues at once. Called at start. Returns
   * how many claims it ended.
   * @param isDead whether the process that claimed under this name is proved to be dead; see `StoreParts.claimer`
   */
  endLeasesOfDead(isDead: (claimer: string) => boolean): Promise<number>;

  /** Claims syncs that are due for one cause. Syncs that hints requested never wait for timer syncs. */
  claimSyncs(cause: SyncCause, limit: number, leaseMs: number, room?: RemoteCapacity): Promise<readonly ClaimedSync[]>;
  /**
   * Finishes a sync and schedules the next one after `nextMs`, or none (null) until one is requested. A request that
   * arrived meanwhile stays.
   * @param next the cause of the next sync. If omitted: the same as this one's
   */
  finishSync(reading: ClaimedSync, nextMs: number | null, failed: boolean, next?: SyncCause): Promise<boolean>;
  /**
   * Schedules a timer sync of each live handoff of one account, spread over `withinMs`. Called when the account cannot
   * be scanned. Returns how many.
   */
  requestTimerSyncsOfLive(accountId: AccountId, withinMs: number): Promise<number>;
}

type AccountPatch = Partial<Omit<AccountRecord, 'id' | 'organizationId' | 'provider' | 'disabledCount'>>;
type InboxPatch = Partial<
  Pick<
    InboxRecord,
    'name' | 'externalId' | 'providerData' | 'policy' | 'memberIds' | 'state' | 'problem' | 'reenabledAt'
  >
>;

export interface SetupStore {
  /**
   * Inserts an account. Returns the existing one if there is one for the organization and provider
   * (`uq_account_provider`).
   */
  insertAccount(account: AccountRecord): Promise<AccountRecord>;
  updateAccount(id: AccountId, patch: AccountPatch): Promise<AccountRecord>;
  /** Records the result of a setup. Null: the account was disabled since it was read, and nothing changed. */
  finishAccountSetup(
    account: Pick<AccountRecord, 'id' | 'disabledCount'>,
    patch: AccountPatch & Pick<AccountRecord, 'state'>,
  ): Promise<AccountRecord | null>;
  /**
   * Disables the account and its inboxes in one transaction. The inboxes get the given problem; inboxes that are
   * already disabled stay unchanged.
   */
  disableAccount(id: AccountId, problemOfInboxes: InboxRecord['problem']): Promise<AccountRecord>;
  findAccount(organizationId: OrganizationId, id: AccountId): Promise<AccountRecord | null>;
  /**
   * Makes `secret` the account's webhook secret. The previous secret, and up to three earlier ones that are still
   * accepted, stay accepted until `rotation.previousValidUntil`.
   */
  rotateWebhookSecret(id: AccountId, secret: string, rotation: WebhookRotation): Promise<AccountRecord>;
  /**
   * Finds an account by id and webhook secret, across organizations: this authenticates a webhook. Earlier secrets
   * match while they are accepted. The comparison takes constant time.
   */
  findAccountForWebhook(id: AccountId, secret: string): Promise<AccountRecord | null>;
  listAccounts(organizationId: OrganizationId): Promise<readonly AccountRecord[]>;
  findAccountsByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (AccountRecord | null)[]>;
  /** Schedules the account's next inspection; null: none. */
  scheduleCheck(id: AccountId, afterMs: number | null): Promise<void>;
  /**
   * Claims READY accounts whose inspection is due, each for one replica, across organizations. Their next inspection is
   * due after `everyMs`.
   */
  claimChecks(limit: number, everyMs: number): Promise<readonly AccountRecord[]>;
  /** Records the health of one session's account. */
  markHealth(organizationId: OrganizationId, sessionId: SessionId, health: AccountHealth): Promise<void>;
  /** Clears an UNAUTHORIZED that the same kind of work recorded, and makes an inspection due. False: there was none. */
  markRecovered(
    organizationId: OrganizationId,
    sessionId: SessionId,
    source: AccountHealth['source'],
    at: Instant,
  ): Promise<boolean>;
  /**
   * Returns whether any account is UNAUTHORIZED, across organizations. If none is, successes need no call of
   * `markRecovered`.
   */
  hasUnauthorizedAccounts(): Promise<boolean>;
  /**
   * Inserts an inbox. Returns the existing one if there is one for the organization and chatbot (`uq_inbox_chatbot`).
   */
  insertInbox(inbox: InboxRecord): Promise<InboxRecord>;
  updateInbox(id: InboxId, patch: InboxPatch): Promise<InboxRecord>;
  /**
   * Records the result of a setup. Null: the inbox or its account was disabled since they were read, and nothing
   * changed.
   */
  finishInboxSetup(
    inbox: Pick<InboxRecord, 'id' | 'disabledCount'>,
    account: Pick<AccountRecord, 'id' | 'disabledCount'>,
    patch: InboxPatch & Pick<InboxRecord, 'state'>,
  ): Promise<InboxRecord | null>;
  disableInbox(id: InboxId): Promise<InboxRecord>;
  /**
   * Encrypts inbox data that an earlier version stored as plain text. Called at start. Returns how many inboxes it
   * changed.
   */
  sealInboxes(): Promise<number>;
  findInbox(organizationId: OrganizationId, id: InboxId): Promise<InboxRecord | null>;
  findInboxByChatbot(organizationId: OrganizationId, chatbotId: ChatbotId): Promise<InboxRecord | null>;
  findInboxesByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (InboxRecord | null)[]>;
  findInboxesByChatbots(
    organizationId: OrganizationId,
    chatbotIds: readonly string[],
  ): Promise<readonly (InboxRecord | null)[]>;
  listInboxes(organizationId: OrganizationId, accountId: AccountId | null): Promise<readonly InboxRecord[]>;
  listInboxesOfAccounts(organizationId: OrganizationId, accountIds: readonly string[]): Promise<readonly InboxRecord[]>;
  /**
   * Inserts and renames teams, and marks missing ones as gone. Their ids stay, so that old handoffs still name them.
   */
  syncTeams(account: AccountRecord, teams: readonly ProviderTeam[]): Promise<readonly TeamRecord[]>;
  syncAgents(account: AccountRecord, agents: readonly ProviderAgent[]): Promise<readonly AgentRecord[]>;
  listTeams(organizationId: OrganizationId, accountId: AccountId | null): Promise<readonly TeamRecord[]>;
  listAgents(organizationId: OrganizationId, accountId: AccountId | null): Promise<readonly AgentRecord[]>;
  listTeamsOfAccounts(organizationId: OrganizationId, accountIds: readonly string[]): Promise<readonly TeamRecord[]>;
  listAgentsOfAccounts(organizationId: OrganizationId, accountIds: readonly string[]): Promise<readonly AgentRecord[]>;
  findTeamsByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (TeamRecord | null)[]>;
  findAgentsByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (AgentRecord | null)[]>;
  findAgentsByUsers(
    organizationId: OrganizationId,
    userIds: readonly string[],
  ): Promise<ReadonlyMap<UserId, readonly AgentRecord[]>>;
  /** Finds a team by our id or the provider's. */
  findTeam(accountId: AccountId, idOrExternalId: string): Promise<TeamRecord | null>;
  findAgent(accountId: AccountId, idOrExternalId: string): Promise<AgentRecord | null>;
  /**
   * Links an agent to a user. Null removes the link, and a link by e-mail address too, because the next listing would
   * restore it.
   */
  linkAgentToUser(organizationId: OrganizationId, agentId: AgentId, userId: UserId | null): Promise<AgentRecord | null>;
  /**
   * Links an e-mail address to a user: agents that have it now, or when they are listed later, belong to that user
   * unless they are linked to another one. Null removes this and the links that it created. Returns the agents that
   * currently have the address.
   */
  linkEmailToUser(
    organizationId: OrganizationId,
    email: string,
    userId: UserId | null,
  ): Promise<readonly AgentRecord[]>;
  setTeamMembers(id: TeamId, memberIds: readonly AgentId[]): Promise<TeamRecord>;
  setTeamAutoAssign(id: TeamId, autoAssign: boolean): Promise<TeamRecord>;
}

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
    shown: ReadonlyMap<ProviderConversationId, Pick<ConversationHint, 'lastMessageId' | 'lastAuthoredId'>>,
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

export interface Stores {
  readonly sessions: SessionStore;
  readonly handoffs: HandoffStore;
  readonly messages: MessageStore;
  readonly events: EventStore;
  readonly deliveries: DeliveryStore;
  readonly lanes: LaneStore;
  readonly deadLetters: DeadLetterStore;
  readonly retention: RetentionStore;
  readonly endpoints: RuntimeEndpointStore;
  readonly scans: ScanStore;
  readonly setup: SetupStore;
  readonly setupLocks: SetupLocks;
}

export type { Control, SupportPolicy };
