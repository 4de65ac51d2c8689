import type { Control } from '../control';
import type { DeadLetterStore } from './dead-letter-store';
import type { InvalidInputError } from '../errors';
import type { DeliveryOutcome, DeliveryState, LaneDelivery, LaneDestination, MediaWork, OutcomeOfTry, ProviderDelivery, ProviderWork, RuntimeDelivery, RuntimeNotice } from '../delivery';
import type { EventBody, EventRecord } from '../event';
import type { HandoffRecord } from '../handoff';
import type {
  AccountId, AgentId, ChatbotId, EndpointId, HandoffId, InboxId, Instant, MessageId, OrganizationId, ProviderConversationId, ProviderMessageId, SessionId, TeamId, UserId,
} from '../ids';
import type { MessageChange, MessageRecord, NewMessage } from '../message';
import type { EndpointDisabledReason } from '../runtime-endpoint';
import type { EndUser, SessionRecord } from '../session';
import type { AccountHealth, AccountRecord, AgentRecord, InboxRecord, SupportPolicy, TeamRecord, WebhookRotation } from '../setup';
import type { RetentionStore } from './retention-store';
import type { RuntimeEndpointStore } from './runtime-endpoints';
import type { SetUpTurns } from './set-up-turns';
import type { EndUserThere, ProviderAgent, ProviderTeam, ShownConversation } from './support-provider';

/** An inbox as the business of its Sessions knows it: without the provider's own data, which may hold a secret, and DISABLED also while its account is. */
export type SessionInbox = Omit<InboxRecord, 'providerData' | 'timesDisabled'>;

/**
 * One transaction over one Session, whose row is locked from the first statement on: whoever comes second sees what
 * the first committed. Nothing remote may happen inside. Getters show the state including this transaction's writes.
 */
export interface SessionTransaction {
  readonly session: SessionRecord;
  readonly inbox: SessionInbox;
  /** The handoff that `session.liveHandoffId` names. */
  readonly liveHandoff: HandoffRecord | null;
  handoff(id: HandoffId): Promise<HandoffRecord | null>;
  message(id: MessageId): Promise<MessageRecord | null>;
  /** By the runtime's id of the turn. */
  messageByCallerId(callerMessageId: string): Promise<MessageRecord | null>;
  messageByProviderId(id: ProviderMessageId): Promise<MessageRecord | null>;
  /** Said by or to people and bot, public and internal, up to `throughSeq`, ascending, not yet known at the provider. */
  unpostedMessages(throughSeq: number): Promise<readonly MessageRecord[]>;
  /** The same, without what the messages hold. */
  unpostedSeqs(throughSeq: number): Promise<readonly UnpostedMessage[]>;
  /** Whether end-user or bot said something in a handoff after that message. */
  hasSaidIn(handoffId: HandoffId, afterSeq: number): Promise<boolean>;

