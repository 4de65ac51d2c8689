import type { CallerRole } from '../caller';
import type { ContentBody } from '../content';
import type { HandoffEndReason, HandoffLink, HandoffPriority, HandoffRecord } from '../handoff';
import type { UserFacingError } from '../errors';
import type { ChatbotId, HandoffId, InboxId, Instant, MessageId, OrganizationId, SessionId, UserId } from '../ids';
import type { BlockedLane, DeadLetterFilter } from '../ports/dead-letter-store';
import type { Owed, RuntimeInboxFilter } from '../ports/stores';
import type { Attachment, ChannelState, MessageRecord, ReactionSide } from '../message';
import type { DriftItem } from '../ports/support-provider';
import type { RuntimeEndpoint } from '../runtime-endpoint';
import type { EndUser, SessionRecord } from '../session';
import type { AccountRecord, AgentRecord, InboxRecord, SupportPolicy, TeamRecord } from '../setup';

/** Scope of every flow: the caller's organization. A foreign id is answered as an unknown one. */
export interface Scope { readonly organizationId: OrganizationId }

/** Present on every runtime mutation. Same key and same input: the same answer, `replayed`. 1 to 200 characters. */
export interface Keyed { readonly idempotencyKey: string }

export interface OpenSessionInput {
  readonly chatbotId: ChatbotId;
  /** 1 to 100 characters, e.g. `web`. */
  readonly channel: string;
  /** The runtime's own id of the session, 1 to 200 characters. */
  readonly externalId: string;
  readonly endUser: Partial<EndUser>;
}
export interface OpenSessionAnswer { readonly session: SessionRecord; readonly created: boolean }

export interface RecordEndUserMessageInput extends Keyed {
  readonly sessionId: SessionId;
  /** May be empty beside `content` or attachments. */
  readonly text: string;
  readonly content?: ContentBody;
  readonly attachments: readonly Attachment[];
  /** The runtime's id of this turn; null: the idempotency key serves. */
  readonly messageId: string | null;
  /** When it was said; left out: now. Shown to people, never used for order. */
  readonly saidAt?: Instant;
  /** Our id of the message that it answers. */
  readonly replyTo?: string | null;
}
export interface RecordEndUserMessageAnswer {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  /** Whether a bot turn with `session.epoch` would reach the end-user now. */
  readonly mayReply: boolean;
  readonly replayed: boolean;
}

export interface SendBotMessageInput extends Keyed {
  readonly sessionId: SessionId;
  /** The epoch that the bot believes in: from openSession, recordEndUserMessage, or a control event. */
  readonly epoch: number;
  readonly text: string;
  readonly content?: ContentBody;
  readonly attachments: readonly Attachment[];
  readonly messageId: string | null;
  /** As of RecordEndUserMessageInput. */
  readonly saidAt?: Instant;
  readonly replyTo?: string | null;
  /** `REJECT`: CONTROL_LOST and nothing is kept. `SUGGEST`: kept as an internal suggestion for the agents, and CONTROL_LOST not raised. */
  readonly onControlLost: 'REJECT' | 'SUGGEST';
}
export interface SendBotMessageAnswer {
  readonly message: MessageRecord;
  readonly session: SessionRecord;
  /** False: it became an internal suggestion, the end-user must not see it. */
  readonly delivered: boolean;
  readonly replayed: boolean;
}

export interface HandoffTargetInput {
  /** Our id, or the provider's own number as it stands in its URL. At most one of the two. */
  readonly team: string | null;
  readonly agent: string | null;
}

export interface RequestHandoffInput extends Keyed {
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
  /** Refuses when it is not the current epoch; null: no check (a person asked, whatever the bot believes). */
  readonly epoch: number | null;
}
export interface RequestHandoffAnswer {
  readonly handoff: HandoffRecord;
  readonly session: SessionRecord;
  /** One was live already: it is the one returned, nothing was made. */
  readonly alreadyLive: boolean;
  readonly replayed: boolean;
}

