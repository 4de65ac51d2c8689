import { isOpen, type HandoffRecord } from '../../handoff';
import type { SessionTransaction } from '../../ports/session-transaction';
import { endIfDrained, endLiveHandoff, transitionHandoff } from './transition';
import { endedStatusWrites } from '../status-writes';
import type { StoreDeps } from '../deps';
import { enqueueOpeningAgain } from './opening';
import { HISTORY_MESSAGES } from '../to-provider/transcript';

/** How often one handoff is opened again. A conversation that is lost each time is not lost by chance. */
export const MAX_REOPENINGS = 3;

/** If each new conversation is gone before agents have it, something above it, e.g. the inbox, is gone. */
const MOST_OPENINGS = 6;

/**
 * Records that the conversation was deleted at the provider. The session forgets it, and the next attempt creates a new
 * one. A handoff that was still opening is opened in the new conversation. A handoff that agents already had ends, or
 * is
 * opened again, by the policy `lostConversation`. Waiting deliveries are enqueued again. Repeatable.
 * @param conversationId the conversation that was found deleted; null: the current one
 */
export async function handleLostConversation(
  deps: StoreDeps,
  organizationId: string,
  sessionId: string,
  conversationId: string | null,
): Promise<void> {
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    if (conversationId !== null && tx.session.conversationId !== conversationId) return;
    const hadConversation = tx.session.conversationId !== null;
    await tx.updateSession({
      contactId: null,
      conversationId: null,
      lastView: null,
      syncCursor: null,
      lastEnding: null,
      recheckIds: [],
      recentPosts: [],
      statusWrites: endedStatusWrites(tx.session.statusWrites),
    });
    // A sync has recorded it already, or only the contact was deleted.
    if (!hadConversation) return;
    await tx.clearUnknownOutcomes();
    const live = tx.liveHandoff;
    if (live === null) return;
    // There is no conversation to sync.
    if (!isOpen(live.state))
      return void (await endIfDrained(
        tx,
        deps,
        live.syncBy === null ? live : await tx.updateHandoff(live.id, { syncBy: null }),
      ));
    const historyThroughSeq = tx.session.lastMessageSeq;
    if (live.state === 'REQUESTED' && live.openings >= MOST_OPENINGS)
      await transitionHandoff(tx, deps, live, 'PROVIDER_REFUSED', { failureCode: 'PROVIDER_REFUSED' });
    else if (live.state === 'REQUESTED')
      await reopenHandoff(
        tx,
        await tx.updateHandoff(live.id, { openedForAgents: 'NO', openings: live.openings + 1, historyThroughSeq }),
      );
    else if (tx.inbox.policy.lostConversation !== 'REOPEN' || live.timesLost >= MAX_REOPENINGS)
      await endLiveHandoff(tx, deps, live, 'PROVIDER_LOST');
    else
      await reopenHandoff(
        tx,
        await transitionHandoff(tx, deps, live, 'CONVERSATION_LOST', {
          agent: null,
          openedForAgents: 'NO',
          timesLost: live.timesLost + 1,
          openings: 1,
          historyThroughSeq,
        }),
      );
  });
}

/** Returns the handoff to its beginning: no agent has it, and its history includes all messages up to now. */
async function reopenHandoff(tx: SessionTransaction, handoff: HandoffRecord): Promise<void> {
  await tx.clearProviderMessageIds();
  await enqueueOpeningAgain(tx, handoff, HISTORY_MESSAGES);
}
