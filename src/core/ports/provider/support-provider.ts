import type {
  Instant,
  MessageId,
  ProviderAccountId,
  ProviderAgentId,
  ProviderContactId,
  ProviderConversationId,
  ProviderInboxId,
  ProviderMessageId,
  ProviderTeamId,
  SessionId,
} from '../../ids';
import type { MessageContent } from '../../content';
import type { Attachment, ChannelState, MessageAuthor, MessageVisibility } from '../../message';
import type { EndUser } from '../../session';
import type { HandoffPriority } from '../../handoff';
import type { DriftVerbs } from './drift';
import type { LoginVerbs, AgentAndTeamVerbs } from './agents-and-teams';

/**
 * The optional features of a provider. A verb whose capability is false throws UnsupportedByProviderError, and the core
 * works without it: without teams it uses the inbox's own queue, without typing it shows none.
 */
export interface Capabilities {
  readonly teams: boolean;
  readonly priorities: boolean;
  readonly privateNotes: boolean;
  readonly attachments: boolean;
  /** Whether agents can see that the end-user types. */
  readonly typing: boolean;
  /** Whether this service can create accounts and agents there; otherwise they must exist. */
  readonly createsAccounts: boolean;
  /** Whether this service can add agents, change their roles and remove them. */
  readonly managesAgents: boolean;
  /** Whether an inbox has its own members, and this service can set them. */
  readonly inboxMembers: boolean;
  /** Whether this service can create teams and set their members. */
  readonly managesTeams: boolean;
  /** Whether agents that this service created can sign in with a link. */
  readonly loginLinks: boolean;
  /** Whether this service can inspect what it created there, and repair it. */
  readonly inspectsDrift: boolean;
  /** The maximum length of one message's text, in UTF-16 code units. */
  readonly maxTextLength: number;
}

/** The account data that every call needs. The core creates it from the stored account. It contains secrets. */
export interface AccountAccess {
  readonly accountId: string;
  readonly externalId: ProviderAccountId | null;
  readonly baseUrl: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentials: Readonly<Record<string, string>>;
  /**
   * The URL for the provider's webhooks of this account. It is unguessable and contains `accountId`. Empty if the
   * provider could not reach this service: then no webhook may stay registered there, and syncs find everything.
   */
  readonly webhookUrl: string;
  /** True: nobody waits for the calls. They use only what other calls leave of the provider's rate limits. */
  readonly isBackground?: true;
}

/** The inbox data that every call about one inbox needs. */
export interface InboxAccess {
  readonly account: AccountAccess;
  readonly externalId: ProviderInboxId;
  readonly providerData: Readonly<Record<string, unknown>>;
}

/** The conversation data that every call about one conversation needs. */
export interface ConversationAccess {
  readonly inbox: InboxAccess;
  readonly contactId: ProviderContactId;
  readonly conversationId: ProviderConversationId;
  readonly sessionId: SessionId;
  /**
   * Posts of all our processes into this conversation within the last minute, as known at `asOf`. Both in
   * milliseconds since 1970. For servers with a rate limit on posts. If omitted: not known.
   */
  readonly recentPosts?: { readonly at: readonly number[]; readonly asOf: number };
}

// ---- setup ------------------------------------------------------------------------------------------------------

export interface Person {
  readonly name: string;
  readonly email: string;
}

export interface EnsureAccount {
  readonly access: AccountAccess;
  readonly organizationId: string;
  readonly name: string;
  /** They become administrators there. */
  readonly owners: readonly Person[];
  /** The inboxes in use, for parts of the account that depend on them. If omitted: none. */
  readonly inboxes?: readonly ProviderInboxId[];
  /**
   * Commits the progress so far. Called after each remote step, before the next one starts, so that setup resumes after
   * a crash and creates nothing twice.
   */
  save(progress: AccountProgress): Promise<void>;
}
export interface AccountProgress {
  readonly externalId?: ProviderAccountId;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly credentials?: Readonly<Record<string, string>>;
}
export interface EnsuredAccount {
  readonly externalId: ProviderAccountId;
  readonly capabilities: Capabilities;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentials: Readonly<Record<string, string>>;
  /** Steps that the operator must do by hand, one sentence each. Empty if there are none. */
  readonly manualSteps: readonly string[];
}

