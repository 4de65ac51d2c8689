import type { Control } from './control';
import type { HandoffAgent, HandoffState } from './handoff';
import type {
  ChatbotId,
  HandoffId,
  InboxId,
  Instant,
  OrganizationId,
  ProviderContactId,
  ProviderConversationId,
  ProviderMessageId,
  SessionId,
} from './ids';
import type { ConversationView } from './conversation-view';
import type { SyncHint } from './sync-hint';

/** The end-user as the runtime knows them. Every field is optional and may change. */
export interface EndUser {
  /** The runtime's id of the end-user; null if it knows only the session. */
  readonly externalId: string | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  /** BCP 47, e.g. `de-AT`. */
  readonly locale: string | null;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The maximum number of attributes of one end-user. */
const MAX_ATTRIBUTES = 50;

/**
 * Merges newly given values into the known ones: given values replace, null values change nothing. Attributes are
 * merged one by one, and new ones are added only up to the limit.
 */
export function mergeEndUser(known: EndUser, given: EndUser): EndUser {
  const { attributes, ...fields } = given;
  const learned = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Partial<EndUser>;
  const isKnown = ([name]: readonly [string, string]): boolean => Object.hasOwn(known.attributes, name);
  const entries = Object.entries(attributes);
  const room = Math.max(0, MAX_ATTRIBUTES - Object.keys(known.attributes).length);
  const added = [...entries.filter(isKnown), ...entries.filter(entry => !isKnown(entry)).slice(0, room)];
  return { ...known, ...learned, attributes: { ...known.attributes, ...Object.fromEntries(added) } };
}

/** How far the oldest part of a session's history was removed by retention. */
export interface RemovedHistory {
  /** The last removed event and the last removed message; 0: none. */
  readonly eventSeq: number;
  readonly messageSeq: number;
  /** Messages from before this time are removed or were never known. Null: no message was removed. */
  readonly messagesBefore: Instant | null;
  /** The state after the last removed event. */
  readonly control: Control;
  readonly epoch: number;
  readonly isClosed: boolean;
  readonly handoffId: HandoffId | null;
  readonly handoffState: HandoffState | null;
}

/**
 * The end of a handoff that the runtime or an operator ended. It decides which handoff an agent's message belongs to.
 * Set when the handoff begins to end.
 */
export interface LastEnding {
  readonly handoffId: HandoffId;
  /** When the handoff began to end, by our clock. */
  readonly endedAt: Instant;
  /** When the conversation was returned at the provider, by our clock. Null: not yet. */
  readonly returnedAt: Instant | null;
  /**
   * The provider's newest message right after the return. Messages up to it belong to this handoff. Null: none does.
   */
  readonly throughMessageId: ProviderMessageId | null;
  /**
   * The newest message right before an attempt to return the conversation changed the status. Kept until the return is
   * recorded. Null: no attempt has got this far.
   */
  readonly returnBegun: { readonly throughMessageId: ProviderMessageId | null } | null;
  /** The newest agent message that a sync found before `throughMessageId` was known. Null: none. */
  readonly lastAgentMessage: { readonly id: ProviderMessageId; readonly agent: HandoffAgent } | null;
}

/** One row of `session`. */
export interface SessionRecord {
  readonly id: SessionId;
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly inboxId: InboxId;
  /** The runtime's channel name, e.g. `web`. Together with `externalId` and the chatbot it is the session's key. */
  readonly channel: string;
  /** The runtime's own id of this session. */
  readonly externalId: string;
  readonly endUser: EndUser;
  readonly control: Control;
  /** Increases by one at every change of control; starts at 1. */
  readonly epoch: number;
  readonly lastMessageSeq: number;
  readonly lastEventSeq: number;
  readonly liveHandoffId: HandoffId | null;
  readonly contactId: ProviderContactId | null;
  /**
   * The end-user as last written to the provider's contact. Agents made any difference that the contact shows since.
   * Null: not known.
   */
  readonly contactEndUser: EndUser | null;
  readonly conversationId: ProviderConversationId | null;
  /** Syncs start after this provider message; see flows/from-provider/sync-conversation.ts. */
  readonly syncCursor: ProviderMessageId | null;
  /** The last message of the conversation that a sync has seen, of any kind. Null: none yet. */
  readonly lastSeenMessageId: ProviderMessageId | null;
  /** Odd while we change the provider's status. A view that was read during a change is worthless. */
  readonly statusWrites: number;
  /**
   * The last view of the provider, to distinguish a new assignment from the residue of an old one. Null: unknown, and
   * the next view counts as residue.
   */
  readonly lastView: ConversationView | null;
  /** When we posted into the conversation, of the last minute before the newest; milliseconds since 1970. */
  readonly recentPosts: readonly number[];
  /** Messages that were synced before and have changed since, according to a hint. The next sync reads them again. */
  readonly recheckIds: readonly ProviderMessageId[];
  /** What the next sync has to read. Null: no hint is pending; a timer's sync reads everything. */
  readonly syncHint: SyncHint | null;
  /** How many hints have arrived, of any kind. */
  readonly hintCount: number;
  /** How many of these hints request the state. */
  readonly stateHintCount: number;
  readonly stateReadAt: Instant | null;
  /**
   * Agents have seen everything that was said up to this time, as far as the provider has reported. Never decreases.
   */
  readonly agentsReadAt: Instant | null;
  /**
   * Null: no handoff of this session was ended by the runtime or an operator while agents had it, or its conversation
   * is gone.
   */
  readonly lastEnding: LastEnding | null;
  readonly openedAt: Instant;
  readonly closedAt: Instant | null;
  /** Null: nothing was removed. Only retention changes it. */
  readonly removedHistory: RemovedHistory | null;
}
