import type { AccountId, AgentId, ChatbotId, Instant, OrganizationId, ProviderAgentId, SessionId } from '../ids';

/**
 * Typing indicators are ephemeral. They are stored nowhere, bounded everywhere, lost with the process, and contain no
 * text. A typing indicator ends by itself after a while.
 */

/** An end-user's typing state, and how to send it to the provider. */
export interface EndUserTyping {
  readonly sessionId: SessionId;
  /** Identifies the remote: no remote may use the capacity of the others. */
  readonly accountId: AccountId;
  readonly isTyping: boolean;
  /** Sends the state. Called for the newest state only; may be slow and may fail. */
  send(isTyping: boolean, signal: AbortSignal): Promise<void>;
}

/** Sends typing states to agents in the background. */
export interface TypingOutbox {
  /**
   * Queues the state. Returns at once and never throws. A newer state of a session replaces one that was not sent yet.
   */
  send(typing: EndUserTyping): void;
}

/** An agent started or stopped typing in one session. */
export interface AgentTyping {
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly sessionId: SessionId;
  /** Identifies the agent. */
  readonly externalId: ProviderAgentId;
  /** Null for an agent that is not in our list yet. */
  readonly agentId: AgentId | null;
  readonly isTyping: boolean;
  readonly at: Instant;
}

/** The typing that a subscriber follows: one session's, or that of all sessions of a chatbot or an organization. */
export type TypingTopic =
  | { readonly sessionId: SessionId }
  | { readonly organizationId: OrganizationId /** Null: all chatbots. */; readonly chatbotId: ChatbotId | null };

/** Notifies subscribers of its topics, on every replica. */
export interface TypingBoard {
  /**
   * Publishes the state. Called outside transactions. Returns at once and never throws; the notification may be lost.
   */
  agentTyping(typing: AgentTyping): void;
}
