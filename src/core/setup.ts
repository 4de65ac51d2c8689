import type { Capabilities, Person } from './ports/support-provider';
import type { WhileWaiting } from './control';
import type {
  AccountId, AgentId, ChatbotId, InboxId, Instant, OrganizationId, ProviderAccountId, ProviderAgentId, ProviderInboxId, ProviderTeamId, TeamId, UserId,
} from './ids';

export type ProvisioningState = 'PROVISIONING' | 'READY' | 'FAILED' | 'DISABLED';

/**
 * How an account fares, by the last check or by what deliveries and readings met since. `DRIFTED`: something is not as we
 * want it; `UNAUTHORIZED`: our credentials or role there no longer serve.
 */
export type AccountHealthState = 'UNKNOWN' | 'HEALTHY' | 'DRIFTED' | 'UNREACHABLE' | 'UNAUTHORIZED';
export interface AccountHealth {
  readonly state: AccountHealthState;
  readonly problem: { readonly code: string; readonly message: string } | null;
  readonly checkedAt: Instant | null;
  /** Whose success may take an UNAUTHORIZED back before the next check does. */
  readonly seenBy: 'CHECK' | 'DELIVERY' | 'READING';
}
export const UNCHECKED: AccountHealth = { state: 'UNKNOWN', problem: null, checkedAt: null, seenBy: 'CHECK' };

/** The last change of the secret in an account's webhook URL. Earlier secrets are kept as digests only. */
export interface WebhookRotation {
  /** Of the call that asked for it: the same call again goes on with it, and makes no other secret. */
  readonly key: string;
  readonly rotatedAt: Instant;
  /** For how long earlier secrets are accepted after the provider has the new URL everywhere. */
  readonly previousValidSeconds: number;
  /** Until when they are accepted. Null: the provider may still use one. */
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
  /** Parsed by the provider's folder only. Holds no secret. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Named secrets, decrypted. Never leaves the process, never logged. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Part of the webhook URL that we register there. */
  readonly webhookSecret: string;
  /** Null: its secret is the first one. */
  readonly webhookRotation: WebhookRotation | null;
  readonly capabilities: Capabilities;
  /** Who should be an administrator there. */
  readonly owners: readonly Person[];
  readonly health: AccountHealth;
  readonly state: ProvisioningState;
  /** Why it is FAILED: a stable code and a sentence for the operator. */
  readonly problem: { readonly code: string; readonly message: string } | null;
  /** How often it was switched off: by another number, somebody has done so since. */
  readonly timesDisabled: number;
  readonly createdAt: Instant;
}

/** The four public lines an end-user may read from us. Null: say nothing. */
export interface PolicyLines {
  readonly queued: string | null;
  readonly rejected: string | null;
  readonly failed: string | null;
  readonly ended: string | null;
}

/** How one chatbot hands over. */
export interface SupportPolicy {
  readonly whileWaiting: WhileWaiting;
  /** `ALWAYS`: the conversation exists from the first message, held by the bot. `ON_HANDOFF`: only when a person is asked for. */
  readonly mirroring: 'ALWAYS' | 'ON_HANDOFF';
  /** What the rest of a Session's lane does behind a dead letter: `BLOCK` waits until an operator decides about it. */
  readonly onDeadLetter: 'GO_ON' | 'BLOCK';
  /** What becomes of what the provider says by itself to end-users (greeting, closed): `SEND_ON` shows it to them as ours. */
  readonly automaticReplies: 'WITHHOLD' | 'SEND_ON';
  /** What becomes of a handoff that people have when its conversation is deleted there: it ends, or the same one opens in a new conversation. */
  readonly lostConversation: 'END' | 'OPEN_AGAIN';
  readonly lines: PolicyLines;
}

export const DEFAULT_POLICY: SupportPolicy = {
  whileWaiting: 'HOLD',
  mirroring: 'ALWAYS',
  onDeadLetter: 'GO_ON',
  automaticReplies: 'WITHHOLD',
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
  /** What the provider wants back on every call for this inbox; parsed only there. */
  readonly providerData: Readonly<Record<string, unknown>>;
  readonly policy: SupportPolicy;
  /** Who should see it there, besides whoever sees everything by role. Null: never set from here. */
  readonly memberIds: readonly AgentId[] | null;
  readonly state: ProvisioningState;
  readonly problem: { readonly code: string; readonly message: string } | null;
  /** As of an account. */
  readonly timesDisabled: number;
  /** When it was last switched on again: what people did and said there before is over. Null: it was never off. */
  readonly heardSince: Instant | null;
  readonly createdAt: Instant;
}

export interface TeamRecord {
  readonly id: TeamId;
  readonly organizationId: OrganizationId;
  readonly accountId: AccountId;
  readonly externalId: ProviderTeamId;
  readonly name: string;
  /** Who should be in it. Null: never set from here. */
  readonly memberIds: readonly AgentId[] | null;
  /** Whether the provider should give its conversations to members by itself. Null: never said from here. */
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
