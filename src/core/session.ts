import type { Control } from './control';
import type { HandoffAgent, HandoffState } from './handoff';
import type {
  ChatbotId, HandoffId, InboxId, Instant, OrganizationId, ProviderContactId, ProviderConversationId, ProviderMessageId, SessionId,
} from './ids';
import type { ConversationView } from './ports/support-provider';
import type { SyncHint } from './sync-hint';

/** The person, as the runtime knows them. Every field but the Session key is optional and may change. */
export interface EndUser {
  /** The runtime's id of the person; null when it only knows the session. */
  readonly externalId: string | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  /** BCP 47, e.g. `de-AT`. */
  readonly locale: string | null;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Attributes of one end-user. */
const MAX_ATTRIBUTES = 50;

/** What is known by now: what is given replaces, what is null stays, attributes are kept one by one; new ones only while there is room. */
export function mergedEndUser(known: EndUser, given: EndUser): EndUser {
  const { attributes, ...fields } = given;
  const learned = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Partial<EndUser>;
  const isKnown = ([name]: readonly [string, string]): boolean => Object.hasOwn(known.attributes, name);
  const entries = Object.entries(attributes);
  const room = Math.max(0, MAX_ATTRIBUTES - Object.keys(known.attributes).length);
  const added = [...entries.filter(isKnown), ...entries.filter(entry => !isKnown(entry)).slice(0, room)];
  return { ...known, ...learned, attributes: { ...known.attributes, ...Object.fromEntries(added) } };
}

/** How far the front of a Session's history was removed, because it was older than it is kept. */
export interface Forgotten {
  /** The last event that was removed, and the last message; 0: none. */
  readonly eventSeq: number;
  readonly messageSeq: number;
  /** What people said before then is removed, or never was known. Null: no message was removed. */
  readonly messagesBefore: Instant | null;
  /** How things stood behind the last event that was removed. */
  readonly control: Control;
  readonly epoch: number;
  readonly isClosed: boolean;
  readonly handoffId: HandoffId | null;
  readonly handoffState: HandoffState | null;
}

/**
 * The end of a handoff that the runtime or an operator ended, as far as it decides whose words an agent's message is.
 * Set when the handoff begins to end.
 */
export interface LastEnding {
  readonly handoffId: HandoffId;
  /** When the handoff began to end, by our clock. */
  readonly endedAt: Instant;
  /** When we gave the conversation back at the provider, by our clock. Null: not yet. */
  readonly returnedAt: Instant | null;
  /** The newest message that the provider had right after that: messages up to it belong to this handoff. Null: none does. */
  readonly throughMessageId: ProviderMessageId | null;
  /** The newest message right before a try to give it back changed the status, kept until the return is recorded. Null: no try has come so far. */
  readonly returnBegun: { readonly throughMessageId: ProviderMessageId | null } | null;
  /** The newest word of an agent that a sync showed before we knew `throughMessageId`. Null: none. */
  readonly lastWord: { readonly id: ProviderMessageId; readonly agent: HandoffAgent } | null;
}

/** One row of `session`. */
export interface SessionRecord {
  readonly id: SessionId;
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly inboxId: InboxId;
  /** The runtime's channel name, e.g. `web`; with `externalId` and the chatbot it is the Session's key. */
  readonly channel: string;
  /** The runtime's own id of this session. */
  readonly externalId: string;
  readonly endUser: EndUser;
  readonly control: Control;
  /** Rises by one at every change of control; starts at 1. */
  readonly epoch: number;
  readonly lastMessageSeq: number;
  readonly lastEventSeq: number;
  readonly liveHandoffId: HandoffId | null;
  readonly contactId: ProviderContactId | null;
  /** The end-user as we wrote them to the provider's contact last: what differs there since was changed by agents. Null: not known. */
  readonly contactEndUser: EndUser | null;
  readonly conversationId: ProviderConversationId | null;
  /** Reading forward starts after this provider message; see flows/read-forward.ts. */
  readonly readAfter: ProviderMessageId | null;
  /** The last message of the conversation that a sync has seen, whatever it was. Null: none yet. */
  readonly seenThrough: ProviderMessageId | null;
  /** Odd while we are changing the provider's status ourselves; a view read across a change is worthless. */
  readonly statusWrites: number;
  /** What the provider showed last, to tell a fresh assignment from the residue of an old one. Null: unknown, and the next view is held to be residue. */
  readonly lastView: ConversationView | null;
  /** When we posted into the conversation, of the last minute before the newest; milliseconds since 1970. */
  readonly recentPosts: readonly number[];
  /** Messages that were read before and have changed since, by a hint: looked at again at the next reading. */
  readonly recheck: readonly ProviderMessageId[];
  /** What the next sync has to read. Null: no hint is pending; a timer's sync reads everything. */
  readonly readHint: SyncHint | null;
  /** How many hints have arrived, of any kind. */
  readonly hintCount: number;
  /** How many of them ask for the state. */
  readonly stateHintCount: number;
  readonly stateReadAt: Instant | null;
  /** Agents have seen everything that was said up to then, as far as the provider has told. Never goes back. */
  readonly agentsReadAt: Instant | null;
  /** Null: no handoff of this Session was ended by runtime or operator while agents had it, or its conversation is gone. */
  readonly lastEnding: LastEnding | null;
  readonly openedAt: Instant;
  readonly closedAt: Instant | null;
  /** Null: everything is there. Changed by the removal alone. */
  readonly forgotten: Forgotten | null;
}