  /** Takes the next `seq`. The caller has checked that neither unique id is taken. */
  insertMessage(message: NewMessage): Promise<MessageRecord>;
  /** What is left out stays as it is. */
  updateMessage(id: MessageId, change: MessageChange): Promise<void>;
  /** Sets READ on all public messages to the end-user up to `throughSeq` that are neither READ nor FAILED; returns those, ascending. */
  markRead(throughSeq: number): Promise<readonly Pick<MessageRecord, 'id' | 'author'>[]>;
  /** Whether the end-user has said anything at or after that time, by the clock of this service. */
  hasEndUserSaidSince(at: Instant): Promise<boolean>;
  /** The newest handoff of the Session, live or over. */
  lastHandoff(): Promise<HandoffRecord | null>;
  /** The handoff of the Session that this survey was recorded with; null for one that is new. */
  handoffOfSurvey(surveyId: ProviderMessageId): Promise<HandoffRecord | null>;
  /**
   * Records where the provider keeps messages; none of them is undelivered any more. Returns those that were until now, by their
   * row under the Session's lock, as their `seq` ascends.
   */
  recordPosts(posts: readonly PostedMessage[]): Promise<readonly MessageId[]>;
  /** Makes everything unposted again that was said to or by people and bot, and that nobody took back, as if agents had never seen it: the conversation it stood in is gone. */
  forgetPosts(): Promise<void>;
  /** @throws on `uq_handoff_live` when one is live: cannot happen under the lock, and is the net below it */
  insertHandoff(handoff: Omit<HandoffRecord, 'organizationId' | 'sessionId' | 'survey'>): Promise<HandoffRecord>;
  updateHandoff(id: HandoffId, patch: Partial<Omit<HandoffRecord, 'id' | 'organizationId' | 'sessionId'>>): Promise<HandoffRecord>;
  updateSession(patch: Partial<Omit<SessionRecord, 'id' | 'organizationId' | 'lastMessageSeq' | 'lastEventSeq' | 'forgotten'>>): Promise<void>;
  /** Takes the next event number. */
  appendEvent(body: EventBody, handoffId: HandoffId | null, at: Instant): Promise<number>;
  /** Adds to the end of the Session's provider lane. */
  oweProvider(work: ProviderWork): Promise<void>;
  /**
   * Adds several to the end of the Session's provider lane, in this order, in one statement. One with `instead` takes the place of
   * that earlier post, which is no dead letter any more: it is looked for from where that one was enqueued.
   */
  oweProviderAll(works: readonly EnqueuedWork[]): Promise<void>;
  /**
   * Posts of this Session's messages and transcripts that wait, that are dead letters, or that an operator gave up with an unknown
   * outcome; and DONE ones of messages that were tried before: dropped, or left when support was switched off, one may be there.
   */
  unfinishedPosts(): Promise<readonly UnfinishedPost[]>;
  /** Takes the posts of messages and the steps of an opening that wait out of the lane; whoever calls enqueues anew what is still needed. */
  withdrawOpening(): Promise<void>;
  /** Whether a return of the conversation waits in the lane. */
  isReturnWaiting(): Promise<boolean>;
  /** Whether a note with this id was enqueued for this Session before; not when its delivery was removed since, with others of its age. */
  hasNote(noteId: string): Promise<boolean>;
  /** Adds to the end of the Session's lane of files. */
  oweMedia(work: MediaWork): Promise<void>;
  /** Adds to the end of what the runtime must collect of this Session. */
  oweRuntime(notice: RuntimeNotice): Promise<void>;
  /** Sets the head of a claimed lane aside; the lane goes on or blocks as the policy says. Null: the lease was lost, nothing changed. */
  parkHead(lane: AnyLane, code: string, outcome: OutcomeOfTry, settlesAfterMs: number): Promise<DeliveryOutcome | null>;
  /** Gives the head of a claimed lane up for good; the lane goes on. False: the lease was lost, nothing changed. */
  discardHead(lane: AnyLane, code: string, reason: string, outcome: OutcomeOfTry): Promise<boolean>;
  /** The conversation is gone, and with it whatever dead letters of this Session may have written there. */
  forgetOutcomes(): Promise<void>;
  /**
   * PARKED ones of this Session wait again, in their old places; others of the ids are passed over. A lane that one of them blocked goes on.
   * @param writesAtOnce they count as never tried, for whoever asked has looked; else the next try looks before it writes
   */
  sendAgain(ids: readonly string[], writesAtOnce?: boolean): Promise<readonly SetAside[]>;
  /** Gives PARKED ones of this Session up for good; likewise. */
  discard(ids: readonly string[], reason: string): Promise<readonly SetAside[]>;
  /** Unacknowledged runtime deliveries of one handoff's agent messages. */
  unacknowledgedMessages(handoffId: HandoffId): Promise<number>;
  /** Asks for a reading of the provider, no later than `at`. An earlier wish stands. `TIMER`: nothing is known to have happened. */
  wantReading(at: Instant, about?: 'MESSAGES' | 'ALL' | 'TIMER'): Promise<void>;
  /** Asks for a sync of what was said that begins now. A sync that is under way began too early, and loses its claim, so that this one need not wait for it. */
  wantReadingNow(): Promise<void>;
  /** Remembers a conversation that is not the Session's own (`pk_stray_conversation`). False: it was remembered already. */
  addStray(conversationId: ProviderConversationId): Promise<boolean>;
  removeStray(conversationId: ProviderConversationId): Promise<void>;
  /** Asks for another reading if one is under way: it may have looked before now. */
  wantReadingAgain(): Promise<void>;
  /**
   * For a transaction that records what a worker did: proves its claim, and keeps the lane from being claimed by another
   * until this transaction ends. `of`: PROVIDER when left out. @throws LeaseLostError when it was claimed again since
   */
  holdLane(claim: Pick<ProviderDelivery, 'fence'>, of?: LaneDestination): Promise<void>;
  /**
   * Switches an endpoint off that is ACTIVE and fails since `failingSince` still. False: it is off already, works again or
   * was enabled anew, and nothing changed. Comes before `holdLane`: endpoints are locked before lanes.
   */
  disableEndpoint(id: EndpointId, reason: EndpointDisabledReason, failingSince: Instant | null, at: Instant): Promise<boolean>;
}

