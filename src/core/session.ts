import type { Control } from './control';
import type { HandoffAgent, HandoffState } from './handoff';
import type {
  ChatbotId, HandoffId, InboxId, Instant, OrganizationId, ProviderContactId, ProviderConversationId, ProviderMessageId, SessionId,
} from './ids';
import type { ConversationView } from './ports/support-provider';

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

/** What is known by now: what is given replaces, what is null stays, attributes are kept one by one. */
export function mergedEndUser(known: EndUser, given: EndUser): EndUser {
  const { attributes, ...fields } = given;
  const learned = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Partial<EndUser>;
  return { ...known, ...learned, attributes: { ...known.attributes, ...attributes } };
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
  /** Why a reading is wanted: `MESSAGES` saves the call for the state, for a while. Null: nobody said, read all. */
  readonly readHint: 'MESSAGES' | 'ALL' | null;
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
