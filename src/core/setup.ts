import type { Capabilities } from './capabilities';
import type { Person } from './ports/provider/setup-verbs';
import type { WhileWaiting } from './control';
import type {
  AccountId,
  AgentId,
  ChatbotId,
  InboxId,
  Instant,
  OrganizationId,
  ProviderAccountId,
  ProviderAgentId,
  ProviderInboxId,
  ProviderTeamId,
  TeamId,
  UserId,
} from './ids';

export type ProvisioningState = 'PROVISIONING' | 'READY' | 'FAILED' | 'DISABLED';

/**
 * The condition of an account, by the last inspection or by deliveries and syncs since. `DRIFTED`: something is not as
 * desired. `UNAUTHORIZED`: our credentials or role there no longer suffice.
 */
export type AccountHealthState = 'UNKNOWN' | 'HEALTHY' | 'DRIFTED' | 'UNREACHABLE' | 'UNAUTHORIZED';
export interface AccountHealth {
  readonly state: AccountHealthState;
  readonly problem: { readonly code: string; readonly message: string } | null;
  readonly checkedAt: Instant | null;
  /** The kind of work that saw this state. Its success may clear an UNAUTHORIZED before the next inspection. */
  readonly source: 'CHECK' | 'DELIVERY' | 'SYNC';
}
export const UNCHECKED_HEALTH: AccountHealth = { state: 'UNKNOWN', problem: null, checkedAt: null, source: 'CHECK' };

/** The last change of the secret in an account's webhook URL. Earlier secrets are kept as digests only. */
export interface WebhookRotation {
  /**
   * The key of the call that requested it. A repeat of that call continues the rotation and creates no other secret.
   */
  readonly key: string;
  readonly rotatedAt: Instant;
  /** How long earlier secrets stay accepted after the provider has the new URL everywhere, in seconds. */
  readonly previousValidSeconds: number;
  /** Until when earlier secrets are accepted. Null: the provider may still use one. */
  readonly previousValidUntil: Instant | null;
}

/** One organization's account at one provider. */
export interface AccountRecord {
  readonly id: AccountId;
  readonly organizationId: OrganizationId;
  /** A key of the provider registry. */
  readonly provider: string;
  readonly name: string;
  readonly externalId: ProviderAccountId | null;
  readonly baseUrl: string | null;
  /** Parsed only by the provider's folder. Contains no secret. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Named secrets, decrypted. Never leave the process, never logged. */
  readonly credentials: Readonly<Record<string, string>>;
  /** The secret in the webhook URL that we register there. */
  readonly webhookSecret: string;
  /** Null: the secret was never rotated. */
  readonly webhookRotation: WebhookRotation | null;
  readonly capabilities: Capabilities;
  /** The people who should be administrators there. */
  readonly owners: readonly Person[];
  readonly health: AccountHealth;
  readonly state: ProvisioningState;
  /** Why it is FAILED: a stable code and a sentence for the operator. */
  readonly problem: { readonly code: string; readonly message: string } | null;
  /** How often the account was disabled. A changed number shows that it was disabled since it was read. */
  readonly disabledCount: number;
  readonly createdAt: Instant;
}

/** The four public messages of this service to the end-user. Null: no message. */
export interface PolicyLines {
  readonly queued: string | null;
  readonly rejected: string | null;
  readonly failed: string | null;
  readonly ended: string | null;
}

/** The handoff settings of one chatbot. */
export interface SupportPolicy {
  readonly whileWaiting: WhileWaiting;
  /**
   * `ALWAYS`: the conversation exists from the first message, assigned to the bot. `ON_HANDOFF`: only once an agent is
   * requested.
   */
  readonly mirroring: 'ALWAYS' | 'ON_HANDOFF';
  /** Whether the rest of a session's lane continues after a dead letter. `BLOCK` waits until an operator decides. */
  readonly onDeadLetter: 'CONTINUE' | 'BLOCK';
  /**
   * How to treat automatic messages of the provider for end-users (greeting, closed). `FORWARD` sends them as messages
   * of this service.
   */
  readonly automaticReplies: 'SUPPRESS' | 'FORWARD';
  /**
   * What happens to a handoff whose agents' conversation is deleted at the provider: it ends, or it opens again in a
   * new conversation.
   */
  readonly lostConversation: 'END' | 'REOPEN';
  readonly lines: PolicyLines;
}

export const DEFAULT_POLICY: SupportPolicy = {
  whileWaiting: 'SILENT',
  mirroring: 'ALWAYS',
  onDeadLetter: 'CONTINUE',
  automaticReplies: 'SUPPRESS',
  lostConversation: 'END',
  lines: {
    queued: 'A colleague will be with you shortly.',
    rejected: 'Nobody is available right now. I will go on helping you as well as I can.',
    failed: 'I could not reach a colleague just now. I will go on helping you as well as I can.',
    ended: null,
  },
};

/** The provider's inbox of one chatbot. */
export interface InboxRecord {
  readonly id: InboxId;
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly accountId: AccountId;
  readonly name: string;
  readonly externalId: ProviderInboxId | null;
  /** Data that the provider needs on every call for this inbox. Only the provider parses it. */
  readonly providerData: Readonly<Record<string, unknown>>;
  readonly policy: SupportPolicy;
  /** The agents who should see the inbox, besides those whose role sees everything. Null: never set from here. */
  readonly memberIds: readonly AgentId[] | null;
  readonly state: ProvisioningState;
  readonly problem: { readonly code: string; readonly message: string } | null;
  /** Same as `AccountRecord.disabledCount`. */
  readonly disabledCount: number;
  /**
   * When it was last enabled again. Agents' messages and actions from before do not count. Null: it was never disabled.
   */
  readonly reenabledAt: Instant | null;
  readonly createdAt: Instant;
}

export interface TeamRecord {
  readonly id: TeamId;
  readonly organizationId: OrganizationId;
  readonly accountId: AccountId;
  readonly externalId: ProviderTeamId;
  readonly name: string;
  /** The agents who should be in the team. Null: never set from here. */
  readonly memberIds: readonly AgentId[] | null;
  /** Whether the provider should assign the team's conversations to members by itself. Null: never set from here. */
  readonly autoAssign: boolean | null;
}

export interface AgentRecord {
  readonly id: AgentId;
  readonly organizationId: OrganizationId;
  readonly accountId: AccountId;
  readonly externalId: ProviderAgentId;
  readonly name: string;
  readonly email: string | null;
  readonly role: 'ADMINISTRATOR' | 'AGENT';
  readonly userId: UserId | null;
}