/** A delivery to be enqueued. `instead`: an earlier delivery of the same post that is over, whose place it takes. */
export interface EnqueuedWork { readonly work: ProviderWork; readonly instead?: string }

export type UnpostedMessage = Pick<MessageRecord, 'id' | 'seq' | 'reactions' | 'deletedAt'>;

/**
 * The post of a message, or of everything up to `throughSeq` as a file.
 * `isUnknown`: a try of it may have been stored. `isLeft`: it is not posted again by itself, because nothing but an operator can tell
 * whether it is there, or one has said to leave it.
 */
export interface UnfinishedPost {
  readonly id: string;
  readonly state: DeliveryState;
  readonly work: Extract<ProviderWork, { readonly kind: 'POST_MESSAGE' | 'POST_TRANSCRIPT' }>;
  readonly isUnknown: boolean;
  readonly isLeft: boolean;
  readonly blocksLane: boolean;
}

/** A message, and its id at the provider. */
export interface PostedMessage { readonly id: MessageId; readonly providerMessageId: ProviderMessageId }

export interface SetAside { readonly id: string; readonly kind: string; readonly handoffId: HandoffId | null }

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

/** A stored answer of a runtime mutation. Kept with the facts it answers for, in the same transaction. */
export interface IdempotencyScope {
  readonly organizationId: OrganizationId;
  readonly operation: string;
  readonly key: string;
  /** A digest of the normalised input; another digest under the same key is a reuse. */
  readonly requestDigest: string;
}

export interface SessionStore {
  /**
   * Finds the Session by its runtime key or makes it (`uq_session_runtime_key`), and returns it with whether it was made
   * now. One that exists stays as it is, its end-user too; a closed one is returned closed.
   */
  open(row: OpenSessionRow): Promise<{ readonly session: SessionRecord; readonly created: boolean }>;
  /**
   * Runs `work` in one transaction with the Session's row locked, and commits. With `idempotency`, the answer is
   * stored under the key in the same transaction (`uq_idempotency_key`): a repeat waits for the first, for a short time,
   * and gets its answer without running `work`. What `work` throws is not stored. Serialization failures and deadlocks
   * are retried a few times.
   * @throws NotFoundError SESSION_NOT_FOUND for an unknown or foreign id
   * @throws ConflictError IDEMPOTENCY_KEY_REUSED
   * @throws InProgressError IDEMPOTENCY_IN_PROGRESS when the first still runs after that time
   */
  transact<T>(organizationId: OrganizationId, sessionId: SessionId, work: (tx: SessionTransaction) => Promise<T>, idempotency?: IdempotencyScope): Promise<{ readonly answer: T; readonly replayed: boolean }>;

  get(organizationId: OrganizationId, id: SessionId): Promise<SessionRecord | null>;
  getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (SessionRecord | null)[]>;
  findByRuntimeKey(organizationId: OrganizationId, chatbotId: ChatbotId, channel: string, externalId: string): Promise<SessionRecord | null>;
  /** Across organizations: the account of the URL is already proven. */
  findByConversation(accountId: AccountId, conversationId: ProviderConversationId): Promise<SessionRecord | null>;
}

export interface HandoffFilter {
  readonly chatbotIds: readonly ChatbotId[] | null;
  readonly states: readonly string[] | null;
  readonly live: boolean | null;
  readonly teamIds: readonly TeamId[] | null;
  readonly sessionId: SessionId | null;
}

/** Keyset page: `after`/`before` are opaque cursors made by the store. */
export interface PageRequest { readonly first: number; readonly after: string | null }
/** A page of one Session's list. */
export interface SessionPageRequest extends PageRequest { readonly sessionId: SessionId }
/** Events of one Session after a number; null: from the first that is kept. */
export interface SessionEventsRequest { readonly sessionId: SessionId; readonly afterSeq: number | null; readonly limit: number }
export interface Page<T> {
  readonly edges: readonly { readonly node: T; readonly cursor: string }[];
  readonly hasNextPage: boolean;
}

