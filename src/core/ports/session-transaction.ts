import type {
  DeliveryOutcome,
  DeliveryState,
  LaneDestination,
  MediaWork,
  AttemptOutcome,
  ProviderDelivery,
  ProviderWork,
  RuntimeNotice,
} from '../delivery';
import type { EventBody } from '../event';
import type { HandoffRecord } from '../handoff';
import type { EndpointId, HandoffId, Instant, MessageId, ProviderConversationId, ProviderMessageId } from '../ids';
import type { MessageChange, MessageRecord, NewMessage } from '../message';
import type { EndpointDisabledReason } from '../runtime-endpoint';
import type { SessionRecord } from '../session';
import type { SyncHint } from '../sync-hint';
import type { InboxRecord } from '../setup';
import type { AnyLane } from './lane-store';

/**
 * An inbox without the provider's own data, which may contain a secret. It counts as DISABLED also while its account is
 * disabled.
 */
export type SessionInbox = Omit<InboxRecord, 'providerData' | 'disabledCount'>;

/** The locked session with its inbox. */
export interface LockedSession {
  readonly session: SessionRecord;
  readonly inbox: SessionInbox;
  updateSession(
    patch: Partial<Omit<SessionRecord, 'id' | 'organizationId' | 'lastMessageSeq' | 'lastEventSeq' | 'removedHistory'>>,
  ): Promise<void>;
}

/** The handoffs of the session. */
export interface HandoffRows {
  /** The handoff that `session.liveHandoffId` names. */
  readonly liveHandoff: HandoffRecord | null;
  findHandoff(id: HandoffId): Promise<HandoffRecord | null>;
  /** Returns the session's newest handoff, live or ended. */
  findLastHandoff(): Promise<HandoffRecord | null>;
  /** Returns the session's handoff that this survey was recorded with; null for a new survey. */
  findHandoffOfSurvey(surveyId: ProviderMessageId): Promise<HandoffRecord | null>;
  /**
   * Inserts a handoff.
   * @throws on `uq_handoff_live` if another one is live. The lock rules that out; the constraint is a second guard.
   */
  insertHandoff(handoff: Omit<HandoffRecord, 'organizationId' | 'sessionId' | 'survey'>): Promise<HandoffRecord>;
  updateHandoff(
    id: HandoffId,
    patch: Partial<Omit<HandoffRecord, 'id' | 'organizationId' | 'sessionId'>>,
  ): Promise<HandoffRecord>;
}

/** The messages of the session. */
export interface MessageRows {
  findMessage(id: MessageId): Promise<MessageRecord | null>;
  /** Finds a message by the runtime's id of it. */
  findMessageByCallerId(callerMessageId: string): Promise<MessageRecord | null>;
  findMessageByProviderId(id: ProviderMessageId): Promise<MessageRecord | null>;
  /** Returns messages up to `throughSeq` that are not at the provider yet: public and internal, ascending. */
  findUnpostedMessages(throughSeq: number): Promise<readonly MessageRecord[]>;
  /** Same as `findUnpostedMessages`, without text, content and files. */
  unpostedSeqs(throughSeq: number): Promise<readonly UnpostedMessage[]>;
  /** Returns whether the end-user or the bot has sent a message in this handoff after `afterSeq`. */
  hasMessageInHandoff(handoffId: HandoffId, afterSeq: number): Promise<boolean>;
  /** Returns whether the end-user has sent a message at or after `at`, by the clock of this service. */
  hasEndUserMessageSince(at: Instant): Promise<boolean>;
  /** Inserts a message with the next `seq`. The caller has checked that neither unique id is taken. */
  insertMessage(message: NewMessage): Promise<MessageRecord>;
  /** Updates a message. Omitted fields keep their values. */
  updateMessage(id: MessageId, change: MessageChange): Promise<void>;
  /**
   * Sets READ on all public messages to the end-user up to `throughSeq` that are neither READ nor FAILED. Returns
   * those, ascending.
   */
  markRead(throughSeq: number): Promise<readonly Pick<MessageRecord, 'id' | 'author'>[]>;
  /**
   * Records the provider's ids of posted messages and marks them as delivered. Returns the messages that were
   * undelivered until now, ascending by `seq`, as read under the session's lock.
   */
  recordPosts(posts: readonly PostedMessage[]): Promise<readonly MessageId[]>;
  /**
   * Makes all messages unposted, except deleted ones, as if agents had never seen them. Called when their conversation
   * no longer exists.
   */
  clearProviderMessageIds(): Promise<void>;
}

