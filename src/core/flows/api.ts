import type { CallerRole } from '../caller';
import type { ContentBody } from '../content';
import type { HandoffEndReason, HandoffLink, HandoffPriority, HandoffRecord } from '../handoff';
import type { UserFacingError } from '../errors';
import type { ChatbotId, HandoffId, InboxId, Instant, MessageId, OrganizationId, SessionId, UserId } from '../ids';
import type { BlockedLane, DeadLetterFilter } from '../ports/dead-letter-store';
import type { PendingDeliveries, RuntimeInboxFilter } from '../ports/stores';
import type { Attachment, ChannelState, MessageRecord, ReactionSide } from '../message';
import type { DriftItem } from '../ports/provider/support-provider';
import type { RuntimeEndpoint } from '../runtime-endpoint';
import type { EndUser, SessionRecord } from '../session';
import type { AccountRecord, AgentRecord, InboxRecord, SupportPolicy, TeamRecord } from '../setup';

/** The scope of every flow: the caller's organization. A foreign id is treated as an unknown one. */
export interface Scope {
  readonly organizationId: OrganizationId;
}

/**
 * Part of every runtime mutation. The same key with the same input returns the same result, with `replayed` set. 1 to
 * 200 characters.
 */
export interface WithIdempotencyKey {
  readonly idempotencyKey: string;
}

export interface OpenSessionInput {
  readonly chatbotId: ChatbotId;
  /** 1 to 100 characters, e.g. `web`. */
  readonly channel: string;
  /** The runtime's own id of the session, 1 to 200 characters. */
  readonly externalId: string;
  readonly endUser: Partial<EndUser>;
}
export interface OpenSessionResult {
  readonly session: SessionRecord;
  readonly created: boolean;
}

export interface RecordEndUserMessageInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
  /** May be empty if there is `content` or an attachment. */
  readonly text: string;
  readonly content?: ContentBody;
  readonly attachments: readonly Attachment[];
  /** The runtime's id of this message; null: the idempotency key is used. */
  readonly messageId: string | null;
  /** When it was said. If omitted: now. Agents see it; it is never used for order. */
  readonly saidAt?: Instant;
  /** Our id of the message that this one replies to. */
  readonly replyTo?: string | null;
}
export interface RecordEndUserMessageResult {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  /** Whether a bot message with `session.epoch` would be shown to the end-user now. */
  readonly mayReply: boolean;
  readonly replayed: boolean;
}

export interface SendBotMessageInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
  /** The epoch that the bot knows: from openSession, recordEndUserMessage, or a control event. */
  readonly epoch: number;
  readonly text: string;
  readonly content?: ContentBody;
  readonly attachments: readonly Attachment[];
  readonly messageId: string | null;
  /** Same as `RecordEndUserMessageInput.saidAt`. */
  readonly saidAt?: Instant;
  readonly replyTo?: string | null;
  /**
   * `REJECT`: CONTROL_LOST, and nothing is stored. `SUGGEST`: stored as an internal suggestion for the agents, without
   * CONTROL_LOST.
   */
  readonly onControlLost: 'REJECT' | 'SUGGEST';
}
export interface SendBotMessageResult {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  /** False: it was stored as an internal suggestion, and the end-user must not see it. */
  readonly delivered: boolean;
  readonly replayed: boolean;
}

export interface HandoffTargetInput {
  /** Our id, or the provider's own number as in its URL. At most one of `team` and `agent`. */
  readonly team: string | null;
  readonly agent: string | null;
}

export interface RequestHandoffInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
  readonly target: HandoffTargetInput;
  readonly reason: string | null;
  readonly summary: string | null;
  readonly intent: string | null;
  readonly fields: Readonly<Record<string, string>>;
  /** Pages of the platform; agents see them in the context note. */
  readonly links?: readonly HandoffLink[];
  readonly priority: HandoffPriority | null;
  readonly resumeTarget: string | null;
  /**
   * The request is refused unless this is the current epoch. Null: no check, because a person requested it whatever the
   * bot knows.
   */
  readonly epoch: number | null;
}
export interface RequestHandoffResult {
  readonly handoff: HandoffRecord;
  readonly session: SessionRecord;
  /** True: there was a live handoff already. It is returned, and none was created. */
  readonly alreadyLive: boolean;
  readonly replayed: boolean;
}

