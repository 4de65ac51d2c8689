import type { ProviderDelivery } from '../delivery';
import type { ProviderMessageId } from '../ids';
import { isOpen } from '../handoff';
import { instantOf } from '../ports/clock';
import { endLiveHandoff, moveHandoff } from './change-handoff';
import type { ConversationAccess } from '../ports/support-provider';
import { beginStatusWrite, CLEAN_VIEW, connect, conversationOf, evenAfter, type Connected } from './conversation';
import { deliverChange } from './deliver-change';
import { deliverMark } from './deliver-mark';
import type { FlowDeps } from './deps';
import { awaitsReturnOf, forgetReturn, returned } from './last-ending';
import type { Lease } from './lease';
import { openHandoff, openTakenOver } from './open-handoff';
import { provingClaim } from './proving-claim';
import { postOne, postTranscript } from './show-history';
import { tellStray } from './stray-conversation';

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
    case 'SHOW_EDIT': case 'SHOW_REACTION': case 'TAKE_BACK': return deliverChange(deps, delivery, work, lease);
    case 'POST_NOTE': case 'REPORT_DELIVERY': case 'MARK_READ': case 'ANSWER_SURVEY': return deliverMark(deps, delivery, work, lease);
    case 'TELL_STRAY': return tellStray(deps, delivery, work, lease);
    case 'RETURN_CONVERSATION': return returnConversation(deps, delivery, work, lease);
  }
}

type Returning = Extract<ProviderDelivery['work'], { kind: 'RETURN_CONVERSATION' }>;

async function returnConversation(deps: FlowDeps, delivery: ProviderDelivery, { how, handoffId }: Returning, lease: Lease): Promise<void> {
  const { organizationId, sessionId } = delivery;
  const connected = await connect(deps, organizationId, sessionId, lease);
  const { liveHandoffId } = connected.session;
  const live = liveHandoffId === null ? null : await deps.stores.handoffs.get(organizationId, liveHandoffId);
  // Somebody has taken it meanwhile: it is theirs now, and the delivery behind this one opens it for them. Or this one
  // was sent again when a later handoff had been opened already.
  if (live !== null && live.id !== handoffId && isOpen(live.state) && (live.origin === 'AGENT_TAKEOVER' || live.stepsDone.includes('opened'))) return;
  const conversation = conversationOf(deps, connected);
  let through: ProviderMessageId | null = null;
  if (conversation !== null) {
    await beginStatusWrite(deps, connected.session);
    await lease.held();
    if (how === 'RESOLVE') await connected.provider.resolve(conversation, lease.signal(deps.limits.callMs));
    else await connected.provider.holdForBot(conversation, lease.signal(deps.limits.callMs));
    if (awaitsReturnOf(connected.session, handoffId)) through = await newestMessage(deps, connected, conversation, lease);
  }
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    // Resolving leaves agent and team on it, whoever they are by now: what the next reading shows is residue, not news.
    const lastView = how === 'HOLD' ? CLEAN_VIEW : null;
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites), ...(conversation === null ? {} : { lastView }) });
    const at = instantOf(deps.clock.now());
    await returned(tx, handoffId, at, through);
    if (conversation !== null) await tx.wantReading(at);
  });
}

/** Where the conversation ends for a handoff that was just returned: what agents say from there on is news. */
async function newestMessage(deps: FlowDeps, { provider, session }: Connected, conversation: ConversationAccess, lease: Lease): Promise<ProviderMessageId | null> {
  let newest = session.readAfter;
  for (let after = session.readAfter, more = true; more;) {
    await lease.held();
    const page = await provider.readForward({ conversation, after }, lease.signal(deps.limits.callMs));
    newest = page.observations.at(-1)?.id ?? newest;
    ({ after, more } = page);
  }
  return newest;
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
