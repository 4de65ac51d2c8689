import { isOpen, type HandoffRecord } from '../../handoff';
import type { SessionTransaction } from '../../ports/session-transaction';
import { endIfDrained, endLiveHandoff, transitionHandoff } from './transition';
import { endedStatusWrites } from '../status-writes';
import type { StoreDeps } from '../deps';
import { enqueueOpeningAgain } from './opening';
import { HISTORY_MESSAGES } from '../to-provider/transcript';

/** How often one handoff is opened again: what is lost each time is lost for another reason than chance. */
export const MAX_REOPENINGS = 3;

/** A conversation that is gone again and again before agents have it means that something above it is gone. */
const MOST_OPENINGS = 6;

/**
 * The conversation was deleted at the provider. The link is dropped, so that the next try makes a new one. A handoff that
 * was still opening opens in the new conversation; one that people already had ends as lost, or is opened again, as the
 * policy says. What waits in the lane for the one that is gone is enqueued anew. Repeatable: what is lost already is not lost again.
 * @param conversationId the one that was found gone; null: the present one
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
    // Found gone already, by a sync; or only the contact is gone.
    if (!hadConversation) return;
    await tx.clearUnknownOutcomes();
    const live = tx.liveHandoff;
    if (live === null) return;
    // Nothing is there to be read any more.
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

/** The same handoff from its beginning: nobody has it, and all that was said comes along. */
async function reopenHandoff(tx: SessionTransaction, handoff: HandoffRecord): Promise<void> {
  await tx.clearProviderMessageIds();
  await enqueueOpeningAgain(tx, handoff, HISTORY_MESSAGES);
}