/** The events of the session. */
export interface EventLog {
  /** Appends an event and returns its number. */
  appendEvent(body: EventBody, handoffId: HandoffId | null, at: Instant): Promise<number>;
}

/** The deliveries of the session that wait, and new ones. */
export interface DeliveryQueue {
  /** Enqueues work at the end of the session's provider lane. */
  enqueueForProvider(work: ProviderWork): Promise<void>;
  /**
   * Enqueues several deliveries at the end of the session's provider lane, in this order, in one statement. One with
   * `instead` replaces that earlier post, which is no dead letter any more: its lookup starts where that post was
   * enqueued. An earlier post that still waits keeps its state; the caller knows that the lane drops it.
   */
  enqueueAllForProvider(works: readonly EnqueuedWork[]): Promise<void>;
  /** Enqueues work at the end of the session's file lane. */
  enqueueFileWork(work: MediaWork): Promise<void>;
  /** Enqueues a notice at the end of the session's runtime inbox, and in the runtime's lane if it has an endpoint. */
  enqueueForRuntime(notice: RuntimeNotice): Promise<void>;
  /**
   * Returns posts of the session's messages and transcripts that wait, that are dead letters, or that an operator
   * discarded with an unknown outcome. Also DONE posts of messages that were attempted before: such a post was dropped,
   * or left when support was disabled, so it may be at the provider. Also all DONE transcripts.
   */
  unfinishedPosts(): Promise<readonly UnfinishedPost[]>;
  /**
   * Removes waiting posts of messages and waiting steps of an opening from the lane. The caller then enqueues those
   * that are still needed.
   */
  withdrawOpening(withdrawing?: Withdrawing): Promise<void>;
  /**
   * Removes waiting returns of the conversation from the lane, so that they can be enqueued after posts that must
   * precede
   * them. Returns that a message waits behind stay. Called before `withdrawOpening`.
   */
  withdrawReturns(): Promise<readonly EnqueuedWork[]>;
  /** Returns whether a return of the conversation to the bot waits in the lane. */
  isReturnWaiting(): Promise<boolean>;
  /** Returns the id of the newest delivery of the handoff's context note that was attempted. Null: none. */
  attemptedContextNote(handoffId: HandoffId): Promise<string | null>;
  /**
   * Returns the newest delivery of the note with this id. Null: none was enqueued for this session, or it was removed
   * since.
   */
  note(noteId: string): Promise<EnqueuedNote | null>;
  /** Counts unacknowledged runtime deliveries of one handoff's agent messages. */
  countUnacknowledged(handoffId: HandoffId): Promise<number>;
}

/** The head of a lane that a worker has claimed. */
export interface LaneHead {
  /**
   * Proves a worker's claim, and keeps others from claiming the lane until this transaction ends. Called in
   * transactions that record a worker's result. `of`: PROVIDER if omitted.
   * @throws LeaseLostError when the lane was claimed again
   */
  assertFence(claim: Pick<ProviderDelivery, 'fence'>, of?: LaneDestination): Promise<void>;
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
}

/** The dead letters of the session. {@link DeadLetterStore} lists them. */
export interface DeadLetterRows {
  /**
   * Requeues PARKED deliveries of this session in their earlier places, and skips other ids. A lane that one of them
   * blocked continues.
   * @param skipLookup they count as never attempted, because the caller has checked; otherwise the next attempt looks
   * up before it writes
   */
  resend(ids: readonly string[], skipLookup?: boolean): Promise<readonly DeliveryReference[]>;
  /** Discards PARKED deliveries of this session, and skips other ids. */
  discard(ids: readonly string[], reason: string): Promise<readonly DeliveryReference[]>;
  /** Records that no attempt of this delivery so far can have taken effect without a record of it. */
  forgetOutcome(deliveryId: string): Promise<void>;
  /**
   * Treats dead letters of this session with an unknown outcome as not delivered. Called when the conversation that
   * they may have been written to no longer exists.
   */
  clearUnknownOutcomes(): Promise<void>;
}