export interface HandoffStore {
  get(organizationId: OrganizationId, id: HandoffId): Promise<HandoffRecord | null>;
  getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (HandoffRecord | null)[]>;
  /** Newest first. @throws InvalidInputError CURSOR_INVALID */
  page(organizationId: OrganizationId, filter: HandoffFilter, page: PageRequest): Promise<Page<HandoffRecord>>;
  /** The newest handoff of each Session, live or over, in the order of `sessionIds`; null for a Session without one. One statement. */
  lastOfSessions(organizationId: OrganizationId, sessionIds: readonly string[]): Promise<readonly (HandoffRecord | null)[]>;
  /**
   * ENDING that await no sync and whose `drainBy` has passed, whose messages are all acknowledged or whose Session is
   * closed, but for those in `but`; for the timer. Across organizations. Sessions that somebody holds at this moment are passed over.
   */
  dueToEnd(now: Instant, limit: number, but?: readonly HandoffId[]): Promise<readonly { readonly organizationId: OrganizationId; readonly sessionId: SessionId; readonly handoffId: HandoffId }[]>;
}

export interface MessageStore {
  get(organizationId: OrganizationId, id: MessageId): Promise<MessageRecord | null>;
  getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (MessageRecord | null)[]>;
  /** Whether an agent has said something in public after that message. */
  hasAgentSaidSince(organizationId: OrganizationId, sessionId: SessionId, seq: number): Promise<boolean>;
  /** Oldest first. @throws InvalidInputError CURSOR_INVALID, or CURSOR_EXPIRED when what follows the cursor was removed */
  page(organizationId: OrganizationId, sessionId: SessionId, page: PageRequest): Promise<Page<MessageRecord>>;
  /**
   * Pages of many Sessions in one statement, in the order of `requests`. The error of one request stands in its place and
   * leaves the others alone: CURSOR_INVALID or CURSOR_EXPIRED.
   */
  pagesOfSessions(organizationId: OrganizationId, requests: readonly SessionPageRequest[]): Promise<readonly (Page<MessageRecord> | InvalidInputError)[]>;
}

export interface EventStore {
  /**
   * One Session's events after a number, ascending, at most `limit`; null: from the first that is kept.
   * @throws InvalidInputError CURSOR_EXPIRED when what follows the number was removed
   */
  ofSession(organizationId: OrganizationId, sessionId: SessionId, afterSeq: number | null, limit: number): Promise<readonly EventRecord[]>;
  /** The same for many Sessions in one statement, in the order of `requests`; CURSOR_EXPIRED of one request stands in its place. */
  ofSessions(organizationId: OrganizationId, requests: readonly SessionEventsRequest[]): Promise<readonly (readonly EventRecord[] | InvalidInputError)[]>;
  /**
   * HANDOFF_CHANGED over all Sessions of an organization, ascending from an opaque cursor; never steps over a row that
   * becomes visible later (DESIGN §7). `cursor` is where to go on, also when nothing was found.
   * @throws InvalidInputError CURSOR_INVALID, or CURSOR_EXPIRED when something behind the cursor was removed
   */
  handoffChanges(organizationId: OrganizationId, after: string, limit: number): Promise<{ readonly events: readonly { readonly event: EventRecord; readonly cursor: string }[]; readonly cursor: string }>;
  /** The cursor of this moment: everything committed so far is before it. */
  now(): Promise<string>;
}

export interface RuntimeInboxFilter { readonly chatbotId: ChatbotId | null; readonly sessionId: SessionId | null }

export interface DeliveryStore {
  /** Waiting runtime deliveries, in order within each Session, oldest first. */
  runtimeInbox(organizationId: OrganizationId, filter: RuntimeInboxFilter, page: PageRequest): Promise<Page<RuntimeDelivery>>;
  /** Marks them collected, dead letters too; what an operator has discarded is acknowledged and stays so. Unknown and foreign ids are returned. Repeatable. */
  acknowledge(organizationId: OrganizationId, ids: readonly string[], at: Instant): Promise<{ readonly acknowledged: readonly string[]; readonly unknown: readonly string[]; readonly sessionIds: readonly SessionId[] }>;
  /**
   * Marks collected, at most `limit` at once and oldest first, what a list of the runtime inbox showed up to and with
   * `cursor`. The filter may narrow the list that the cursor came from, and never widens it: what was in no list that the
   * caller has read, or becomes visible later, stays. Call again until `isComplete`.
   * @throws InvalidInputError CURSOR_INVALID
   */
  acknowledgeThrough(organizationId: OrganizationId, filter: RuntimeInboxFilter, cursor: string, limit: number, at: Instant): Promise<{ readonly acknowledged: number; readonly sessionIds: readonly SessionId[]; readonly isComplete: boolean }>;
  /** Whether a runtime delivery still waits to be collected. */
  isWaiting(organizationId: OrganizationId, id: string): Promise<boolean>;
  /** What is still owed of one Session, for "why is the bot silent". */
  owed(organizationId: OrganizationId, sessionId: SessionId): Promise<Owed>;
}

