import { isOpen, type HandoffRecord } from '../handoff';
import type { SessionTransaction } from '../ports/stores';
import { drainIfDone, endLiveHandoff, moveHandoff } from './change-handoff';
import { evenAfter } from './conversation';
import type { FlowDeps } from './deps';

/** How often one handoff is opened again: what is lost each time is lost for another reason than chance. */
export const MOST_OPENED_AGAIN = 3;

const LOST = 'lost:';
const timesLost = ({ stepsDone }: Pick<HandoffRecord, 'stepsDone'>): number =>
  Math.max(0, ...stepsDone.filter(step => step.startsWith(LOST)).map(step => Number(step.slice(LOST.length))));

/** Opened once already, in a conversation that is no longer there. */
export const hasLostConversation = (handoff: HandoffRecord): boolean => timesLost(handoff) > 0;

/** All of its talk is brought to the next conversation, in one go. */
export const isOpenedAgain = (handoff: HandoffRecord): boolean => handoff.state === 'REQUESTED' && hasLostConversation(handoff);

/**
 * The conversation was deleted at the provider. The link is dropped, so that the next try makes a new one. A handoff that
 * was still opening opens in the new conversation; one that people already had ends as lost, or is opened again, as the
 * policy says. Repeatable: what is lost already is not lost again.
 * @param conversationId the one that was found gone; null: the present one
 */
export async function conversationLost(deps: FlowDeps, organizationId: string, sessionId: string, conversationId: string | null): Promise<void> {
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    if (conversationId !== null && tx.session.conversationId !== conversationId) return;
    await tx.updateSession({ contactId: null, conversationId: null, lastView: null, readAfter: null, lastEnding: null, recheck: [], recentPosts: [], statusWrites: evenAfter(tx.session.statusWrites) });
    await tx.forgetOutcomes();
    const live = tx.liveHandoff;
    if (live === null) return;
    // Nothing is there to be read any more.
    if (!isOpen(live.state)) return void await drainIfDone(tx, deps, live.syncBy === null ? live : await tx.updateHandoff(live.id, { syncBy: null }));
    const times = timesLost(live);
    if (live.state === 'REQUESTED') {
      await tellAgain(tx);
      await tx.updateHandoff(live.id, { stepsDone: times === 0 ? [] : [`${LOST}${times}`] });
    } else if (tx.inbox.policy.lostConversation !== 'OPEN_AGAIN' || times >= MOST_OPENED_AGAIN) {
      await endLiveHandoff(tx, deps, live, 'PROVIDER_LOST');
    } else {
      await openAgain(tx, deps, live, times + 1);
    }
  });
}

async function tellAgain(tx: SessionTransaction): Promise<void> {
  await tx.forgetPosts();
  await tx.updateSession({ tellsAgain: true });
}

/** The same handoff from its beginning: nobody has it, and all that was said since comes along. */
async function openAgain(tx: SessionTransaction, deps: FlowDeps, live: HandoffRecord, times: number): Promise<void> {
  await tellAgain(tx);
  await moveHandoff(tx, deps, live, 'CONVERSATION_LOST', {
    agent: null, stepsDone: [`${LOST}${times}`], historyThroughSeq: tx.session.lastMessageSeq,
  });
  await tx.oweProvider({ kind: 'OPEN_HANDOFF', handoffId: live.id });
}
