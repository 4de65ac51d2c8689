import type { HandoffPriority } from '../../core/handoff';
import type { ProviderAgentId, ProviderTeamId } from '../../core/ids';
import type { MessageVisibility } from '../../core/message';
import type {
  AccountAccess, Capabilities, ConversationAccess, InboxAccess, Person, ProviderAgent, ProviderDefinition, ProviderStatus,
  SupportProvider, WebhookRequest,
} from '../../core/ports/support-provider';

/**
 * What can go wrong between us and the far side, once, at the next call.
 *  - `unavailable`: the far side cannot be reached or answers that it may work later; nothing was done
 *  - `appliedThenCut`: the far side does what was asked and the answer never arrives
 *  - `auth`: the far side no longer accepts our credentials or role
 */
export type ProviderFault = 'unavailable' | 'appliedThenCut' | 'auth';

/** What else a harness, or the provider behind it, can do beyond what every one must. */
export type HarnessSkill =
  | 'holdsReply' | 'webhookFor'
  /** The provider has deleteMessage. */
  | 'deletesMessages'
  /** Agents can begin conversations with our end-users: the provider has changedConversations, and says `saidTo` and `endUsers`. Goes with `webhookFor`. */
  | 'agentBegins'
  /** The provider has updateContact. Goes with `contactSeen` and `renamesContact`. */
  | 'updatesContacts';

/** An account as an operator would enable it; not yet set up on the far side. */
export interface NewAccount {
  readonly access: AccountAccess;
  readonly organizationId: string;
  readonly name: string;
  readonly owners: readonly Person[];
}

/** One message as an agent reads it on the screen. */
export interface ShownMessage {
  /** Who it is from, as far as the screen tells. */
  readonly author: 'END_USER' | 'BOT' | 'AGENT' | 'SYSTEM';
  readonly text: string;
  readonly visibility: MessageVisibility;
  /** Names of the files shown with it. */
  readonly files: readonly string[];
}

/** A conversation in the far side's own books, read past the provider. */
export interface FarSideState {
  readonly status: ProviderStatus;
  readonly agentId: ProviderAgentId | null;
  readonly teamId: ProviderTeamId | null;
  readonly priority: HandoffPriority | null;
}

export interface AgentFile {
  readonly name: string;
  readonly contentType: string;
  readonly content: Buffer;
}

/**
 * The contract suite's hands on one far side. Everything here goes past the provider: it does what people do there, and
 * looks at what they would see. Every agent's action resolves once the far side has it.
 */
export interface ProviderHarness {
  /** The instance under test; another one after `restart`. */
  readonly provider: SupportProvider;
  /** Throws the instance away and makes a new one with no memory, as after a `kill -9`. The far side stays. */
  restart(): Promise<void>;
  stop(): Promise<void>;

  /** Each call another organization. At least two owners. */
  newAccount(): Promise<NewAccount>;
  /** Makes a team on the far side. Only called with the capability `teams`. */
  addTeam(account: AccountAccess, name: string): Promise<void>;

  agentReplies(conversation: ConversationAccess, by: ProviderAgent, text: string, files?: readonly AgentFile[]): Promise<void>;
  /** Only called with `privateNotes`. */
  agentNotes(conversation: ConversationAccess, by: ProviderAgent, text: string): Promise<void>;
  agentAssignsSelf(conversation: ConversationAccess, by: ProviderAgent): Promise<void>;
  resolves(conversation: ConversationAccess, by: ProviderAgent): Promise<void>;
  snoozes(conversation: ConversationAccess, by: ProviderAgent): Promise<void>;
  returnsToBot(conversation: ConversationAccess, by: ProviderAgent): Promise<void>;
  deletesConversation(conversation: ConversationAccess): Promise<void>;
  /**
   * Starts a reply that has its id on the far side but is not visible yet; `commit` makes it so. Left out where a far side
   * cannot be held in that moment.
   */
  holdsReply?(conversation: ConversationAccess, by: ProviderAgent, text: string): Promise<{ commit(): Promise<void> }>;

  /**
   * Begins another conversation with the end-user of this one, in the same inbox, as agents do it there, and says the first
   * words in it. Left out where only we begin conversations.
   */
  agentBegins?(own: ConversationAccess, by: ProviderAgent, text: string): Promise<ConversationAccess>;

  /** The end-user of a conversation as agents see them. */
  contactSeen?(conversation: ConversationAccess): Promise<{ readonly name: string | null; readonly email: string | null; readonly phone: string | null; readonly attributes: Readonly<Record<string, unknown>> }>;
  /** What somebody there may do to a contact that we made. */
  renamesContact?(conversation: ConversationAccess, name: string): Promise<void>;

  /** What was said, oldest first, without activity lines. */
  agentSees(conversation: ConversationAccess): Promise<readonly ShownMessage[]>;
  conversationState(conversation: ConversationAccess): Promise<FarSideState>;
  inboxName(inbox: InboxAccess): Promise<string>;
  /** Ids of its people, sorted as texts. Only with `inboxMembers` or `managesTeams`. */
  membersOf?(of: { readonly inbox: InboxAccess } | { readonly account: AccountAccess; readonly team: ProviderTeamId }): Promise<readonly ProviderAgentId[]>;
  /** What somebody there may do to what we made. Only with `inspectsDrift`. */
  tampers?(how: { readonly demotesBotAgent: AccountAccess } | { readonly renamesInbox: InboxAccess }): Promise<void>;
  /** How much of everything the whole far side holds, e.g. `{ accounts: 1, people: 3 }`; all that a repeated verb could make twice. */
  census(): Promise<Readonly<Record<string, number>>>;
  /** A webhook as the far side would send it about this conversation now. Left out where it sends none. */
  webhookFor?(conversation: ConversationAccess): Promise<WebhookRequest>;

  /** Only called with the modes that the factory names. */
  failNext(fault: ProviderFault): Promise<void>;
  /** Ends every fault. */
  heal(): Promise<void>;
}

/** What a provider exports as `harness` from `<its folder>/testing/harness.ts`. */
export interface ProviderHarnessFactory {
  /** The registered definition itself, so that what is tested is what runs. */
  readonly definition: ProviderDefinition;
  /** What the provider declares for the harness's accounts. Cases are chosen by it, and the declaration is checked. */
  readonly capabilities: Capabilities;
  readonly faults: readonly ProviderFault[];
  readonly skills: readonly HarnessSkill[];
  /** Starts a far side of its own: nothing is shared with another start. */
  start(): Promise<ProviderHarness>;
}