export interface EndHandoffInput extends Keyed {
  /** One of the two. By session: its live handoff. */
  readonly handoffId: HandoffId | null;
  readonly sessionId: SessionId | null;
  readonly reason: Extract<HandoffEndReason, 'BOT_CANCELLED' | 'USER_ENDED' | 'OPERATOR_ENDED'>;
}
export interface EndHandoffAnswer {
  readonly handoff: HandoffRecord;
  readonly session: SessionRecord;
  /** It was over before: nothing was done. */
  readonly alreadyEnded: boolean;
  readonly replayed: boolean;
}

export interface CloseSessionInput extends Keyed { readonly sessionId: SessionId }
export interface CloseSessionAnswer { readonly session: SessionRecord; readonly alreadyClosed: boolean; readonly replayed: boolean }

export interface ReportChannelDeliveryInput extends Keyed {
  readonly sessionId: SessionId;
  readonly messageId: MessageId;
  readonly state: ChannelState;
  /** With FAILED: why, for the agents. */
  readonly error: string | null;
}
export interface ReportChannelDeliveryAnswer { readonly message: MessageRecord; readonly replayed: boolean }

export interface MarkReadInput extends Keyed {
  readonly sessionId: SessionId;
  /** The end-user has read this one and everything before it. */
  readonly throughMessageId: MessageId;
}
export interface MarkReadAnswer {
  readonly session: SessionRecord;
  /** How many messages were not known to be read before. */
  readonly marked: number;
  readonly replayed: boolean;
}

export interface SetTypingInput { readonly sessionId: SessionId; readonly isTyping: boolean }

export interface AnswerSurveyInput extends Keyed {
  readonly handoffId: HandoffId;
  readonly rating: number;
  readonly comment: string | null;
}
export interface AnswerSurveyAnswer { readonly handoff: HandoffRecord; readonly replayed: boolean }

/** One of the two: our id of the message, or the runtime's own of the turn. */
export interface MessageNamed { readonly messageId: MessageId | null; readonly callerMessageId: string | null }

export interface EditMessageInput extends Keyed, MessageNamed {
  readonly sessionId: SessionId;
  /** The message as it is now: what is not given again is gone, but for its files. */
  readonly text: string;
  readonly content?: ContentBody;
  /** Required for a message of the bot, whose edit is a turn of the bot; null for the end-user's. */
  readonly epoch: number | null;
}
export interface EditMessageAnswer { readonly message: MessageRecord; readonly session: SessionRecord; readonly replayed: boolean }

export interface DeleteMessageInput extends Keyed, MessageNamed {
  readonly sessionId: SessionId;
  /** Refuses when it is not the current epoch; null: no check (taking words back answers nobody). */
  readonly epoch: number | null;
}
export interface DeleteMessageAnswer { readonly message: MessageRecord; readonly session: SessionRecord; /** It was taken back before: nothing was done. */ readonly alreadyDeleted: boolean; readonly replayed: boolean }

export interface ReactToMessageInput extends Keyed, MessageNamed {
  readonly sessionId: SessionId;
  readonly by: ReactionSide;
  /** Null takes the reaction back. */
  readonly emoji: string | null;
  /** Required for the bot; null for the end-user. */
  readonly epoch: number | null;
}
export interface ReactToMessageAnswer { readonly message: MessageRecord; readonly session: SessionRecord; readonly replayed: boolean }

export interface AcknowledgeAnswer { readonly acknowledged: readonly string[]; readonly unknown: readonly string[] }

export interface AcknowledgeThroughInput extends RuntimeInboxFilter {
  /** Of the runtime inbox, or of a delivery that the subscription gave. */
  readonly cursor: string;
}

export interface RegisterEndpointInput {
  readonly url: string;
  /** Null: for every chatbot that has no endpoint of its own. */
  readonly chatbotId: ChatbotId | null;
}
export interface RotateEndpointSecretInput {
  readonly endpointId: string;
  /** How long the old secret signs too; null: a day. */
  readonly previousValidSeconds: number | null;
}
/** `secret` is answered this once and never again. */
export interface EndpointSecretAnswer { readonly endpoint: RuntimeEndpoint; readonly secret: string }