export interface EndHandoffInput extends WithIdempotencyKey {
  /** Exactly one of `handoffId` and `sessionId`. By session: its live handoff. */
  readonly handoffId: HandoffId | null;
  readonly sessionId: SessionId | null;
  readonly reason: Extract<HandoffEndReason, 'BOT_CANCELLED' | 'USER_ENDED' | 'OPERATOR_ENDED'>;
}
export interface EndHandoffResult {
  readonly handoff: HandoffRecord;
  readonly session: SessionRecord;
  /** True: it had already ended, and nothing was done. */
  readonly alreadyEnded: boolean;
  readonly replayed: boolean;
}

export interface CloseSessionInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
}
export interface CloseSessionResult {
  readonly session: SessionRecord;
  readonly alreadyClosed: boolean;
  readonly replayed: boolean;
}

export interface ReportChannelDeliveryInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
  readonly messageId: MessageId;
  readonly state: ChannelState;
  /** With FAILED: the reason, for the agents. */
  readonly error: string | null;
}
export interface ReportChannelDeliveryResult {
  readonly message: MessageRecord;
  readonly replayed: boolean;
}

export interface MarkReadInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
  /** The end-user has read this message and everything before it. */
  readonly throughMessageId: MessageId;
}
export interface MarkReadResult {
  readonly session: SessionRecord;
  /** How many messages became read by this call. */
  readonly markedCount: number;
  readonly replayed: boolean;
}

export interface SetTypingInput {
  readonly sessionId: SessionId;
  readonly isTyping: boolean;
}

export interface AnswerSurveyInput extends WithIdempotencyKey {
  readonly handoffId: HandoffId;
  readonly rating: number;
  readonly comment: string | null;
}
export interface AnswerSurveyResult {
  readonly handoff: HandoffRecord;
  readonly replayed: boolean;
}

/** Names a message by exactly one id: ours, or the runtime's own. */
export interface MessageReference {
  readonly messageId: MessageId | null;
  readonly callerMessageId: string | null;
}

export interface EditMessageInput extends WithIdempotencyKey, MessageReference {
  readonly sessionId: SessionId;
  /** The complete new message. Content that is not given again is removed, but files stay. */
  readonly text: string;
  readonly content?: ContentBody;
  /** Required for a message of the bot, because its edit is a bot message; null for the end-user's. */
  readonly epoch: number | null;
}
export interface EditMessageResult {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  readonly replayed: boolean;
}

export interface DeleteMessageInput extends WithIdempotencyKey, MessageReference {
  readonly sessionId: SessionId;
  /**
   * The deletion is refused unless this is the current epoch. Null: no check, because a deletion shows the end-user
   * nothing new.
   */
  readonly epoch: number | null;
}
export interface DeleteMessageResult {
  readonly message: MessageRecord;
  readonly session: SessionRecord /** True: it was deleted before, and nothing was done. */;
  readonly alreadyDeleted: boolean;
  readonly replayed: boolean;
}

export interface ReactToMessageInput extends WithIdempotencyKey, MessageReference {
  readonly sessionId: SessionId;
  readonly by: ReactionSide;
  /** Null removes the reaction. */
  readonly emoji: string | null;
  /** Required for the bot; null for the end-user. */
  readonly epoch: number | null;
}
export interface ReactToMessageResult {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  readonly replayed: boolean;
}

export interface AcknowledgeResult {
  readonly acknowledged: readonly string[];
  readonly unknown: readonly string[];
}

export interface AcknowledgeThroughInput extends RuntimeInboxFilter {
  /** A cursor of the runtime inbox, or of a delivery from the subscription. */
  readonly cursor: string;
}

export interface RegisterEndpointInput {
  readonly url: string;
  /** Null: for every chatbot without its own endpoint. */
  readonly chatbotId: ChatbotId | null;
}
export interface RotateEndpointSecretInput {
  readonly endpointId: string;
  /** How long the old secret signs too; null: a day. */
  readonly previousValidSeconds: number | null;
}
/** `secret` is returned only this once. */
export interface EndpointSecretResult {
  readonly endpoint: RuntimeEndpoint;
  readonly secret: string;
}

