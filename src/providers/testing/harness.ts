import type { HandoffPriority } from '../../core/handoff';
import type { ProviderAgentId, ProviderTeamId } from '../../core/ids';
import type { MessageVisibility } from '../../core/message';
import type { AccountAccess, ConversationAccess, InboxAccess } from '../../core/ports/provider/access';
import type { Capabilities } from '../../core/capabilities';
import type { Person, ProviderAgent } from '../../core/ports/provider/setup-verbs';
import type { ProviderDefinition } from '../../core/ports/provider/definition';
import type { ProviderStatus } from '../../core/conversation-view';
import type { SupportProvider } from '../../core/ports/provider/support-provider';
import type { WebhookRequest } from '../../core/ports/provider/webhook';

/**
 * A fault between this service and the remote, once, at the next call.
 * - `unavailable`: the remote cannot be reached or responds that it may work later; nothing was done
 * - `appliedThenCut`: the remote does what was requested and its response never arrives
 * - `auth`: the remote no longer accepts our credentials or role
 */
export type ProviderFault = 'unavailable' | 'appliedThenCut' | 'auth';

/** An optional ability of a harness or its provider. */
export type HarnessSkill =
  | 'holdsReply'
  | 'webhookFor'
  /** The provider has `deleteMessage`. */
  | 'deletesMessages'
  /**
   * Agents can start conversations with our end-users: the provider has `changedConversations`, and reports
   * `endUser` and `endUsers`. Requires `webhookFor`.
   */
  | 'agentBegins'
  /** The provider has `updateContact`. Requires `contactSeen` and `renamesContact`. */
  | 'updatesContacts';

/** An account as an operator would enable it, not yet set up at the remote. */
export interface NewAccount {
  readonly access: AccountAccess;
  readonly organizationId: string;
  readonly name: string;
  readonly owners: readonly Person[];
}

/** One message as an agent reads it on the screen. */
export interface ShownMessage {
  /** The author, as far as the screen shows it. */
  readonly author: 'END_USER' | 'BOT' | 'AGENT' | 'SYSTEM';
  readonly text: string;
  readonly visibility: MessageVisibility;
  /** Names of the files shown with it. */
  readonly files: readonly string[];
}

/** The state of a conversation, read from the remote directly and not through the provider. */
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
 * The contract suite's access to one remote. Everything here bypasses the provider: it does what agents do there, and
 * reads what they would see. Each agent's action resolves once the remote has it.
 */
export interface ProviderHarness {
  /** The instance under test; another one after `restart`. */
  readonly provider: SupportProvider;
  /** Replaces the instance by a new one without memory, as after a `kill -9`. The remote keeps its state. */
  restart(): Promise<void>;
  stop(): Promise<void>;

  /** Returns a new organization at each call, with at least two owners. */
  newAccount(): Promise<NewAccount>;
  /** Creates a team at the remote. Only called with the capability `teams`. */
  addTeam(account: AccountAccess, name: string): Promise<void>;

  agentReplies(
    conversation: ConversationAccess,
    by: ProviderAgent,
    text: string,
    files?: readonly AgentFile[],
  ): Promise<void>;
  /** Only called with `privateNotes`. */
  agentNotes(conversation: ConversationAccess, by: ProviderAgent, text: string): Promise<void>;
  agentAssignsSelf(conversation: ConversationAccess, by: ProviderAgent): Promise<void>;
  resolves(conversation: ConversationAccess, by: ProviderAgent): Promise<void>;
  snoozes(conversation: ConversationAccess, by: ProviderAgent): Promise<void>;
  returnsToBot(conversation: ConversationAccess, by: ProviderAgent): Promise<void>;
  deletesConversation(conversation: ConversationAccess): Promise<void>;
  /**
   * Starts a reply that has its id at the remote but is not visible yet; `commit` makes it visible. Omitted if the
   * remote cannot be stopped at that moment.
   */
  holdsReply?(conversation: ConversationAccess, by: ProviderAgent, text: string): Promise<{ commit(): Promise<void> }>;

  /**
   * Starts another conversation with the end-user of this one, in the same inbox, as an agent would, and posts its
   * first message. Omitted if agents cannot start conversations.
   */
  agentBegins?(own: ConversationAccess, by: ProviderAgent, text: string): Promise<ConversationAccess>;

  /** Returns the end-user of a conversation as agents see them. */
  contactSeen?(conversation: ConversationAccess): Promise<{
    readonly name: string | null;
    readonly email: string | null;
    readonly phone: string | null;
    readonly attributes: Readonly<Record<string, unknown>>;
  }>;
  /** Renames a contact that this service created, as an agent may do. */
  renamesContact?(conversation: ConversationAccess, name: string): Promise<void>;

  /** Returns the messages, oldest first, without activity lines. */
  agentSees(conversation: ConversationAccess): Promise<readonly ShownMessage[]>;
  conversationState(conversation: ConversationAccess): Promise<FarSideState>;
  inboxName(inbox: InboxAccess): Promise<string>;
  /** Returns the members' ids, sorted as texts. Only called with `inboxMembers` or `managesTeams`. */
  membersOf?(
    of: { readonly inbox: InboxAccess } | { readonly account: AccountAccess; readonly team: ProviderTeamId },
  ): Promise<readonly ProviderAgentId[]>;
  /** Changes what this service created, as a user of the remote may do. Only called with `inspectsDrift`. */
  tampers?(how: { readonly demotesBotAgent: AccountAccess } | { readonly renamesInbox: InboxAccess }): Promise<void>;
  /** Counts everything at the remote that a repeated verb could create twice, e.g. `{ accounts: 1, people: 3 }`. */
  census(): Promise<Readonly<Record<string, number>>>;
  /**
   * Returns a webhook as the remote would send it about the current state of this conversation. Omitted if it sends
   * none.
   */
  webhookFor?(conversation: ConversationAccess): Promise<WebhookRequest>;

  /** Only called with faults that the factory lists. */
  failNext(fault: ProviderFault): Promise<void>;
  /** Ends every fault. */
  heal(): Promise<void>;
}

/** Exported as `harness` from `<provider folder>/testing/harness.ts`. */
export interface ProviderHarnessFactory {
  /** The registered definition itself, so that the tests run the code that is used. */
  readonly definition: ProviderDefinition;
  /**
   * The capabilities that the provider declares for the harness's accounts. They choose the cases, and the declaration
   * is checked.
   */
  readonly capabilities: Capabilities;
  readonly faults: readonly ProviderFault[];
  readonly skills: readonly HarnessSkill[];
  /** Starts a new remote that shares nothing with another start. */
  start(): Promise<ProviderHarness>;
}