export interface EnableSupportInput {
  /** A key of the provider registry. */
  readonly provider: string;
  /** The organization's name as people should see it there. */
  readonly name: string;
  readonly baseUrl: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  /** E.g. `{ platformToken }`. Stored encrypted. Empty on a repeat: the stored ones serve. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly owners: readonly { readonly name: string; readonly email: string }[];
}
export interface EnableSupportAnswer { readonly account: AccountRecord; readonly leftToDo: readonly string[] }

export interface EnableChatbotInput {
  readonly chatbotId: ChatbotId;
  readonly name: string;
  /** Null: the organization's only account; with several it must be named. */
  readonly accountId: string | null;
  readonly policy: DeepPartial<SupportPolicy>;
}
export interface EnableChatbotAnswer { readonly inbox: InboxRecord }

export interface RotateWebhookSecretInput {
  readonly accountId: string | null;
  /** The same key again goes on with the same rotation. */
  readonly idempotencyKey: string;
  /** For how long the secret before is accepted once the provider has the new URL; null: a day. 0: it ends at once, whatever the provider still uses. */
  readonly previousValidSeconds: number | null;
}
export interface RotateWebhookSecretAnswer {
  readonly account: AccountRecord;
  /** Sentences for the operator: which inboxes could not be brought to the new URL. Empty when all are. */
  readonly leftToDo: readonly string[];
  /** Null: while something is left to do. */
  readonly previousExpiresAt: Instant | null;
}

export interface AddAgentInput {
  /** Null: the organization's only account. So everywhere below. */
  readonly accountId: string | null;
  readonly name: string;
  readonly email: string;
  readonly role: AgentRecord['role'];
  /** Who this is on the platform, if that is known. */
  readonly userId: UserId | null;
  /** Inboxes by our id, in which the person becomes a member too. Whoever is a member stays. */
  readonly inboxIds: readonly InboxId[];
  /** Likewise teams, by our id or the provider's own number. */
  readonly teamIds: readonly string[];
}
export interface AddAgentAnswer {
  readonly agent: AgentRecord;
  readonly inboxes: readonly InboxRecord[];
  readonly teams: readonly TeamRecord[];
  /** What could not be done, each naming its field. The same call again does only that. */
  readonly problems: readonly UserFacingError[];
}
/** `agentId`, `teamId`: ours, or the provider's own number. */
export interface ChangeAgentRoleInput { readonly accountId: string | null; readonly agentId: string; readonly role: AgentRecord['role'] }
export interface RemoveAgentInput {
  readonly accountId: string | null;
  readonly agentId: string;
  /** Allows that the provider forgets the person altogether, if it cannot be done otherwise or this is their last account. */
  readonly deletePerson: boolean;
}
export interface SetInboxMembersInput { readonly chatbotId: ChatbotId; readonly agentIds: readonly string[] }
export interface MakeTeamInput { readonly accountId: string | null; readonly name: string; readonly agentIds: readonly string[] | null; readonly autoAssign: boolean }
export interface SetTeamMembersInput { readonly accountId: string | null; readonly teamId: string; readonly agentIds: readonly string[] }
export interface LoginLinkInput {
  readonly accountId: string | null;
  readonly agentId: string;
  /** Who asks. */
  readonly by: { readonly role: CallerRole; readonly userId: UserId | null };
}

export type DeepPartial<T> = { readonly [K in keyof T]?: T[K] extends object ? DeepPartial<T[K]> : T[K] };

export interface Explanation {
  readonly session: SessionRecord;
  readonly handoff: HandoffRecord | null;
  readonly mayReply: boolean;
  /** Stable code: WHO decides that the bot is silent or not. */
  readonly why: 'BOT_HAS_CONTROL' | 'WAITING_FOR_AGENT' | 'WAITING_BOT_MAY_ANSWER' | 'AGENT_HAS_CONTROL' | 'HANDOFF_ENDING' | 'SESSION_CLOSED';
  readonly owed: Owed;
  /** What waits behind a dead letter until an operator decides. */
  readonly blockedLanes: readonly BlockedLane[];
}