export interface EnableSupportInput {
  /** A key of the provider registry. */
  readonly provider: string;
  /** The organization's name as people see it at the provider. */
  readonly name: string;
  readonly baseUrl: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  /** E.g. `{ platformToken }`. Stored encrypted. Empty on a repeat: the stored ones are used. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly owners: readonly { readonly name: string; readonly email: string }[];
}
export interface EnableSupportResult {
  readonly account: AccountRecord;
  readonly manualSteps: readonly string[];
}

export interface EnableChatbotInput {
  readonly chatbotId: ChatbotId;
  readonly name: string;
  /** Null: the organization's only account. Required if there are several. */
  readonly accountId: string | null;
  readonly policy: DeepPartial<SupportPolicy>;
}
export interface EnableChatbotResult {
  readonly inbox: InboxRecord;
}

export interface RotateWebhookSecretInput {
  readonly accountId: string | null;
  /** A repeat with the same key continues the same rotation. */
  readonly idempotencyKey: string;
  /**
   * How long the previous secret stays accepted once the provider has the new URL; null: a day. 0: it ends at once,
   * whatever the provider still uses.
   */
  readonly previousValidSeconds: number | null;
}
export interface RotateWebhookSecretResult {
  readonly account: AccountRecord;
  /** One sentence for the operator for each inbox that may still have the old URL. Empty if all have the new one. */
  readonly manualSteps: readonly string[];
  /** Null while there are manual steps. */
  readonly previousExpiresAt: Instant | null;
}

export interface AddAgentInput {
  /** Null: the organization's only account. The same holds for `accountId` below. */
  readonly accountId: string | null;
  readonly name: string;
  readonly email: string;
  readonly role: AgentRecord['role'];
  /** The agent's platform user, if known. */
  readonly userId: UserId | null;
  /** Our ids of inboxes that the agent also becomes a member of. Existing members stay. */
  readonly inboxIds: readonly InboxId[];
  /** The same for teams, by our id or the provider's own number. */
  readonly teamIds: readonly string[];
}
export interface AddAgentResult {
  readonly agent: AgentRecord;
  readonly inboxes: readonly InboxRecord[];
  readonly teams: readonly TeamRecord[];
  /** The parts that failed; each error names its field. Repeating the call does only those. */
  readonly problems: readonly UserFacingError[];
}
/** Changes an agent's role. `agentId` here, and `teamId` below: our id, or the provider's own number. */
export interface ChangeAgentRoleInput {
  readonly accountId: string | null;
  readonly agentId: string;
  readonly role: AgentRecord['role'];
}
export interface RemoveAgentInput {
  readonly accountId: string | null;
  readonly agentId: string;
  /**
   * Allows deleting the person from the provider, if they cannot be removed otherwise or this is their last account.
   */
  readonly deletePerson: boolean;
}
export interface SetInboxMembersInput {
  readonly chatbotId: ChatbotId;
  readonly agentIds: readonly string[];
}
export interface CreateTeamInput {
  readonly accountId: string | null;
  readonly name: string;
  readonly agentIds: readonly string[] | null;
  readonly autoAssign: boolean;
}
export interface SetTeamMembersInput {
  readonly accountId: string | null;
  readonly teamId: string;
  readonly agentIds: readonly string[];
}
export interface CreateLoginLinkInput {
  readonly accountId: string | null;
  readonly agentId: string;
  /** The caller. */
  readonly by: { readonly role: CallerRole; readonly userId: UserId | null };
}

export type DeepPartial<T> = { readonly [K in keyof T]?: T[K] extends object ? DeepPartial<T[K]> : T[K] };

export interface Explanation {
  readonly session: SessionRecord;
  readonly handoff: HandoffRecord | null;
  readonly mayReply: boolean;
  /** A stable code: why the bot may reply or must stay silent. */
  readonly reason:
    | 'BOT_HAS_CONTROL'
    | 'WAITING_FOR_AGENT'
    | 'WAITING_BOT_MAY_ANSWER'
    | 'AGENT_HAS_CONTROL'
    | 'HANDOFF_ENDING'
    | 'SESSION_CLOSED';
  readonly pendingDeliveries: PendingDeliveries;
  /** Lanes that wait behind a dead letter until an operator decides. */
  readonly blockedLanes: readonly BlockedLane[];
}

