import type {
  Instant, MessageId, ProviderAccountId, ProviderAgentId, ProviderContactId, ProviderConversationId, ProviderInboxId,
  ProviderMessageId, ProviderTeamId, SessionId,
} from '../ids';
import type { MessageContent } from '../content';
import type { Attachment, ChannelState, MessageAuthor, MessageVisibility } from '../message';
import type { EndUser } from '../session';
import type { HandoffPriority } from '../handoff';
import type { DriftVerbs } from './provider-drift';
import type { LoginVerbs, PeopleVerbs } from './provider-people';

/**
 * What a provider can do beyond the required verbs. A verb behind a capability that is false throws
 * UnsupportedByProviderError, and the core does without: no teams → the inbox's own queue; no typing → nothing shown.
 */
export interface Capabilities {
  readonly teams: boolean;
  readonly priorities: boolean;
  readonly privateNotes: boolean;
  readonly attachments: boolean;
  /** Whether agents can be shown that the end-user types. */
  readonly typing: boolean;
  /** Whether accounts and people can be made there by us, or must exist. */
  readonly createsAccounts: boolean;
  /** Whether people can be added, given a role and removed from here. */
  readonly managesAgents: boolean;
  /** Whether an inbox has members of its own, set from here. */
  readonly inboxMembers: boolean;
  /** Whether teams can be made, and their members set, from here. */
  readonly managesTeams: boolean;
  /** Whether a person whom we made can be let in by a link. */
  readonly loginLinks: boolean;
  /** Whether what we made there can be compared with what it should be, and repaired. */
  readonly inspectsDrift: boolean;
  /** Longest text of one message, in UTF-16 code units. */
  readonly maxTextLength: number;
}

/** What every call about one account carries. Made by the core from the stored account; holds secrets. */
export interface AccountAccess {
  readonly accountId: string;
  readonly externalId: ProviderAccountId | null;
  readonly baseUrl: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentials: Readonly<Record<string, string>>;
  /**
   * Where the provider should send its webhooks for this account; unguessable, and holds `accountId`. Empty when it could
   * not reach us: then nothing may stay registered there, and all is found by reading.
   */
  readonly webhookUrl: string;
  /** Nobody waits for what is called with it: it takes what calls that somebody waits for leave of the provider's limits. */
  readonly isBackground?: true;
}

/** What every call about one inbox carries. */
export interface InboxAccess {
  readonly account: AccountAccess;
  readonly externalId: ProviderInboxId;
  readonly providerData: Readonly<Record<string, unknown>>;
}

/** What every call about one conversation carries. */
export interface ConversationAccess {
  readonly inbox: InboxAccess;
  readonly contactId: ProviderContactId;
  readonly conversationId: ProviderConversationId;
  readonly sessionId: SessionId;
  /**
   * Our own posts of the last minute into it, by whichever process, as known at `asOf` (milliseconds since 1970): for
   * servers that take only so many. Left out: not known.
   */
  readonly recentPosts?: { readonly at: readonly number[]; readonly asOf: number };
}

// ---- set up -----------------------------------------------------------------------------------------------------

export interface Person { readonly name: string; readonly email: string }

export interface EnsureAccount {
  readonly access: AccountAccess;
  readonly organizationId: string;
  readonly name: string;
  /** Become administrators there. */
  readonly owners: readonly Person[];
  /** Those that are in use, for what of the account they depend on. Left out: none are. */
  readonly inboxes?: readonly ProviderInboxId[];
  /**
   * Called after each remote step with all that is known so far. It is committed before the next step starts, so that
   * a crash resumes instead of making things twice.
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
  /** Sentences for the operator: what could not be done and has to be done by hand. Empty when all is done. */
  readonly leftToDo: readonly string[];
}