export interface Owed {
  readonly provider: number;
  readonly runtime: number;
  readonly parked: number;
  /** Of `parked`: those whose outcome is unknown. */
  readonly parkedUnknown: number;
  readonly lastErrorCode: string | null;
}

/** How many lanes of one far side may be claimed: `each`, but for those in `but`. */
export interface FarSideRoom {
  readonly each: number;
  readonly but: ReadonlyMap<string, number>;
}

/** A claimed lane; `fence` proves the claim at completion. */
export interface ClaimedLane<To extends LaneDestination = 'PROVIDER'> {
  readonly destination: To;
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  /** Whom the work goes to: the support account, or the runtime's endpoint. */
  readonly farSideId: string;
  readonly fence: string;
  /** The head of the lane. */
  readonly delivery: LaneDelivery<To>;
  /**
   * The claim before this one ended without a word (its process died, or stood still), perhaps in the middle of a remote
   * call: so many milliseconds ago its lease ended, and with it the time in which it could begin one. Null: no call of an
   * earlier claim can be under way unnoticed.
   */
  readonly abandonedMs: number | null;
}

/** Which claim it is. */
export interface ClaimKey { readonly destination: LaneDestination | 'READING'; readonly sessionId: SessionId; readonly fence: string }
export interface ClaimedReading {
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  readonly farSideId: string;
  readonly fence: string;
  /** Readings that failed in a row before this one. */
  readonly failures: number;
}

/** HINT: something shows that there is news, and somebody waits. TIMER: nothing does, and nobody does. */
export type SyncCause = 'HINT' | 'TIMER';

export type AnyLane = ClaimedLane<LaneDestination>;

/** Lanes: strict order per Session, any number of replicas; a claim that is not renewed ends with its lease. */
export interface LaneStore {
  /** The longest due first. Without `room` a far side may have all of `limit`. */
  claimDeliveries<To extends LaneDestination>(to: To, limit: number, leaseMs: number, room?: FarSideRoom): Promise<readonly ClaimedLane<To>[]>;
  /** Takes the head off and makes the next due. False: the lease was lost, nothing changed. */
  complete(lane: AnyLane): Promise<boolean>;
  /**
   * Takes the head off and claims the next one at once, if it is due: a lane that is worked on goes on without another claim.
   * Null: nothing is due, or the lease was lost; then the lane is left as after `complete`.
   */
  completeAndTakeNext<To extends LaneDestination>(lane: ClaimedLane<To>, leaseMs: number): Promise<ClaimedLane<To> | null>;
  /**
   * Leaves the head where it is; nothing passes it.
   * @param hasFailed whether the try counts towards giving up: the first that does is where `failingSince` begins
   * @param outcome what the try says of a write; of one that nobody has told about (its process died) it is unknown
   * @param settlesAfterMs for how long what it wrote may still take effect: nothing of the lane is begun before, also not what is sent again
   */
  retry(lane: AnyLane, afterMs: number, code: string, hasFailed?: boolean, outcome?: OutcomeOfTry, settlesAfterMs?: number): Promise<boolean>;
  /**
   * Sets the head aside as a dead letter and says so in the Session's history, in one transaction. The lane goes on, or
   * waits behind it until an operator decides, as the inbox's policy says. Answers what is known of all its tries.
   * Null: the lease was lost, nothing changed.
   * @param outcome as of a retry
   */
  park(lane: AnyLane, code: string, outcome?: OutcomeOfTry, settlesAfterMs?: number): Promise<DeliveryOutcome | null>;
  /**
   * Gives the head up for good where no operator needs to decide, and says so in the Session's history: it is listed with
   * what operators discarded. `reason` is in words of ours. False: the lease was lost, nothing changed.
   * @param outcome as of a retry
   */
  discard(lane: AnyLane, code: string, reason: string, outcome?: OutcomeOfTry): Promise<boolean>;