/** Selects dead letters by exactly one of ids, filter and all. */
export interface DeadLetterSelection {
  readonly ids: readonly string[] | null;
  readonly filter: DeadLetterFilter | null;
  readonly all: boolean;
  /** Continues after an earlier call, so that deliveries that were parked again since are not selected twice. */
  readonly after: string | null;
}
export interface ResendSelection extends DeadLetterSelection {
  /**
   * True: the operator has checked the receiver and found nothing, so the next attempt writes without a lookup. Only
   * with `ids`. If omitted: it looks up first.
   */
  readonly skipLookup?: boolean;
}
export interface DeadLettersResult {
  readonly count: number;
  /** Ids that are not, or no longer, dead letters of this organization. */
  readonly skippedIds: readonly string[];
  readonly hasMore: boolean;
  readonly endCursor: string | null;
}

/**
 * The operations that callers can request. Each returns after the commit, makes no remote call (except the setup flows
 * that say so), and throws the errors of core/errors.ts.
 */
export interface Flows {
  openSession(scope: Scope, input: OpenSessionInput): Promise<OpenSessionResult>;
  recordEndUserMessage(scope: Scope, input: RecordEndUserMessageInput): Promise<RecordEndUserMessageResult>;
  sendBotMessage(scope: Scope, input: SendBotMessageInput): Promise<SendBotMessageResult>;
  requestHandoff(scope: Scope, input: RequestHandoffInput): Promise<RequestHandoffResult>;
  endHandoff(scope: Scope, input: EndHandoffInput): Promise<EndHandoffResult>;
  closeSession(scope: Scope, input: CloseSessionInput): Promise<CloseSessionResult>;
  /** Records the delivery state of an agent's or the bot's message on the end-user's channel. Agents see it. */
  reportChannelDelivery(scope: Scope, input: ReportChannelDeliveryInput): Promise<ReportChannelDeliveryResult>;
  /** Edits one of the end-user's or the bot's own messages. Agents see the new text as a reply to the old one. */
  editMessage(scope: Scope, input: EditMessageInput): Promise<EditMessageResult>;
  /** Deletes one of the end-user's or the bot's own messages. Agents see that it was deleted, but not its text. */
  deleteMessage(scope: Scope, input: DeleteMessageInput): Promise<DeleteMessageResult>;
  /** Sets, changes or removes the end-user's or the bot's reaction to a message. */
  reactToMessage(scope: Scope, input: ReactToMessageInput): Promise<ReactToMessageResult>;
  /** Records the end-user's answer to the survey of a handoff. A second answer replaces the first. */
  answerSurvey(scope: Scope, input: AnswerSurveyInput): Promise<AnswerSurveyResult>;
  /** Marks all messages to the end-user up to a message as read. Agents see it. FAILED messages stay so. */
  markRead(scope: Scope, input: MarkReadInput): Promise<MarkReadResult>;
  /**
   * Shows agents whether the end-user types. Stores nothing and needs no key. `isForwarded` is false if no agent would
   * see it or the provider cannot show it.
   */
  setTyping(scope: Scope, input: SetTypingInput): Promise<{ readonly isForwarded: boolean }>;
  acknowledge(scope: Scope, deliveryIds: readonly string[]): Promise<AcknowledgeResult>;
  /**
   * Acknowledges everything in the cursor's list up to the cursor; the filter narrows the list. Returns the number of
   * deliveries.
   */
  acknowledgeThrough(scope: Scope, input: AcknowledgeThroughInput): Promise<{ readonly acknowledged: number }>;
  explain(scope: Scope, sessionId: SessionId): Promise<Explanation>;
  /**
   * Resends dead letters, lowest id first: for the provider in their old places, for the runtime after what its inbox
   * already shows. Up to 500 per call. `by`: the operator, if it is a user.
   */
  resendDeadLetters(scope: Scope, selection: ResendSelection, by: UserId | null): Promise<DeadLettersResult>;
  /** Discards dead letters for good; they stay stored. Up to 500 per call. */
  discardDeadLetters(
    scope: Scope,
    selection: DeadLetterSelection,
    reason: string,
    by: UserId | null,
  ): Promise<DeadLettersResult>;