export interface EnsureInbox {
  readonly account: AccountAccess;
  /** Set if the inbox was created before. Then it is checked and gets the wanted name. */
  readonly externalId: ProviderInboxId | null;
  readonly providerData: Readonly<Record<string, unknown>>;
  readonly inboxId: string;
  readonly chatbotId: string;
  readonly name: string;
  /**
   * Whether automatic replies such as greetings may be enabled there; then the agents' own settings for them stay. If
   * omitted: setup disables them.
   */
  readonly allowsAutomaticReplies?: boolean;
}
export interface EnsuredInbox {
  readonly externalId: ProviderInboxId;
  readonly providerData: Readonly<Record<string, unknown>>;
}

export interface ProviderTeam {
  readonly externalId: ProviderTeamId;
  readonly name: string;
}
export interface ProviderAgent {
  readonly externalId: ProviderAgentId;
  readonly name: string;
  readonly email: string | null;
  readonly role: 'ADMINISTRATOR' | 'AGENT';
}

// ---- write ------------------------------------------------------------------------------------------------------

export interface OpenConversation {
  readonly inbox: InboxAccess;
  readonly contactId: ProviderContactId;
  readonly sessionId: SessionId;
  /** True: an earlier attempt may have created it. Look it up by `sessionId` before creating another. */
  readonly mayExist: boolean;
}

