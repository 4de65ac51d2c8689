import type { AccountId, AgentId, ChatbotId, Instant, OrganizationId, ProviderAgentId, SessionId } from '../ids';

/**
 * Typing is ephemeral: it is stored nowhere, bounded everywhere, lost with a process, and holds nothing of what is
 * written. Whoever is said to type stops by itself after a while.
 */

/** What agents should see of an end-user, and how it is told to their provider. */
export interface EndUserTyping {
  readonly sessionId: SessionId;
  /** Whose far side it is: none may take what the others need. */
  readonly accountId: AccountId;
  readonly isTyping: boolean;
  /** May take its time and may fail; called for the newest word only. */
  tell(isTyping: boolean, signal: AbortSignal): Promise<void>;
}

/** Tells agents, behind the caller's back. */
export interface TypingOutbox {
  /** Returns at once and never throws. Repeats are gathered: the newest word on a Session replaces one that was not told yet. */
  show(typing: EndUserTyping): void;
}

/** One agent began or stopped to write in one Session. */
export interface AgentTyping {
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly sessionId: SessionId;
  /** Tells agents apart. */
  readonly externalId: ProviderAgentId;
  /** Null for somebody whom we have not listed yet. */
  readonly agentId: AgentId | null;
  readonly isTyping: boolean;
  readonly at: Instant;
}

/** Whose typing somebody follows: one Session's, or that of all Sessions of a chatbot or of an organization. */
export type TypingTopic =
  | { readonly sessionId: SessionId }
  | { readonly organizationId: OrganizationId; /** Null: of every chatbot. */ readonly chatbotId: ChatbotId | null };

/** Tells whoever follows one of its topics, on every replica. */
export interface TypingBoard {
  /** Returns at once and never throws; may be lost. Called outside transactions. */
  agentTyping(typing: AgentTyping): void;
}
