import type { ProviderDelivery } from '../delivery';
import { isOpen } from '../handoff';
import { instantOf } from '../ports/clock';
import { endLiveHandoff, moveHandoff } from './change-handoff';
import { evenAfter } from './conversation';
import { deliverChange } from './deliver-change';
import { deliverMark } from './deliver-mark';
import type { FlowDeps } from './deps';
import { awaitsReturnOf, forgetReturn } from './last-ending';
import type { Lease } from './lease';
import { openHandoff, openTakenOver } from './open-handoff';
import { provingClaim } from './proving-claim';
import { returnConversation } from './return-conversation';
import { postOne, postTranscript } from './show-history';
import { tellStray } from './stray-conversation';
import { updateContact } from './update-contact';

/**
 * Does one delivery to the provider. Called at least once per delivery, in order within a Session, by whoever holds the
 * lane. Each remote step is committed before the next begins, so that a repeat continues.
 * @throws the provider's errors; the worker decides by class whether to retry or park. LeaseLostError when the claim is no longer the worker's
 */
export async function deliver(given: FlowDeps, delivery: ProviderDelivery, lease: Lease): Promise<void> {
  const { work } = delivery;
  const deps = provingClaim(given, delivery);
  switch (work.kind) {
    case 'POST_MESSAGE': return postOne(deps, delivery, work.messageId, lease);
    case 'OPEN_HANDOFF': return openHandoff(deps, delivery, work.handoffId, lease);
    case 'OPEN_TAKEN_OVER': return openTakenOver(deps, delivery, work.handoffId, lease);
    case 'POST_TRANSCRIPT': return postTranscript(deps, delivery, work.handoffId, lease);
    case 'SHOW_EDIT': case 'SHOW_REACTION': case 'TAKE_BACK': case 'POST_FILE': return deliverChange(deps, delivery, work, lease);
    case 'POST_NOTE': case 'REPORT_DELIVERY': case 'MARK_READ': case 'ANSWER_SURVEY': return deliverMark(deps, delivery, work, lease);
    case 'TELL_STRAY': return tellStray(deps, delivery, work, lease);
    case 'UPDATE_CONTACT': return updateContact(deps, delivery, lease);
    case 'RETURN_CONVERSATION': return returnConversation(deps, delivery, work, lease);
  }
}

/**
 * The provider has refused for good and the delivery is about to be set aside. A handoff that was still opening fails by name, and
 * the bot has control again.
 */
export async function deliveryRefused(deps: FlowDeps, delivery: ProviderDelivery, code: string): Promise<void> {
  await deps.stores.sessions.transact(delivery.organizationId, delivery.sessionId, async tx => {
    const { work } = delivery;
    const live = tx.liveHandoff;
    // Hints of the meantime were left to the reading behind the write.
    if (tx.session.statusWrites % 2 === 1 && tx.session.conversationId !== null) await tx.wantReading(instantOf(deps.clock.now()));
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites) });
    if (work.kind === 'RETURN_CONVERSATION' && awaitsReturnOf(tx.session, work.handoffId)) await forgetReturn(tx);
    if ((work.kind !== 'OPEN_HANDOFF' && work.kind !== 'OPEN_TAKEN_OVER') || live === null || live.id !== work.handoffId) return;
    if (!isOpen(live.state) || live.stepsDone.includes('opened')) return;
    if (live.state === 'REQUESTED') await moveHandoff(tx, deps, live, 'PROVIDER_REFUSED', { failureCode: code });
    // A person has answered before it was opened: it is opened for them instead, and lost to them when that is refused too.
    else if (work.kind === 'OPEN_HANDOFF') await tx.oweProvider({ kind: 'OPEN_TAKEN_OVER', handoffId: live.id });
    else await endLiveHandoff(tx, deps, live, 'PROVIDER_LOST');
  });
}
