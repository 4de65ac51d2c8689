import type {
  ProviderAgentId,
  ProviderContactId,
  ProviderConversationId,
  ProviderMessageId,
  ProviderTeamId,
  SessionId,
} from '../../ids';
import type { EndUser } from '../../session';
import type { HandoffPriority } from '../../handoff';
import type { InboxAccess, ConversationAccess } from './access';

export interface OpenConversation {
  readonly inbox: InboxAccess;
  readonly contactId: ProviderContactId;
  readonly sessionId: SessionId;
  /** True: an earlier attempt may have created it. Look it up by `sessionId` before creating another. */
  readonly mayExist: boolean;
}

export interface UpdateContact {
  readonly inbox: InboxAccess;
  readonly contactId: ProviderContactId;
  readonly sessionId: SessionId;
  /**
   * The values that we last wrote to the contact. Null: not known; then only empty or generated values may be replaced.
   */
  readonly before: EndUser | null;
  readonly endUser: EndUser;
}

/** Receives the newest message that the conversation had when its status changed; null: it had none. */
export type ReportNewest = (newest: ProviderMessageId | null) => void;

export interface OpenForAgents {
  readonly conversation: ConversationAccess;
  readonly teamId: ProviderTeamId | null;
  readonly agentId: ProviderAgentId | null;
  readonly priority: HandoffPriority | null;
}

/** Creates a session's contact and conversation, and gives the conversation to agents or to the bot. */
export interface ConversationVerbs {
  /**
   * Returns the end-user's contact and creates it if needed. Called once per session. The same session gets the same
   * contact, also under concurrency. Everything in `endUser` is optional: values that the provider does not accept are
   * cut or omitted, and the contact is created without them.
   * @param onDropped called with a line for agents for each value that the contact does not show unchanged
   */
  ensureContact(
    inbox: InboxAccess,
    sessionId: SessionId,
    endUser: EndUser,
    signal: AbortSignal,
    onDropped?: (line: string) => void,
  ): Promise<ProviderContactId>;
  /**
   * Updates the contact with what was learned about the end-user. It changes only fields that are empty or still as in
   * `before`, because agents may have edited the others. Repeatable. Returns a line for agents for each value that the
   * contact does not show unchanged. Without it the contact stays as it was created.
   */
  updateContact?(request: UpdateContact, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Opens a conversation that is assigned to the bot, so that no agent is notified. Called once per session, with
   * `mayExist` on later attempts.
   */
  openConversation(request: OpenConversation, signal: AbortSignal): Promise<ProviderConversationId>;
  /**
   * Clears an earlier handoff's agent, team and priority and gives the conversation to the bot, so that posting history
   * notifies nobody. Called before the history of each handoff, and at a handoff's end. Repeatable. At a handoff's end
   * `reportNewest` is set: agents' messages after the reported one are new. The provider calls it once, as soon as the
   * status has changed. If the provider never calls it, the core syncs instead.
   */
  returnToBot(conversation: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void>;
  /**
   * Sets target and priority, then opens the conversation to agents. Repeatable. Throws ProviderRefusedError for an
   * unknown target.
   */
  openForAgents(request: OpenForAgents, signal: AbortSignal): Promise<void>;
  /** Marks the conversation as resolved. Repeatable. `reportNewest`: as for `returnToBot`. */
  resolve(conversation: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void>;
}