  /** Creates or updates an account. Calls the provider, for seconds. Repeatable: it resumes where it stopped. */
  enableSupport(scope: Scope, input: EnableSupportInput): Promise<EnableSupportResult>;
  /** Creates or updates a chatbot's inbox. Calls the provider. Repeatable; a different name renames the inbox. */
  enableChatbot(scope: Scope, input: EnableChatbotInput): Promise<EnableChatbotResult>;
  updatePolicy(scope: Scope, chatbotId: ChatbotId, policy: DeepPartial<SupportPolicy>): Promise<InboxRecord>;
  /** Reads teams and agents from the provider and mirrors them. */
  refreshDirectory(
    scope: Scope,
    accountId: string,
  ): Promise<{ readonly teams: readonly TeamRecord[]; readonly agents: readonly AgentRecord[] }>;
  /**
   * Compares the account with its desired state and records its health. Calls the provider, but changes nothing there.
   */
  inspectDrift(scope: Scope, accountId: string): Promise<readonly DriftItem[]>;
  /** Brings the named items to their desired state, and returns the state afterwards. */
  repairDrift(
    scope: Scope,
    accountId: string,
    items: readonly string[],
  ): Promise<{ readonly account: AccountRecord; readonly items: readonly DriftItem[] }>;
  /**
   * Ends live handoffs with OPERATOR_ENDED and stops mirroring. Changes nothing at the provider and keeps all links.
   */
  disableSupport(
    scope: Scope,
    accountId: string | null,
  ): Promise<{ readonly account: AccountRecord; readonly endedHandoffs: number }>;
  disableChatbot(
    scope: Scope,
    chatbotId: ChatbotId,
  ): Promise<{ readonly inbox: InboxRecord; readonly endedHandoffs: number }>;
  linkAgent(scope: Scope, agentId: string, userId: UserId | null): Promise<AgentRecord>;
  /** Links the agents that have this address now, or when they are listed later. */
  linkAgentByEmail(scope: Scope, email: string, userId: UserId | null): Promise<readonly AgentRecord[]>;

  /** The following operations call the provider. */
  addAgent(scope: Scope, input: AddAgentInput): Promise<AddAgentResult>;
  changeAgentRole(scope: Scope, input: ChangeAgentRoleInput): Promise<AgentRecord>;
  removeAgent(scope: Scope, input: RemoveAgentInput): Promise<AgentRecord>;
  setInboxMembers(scope: Scope, input: SetInboxMembersInput): Promise<InboxRecord>;
  createTeam(scope: Scope, input: CreateTeamInput): Promise<TeamRecord>;
  setTeamMembers(scope: Scope, input: SetTeamMembersInput): Promise<TeamRecord>;
  /**
   * Changes the secret in the account's webhook URL, here and at the provider. Takes seconds; repeatable with the same
   * key.
   */
  rotateWebhookSecret(scope: Scope, input: RotateWebhookSecretInput): Promise<RotateWebhookSecretResult>;
  /**
   * Registers an endpoint. Resolves its host name but does not call it yet, because the endpoint needs its secret
   * first.
   */
  registerEndpoint(scope: Scope, input: RegisterEndpointInput): Promise<EndpointSecretResult>;
  /**
   * Verifies the endpoint by calling it, then starts pushes, also of waiting deliveries. Repeatable: waiting retries
   * become due at once.
   */
  enableEndpoint(scope: Scope, endpointId: string): Promise<RuntimeEndpoint>;
  /** Stops pushes; everything stays in the inbox. */
  disableEndpoint(scope: Scope, endpointId: string): Promise<RuntimeEndpoint>;
  rotateEndpointSecret(scope: Scope, input: RotateEndpointSecretInput): Promise<EndpointSecretResult>;
  removeEndpoint(scope: Scope, endpointId: string): Promise<void>;

  /** Creates a login link. The link is a secret: it is returned and stored nowhere. */
  createLoginLink(
    scope: Scope,
    input: CreateLoginLinkInput,
  ): Promise<{ readonly agent: AgentRecord; readonly url: string }>;
}

export type { InboxId, MessageId };