export interface EnsureInbox {
  readonly account: AccountAccess;
  /** Known when it was made before; then it is checked and brought to the wanted name. */
  readonly externalId: ProviderInboxId | null;
  readonly providerData: Readonly<Record<string, unknown>>;
  readonly inboxId: string;
  readonly chatbotId: string;
  readonly name: string;
  /** Whether greetings and the like may be switched on there: people's own settings of them then stay. Left out: they are off. */
  readonly repliesByItself?: boolean;
}
export interface EnsuredInbox {
  readonly externalId: ProviderInboxId;
  readonly providerData: Readonly<Record<string, unknown>>;
}

export interface ProviderTeam { readonly externalId: ProviderTeamId; readonly name: string }
export interface ProviderAgent {
  readonly externalId: ProviderAgentId;
  readonly name: string;
  readonly email: string | null;
  readonly role: 'ADMINISTRATOR' | 'AGENT';
}

// ---- speak ------------------------------------------------------------------------------------------------------

export interface OpenConversation {
  readonly inbox: InboxAccess;
  readonly contactId: ProviderContactId;
  readonly sessionId: SessionId;
  /** True when an earlier try may have made it: look for it by `sessionId` before making another. */
  readonly mayExist: boolean;
}

/** A file that goes with a post. We keep it: no link of its sender is needed, and none is shown. */
export interface PostedFile {
  readonly name: string;
  /** MIME type, e.g. `image/png`. */
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Its bytes, read as they come; may be called again. @throws MediaStoreError */
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export interface UpdateContact {
  readonly inbox: InboxAccess;
  readonly contactId: ProviderContactId;
  readonly sessionId: SessionId;
  /** What we wrote to the contact last; null: not known, so only what is empty or made up is ours to replace. */
  readonly before: EndUser | null;
  readonly endUser: EndUser;
}

export interface PostMessage {
  readonly conversation: ConversationAccess;
  readonly message: {
    readonly id: MessageId;
    readonly author: MessageAuthor;
    readonly visibility: MessageVisibility;
    /** All of it in words, `content` too: showing this and the files shows everything. */
    readonly text: string;
    /** For a provider that can show it as what it is, with agents losing no word of `text`. Left out: words and files only. */
    readonly content?: MessageContent | null;
    readonly attachments: readonly PostedFile[];
    readonly authorName: string | null;
    readonly createdAt: Instant;
    /** When it was said, if that is not `createdAt`. Where agents must read it, `text` says it already. Left out or null: at `createdAt`. */
    readonly saidAt?: Instant | null;
    /** What it answers, where the provider keeps that. Left out: nothing. */
    readonly replyTo?: ProviderMessageId | null;
  };
  /** How many tries of this post have failed. Words must not wait for a file: after some the provider posts names instead. If omitted: none. */
  readonly earlierTries?: number;
  /** True when an earlier try may have posted it: look for `message.id` from `lookAfter` on before posting. */
  readonly mayExist: boolean;
  /** A provider message that is surely older than any earlier try; null: from the start. */
  readonly lookAfter: ProviderMessageId | null;
}

export interface PostNote {
  readonly conversation: ConversationAccess;
  /** Our id of the note, unique in the conversation, e.g. `handoff:<id>`. */
  readonly noteId: string;
  readonly text: string;
  readonly mayExist: boolean;
  readonly lookAfter: ProviderMessageId | null;
}

/** History that is too long for single messages: one readable file, for agents only. */
export interface PostTranscript {
  readonly conversation: ConversationAccess;
  /** As PostNote.noteId. */
  readonly noteId: string;
  readonly title: string;
  readonly fileName: string;
  readonly content: string;
  /** Files that the text names, by their names. They are shown with it, or left out where there is no room. */
  readonly files: readonly PostedFile[];
  readonly mayExist: boolean;
  readonly lookAfter: ProviderMessageId | null;
}

export interface DeleteMessage {
  readonly conversation: ConversationAccess;
  /** One that postMessage answered. */
  readonly messageId: ProviderMessageId;
}

export interface ReportDelivery {
  readonly conversation: ConversationAccess;
  readonly messageId: ProviderMessageId;
  readonly state: ChannelState;
  readonly error: string | null;
}

export interface ShowTyping { readonly conversation: ConversationAccess; readonly isTyping: boolean }

export interface AnswerSurvey {
  readonly conversation: ConversationAccess;
  readonly surveyId: ProviderMessageId;
  readonly rating: number;
  readonly comment: string | null;
}

export interface ChangedConversations {
  readonly access: AccountAccess;
  /** How far back to look. */
  readonly withinMs: number;
  /** 1, 2, 3… */
  readonly page: number;
}
export interface ChangedPage {
  readonly conversationIds: readonly ProviderConversationId[];
  /** What the list itself shows of them, so that those which were read already need no call. If omitted, of all or of some: each may hold anything. */
  readonly shown?: ReadonlyMap<ProviderConversationId, ShownConversation>;
  /** With whom those are whose end-user we made. Left out: nobody but us begins conversations there. */
  readonly endUsers?: ReadonlyMap<ProviderConversationId, EndUserThere>;
  readonly more: boolean;
}

/**
 * `lastMessageId`: the newest message of any kind, also one of ours; `lastSaidId`: the newest that is no line of the support system itself.
 * Whoever has seen either has seen all words. Null: there is none.
 */
export interface ShownConversation { readonly state: ShownState; readonly lastMessageId: ProviderMessageId | null; readonly lastSaidId: ProviderMessageId | null }

/** Whom a conversation is with: the Session whose id we gave to the end-user, in this inbox. Whether it is that Session's own is for the core to tell. */
export interface EndUserThere { readonly inboxId: ProviderInboxId; readonly sessionId: SessionId }

/** Takes the newest message that the conversation had when its status changed; null: it had none. */
export type ReportNewest = (newest: ProviderMessageId | null) => void;

export interface OpenForAgents {
  readonly conversation: ConversationAccess;
  readonly teamId: ProviderTeamId | null;
  readonly agentId: ProviderAgentId | null;
  readonly priority: HandoffPriority | null;
}

// ---- listen -----------------------------------------------------------------------------------------------------

/**
 * The parts of the state that a hint is about, as they became or are now. A hint, too: what is known already causes no
 * reading, and nothing else follows from it.
 */
export interface ShownState {
  readonly status?: ProviderStatus;
  /** Null: nobody has it. */
  readonly agentId?: ProviderAgentId | null;
  readonly teamId?: ProviderTeamId | null;
}

/** What a webhook body was about, as far as it can be believed: a hint where to look. */
export type WebhookHint =
  | { readonly kind: 'conversation'; readonly shows?: ShownState; readonly conversationId: ProviderConversationId; /** `MESSAGES`: nothing but words. Left out: anything. */ readonly about?: 'MESSAGES'; readonly changedMessageId?: ProviderMessageId; /** Nothing is new if this message was read before. */ readonly unlessKnown?: ProviderMessageId; /** A person has said something in public, to this end-user. Left out: nobody, or nobody knows to whom. */ readonly saidTo?: EndUserThere }
  /** A person, never we, began or stopped to write what the end-user will see. No reading follows from it. */
  | { readonly kind: 'typing'; readonly conversationId: ProviderConversationId; readonly agentId: ProviderAgentId; readonly isTyping: boolean }
  | { readonly kind: 'ignored'; readonly why: string };

export interface WebhookRequest {
  readonly account: AccountAccess;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Exactly as received. */
  readonly rawBody: Buffer;
  /** Milliseconds since 1970, for the age check of signatures. */
  readonly receivedAt: number;
  /** The account's inboxes as `ensureInbox` returned them, for a provider whose server signs per inbox. Left out: none known. */
  readonly inboxes?: readonly { readonly externalId: ProviderInboxId; readonly providerData: Readonly<Record<string, unknown>> }[];
}

export type ProviderStatus = 'BOT_HELD' | 'OPEN' | 'ON_HOLD' | 'RESOLVED';

/** One conversation as the provider shows it now. Evidence, never a decision. */
export interface ConversationView {
  readonly status: ProviderStatus;
  readonly agent: { readonly externalId: ProviderAgentId; readonly name: string } | null;
  readonly teamId: ProviderTeamId | null;
  /** Something else of a handoff stands on it, e.g. a priority: held by the bot, it is not as new. Left out: no. */
  readonly isMarked?: true;
}

/** A view with what stands beside the state and decides nothing. */
export interface ConversationSeen extends ConversationView {
  /** Agents have seen everything that was said up to then; null: nothing yet. Left out: the provider does not tell. */
  readonly agentsReadAt?: Instant | null;
}

/** Who wrote an automatic line. `id`: the same for all of one rule or bot in an account; null when nobody can tell. */
export interface AutomaticSource { readonly kind: 'PROVIDER' | 'RULE' | 'BOT' | 'UNKNOWN'; readonly id: string | null }

/** One of the closed list of what reading forward can find. */
export type Observation = Found & {
  /** Agents see it marked as failed; also what we posted ourselves, and notes. Left out: they do not. */
  readonly shownAsFailed?: boolean;
};

type Found =
  /** Said in public by a person: for the end-user. */
  | { readonly kind: 'agentMessage'; readonly id: ProviderMessageId; readonly agent: { readonly externalId: ProviderAgentId; readonly name: string }; /** All of it in words. */ readonly text: string; /** What of it is more than words, as what it is. Left out: nothing. */ readonly content?: MessageContent | null; readonly attachments: readonly Attachment[]; readonly at: Instant; readonly replyTo?: ProviderMessageId | null; /** What of it cannot be shown to an end-user. */ readonly lacking?: string | null }
  /** Said in public by a person, and nothing of it can be shown. */
  | { readonly kind: 'unshowable'; readonly id: ProviderMessageId; readonly what: string; readonly at?: Instant }
  /** Somebody took a message back; the message is named by its id there. */
  | { readonly kind: 'messageDeleted'; readonly id: ProviderMessageId }
  /** The provider asks the end-user how it was. */
  | { readonly kind: 'survey'; readonly id: ProviderMessageId; readonly question: string; readonly url: string | null; readonly choices: readonly { readonly rating: number; readonly label: string }[]; readonly answer: { readonly rating: number; readonly comment: string | null } | null; readonly at: Instant }
  /** Written by a person for colleagues: never leaves. */
  | { readonly kind: 'note'; readonly id: ProviderMessageId; readonly agent: { readonly externalId: ProviderAgentId; readonly name: string } | null; readonly at: Instant }
  /** One of our own posts, recognised by the id that we gave it. */
  | { readonly kind: 'echo'; readonly id: ProviderMessageId; readonly ourId: string }
  /**
   * Said in public by no person: the provider itself (a greeting, "we are closed"), a rule of its account, a bot that is not ours.
   * Agents see it as sent. The policy says whether the end-user gets it; agents are told when not. It never takes over.
   */
  | { readonly kind: 'automaticReply'; readonly id: ProviderMessageId; readonly source: AutomaticSource; /** All of it as plain text. */ readonly text: string; /** What of it is more than text. Left out: nothing. */ readonly content?: MessageContent | null; readonly attachments: readonly Attachment[]; readonly at: Instant; /** What of it cannot be shown to an end-user. */ readonly lacking?: string | null }
  /** Anything else: activity lines, an end-user's words that are not ours, what is not surely public. Default deny. */
  | { readonly kind: 'ignored'; readonly id: ProviderMessageId; readonly why: string };

export interface ReadForward {
  readonly conversation: ConversationAccess;
  /** Everything after this message; null: from the start. */
  readonly after: ProviderMessageId | null;
}
export interface ReadPage {
  /** In the order in which they should take effect: ascending. May repeat what an earlier page showed. */
  readonly observations: readonly Observation[];
  /**
   * Where the next reading starts. The provider keeps it far enough back that a message which becomes visible late
   * (ids are taken before commits) is still found; repeats fall out at our unique constraint.
   */
  readonly after: ProviderMessageId | null;
  /** True: call again at once with `after`. */
  readonly more: boolean;
}

/** What the far side says of a file, and its bytes. An error while they are read is one of those that verbs throw. */
export interface OpenedFile {
  readonly body: AsyncIterable<Uint8Array>;
  /** Null: it does not say. */
  readonly sizeBytes: number | null;
  readonly contentType: string | null;
}

/**
 * One support system. The core decides; a provider only does and reports.
 *
 * Every verb may be called from several replicas and may be called again after a crash: it must be idempotent as its
 * own comment says. Each call has an AbortSignal that ends it at the hop's time limit.
 *
 * Every verb may throw
 *  - ProviderUnavailableError: a later try may succeed (`delivered: 'unknown'` after a write that may have happened)
 *  - ProviderRefusedError: no retry helps (`gone` when the thing no longer exists there)
 *  - ProviderAuthError: our credentials or role there are wrong
 *  - UnsupportedByProviderError: the capability is not declared
 *
 * A verb with `mayExist` that has looked and cannot tell whether its write is there throws OutcomeUnknownError: it writes
 * nothing, and is not called again for it before an operator has looked. So does one whose look is refused. What such a
 * verb throws behind a look that found nothing has `nothingEarlier` set; left false, nothing is said of earlier tries.
 */
export interface SupportProvider {
  /** What this account can do; asked at set-up and stored. */
  capabilities(access: AccountAccess, signal: AbortSignal): Promise<Capabilities>;