/** A file of a post. This service stores it, so the sender's link is neither needed nor shown. */
export interface PostedFile {
  readonly name: string;
  /** MIME type, e.g. `image/png`. */
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Opens the file for reading; may be called again. @throws MediaStoreError */
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export interface UpdateContact {
  readonly inbox: InboxAccess;
  readonly contactId: ProviderContactId;
  readonly sessionId: SessionId;
  /**
   * The values that we last wrote to the contact. Null: not known; then only empty or generated values may be replaced.
   */
  readonly before: EndUser | null;
  readonly endUser: EndUser;
}

export interface PostMessage {
  readonly conversation: ConversationAccess;
  readonly message: {
    readonly id: MessageId;
    readonly author: MessageAuthor;
    readonly visibility: MessageVisibility;
    /** The whole message as plain text, including `content`. This text and the files together show everything. */
    readonly text: string;
    /**
     * The structured content, for a provider that can show it without hiding any of `text` from agents. If omitted:
     * text and files only.
     */
    readonly content?: MessageContent | null;
    readonly attachments: readonly PostedFile[];
    readonly authorName: string | null;
    readonly createdAt: Instant;
    /**
     * When the message was sent, if that differs from `createdAt`. `text` already contains it where agents must read
     * it. If omitted or null: at `createdAt`.
     */
    readonly saidAt?: Instant | null;
    /** The message that this one replies to, if the provider supports that. If omitted: none. */
    readonly replyTo?: ProviderMessageId | null;
  };
  /**
   * How many attempts of this post have failed. Text must not wait for a file: after some attempts the provider posts
   * file names instead. If omitted: none.
   */
  readonly previousAttempts?: number;
  /** True: an earlier attempt may have posted it. Look up `message.id` from `lookupAfter` on before posting. */
  readonly mayExist: boolean;
  /** A provider message that is surely older than any earlier attempt. Null: look up from the start. */
  readonly lookupAfter: ProviderMessageId | null;
}

export interface PostNote {
  readonly conversation: ConversationAccess;
  /** Our id of the note, unique in the conversation, e.g. `handoff:<id>`. */
  readonly noteId: string;
  readonly text: string;
  readonly mayExist: boolean;
  readonly lookupAfter: ProviderMessageId | null;
}

/** History that is too long for single messages, as one readable file for agents only. */
export interface PostTranscript {
  readonly conversation: ConversationAccess;
  /** Same as `PostNote.noteId`. */
  readonly noteId: string;
  readonly title: string;
  readonly fileName: string;
  readonly content: string;
  /** Files that the text names, by their names. They are shown with the transcript, or omitted if there is no room. */
  readonly files: readonly PostedFile[];
  readonly mayExist: boolean;
  readonly lookupAfter: ProviderMessageId | null;
}

export interface DeleteMessage {
  readonly conversation: ConversationAccess;
  /** An id that postMessage returned. */
  readonly messageId: ProviderMessageId;
}

export interface ReportDelivery {
  readonly conversation: ConversationAccess;
  readonly messageId: ProviderMessageId;
  readonly state: ChannelState;
  readonly error: string | null;
}

export interface SendTyping {
  readonly conversation: ConversationAccess;
  readonly isTyping: boolean;
}

export interface AnswerSurvey {
  readonly conversation: ConversationAccess;
  readonly surveyId: ProviderMessageId;
  readonly rating: number;
  readonly comment: string | null;
}

export interface ChangedConversations {
  readonly access: AccountAccess;
  /** How far back the list goes. */
  readonly withinMs: number;
  /** 1, 2, 3… */
  readonly page: number;
}
export interface ChangedPage {
  readonly conversationIds: readonly ProviderConversationId[];
  /**
   * The state of conversations as the list contains it, so that those already synced need no call. A conversation
   * without an entry may have changed in any way. May be omitted.
   */
  readonly hints?: ReadonlyMap<ProviderConversationId, ConversationHint>;
  /**
   * The end-user of each conversation whose end-user this service created. If omitted: only this service begins
   * conversations there.
   */
  readonly endUsers?: ReadonlyMap<ProviderConversationId, EndUserReference>;
  readonly hasMore: boolean;
}

/**
 * A conversation's state in a list. `lastMessageId` is the newest message of any kind, also one of ours.
 * `lastSaidId` is the newest message that the support system did not generate itself. A reader that has seen either
 * has seen all messages. Null: there is none.
 */
export interface ConversationHint {
  readonly state: StateHint;
  readonly lastMessageId: ProviderMessageId | null;
  readonly lastAuthoredId: ProviderMessageId | null;
}

/**
 * Names the end-user of a conversation: the session whose id we gave to that end-user, in this inbox. The core decides
 * whether the conversation is the session's own.
 */
export interface EndUserReference {
  readonly inboxId: ProviderInboxId;
  readonly sessionId: SessionId;
}

/** Receives the newest message that the conversation had when its status changed; null: it had none. */
export type ReportNewest = (newest: ProviderMessageId | null) => void;

export interface OpenForAgents {
  readonly conversation: ConversationAccess;
  readonly teamId: ProviderTeamId | null;
  readonly agentId: ProviderAgentId | null;
  readonly priority: HandoffPriority | null;
}

// ---- read -------------------------------------------------------------------------------------------------------

/**
 * The parts of the state that a hint is about. It is itself only a hint: a known state causes no sync, and nothing else
 * follows from it.
 */
export interface StateHint {
  readonly status?: ProviderStatus;
  /** Null: the conversation is not assigned. */
  readonly agentId?: ProviderAgentId | null;
  readonly teamId?: ProviderTeamId | null;
}

/** The result of reading a webhook's body: a hint where to sync. It is trusted no further. */
export type WebhookHint =
  | {
      readonly kind: 'conversation';
      readonly stateHint?: StateHint;
      readonly conversationId: ProviderConversationId /** `MESSAGES`: only messages changed. If omitted: anything may have changed. */;
      readonly about?: 'MESSAGES';
      readonly changedMessageId?: ProviderMessageId /** Nothing is new if this message is known. */;
      readonly skipIfKnownId?: ProviderMessageId /** Set if an agent has sent a public message to this end-user. If omitted: no agent has, or the end-user is unknown. */;
      readonly endUser?: EndUserReference;
    }
  /** An agent, never this service, started or stopped writing a public message. Causes no sync. */
  | {
      readonly kind: 'typing';
      readonly conversationId: ProviderConversationId;
      readonly agentId: ProviderAgentId;
      readonly isTyping: boolean;
    }
  | { readonly kind: 'ignored'; readonly reason: string };

export interface WebhookRequest {
  readonly account: AccountAccess;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body exactly as received. */
  readonly rawBody: Buffer;
  /** Milliseconds since 1970, for the age check of signatures. */
  readonly receivedAt: number;
  /**
   * The account's inboxes as `ensureInbox` returned them, for a provider whose server signs per inbox. If omitted: none
   * known.
   */
  readonly inboxes?: readonly {
    readonly externalId: ProviderInboxId;
    readonly providerData: Readonly<Record<string, unknown>>;
  }[];
}

export type ProviderStatus = 'BOT_HELD' | 'OPEN' | 'ON_HOLD' | 'RESOLVED';

/** A conversation's current state at the provider. It is evidence, never a decision. */
export interface ConversationView {
  readonly status: ProviderStatus;
  readonly agent: { readonly externalId: ProviderAgentId; readonly name: string } | null;
  readonly teamId: ProviderTeamId | null;
  /**
   * True: a handoff has left something else on it, e.g. a priority, so it is not as new even if the bot has it. If
   * omitted: no.
   */
  readonly hasResidue?: true;
}

/** A view, with data that decides nothing. */
export interface ConversationSnapshot extends ConversationView {
  /**
   * Agents have seen everything that was said up to this time. Null: nothing yet. If omitted: the provider does not
   * report it.
   */
  readonly agentsReadAt?: Instant | null;
}

/**
 * The author of an automatic message. `id` is the same for all messages of one rule or bot in an account; null if
 * unknown.
 */
export interface AutomaticSource {
  readonly kind: 'PROVIDER' | 'RULE' | 'BOT' | 'UNKNOWN';
  readonly id: string | null;
}

/** A message or event that a sync can find. The list is closed. */
export type Observation = ObservationBody & {
  /** True: agents see the message marked as failed. This can also be a post of ours or a note. If omitted: no. */
  readonly isMarkedFailed?: boolean;
};

type ObservationBody =
  /** An agent's public message, for the end-user. */
  | {
      readonly kind: 'agentMessage';
      readonly id: ProviderMessageId;
      readonly agent: {
        readonly externalId: ProviderAgentId;
        readonly name: string;
      } /** The whole message as plain text. */;
      readonly text: string /** The structured content. If omitted: none. */;
      readonly content?: MessageContent | null;
      readonly attachments: readonly Attachment[];
      readonly at: Instant;
      readonly replyTo?: ProviderMessageId | null /** Describes content that cannot be shown to an end-user. */;
      readonly omittedContent?: string | null;
    }
  /** An agent's public message of which nothing can be shown. */
  | {
      readonly kind: 'unsupported';
      readonly id: ProviderMessageId;
      readonly description: string;
      readonly at?: Instant;
    }
  /** A message was deleted. `id` is the provider's id of that message. */
  | { readonly kind: 'messageDeleted'; readonly id: ProviderMessageId }
  /** The provider's survey for the end-user. */
  | {
      readonly kind: 'survey';
      readonly id: ProviderMessageId;
      readonly question: string;
      readonly url: string | null;
      readonly choices: readonly { readonly rating: number; readonly label: string }[];
      readonly answer: { readonly rating: number; readonly comment: string | null } | null;
      readonly at: Instant;
    }
  /** An agent's note for colleagues. It never leaves this service. */
  | {
      readonly kind: 'note';
      readonly id: ProviderMessageId;
      readonly agent: { readonly externalId: ProviderAgentId; readonly name: string } | null;
      readonly at: Instant;
    }
  /** One of our own posts, recognized by the id that we gave it. */
  | { readonly kind: 'echo'; readonly id: ProviderMessageId; readonly ourId: string }
  /**
   * A public message without a human author: from the provider itself (a greeting, "we are closed"), a rule of the
   * account, or a bot that is not ours. Agents see it as sent. The policy decides whether the end-user gets it, and
   * agents are notified if not. It never takes a session over.
   */
  | {
      readonly kind: 'automaticReply';
      readonly id: ProviderMessageId;
      readonly source: AutomaticSource /** The whole message as plain text. */;
      readonly text: string /** The structured content. If omitted: none. */;
      readonly content?: MessageContent | null;
      readonly attachments: readonly Attachment[];
      readonly at: Instant /** Describes content that cannot be shown to an end-user. */;
      readonly omittedContent?: string | null;
    }
  /**
   * Anything else: activity lines, end-user messages that we did not post, messages that may not be public. These are
   * denied by default.
   */
  | { readonly kind: 'ignored'; readonly id: ProviderMessageId; readonly reason: string };

export interface ListMessages {
  readonly conversation: ConversationAccess;
  /** Return everything after this message. Null: from the start. */
  readonly after: ProviderMessageId | null;
}
export interface ObservationPage {
  /** Ascending, the order in which they must take effect. May repeat observations of an earlier page. */
  readonly observations: readonly Observation[];
  /**
   * Where the next sync starts. The provider keeps it far enough back to find a message that becomes visible late,
   * because ids are taken before commits. Our unique constraint drops repeats.
   */
  readonly after: ProviderMessageId | null;
  /** True: call again at once with `after`. */
  readonly hasMore: boolean;
}

/** A file's metadata as its server reports it, and its bytes. Reading may throw the errors that verbs throw. */
export interface OpenedFile {
  readonly body: AsyncIterable<Uint8Array>;
  /** Null: not reported. */
  readonly sizeBytes: number | null;
  readonly contentType: string | null;
}

/**
 * One support system. The core decides; a provider only executes and reports.
 *
 * Every verb may be called from several replicas, and again after a crash. It must be idempotent as its own comment
 * says. Each call has an AbortSignal that ends it at the call's time limit.
 *
 * Every verb may throw
 * - ProviderUnavailableError: a later attempt may succeed (`delivered: 'unknown'` after a write that may have taken
 *   effect)
 * - ProviderRefusedError: no retry helps (`gone` if the thing no longer exists there)
 * - ProviderAuthError: our credentials or role there are wrong
 * - UnsupportedByProviderError: the capability is not declared
 *
 * A verb with `mayExist` throws OutcomeUnknownError if its lookup cannot tell whether the write exists, or if the
 * lookup is refused. It then writes nothing, and is not called again for that write until an operator has checked. An
 * error that follows a lookup without a result has `nothingEarlier` set. If that is false, the error says nothing
 * about earlier attempts.
 */
export interface SupportProvider {
  /** Returns the capabilities of this account. Called at setup; the result is stored. */
  readCapabilities(access: AccountAccess, signal: AbortSignal): Promise<Capabilities>;