/** The syncs of the session, which run after this transaction. */
export interface SyncRequests {
  /** Schedules a sync at or before `at`. An earlier request wins. `TIMER`: nothing is known to have happened. */
  requestSync(at: Instant, about?: 'MESSAGES' | 'ALL' | 'TIMER'): Promise<void>;
  /**
   * Schedules a sync of messages that starts now. A running sync started too early, so it loses its claim and this one
   * need not wait for it.
   */
  requestSyncNow(): Promise<void>;
  /** Records what the next sync has to read. Schedules none; the caller knows that one is scheduled. */
  addHint(arrived: SyncHint): Promise<void>;
  /** Schedules another sync if one is running, because that one may have read before now. */
  requestAnotherSync(): Promise<void>;
}

/** Conversations with the session's end-user that agents began. */
export interface AgentInitiatedRows {
  /** Records an agent-initiated conversation (`pk_agent_initiated_conversation`). False: it was recorded already. */
  addAgentInitiated(conversationId: ProviderConversationId): Promise<boolean>;
  removeAgentInitiated(conversationId: ProviderConversationId): Promise<void>;
}

/** The endpoint of the session's runtime. */
export interface EndpointRows {
  /**
   * Disables an endpoint that is ACTIVE and has failed since `failingSince`. False: it is already disabled, works again
   * or was enabled again, and nothing changed. Call it before `assertFence`, because endpoints are locked before lanes.
   */
  disableEndpoint(
    id: EndpointId,
    reason: EndpointDisabledReason,
    failingSince: Instant | null,
    at: Instant,
  ): Promise<boolean>;
}

/**
 * One transaction over one session, whose row is locked from the first statement on. A second transaction on the
 * session waits and then sees what the first one committed. Nothing remote may happen inside. Getters include this
 * transaction's own writes.
 */
export interface SessionTransaction
  extends LockedSession,
    HandoffRows,
    MessageRows,
    EventLog,
    DeliveryQueue,
    LaneHead,
    DeadLetterRows,
    SyncRequests,
    AgentInitiatedRows,
    EndpointRows {}

/** A delivery to be enqueued. `instead`: an earlier delivery of the same post that is over, whose place it takes. */
export interface EnqueuedWork {
  readonly work: ProviderWork;
  readonly instead?: string;
}

/** A note for agents that was enqueued, in any state. */
export interface EnqueuedNote {
  readonly id: string;
  readonly text: string;
  readonly wasAttempted: boolean;
}

/**
 * `by`: the delivery whose worker withdraws; its current attempt has written nothing. `noteId`: a note to withdraw as
 * well.
 */
export interface Withdrawing {
  readonly by?: string;
  readonly noteId?: string;
}

export type UnpostedMessage = Pick<MessageRecord, 'id' | 'seq' | 'reactions' | 'deletedAt'>;

/**
 * The post of a message, or of all messages up to `throughSeq` as a file. `isUnknown`: an attempt may have been stored
 * at the provider. `isLeftToOperator`: it is not posted again automatically, because only an operator can tell whether
 * it is there, or because an operator discarded it.
 */
export interface UnfinishedPost {
  readonly id: string;
  readonly state: DeliveryState;
  readonly work: Extract<ProviderWork, { readonly kind: 'POST_MESSAGE' | 'POST_TRANSCRIPT' }>;
  readonly isUnknown: boolean;
  /** The session's conversation when this was enqueued. Null: there was none. */
  readonly conversationId: ProviderConversationId | null;
  /** True: it was a dead letter before and was resent, or it replaced one. */
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
