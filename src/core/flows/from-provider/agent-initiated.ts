import type { AccountId, ProviderConversationId } from '../../ids';
import type { EndUserReference } from '../../ports/provider/webhook';
import type { SessionStore } from '../../ports/session-store';
import type { ScanStore } from '../../ports/scan-store';

export interface AgentInitiatedStores {
  readonly sessions: Pick<SessionStore, 'transact'>;
  readonly scans: Pick<ScanStore, 'findAgentInitiated'>;
}

/**
 * Enqueues a note for each agent-initiated conversation: with an end-user of ours, in our inbox, but not their
 * session's own, so that nothing said there reaches the end-user. In the session's lane, the note follows the creation
 * of our own conversation, which may not be recorded yet. Called for webhooks about unknown conversations and by full
 * scans. Returns how many it found.
 */
export async function enqueueAgentInitiatedNotes(
  { sessions, scans }: AgentInitiatedStores,
  accountId: AccountId,
  seen: ReadonlyMap<ProviderConversationId, EndUserReference>,
): Promise<number> {
  const strays = await scans.findAgentInitiated(accountId, seen);
  for (const { organizationId, sessionId, conversationId } of strays)
    await sessions.transact(organizationId, sessionId, async tx => {
      if (tx.session.conversationId === conversationId || tx.inbox.state === 'DISABLED') return;
      if (await tx.addAgentInitiated(conversationId))
        await tx.enqueueForProvider({ kind: 'POST_AGENT_INITIATED_NOTE', conversationId });
    });
  return strays.length;
}
