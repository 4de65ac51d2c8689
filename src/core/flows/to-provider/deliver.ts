import type { ProviderDelivery, ProviderWork } from '../../delivery';
import { OutcomeUnknownError, ProviderDamagedError } from '../../errors';
import { isOpen } from '../../handoff';
import type { HandoffId } from '../../ids';
import { instantOf } from '../../ports/clock';
import { endLiveHandoff, transitionHandoff } from '../handoff/transition';
import { endedStatusWrites } from '../status-writes';
import { deliverChange } from './apply-change';
import { deliverMark } from './post-mark';
import type { FlowDeps, StoreDeps } from '../deps';
import { isReturnPendingFor, clearLastEnding } from '../handoff/last-ending';
import type { Lease } from '../lease';
import { createDeliveryContext, isRefused, type DeliveryContext } from './delivery-context';
import { isHandoffStep, isStepWanted, takeOpeningStep } from './open-handoff';
import { openTakeover } from './take-over';
import { fenceStores } from './fenced-stores';
import { returnConversation } from './return-conversation';
import { deliverTranscript } from './history';
import { deliverMessage } from './deliver-message';
import { connectionOf } from '../provider-context';
import { postAgentInitiatedNote } from './agent-initiated-note';
import { updateContact } from './update-contact';

/**
 * Executes one delivery to the provider. Called at least once per delivery, in the order of the session's lane, by the
 * worker that has claimed the lane. A delivery is at most one remote write (contact and conversation are created by
 * whichever needs them first), and it is recorded before the next one begins.
 * @throws the provider's errors, and the worker decides by class whether to retry or park; LeaseLostError if the claim
 * is no longer the worker's
 */
export async function deliver(given: FlowDeps, delivery: ProviderDelivery, lease: Lease): Promise<void> {
  const { work } = delivery;
  const deps = fenceStores(given, delivery);
  const loadedAt = deps.clock.now();
  const handoffId = 'handoffId' in work ? (work.handoffId ?? null) : null;
  const read = await deps.stores.connections.load(delivery.organizationId, delivery.sessionId, handoffId);
  const { handoff, liveHandoff } = read ?? { handoff: null, liveHandoff: null };
  // Dropped even while support is disabled.
  if (delivery.previousAttempts === 0 && isHandoffStep(work) && !isStepWanted(handoff, work)) return;
  const connection = connectionOf(deps, read, loadedAt);
  return doWork(createDeliveryContext(deps, delivery, lease, { ...connection, handoff, liveHandoff }), work);
}

async function doWork(context: DeliveryContext, work: ProviderWork): Promise<void> {
  switch (work.kind) {
    case 'POST_MESSAGE':
      return deliverMessage(context, work);
    case 'POST_TRANSCRIPT':
      return deliverTranscript(context, work);
    case 'RETURN_TO_BOT':
    case 'POST_CONTEXT_NOTE':
    case 'OPEN_HANDOFF':
      return takeOpeningStep(context, work);
    case 'OPEN_TAKEOVER':
      return openTakeover(context, work.handoffId);
    case 'FORWARD_EDIT':
    case 'FORWARD_REACTION':
    case 'DELETE':
    case 'POST_FILE':
      return deliverChange(context, work);
    case 'POST_NOTE':
    case 'REPORT_DELIVERY':
    case 'MARK_READ':
    case 'ANSWER_SURVEY':
      return deliverMark(context, work);
    case 'POST_AGENT_INITIATED_NOTE':
      return postAgentInitiatedNote(context, work);
    case 'UPDATE_CONTACT':
      return updateContact(context);
    case 'RETURN_CONVERSATION':
      return returnConversation(context, work);
  }
}

/** Returns whether the lane continues without an optional delivery: it was refused, or its outcome stays unknown. */
const canBeDoneWithout = (error: unknown): boolean =>
  isRefused(error) || error instanceof OutcomeUnknownError || error instanceof ProviderDamagedError;

/**
 * Fails a handoff that is still opening if the delivery that is about to be parked prevents its opening. Then the bot
 * has
 * control again. An optional step does not prevent it, unless the provider was unreachable for too long or there is no
 * conversation. Called before each delivery to a provider is parked.
 */
export async function handleRefusedDelivery(
  deps: StoreDeps,
  delivery: ProviderDelivery,
  code: string,
  error: unknown,
): Promise<void> {
  await deps.stores.sessions.transact(delivery.organizationId, delivery.sessionId, async tx => {
    const { work } = delivery;
    const live = tx.liveHandoff;
    // Hints that came during the status write wait for this sync.
    if (tx.session.statusWrites % 2 === 1 && tx.session.conversationId !== null)
      await tx.requestSync(instantOf(deps.clock.now()));
    await tx.updateSession({ statusWrites: endedStatusWrites(tx.session.statusWrites) });
    if (work.kind === 'RETURN_CONVERSATION' && isReturnPendingFor(tx.session, work.handoffId))
      await clearLastEnding(tx);
    if (live === null || live.openedForAgents === 'YES' || !isOpen(live.state) || !isOpeningOf(work, live.id)) return;
    if ('optional' in work && work.optional && tx.session.conversationId !== null && canBeDoneWithout(error)) return;
    if (live.state === 'REQUESTED') await transitionHandoff(tx, deps, live, 'PROVIDER_REFUSED', { failureCode: code });
    // An agent has replied before the opening: the conversation is opened for that agent instead.
    else if (work.kind === 'OPEN_HANDOFF') await tx.enqueueForProvider({ kind: 'OPEN_TAKEOVER', handoffId: live.id });
    else if (work.kind === 'OPEN_TAKEOVER') await endLiveHandoff(tx, deps, live, 'PROVIDER_LOST');
  });
}

/** Returns whether the work is a step of opening this handoff, or a post of its history. */
const isOpeningOf = (work: ProviderWork, handoffId: HandoffId): boolean =>
  work.kind !== 'RETURN_CONVERSATION' &&
  work.kind !== 'ANSWER_SURVEY' &&
  'handoffId' in work &&
  work.handoffId === handoffId;