/** Exactly one of ids, filter and all. */
export interface DeadLetterSelection {
  readonly ids: readonly string[] | null;
  readonly filter: DeadLetterFilter | null;
  readonly all: boolean;
  /** Goes on behind an earlier call, so that what was parked anew since is not taken twice. */
  readonly after: string | null;
}
export interface ResendSelection extends DeadLetterSelection {
  /** The operator has looked at the receiver, and they are not there: the next try writes without looking. With `ids` only. Left out: it looks first. */
  readonly writeAtOnce?: boolean;
}
export interface DeadLettersAnswer {
  readonly count: number;
  /** Ids that were no dead letters of this organization, or not any more. */
  readonly passedOver: readonly string[];
  readonly hasMore: boolean;
  readonly endCursor: string | null;
}

/**
 * Everything that callers can ask for. Each answers after commit, does nothing remote (set-up flows excepted, they say
 * so), and throws the errors of core/errors.ts.
 */
export interface Flows {
  openSession(scope: Scope, input: OpenSessionInput): Promise<OpenSessionAnswer>;
  recordEndUserMessage(scope: Scope, input: RecordEndUserMessageInput): Promise<RecordEndUserMessageAnswer>;
  sendBotMessage(scope: Scope, input: SendBotMessageInput): Promise<SendBotMessageAnswer>;
  requestHandoff(scope: Scope, input: RequestHandoffInput): Promise<RequestHandoffAnswer>;
  endHandoff(scope: Scope, input: EndHandoffInput): Promise<EndHandoffAnswer>;
  closeSession(scope: Scope, input: CloseSessionInput): Promise<CloseSessionAnswer>;
  /** What became of an agent's or the bot's message on the end-user's channel; agents see it. */
  reportChannelDelivery(scope: Scope, input: ReportChannelDeliveryInput): Promise<ReportChannelDeliveryAnswer>;
  /** The end-user or the bot says one of their own messages anew; agents see the new words answer the old ones. */
  editMessage(scope: Scope, input: EditMessageInput): Promise<EditMessageAnswer>;
  /** The end-user or the bot takes one of their own messages back; agents see that, not the words. */
  deleteMessage(scope: Scope, input: DeleteMessageInput): Promise<DeleteMessageAnswer>;
  /** The end-user's or the bot's reaction to a message, as it is now: set, changed, or taken back. */
  reactToMessage(scope: Scope, input: ReactToMessageInput): Promise<ReactToMessageAnswer>;
  /** The end-user's answer to the survey of a handoff. A second answer replaces the first. */
  answerSurvey(scope: Scope, input: AnswerSurveyInput): Promise<AnswerSurveyAnswer>;
  /** The end-user has read all that agents, bot and we have said up to a message; agents see it. What FAILED stays so. */
  markRead(scope: Scope, input: MarkReadInput): Promise<MarkReadAnswer>;
  /** Shows agents that the end-user types, or no longer does. Stores nothing and needs no key; not shown: nobody would see it, or the provider cannot. */
  setTyping(scope: Scope, input: SetTypingInput): Promise<{ readonly isShown: boolean }>;
  acknowledge(scope: Scope, deliveryIds: readonly string[]): Promise<AcknowledgeAnswer>;
  /** Everything that the cursor's list showed up to it; the filter narrows. Answers how many that were. */
  acknowledgeThrough(scope: Scope, input: AcknowledgeThroughInput): Promise<{ readonly acknowledged: number }>;
  explain(scope: Scope, sessionId: SessionId): Promise<Explanation>;
  /** Dead letters wait again, the lowest first: for the provider in their old places, for the runtime behind what its inbox shows already. Up to 500 in one call. `by`: the operator, when that is a user. */
  resendDeadLetters(scope: Scope, selection: ResendSelection, by: UserId | null): Promise<DeadLettersAnswer>;
  /** Dead letters are given up for good, and kept as such. Up to 500 in one call. */
  discardDeadLetters(scope: Scope, selection: DeadLetterSelection, reason: string, by: UserId | null): Promise<DeadLettersAnswer>;