  /**
   * Gives the lane back: due now, for whoever comes first. False: the lease was lost.
   * @param wasTried whether something may have reached the far side; else it counts as if it had not been claimed
   */
  release(lane: AnyLane, wasTried: boolean): Promise<boolean>;
  /** Moves the end of the lease to now + `leaseMs`. False: another claim has the work. */
  renew(claim: ClaimKey, leaseMs: number): Promise<boolean>;
  /** As `renew`, of all claims of a process in one statement. Returns `fence + sessionId` of those that still hold. */
  renewAll(claims: readonly ClaimKey[], leaseMs: number): Promise<ReadonlySet<string>>;
  /**
   * Puts a claimed lane off: nothing of it is begun for `ms`, because a call of an abandoned claim may still take effect. This
   * claim counts as no try. False: the lease was lost.
   */
  putOff(lane: AnyLane, ms: number): Promise<boolean>;
  /**
   * At start: ends the leases of processes that are proved to be dead, so that their work goes on at once and not when the
   * leases end. Returns how many claims those were.
   * @param isDead whether the process that claimed under this name is proved to run no more; see `StoreParts.claimer`
   */
  endLeasesOfDead(isDead: (claimer: string) => boolean): Promise<number>;

  /** Syncs that are due for one cause; those that hints asked for never stand behind timers. */
  claimReadings(cause: SyncCause, limit: number, leaseMs: number, room?: FarSideRoom): Promise<readonly ClaimedReading[]>;
  /**
   * Next reading after `nextMs`, or none (null) until somebody wants one; a wish that came meanwhile stands.
   * @param next why the next one comes. If omitted: as this one did
   */
  finishReading(reading: ClaimedReading, nextMs: number | null, failed: boolean, next?: SyncCause): Promise<boolean>;
  /** Asks for a timer sync of each live handoff of one account, spread over `withinMs`. Called when the account cannot be scanned. Returns how many. */
  wantReadingOfLive(accountId: AccountId, withinMs: number): Promise<number>;
}

type AccountPatch = Partial<Omit<AccountRecord, 'id' | 'organizationId' | 'provider' | 'timesDisabled'>>;
type InboxPatch = Partial<Pick<InboxRecord, 'name' | 'externalId' | 'providerData' | 'policy' | 'memberIds' | 'state' | 'problem' | 'heardSince'>>;