  /** Account, BotAgent (administrator), owners (administrators). Called at set-up, again to resume, again to repair. */
  ensureAccount(request: EnsureAccount, signal: AbortSignal): Promise<EnsuredAccount>;
  /** Makes or updates the chatbot's inbox, connected to our webhook. Called at set-up and at renaming. */
  ensureInbox(request: EnsureInbox, signal: AbortSignal): Promise<EnsuredInbox>;
  /** All teams now; called at set-up, on demand, and when a target is unknown. Empty without `teams`. */
  listTeams(access: AccountAccess, signal: AbortSignal): Promise<readonly ProviderTeam[]>;
  /** All people (never bots) now; called as listTeams. */
  listAgents(access: AccountAccess, signal: AbortSignal): Promise<readonly ProviderAgent[]>;

  /**
   * The end-user's record; once per Session. The same Session gives the same contact, also under concurrency. Everything in
   * `endUser` is a decoration: what the provider does not take is cut or left out, and the contact is made without it.
   * @param onDropped called with a line for agents for each thing that the contact does not show as it is
   */
  ensureContact(inbox: InboxAccess, sessionId: SessionId, endUser: EndUser, signal: AbortSignal, onDropped?: (line: string) => void): Promise<ProviderContactId>;
  /** A conversation held by the bot: no agent is notified. Once per Session, `mayExist` on later tries. */
  openConversation(request: OpenConversation, signal: AbortSignal): Promise<ProviderConversationId>;
  /**
   * Shows one message to the agents. In order within a conversation and at least once per message: posting the same
   * `message.id` again with `mayExist` returns the first post's id and shows nothing new.
   */
  postMessage(request: PostMessage, signal: AbortSignal): Promise<ProviderMessageId>;
  /** A note that only agents see. Without `privateNotes`: UnsupportedByProviderError. Repeats as postMessage. */
  postNote(request: PostNote, signal: AbortSignal): Promise<ProviderMessageId>;
  /**
   * Clears what an earlier handoff left (agent, team, priority) and holds the conversation for the bot, so that writing
   * history disturbs nobody. Called before history at each handoff, and to return the conversation to the bot at its end.
   * Setting the same again changes nothing. `reportNewest` is there at a handoff's end: what agents say after that message
   * is news. A provider calls it once, as soon as the status has changed; the core reads forward for one that does not.
   */
  holdForBot(conversation: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void>;
  /** Sets target and priority, then opens the conversation to people. Repeatable. An unknown target: ProviderRefusedError. */
  openForAgents(request: OpenForAgents, signal: AbortSignal): Promise<void>;
  /** Marks the conversation resolved. Repeatable. `reportNewest`: as of `holdForBot`. */
  resolve(conversation: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void>;

  /**
   * Checks what can be checked (signature where the server signs, over the raw bytes) and says where to look. Called
   * once per delivery, before anything is stored; must not do I/O.
   * @throws WebhookRejectedError `badSignature | stale | malformed`
   */
  parseWebhook(request: WebhookRequest): WebhookHint;
  /** The conversation's state now. `gone` refused errors mean that it was deleted. */
  readConversation(conversation: ConversationAccess, signal: AbortSignal): Promise<ConversationSeen>;
  /** What was said after a known message; called after each hint and on a timer for live handoffs. */
  readForward(request: ReadForward, signal: AbortSignal): Promise<ReadPage>;

  // The rest is optional: without a verb the core does without, as each says.

  /**
   * Brings what was learned of the end-user to their contact. Changes only what agents have left as we wrote it: a field that is
   * neither empty nor as in `before` stays. Repeatable. Returns a line for agents for each thing that the contact does not
   * show as it is. Without it the contact stays as it was made.
   */
  updateContact?(request: UpdateContact, signal: AbortSignal): Promise<readonly string[]>;
  /** Single messages as they are now, those that still exist; for hints of changed ones. Without it changes are not seen. */
  readMessages?(conversation: ConversationAccess, ids: readonly ProviderMessageId[], signal: AbortSignal): Promise<readonly Observation[]>;
  /** For how long the far side may still be at a write whose call has ended without an answer of its own. Without it: not at all. No remote call. */
  settlesAfterMs?(access: AccountAccess): number;
  /** How many posts fit now without taking the conversation from the agents; null: one that has yet to be made. Without it: any number. No remote call. */
  postingRoom?(conversation: ConversationAccess | null): number;
  /** As postNote, with a text file. Without it all history goes as messages. */
  postTranscript?(request: PostTranscript, signal: AbortSignal): Promise<ProviderMessageId>;
  /**
   * Takes a post of ours back: agents see that something was there, and no longer what. Repeatable; one that is not
   * there any more is done. Without it, or where it throws UnsupportedByProviderError, agents are told in words, and the
   * post stays.
   */
  deleteMessage?(request: DeleteMessage, signal: AbortSignal): Promise<void>;
  /** Shows agents what became of a message on the end-user's channel. Repeatable. Without it they do not see it. */
  reportDelivery?(request: ReportDelivery, signal: AbortSignal): Promise<void>;
  /** Shows agents that the end-user has read all that they have said. Repeatable. Without it each message is reported by itself. */
  markRead?(conversation: ConversationAccess, signal: AbortSignal): Promise<void>;
  /** Shows agents, under the end-user's name, that somebody types. With `typing`; cosmetic, repeatable, and never a message. */
  showTyping?(request: ShowTyping, signal: AbortSignal): Promise<void>;
  /** Repeatable. Without it surveys are not answered through us. */
  answerSurvey?(request: AnswerSurvey, signal: AbortSignal): Promise<void>;
  /**
   * An agent's file, read as it comes; `gone` while it is not there. Called once for each file when its message has been
   * received, again after an error, and when somebody opens a link before that; tries once, and the signal also ends the
   * reading. Without it everybody may fetch the address of the attachment.
   */
  openFile?(access: AccountAccess, attachment: Attachment, signal: AbortSignal): Promise<OpenedFile>;
  /** One page of the conversations that changed lately, newest change first. Called on timers, and after our own outage. */
  changedConversations?(request: ChangedConversations, signal: AbortSignal): Promise<ChangedPage>;

  /** Left out: UNSUPPORTED_BY_PROVIDER for all of it. Single capabilities may be missing for single accounts too. */
  readonly people?: PeopleVerbs;
  readonly login?: LoginVerbs;
  readonly drift?: DriftVerbs;
}

/** What the process lends to a provider when it is made. */
export interface ProviderHost {
  /** In-process hint, same meaning as a webhook: look at this conversation soon. Never throws, may be lost. */
  hint(accountId: string, conversationId: ProviderConversationId): void;
  /** The process's database, for a provider that keeps its own tables (its own migrations, its own table prefix). */
  readonly database: { query(text: string, values?: readonly unknown[]): Promise<{ rows: any[]; rowCount: number | null }>; transaction<T>(work: (query: (text: string, values?: readonly unknown[]) => Promise<{ rows: any[]; rowCount: number | null }>) => Promise<T>): Promise<T> };
  /**
   * The one client for addresses that tenants gave: it connects to permitted addresses only, also behind redirects. Its answers may
   * have any length, so read them up to a limit (`core/bounded-read.ts`). @throws AddressRefusedError, and as `fetch`
   */
  readonly fetch: typeof fetch;
  /** How many processes call far sides from this database now, this one included: what a far side allows is theirs together. */
  replicas(): number;
  now(): number;
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A page or API that a provider serves itself, mounted at `/providers/<name>/…`. */
export interface ProviderHttpRequest {
  readonly method: string;
  /** Below the mount point, starts with `/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * Reads the whole body, inflated. Call it at most once, and only when the headers and the caller have been found good: whoever is
   * refused is answered without it. @throws errors for which `isAboutRequest` holds; the page lets them through
   */
  readBody(): Promise<Buffer>;
  readonly caller: { readonly organizationId: string; readonly role: string; readonly userId: string | null } | null;
}
export interface ProviderHttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * An iterator is an answer without an end, of type `text/event-stream`: it is sent as it comes, and `return` is called when the
   * reader leaves or the service stops. It counts as an event stream (SUPPORT_MAX_SOCKETS), not as a call of a page.
   */
  readonly body: string | Buffer | AsyncIterableIterator<string>;
}

/** One line of the registry. */
export interface ProviderDefinition {
  readonly name: string;
  /** One sentence for operators. */
  readonly title: string;
  /** Checks settings and credentials as an operator gave them; all problems at once, each naming its field. */
  parseSettings(input: {
    readonly baseUrl: string | null; readonly settings: Readonly<Record<string, unknown>>; readonly credentials: Readonly<Record<string, string>>;
    /** The provider's account that this one is linked to. Left out: none yet. */
    readonly externalId?: ProviderAccountId | null;
  }): { readonly problems: readonly { readonly field: string; readonly message: string }[] };
  /**
   * What stays of an account's stored credentials beside others that an operator gives. Called by every enableSupport of an
   * account that exists, before parseSettings sees both together. Left out: all stay, and one of the same name is replaced.
   */
  credentialsKept?(known: Readonly<Record<string, string>>, given: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
  /** True: the provider calls the account's base URL, so an address that is not called is refused at enableSupport. */
  readonly callsBaseUrl?: true;
  create(host: ProviderHost): SupportProvider;
  /**
   * Whether everybody may have what its HTTP surface has at this path: a page that holds nothing, or a file whose address is the
   * proof. Nobody is identified there, so `caller` is null. If omitted, nothing is open. Called for each request.
   */
  isOpen?(path: string): boolean;
  /** Optional own HTTP surface. */
  routes?(host: ProviderHost): (request: ProviderHttpRequest) => Promise<ProviderHttpResponse>;
  /** Where a person can play the agent on a first run, below the mount point; shown by the try-it page. */
  readonly agentPage?: string;
  /**
   * What enableSupport is given for the example organization of a first run: teams and people that make the try-it
   * page worth playing with. At most one provider has it, and must need nothing that is not in this process.
   */
  readonly example?: { readonly settings: Readonly<Record<string, unknown>>; readonly owners: readonly Person[] };
}

export type { DesiredState, DriftItem, DriftKind, DriftVerbs, Inspection, RepairDrift } from './provider-drift';
export type { AddAgent, AgentRemoval, ChangeAgentRole, LoginVerbs, PeopleVerbs, RemoveAgent } from './provider-people';
