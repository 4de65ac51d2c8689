import type { ProviderAgentId, ProviderConversationId, ProviderInboxId, ProviderTeamId } from '../ids';
import type { AccountAccess, AccountProgress, Capabilities, EnsuredInbox, Person } from './support-provider';

/** What a check looks at. */
export type DriftKind =
  | 'SERVER' | 'BOT_AGENT_TOKEN' | 'BOT_AGENT_ROLE' | 'BOT_AGENT_NAME' | 'AGENT_BOT' | 'OWNER'
  | 'INBOX' | 'INBOX_NAME' | 'INBOX_WEBHOOK_URL' | 'INBOX_WEBHOOK_SECRET' | 'INBOX_AGENT_BOT' | 'INBOX_SETTINGS' | 'INBOX_MEMBERS'
  | 'TEAM_MEMBERS' | 'TEAM_SETTINGS' | 'WEBHOOK_DELIVERY' | 'CONVERSATION';

/** One thing that we want to be so, and how it is. */
export interface DriftItem {
  /** The same from one look to the next. */
  readonly id: string;
  readonly kind: DriftKind;
  /** What it is about, for people: a name or an address. */
  readonly subject: string;
  /** Neither side ever holds a secret. */
  readonly desired: string | null;
  readonly observed: string | null;
  /** Whether repairing it from here can work. */
  readonly repairable: boolean;
  /** Null: as desired. Else a sentence with the next step. */
  readonly problem: string | null;
}

export interface DesiredInbox {
  readonly inboxId: string;
  readonly chatbotId: string;
  readonly name: string;
  readonly externalId: ProviderInboxId;
  readonly providerData: Readonly<Record<string, unknown>>;
  /** Null: nobody has said who the members are; whoever they are is right. */
  readonly members: readonly ProviderAgentId[] | null;
  /** As in EnsureInbox. */
  readonly repliesByItself?: boolean;
}

/** Null: nobody has said it from here; however it is, it is right. */
export interface DesiredTeam {
  readonly externalId: ProviderTeamId;
  readonly name: string;
  readonly members: readonly ProviderAgentId[] | null;
  readonly autoAssign: boolean | null;
}

/** What the core wants of one account: all of it made, or asked for, by us. */
export interface DesiredState {
  readonly access: AccountAccess;
  readonly owners: readonly Person[];
  readonly inboxes: readonly DesiredInbox[];
  /** Those whose readings fail again and again, to be looked at one by one. Left out: none. */
  readonly failingConversations?: readonly ProviderConversationId[];
  /** Only those that were made, or whose members were set, from here. */
  readonly teams: readonly DesiredTeam[];
}

export interface RepairDrift {
  readonly desired: DesiredState;
  /** Ids of items; those that are in order by now are passed over. */
  readonly items: readonly string[];
  /** As for ensureAccount: committed before the next step. */
  save(progress: AccountProgress): Promise<void>;
  /**
   * Each repair of an inbox is done inside: no set-up of it runs beside it. `repair` is given the inbox as it is wanted by now,
   * not at all when it is not any more, and answers what is to be saved of it; null: nothing.
   */
  inInbox(inboxId: string, repair: (inbox: DesiredInbox, signal: AbortSignal) => Promise<EnsuredInbox | null>): Promise<void>;
}

export interface Inspection {
  readonly items: readonly DriftItem[];
  /** What is different from what the core has stored and is no drift, such as another version of the server. */
  readonly learned: { readonly settings?: Readonly<Record<string, unknown>>; readonly capabilities?: Capabilities };
}

/** Looking after what we made, with `inspectsDrift`. Nothing that somebody else made is ever changed or deleted. */
export interface DriftVerbs {
  /**
   * Reads and changes nothing. What can be read is told even when something is broken: a role that was taken away is an
   * item, not an error.
   * @throws ProviderUnavailableError when nothing at all can be told
   */
  inspectDrift(desired: DesiredState, signal: AbortSignal): Promise<Inspection>;
  /** Brings the named items to what is desired, as far as credentials allow. Repeatable. */
  repairDrift(request: RepairDrift, signal: AbortSignal): Promise<void>;
}