export interface SetupStore {
  // accounts
  /** `uq_account_provider`: one account per organization and provider; returns the one that is there. */
  insertAccount(account: AccountRecord): Promise<AccountRecord>;
  updateAccount(id: AccountId, patch: AccountPatch): Promise<AccountRecord>;
  /** What a set-up came to, unless the account was disabled since it was read: null, and nothing changed. */
  concludeAccount(account: Pick<AccountRecord, 'id' | 'timesDisabled'>, patch: AccountPatch & Pick<AccountRecord, 'state'>): Promise<AccountRecord | null>;
  /** With its inboxes, which get that problem; those that are off already stay as they are. In one transaction. */
  disableAccount(id: AccountId, problemOfInboxes: InboxRecord['problem']): Promise<AccountRecord>;
  account(organizationId: OrganizationId, id: AccountId): Promise<AccountRecord | null>;
  /**
   * Makes `secret` the account's webhook secret. The one before is still accepted, with up to three earlier ones that were,
   * until `rotation.previousValidUntil`.
   */
  rotateWebhookSecret(id: AccountId, secret: string, rotation: WebhookRotation): Promise<AccountRecord>;
  /** By id and webhook secret, an earlier one while it is accepted (compared in constant time). Across organizations: it is how a webhook proves itself. */
  accountForWebhook(id: AccountId, secret: string): Promise<AccountRecord | null>;
  accountsOf(organizationId: OrganizationId): Promise<readonly AccountRecord[]>;
  accountsByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (AccountRecord | null)[]>;
  // health
  /** In how long the account is next compared with what it should be; null: not at all. */
  scheduleCheck(id: AccountId, afterMs: number | null): Promise<void>;
  /** READY accounts whose check is due, each for one replica; their next one is due after `everyMs`. Across organizations. */
  claimChecks(limit: number, everyMs: number): Promise<readonly AccountRecord[]>;
  /** Marks the account of one Session. */
  markHealth(organizationId: OrganizationId, sessionId: SessionId, health: AccountHealth): Promise<void>;
  /** Takes back an UNAUTHORIZED that the same kind of work has seen, and makes a check due. False: there was none. */
  markRecovered(organizationId: OrganizationId, sessionId: SessionId, seenBy: AccountHealth['seenBy'], at: Instant): Promise<boolean>;
  /** Whether any account is UNAUTHORIZED, so that nobody has to ask for each success. Across organizations. */
  anyUnauthorized(): Promise<boolean>;
  // inboxes
  /** `uq_inbox_chatbot`: one per organization and chatbot; returns the one that is there. */
  insertInbox(inbox: InboxRecord): Promise<InboxRecord>;
  updateInbox(id: InboxId, patch: InboxPatch): Promise<InboxRecord>;
  /** What a set-up came to, unless the inbox or its account was disabled since they were read: null, and nothing changed. */
  concludeInbox(
    inbox: Pick<InboxRecord, 'id' | 'timesDisabled'>, account: Pick<AccountRecord, 'id' | 'timesDisabled'>, patch: InboxPatch & Pick<InboxRecord, 'state'>,
  ): Promise<InboxRecord | null>;
  disableInbox(id: InboxId): Promise<InboxRecord>;
  /** At start: encrypts what an earlier version kept readable. Returns how many. */
  sealInboxes(): Promise<number>;
  inbox(organizationId: OrganizationId, id: InboxId): Promise<InboxRecord | null>;
  inboxOfChatbot(organizationId: OrganizationId, chatbotId: ChatbotId): Promise<InboxRecord | null>;
  inboxesByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (InboxRecord | null)[]>;
  inboxesByChatbots(organizationId: OrganizationId, chatbotIds: readonly string[]): Promise<readonly (InboxRecord | null)[]>;
  inboxesOf(organizationId: OrganizationId, accountId: AccountId | null): Promise<readonly InboxRecord[]>;
  inboxesOfAccounts(organizationId: OrganizationId, accountIds: readonly string[]): Promise<readonly InboxRecord[]>;
  // teams and agents: mirrored lists
  /** Inserts, renames, and marks the missing as gone (their ids stay, so that old handoffs still name them). */
  syncTeams(account: AccountRecord, teams: readonly ProviderTeam[]): Promise<readonly TeamRecord[]>;
  syncAgents(account: AccountRecord, agents: readonly ProviderAgent[]): Promise<readonly AgentRecord[]>;
  teamsOf(organizationId: OrganizationId, accountId: AccountId | null): Promise<readonly TeamRecord[]>;
  agentsOf(organizationId: OrganizationId, accountId: AccountId | null): Promise<readonly AgentRecord[]>;
  teamsOfAccounts(organizationId: OrganizationId, accountIds: readonly string[]): Promise<readonly TeamRecord[]>;
  agentsOfAccounts(organizationId: OrganizationId, accountIds: readonly string[]): Promise<readonly AgentRecord[]>;
  teamsByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (TeamRecord | null)[]>;
  agentsByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (AgentRecord | null)[]>;
  agentsByUsers(organizationId: OrganizationId, userIds: readonly string[]): Promise<ReadonlyMap<UserId, readonly AgentRecord[]>>;
  /** By our id or the provider's own number. */
  findTeam(accountId: AccountId, idOrExternalId: string): Promise<TeamRecord | null>;
  findAgent(accountId: AccountId, idOrExternalId: string): Promise<AgentRecord | null>;
  /** With null, a link by e-mail address goes too: it would come back with the next listing. */
  linkAgentToUser(organizationId: OrganizationId, agentId: AgentId, userId: UserId | null): Promise<AgentRecord | null>;
  /**
   * Says whose an e-mail address is: agents that have it, now or when they are listed later, are that user's, unless they
   * have been linked to another one. Null takes the word and the links that it made back. Returns the agents it is about now.
   */
  linkEmailToUser(organizationId: OrganizationId, email: string, userId: UserId | null): Promise<readonly AgentRecord[]>;
  setTeamMembers(id: TeamId, memberIds: readonly AgentId[]): Promise<TeamRecord>;
  setTeamAutoAssign(id: TeamId, autoAssign: boolean): Promise<TeamRecord>;
}