  /**
   * Creates or repairs the account, the bot agent (an administrator) and the owners (administrators). Called at setup,
   * and again to resume or repair it.
   */
  ensureAccount(request: EnsureAccount, signal: AbortSignal): Promise<EnsuredAccount>;
  /** Creates or updates the chatbot's inbox and connects it to our webhook. Called at setup and when it is renamed. */
  ensureInbox(request: EnsureInbox, signal: AbortSignal): Promise<EnsuredInbox>;
  /** Returns all current teams; empty without `teams`. Called at setup, on demand, and when a target is unknown. */
  listTeams(access: AccountAccess, signal: AbortSignal): Promise<readonly ProviderTeam[]>;
  /** Returns all current agents, never bots. Called as listTeams. */
  listAgents(access: AccountAccess, signal: AbortSignal): Promise<readonly ProviderAgent[]>;

  /**
   * Returns the end-user's contact and creates it if needed. Called once per session. The same session gets the same
   * contact, also under concurrency. Everything in `endUser` is optional: values that the provider does not accept are
   * cut or omitted, and the contact is created without them.
   * @param onDropped called with a line for agents for each value that the contact does not show unchanged
   */
  ensureContact(
    inbox: InboxAccess,
    sessionId: SessionId,
    endUser: EndUser,
    signal: AbortSignal,
    onDropped?: (line: string) => void,
  ): Promise<ProviderContactId>;
  /**
   * Opens a conversation that is assigned to the bot, so that no agent is notified. Called once per session, with
   * `mayExist` on later attempts.
   */
  openConversation(request: OpenConversation, signal: AbortSignal): Promise<ProviderConversationId>;
  /**
   * Posts one message for the agents. Called in order within a conversation, at least once per message. A repeat of the
   * same `message.id` with `mayExist` returns the first post's id and posts nothing.
   */
  postMessage(request: PostMessage, signal: AbortSignal): Promise<ProviderMessageId>;
  /**
   * Posts a note that only agents see. Repeats as postMessage. Throws UnsupportedByProviderError without
   * `privateNotes`.
   */
  postNote(request: PostNote, signal: AbortSignal): Promise<ProviderMessageId>;
  /**
   * Clears an earlier handoff's agent, team and priority and gives the conversation to the bot, so that posting history
   * notifies nobody. Called before the history of each handoff, and at a handoff's end. Repeatable. At a handoff's end
   * `reportNewest` is set: agents' messages after the reported one are new. The provider calls it once, as soon as the
   * status has changed. If the provider never calls it, the core syncs instead.
   */
  returnToBot(conversation: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void>;
  /**
   * Sets target and priority, then opens the conversation to agents. Repeatable. Throws ProviderRefusedError for an
   * unknown target.
   */
  openForAgents(request: OpenForAgents, signal: AbortSignal): Promise<void>;
  /** Marks the conversation as resolved. Repeatable. `reportNewest`: as for `returnToBot`. */
  resolve(conversation: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void>;

  /**
   * Checks a webhook and says where to sync. If the server signs, it checks the signature over the raw bytes. Called
   * once per webhook, before anything is stored; must not do I/O.
   * @throws WebhookRejectedError `badSignature | stale | malformed`
   */
  parseWebhook(request: WebhookRequest): WebhookHint;
  /** Returns the conversation's current state. A refused error with `gone` means that it was deleted. */
  readConversation(conversation: ConversationAccess, signal: AbortSignal): Promise<ConversationSnapshot>;
  /** Returns the messages after a known one. Called after each hint, and on a timer for live handoffs. */
  listMessages(request: ListMessages, signal: AbortSignal): Promise<ObservationPage>;

  // The other members are optional. Each says how the core works without it.

  /**
   * Updates the contact with what was learned about the end-user. It changes only fields that are empty or still as in
   * `before`, because agents may have edited the others. Repeatable. Returns a line for agents for each value that the
   * contact does not show unchanged. Without it the contact stays as it was created.
   */
  updateContact?(request: UpdateContact, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Returns the current state of single messages that still exist. Called for hints of changed messages. Without it
   * changes are not seen.
   */
  readMessages?(
    conversation: ConversationAccess,
    ids: readonly ProviderMessageId[],
    signal: AbortSignal,
  ): Promise<readonly Observation[]>;
  /**
   * Returns how long a write may still take effect after its call ended without a response. Makes no remote call.
   * Without it: no time.
   */
  ambiguousForMs?(access: AccountAccess): number;
  /** How many posts fit now without taking the conversation from the agents; null: one that has yet to be made. Without it: any number. No remote call. */
  postingCapacity?(conversation: ConversationAccess | null): number;
  /** As postNote, with a text file. Without it all history goes as messages. */
  postTranscript?(request: PostTranscript, signal: AbortSignal): Promise<ProviderMessageId>;
  /**
   * Deletes a post of ours: agents see that something was there, but not its content. Repeatable; a missing post counts
   * as deleted. If it is missing or throws UnsupportedByProviderError, agents are notified in plain text and the post
   * stays.
   */
  deleteMessage?(request: DeleteMessage, signal: AbortSignal): Promise<void>;
  /**
   * Shows agents the delivery state of a message on the end-user's channel. Repeatable. Without it agents do not see
   * the state.
   */
  reportDelivery?(request: ReportDelivery, signal: AbortSignal): Promise<void>;
  /**
   * Shows agents that the end-user has read all their messages. Repeatable. Without it each message is reported
   * separately.
   */
  markRead?(conversation: ConversationAccess, signal: AbortSignal): Promise<void>;
  /** Shows agents that the end-user types. Requires `typing`. Repeatable, cosmetic, and never a message. */
  sendTyping?(request: SendTyping, signal: AbortSignal): Promise<void>;
  /**
   * Submits the end-user's answer to a survey. Repeatable. Without it surveys cannot be answered through this service.
   */
  answerSurvey?(request: AnswerSurvey, signal: AbortSignal): Promise<void>;
  /**
   * Opens an agent's file for streaming; throws `gone` while the file does not exist. Called once for each file of a
   * received message, again after an error, and when somebody opens a link before that. Makes one attempt; the signal
   * also ends the reading. Without it anybody may fetch the attachment's address.
   */
  openFile?(access: AccountAccess, attachment: Attachment, signal: AbortSignal): Promise<OpenedFile>;
  /**
   * Returns one page of recently changed conversations, newest change first. Called on timers, and after an outage of
   * this service.
   */
  listChangedConversations?(request: ChangedConversations, signal: AbortSignal): Promise<ChangedPage>;

  /** If omitted: its verbs throw UNSUPPORTED_BY_PROVIDER. A single account may also lack single capabilities. */
  readonly agentsAndTeams?: AgentAndTeamVerbs;
  readonly login?: LoginVerbs;
  readonly drift?: DriftVerbs;
}

/** The services that the process gives to a provider at creation. */
export interface ProviderHost {
  /** Gives an in-process hint with the meaning of a webhook: sync this conversation soon. Never throws; may be lost. */
  hint(accountId: string, conversationId: ProviderConversationId): void;
  /** The process's database, for a provider with its own tables, migrations and table prefix. */
  readonly database: {
    query(text: string, values?: readonly unknown[]): Promise<{ rows: any[]; rowCount: number | null }>;
    transaction<T>(
      work: (
        query: (text: string, values?: readonly unknown[]) => Promise<{ rows: any[]; rowCount: number | null }>,
      ) => Promise<T>,
    ): Promise<T>;
  };
  /**
   * The only client for addresses that tenants gave. It connects to permitted addresses only, also after redirects.
   * Responses may have any length, so read them up to a limit (`core/bounded-read.ts`).
   * @throws AddressRefusedError, and as `fetch`
   */
  readonly fetch: typeof fetch;
  /**
   * Returns how many processes on this database currently call remotes, including this one. They share the rate limit
   * of a remote.
   */
  replicas(): number;
  now(): number;
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A request to a page or API that a provider serves itself, mounted at `/providers/<name>/…`. */
export interface ProviderHttpRequest {
  readonly method: string;
  /** The path below the mount point; starts with `/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * Reads the whole body, decompressed. Call it at most once, and only after checking the headers and the caller, so
   * that a refused caller costs no reading.
   * @throws errors for which `isAboutRequest` holds; the page must not catch them
   */
  readBody(): Promise<Buffer>;
  readonly caller: { readonly organizationId: string; readonly role: string; readonly userId: string | null } | null;
}
export interface ProviderHttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * An iterator is an endless response of type `text/event-stream`. Its items are sent as they come, and `return` is
   * called when the reader leaves or the service stops. It counts as an event stream (SUPPORT_MAX_SOCKETS), not as a
   * page call.
   */
  readonly body: string | Buffer | AsyncIterableIterator<string>;
}

/** One entry of the provider registry. */
export interface ProviderDefinition {
  readonly name: string;
  /** One sentence for operators. */
  readonly title: string;
  /** Checks an operator's settings and credentials. Returns all problems at once; each names its field. */
  parseSettings(input: {
    readonly baseUrl: string | null;
    readonly settings: Readonly<Record<string, unknown>>;
    readonly credentials: Readonly<Record<string, string>>;
    /** The provider's account that this account is linked to. If omitted: none yet. */
    readonly externalId?: ProviderAccountId | null;
  }): { readonly problems: readonly { readonly field: string; readonly message: string }[] };
  /**
   * Returns the stored credentials that stay valid next to the given ones. Called by every enableSupport of an existing
   * account, before parseSettings checks both together. If omitted: all stay, and given ones replace those of the same
   * name.
   */
  mergeCredentials?(
    known: Readonly<Record<string, string>>,
    given: Readonly<Record<string, string>>,
  ): Readonly<Record<string, string>>;
  /** True: the provider calls the account's base URL, so enableSupport refuses an address that is not permitted. */
  readonly callsBaseUrl?: true;
  create(host: ProviderHost): SupportProvider;
  /**
   * Returns whether the HTTP surface serves this path to everybody: a page without data, or a file whose address is the
   * proof. The caller is not identified there, so `caller` is null. Called for each request. If omitted: no path is
   * open.
   */
  isOpen?(path: string): boolean;
  /** The provider's own HTTP surface. */
  routes?(host: ProviderHost): (request: ProviderHttpRequest) => Promise<ProviderHttpResponse>;
  /** The page on which a person can act as an agent on a first run, below the mount point. The playground shows it. */
  readonly agentPage?: string;
  /**
   * The enableSupport input for the example organization of a first run: teams and agents for the playground. At most
   * one provider has it, and it must need nothing outside this process.
   */
  readonly example?: { readonly settings: Readonly<Record<string, unknown>>; readonly owners: readonly Person[] };
}

export type { DesiredState, DriftItem, DriftKind, DriftVerbs, Inspection, RepairDrift } from './drift';
export type {
  AddAgent,
  AgentRemoval,
  ChangeAgentRole,
  LoginVerbs,
  AgentAndTeamVerbs as PeopleVerbs,
  RemoveAgent,
} from './agents-and-teams';