  /** Calls the provider (seconds). Safe to repeat: it resumes where it stopped. */
  enableSupport(scope: Scope, input: EnableSupportInput): Promise<EnableSupportAnswer>;
  /** Calls the provider. Safe to repeat; another name renames the inbox. */
  enableChatbot(scope: Scope, input: EnableChatbotInput): Promise<EnableChatbotAnswer>;
  updatePolicy(scope: Scope, chatbotId: ChatbotId, policy: DeepPartial<SupportPolicy>): Promise<InboxRecord>;
  /** Reads teams and agents from the provider and mirrors them. */
  refreshDirectory(scope: Scope, accountId: string): Promise<{ readonly teams: readonly TeamRecord[]; readonly agents: readonly AgentRecord[] }>;
  /** Compares the account with what it should be, and records its health. Calls the provider, changes nothing there. */
  inspectDrift(scope: Scope, accountId: string): Promise<readonly DriftItem[]>;
  /** Brings the named items to what they should be; answers how it is afterwards. */
  repairDrift(scope: Scope, accountId: string, items: readonly string[]): Promise<{ readonly account: AccountRecord; readonly items: readonly DriftItem[] }>;
  /** Ends live handoffs with OPERATOR_ENDED and stops mirroring. Changes nothing at the provider, and keeps all links. */
  disableSupport(scope: Scope, accountId: string | null): Promise<{ readonly account: AccountRecord; readonly endedHandoffs: number }>;
  disableChatbot(scope: Scope, chatbotId: ChatbotId): Promise<{ readonly inbox: InboxRecord; readonly endedHandoffs: number }>;
  linkAgent(scope: Scope, agentId: string, userId: UserId | null): Promise<AgentRecord>;
  /** Links whoever has this address now, and whoever is listed with it later. */
  linkAgentByEmail(scope: Scope, email: string, userId: UserId | null): Promise<readonly AgentRecord[]>;

  /** These call the provider. */
  addAgent(scope: Scope, input: AddAgentInput): Promise<AddAgentAnswer>;
  changeAgentRole(scope: Scope, input: ChangeAgentRoleInput): Promise<AgentRecord>;
  removeAgent(scope: Scope, input: RemoveAgentInput): Promise<AgentRecord>;
  setInboxMembers(scope: Scope, input: SetInboxMembersInput): Promise<InboxRecord>;
  makeTeam(scope: Scope, input: MakeTeamInput): Promise<TeamRecord>;
  setTeamMembers(scope: Scope, input: SetTeamMembersInput): Promise<TeamRecord>;
  /** Changes the secret in the account's webhook URL, here and at the provider. Takes seconds; repeatable with the same key. */
  rotateWebhookSecret(scope: Scope, input: RotateWebhookSecretInput): Promise<RotateWebhookSecretAnswer>;
  /** Looks the address up and calls it not yet: the endpoint needs its secret first. */
  registerEndpoint(scope: Scope, input: RegisterEndpointInput): Promise<EndpointSecretAnswer>;
  /** Calls the endpoint, which must prove itself; then pushes begin, of what waits too. Repeatable: what waits for a retry is due at once. */
  enableEndpoint(scope: Scope, endpointId: string): Promise<RuntimeEndpoint>;
  /** Nothing is pushed any more; everything stays in the inbox. */
  disableEndpoint(scope: Scope, endpointId: string): Promise<RuntimeEndpoint>;
  rotateEndpointSecret(scope: Scope, input: RotateEndpointSecretInput): Promise<EndpointSecretAnswer>;
  removeEndpoint(scope: Scope, endpointId: string): Promise<void>;

  /** The link is a secret: it is answered and kept nowhere. */
  loginLink(scope: Scope, input: LoginLinkInput): Promise<{ readonly agent: AgentRecord; readonly url: string }>;
}

export type { InboxId, MessageId };