/** When each account was last asked which of its conversations changed. One replica at a time holds a look. */
export interface WatchStore {
  /** At start: every account that is in use is due now. */
  wantLooks(): Promise<void>;
  /**
   * The next account that is due, with how long it was not looked at, and where to begin: at page 1, or where a look that
   * began at `startedAt` was left. A claim that is neither left nor finished ends after `leaseMs`.
   */
  claimLook(leaseMs: number): Promise<{ readonly organizationId: OrganizationId; readonly accountId: AccountId; readonly unseenMs: number; readonly startedAt: Instant; readonly page: number } | null>;
  /** The look goes on at `page`, with another claim after `afterMs` if this one does not leave it again before. Nothing counts as seen yet. */
  leaveLook(accountId: AccountId, startedAt: Instant, page: number, afterMs: number): Promise<void>;
  /**
   * The look that began at `startedAt` saw everything up to then; the next one begins `everyMs` after it. No scan comes before
   * `scanAfterMs` after it (0 if omitted), because it would find what the look has found.
   */
  finishLook(accountId: AccountId, startedAt: Instant, everyMs: number, scanAfterMs?: number): Promise<void>;
  /** The account's look is due now: more changed than a scan takes. */
  wantLookOf(accountId: AccountId): Promise<void>;
  /** At start: every account may have changed unnoticed, and webhooks have to prove themselves again. */
  wantScans(): Promise<void>;
  /**
   * The next account with live handoffs whose scan is due, for one replica. The claim ends after `leaseMs`. If nothing was live
   * when the scan became due, it comes `firstAfterMs` (0 if omitted) after the first handoff was requested.
   */
  claimScan(leaseMs: number, firstAfterMs?: number): Promise<ClaimedScan | null>;
  /** The scan that began at `startedAt` saw everything up to then; `null`: it saw nothing. The next one comes after `everyMs`. */
  finishScan(accountId: AccountId, startedAt: Instant | null, everyMs: number): Promise<void>;
  /** A timer has found what no webhook had said: the next scan comes at most `everyMs` after the last, as if webhooks had never proved themselves. */
  webhooksMissed(accountId: AccountId, everyMs: number): Promise<void>;
  /** What is known of these conversations, of those that are a Session's. `hasSeenLast`: whether a sync has seen one of the two messages given with it last, or, with `trustsOwnPosts` and without a live handoff, whether one of our own posts is the last: an agent's words may lie below it. */
  knownOf(accountId: AccountId, shown: ReadonlyMap<ProviderConversationId, Pick<ShownConversation, 'lastMessageId' | 'lastSaidId'>>, trustsOwnPosts: boolean): Promise<readonly KnownConversation[]>;
  /**
   * Asks for a timer sync of the Sessions of these conversations, after `afterMs` at the latest. Returns how many.
   * @param about `MESSAGES`: their state is known. `CHECK` if omitted
   */
  wantSyncOf(accountId: AccountId, conversationIds: readonly ProviderConversationId[], afterMs: number, about?: 'MESSAGES' | 'CHECK'): Promise<number>;
  /**
   * Wants a reading now of the Sessions of these conversations, their last agents' messages looked at again with it.
   * Returns how many Sessions.
   */
  wantReadingOf(accountId: AccountId, conversationIds: readonly ProviderConversationId[]): Promise<number>;
  /** Conversations of the account whose last readings have failed, `failures` times in a row or more; at most `limit`. */
  failingReadings(accountId: AccountId, failures: number, limit: number): Promise<readonly ProviderConversationId[]>;
  /** Those that are with an end-user of one of the account's Sessions, in that Session's inbox, but not the Session's own, and not remembered yet. */
  straysAmong(accountId: AccountId, seen: ReadonlyMap<ProviderConversationId, EndUserThere>): Promise<readonly StrayConversation[]>;
}

/** `unscannedMs`: for how long nobody has seen what changed there. `everyMs`: how long after the last scan this one came; null when it came as soon as it could. */
export interface ClaimedScan { readonly organizationId: OrganizationId; readonly accountId: AccountId; readonly startedAt: Instant; readonly unscannedMs: number; readonly everyMs: number | null }

export interface KnownConversation extends Pick<SessionRecord, 'lastView' | 'statusWrites'> { readonly conversationId: ProviderConversationId; readonly hasSeenLast: boolean }
export interface StrayConversation { readonly organizationId: OrganizationId; readonly sessionId: SessionId; readonly conversationId: ProviderConversationId }

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
  readonly watches: WatchStore;
  readonly setup: SetupStore;
  readonly setUpTurns: SetUpTurns;
}

export type { Control, SupportPolicy };
