import { ConflictError, InvalidInputError, NotFoundError } from '../../errors';
import { isOpen, type HandoffEndReason } from '../../handoff';
import { isUuid } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { AcknowledgeThroughInput } from '../api/runtime';
import type { CloseSessionResult, CloseSessionInput } from '../api/sessions';
import type { EndHandoffResult, EndHandoffInput } from '../api/handoffs';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import { endIfDrained, endLiveHandoff } from '../handoff/transition';
import type { MutationDeps, StoreDeps } from '../deps';
import { validateId, idempotencyScopeOf } from './record-message';
import { endDrainedHandoffs } from '../handoff/finish-endings';

/** The maximum number of deliveries per acknowledgment, which limits how long locks are held. */
const BATCH_SIZE = 500;

/** Returns what happens to the conversation if this service, not the agent, ends the handoff. */
const returnModeFor = (reason: HandoffEndReason): 'RESOLVE' | 'RETURN_TO_BOT' =>
  reason === 'USER_ENDED' || reason === 'SESSION_CLOSED' ? 'RESOLVE' : 'RETURN_TO_BOT';

async function findSessionId(deps: StoreDeps, scope: Scope, input: EndHandoffInput): Promise<string> {
  const { handoffs } = deps.stores;

  if ((input.handoffId === null) === (input.sessionId === null))
    throw new InvalidInputError(
      'INPUT_INVALID',
      'handoffId',
      'Name either the handoff or its session, by handoffId or sessionId.',
    );
  if (input.sessionId !== null) return input.sessionId;
  const handoff = isUuid(input.handoffId!) ? await handoffs.get(scope.organizationId, input.handoffId!) : null;
  if (handoff === null)
    throw new NotFoundError(
      'HANDOFF_NOT_FOUND',
      'handoffId',
      'There is no such handoff. Use an id from requestHandoff or the handoffs query.',
    );
  return handoff.sessionId;
}

async function endHandoff(deps: MutationDeps, scope: Scope, input: EndHandoffInput): Promise<EndHandoffResult> {
  const { sessions } = deps.stores;

  const idempotency = idempotencyScopeOf(deps, scope, 'endHandoff', input);
  const { result, replayed } = await sessions.transact(
    scope.organizationId,
    await findSessionId(deps, scope, input),
    async tx => {
      const handoff = input.handoffId === null ? tx.liveHandoff : await tx.findHandoff(input.handoffId);
      if (handoff === null)
        throw new ConflictError(
          'NO_LIVE_HANDOFF',
          'sessionId',
          'This session has no live handoff, so there is nothing to end.',
        );
      if (!isOpen(handoff.state)) return { handoff, session: tx.session, alreadyEnded: true };
      const ended = await endLiveHandoff(tx, deps, handoff, input.reason);
      if (tx.inbox.state !== 'DISABLED')
        await tx.enqueueForProvider({
          kind: 'RETURN_CONVERSATION',
          handoffId: handoff.id,
          how: returnModeFor(input.reason),
        });
      return { handoff: ended, session: tx.session, alreadyEnded: false };
    },
    idempotency,
  );
  return { ...result, replayed };
}

async function closeSession(deps: MutationDeps, scope: Scope, input: CloseSessionInput): Promise<CloseSessionResult> {
  const { sessions } = deps.stores;

  const { result, replayed } = await sessions.transact(
    scope.organizationId,
    input.sessionId,
    async tx => {
      if (tx.session.closedAt !== null) return { session: tx.session, alreadyClosed: true };
      const at = instantOf(deps.clock.now());
      await tx.updateSession({ closedAt: at });
      const live = tx.liveHandoff;
      if (live !== null) await endIfDrained(tx, deps, await endLiveHandoff(tx, deps, live, 'SESSION_CLOSED'));
      await tx.appendEvent({ type: 'SESSION_CLOSED' }, live?.id ?? null, at);
      if (
        tx.inbox.state !== 'DISABLED' &&
        (tx.session.conversationId !== null || tx.inbox.policy.mirroring === 'ALWAYS' || live !== null)
      )
        await tx.enqueueForProvider({
          kind: 'RETURN_CONVERSATION',
          handoffId: live?.id ?? null,
          how: returnModeFor('SESSION_CLOSED'),
        });
      return { session: tx.session, alreadyClosed: false };
    },
    idempotencyScopeOf(deps, scope, 'closeSession', input),
  );
  return { ...result, replayed };
}

async function acknowledge(deps: StoreDeps, scope: Scope, deliveryIds: readonly string[]) {
  const { deliveries } = deps.stores;

  if (deliveryIds.length > 500)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'deliveryIds',
      `${deliveryIds.length} ids are too many. Acknowledge at most 500 per call.`,
    );
  const { acknowledged, unknown, sessionIds } = await deliveries.acknowledge(
    scope.organizationId,
    deliveryIds,
    instantOf(deps.clock.now()),
  );
  await endDrainedHandoffs(deps, scope.organizationId, sessionIds);
  return { acknowledged, unknown };
}

async function acknowledgeThrough(
  deps: StoreDeps,
  { organizationId }: Scope,
  { cursor, chatbotId, sessionId }: AcknowledgeThroughInput,
) {
  const { deliveries } = deps.stores;

  if (chatbotId !== null) validateId(chatbotId, 'chatbotId');
  if (sessionId !== null) validateId(sessionId, 'sessionId');
  for (let acknowledged = 0; ; ) {
    const batch = await deliveries.acknowledgeThrough(
      organizationId,
      { chatbotId, sessionId },
      cursor,
      BATCH_SIZE,
      instantOf(deps.clock.now()),
    );
    acknowledged += batch.acknowledged;
    await endDrainedHandoffs(deps, organizationId, batch.sessionIds);
    if (batch.isComplete) return { acknowledged };
  }
}

export function endHandoffFlows(
  deps: MutationDeps,
): Pick<Flows, 'endHandoff' | 'closeSession' | 'acknowledge' | 'acknowledgeThrough'> {
  return {
    endHandoff: (scope, input) => endHandoff(deps, scope, input),
    closeSession: (scope, input) => closeSession(deps, scope, input),
    acknowledge: (scope, deliveryIds) => acknowledge(deps, scope, deliveryIds),
    acknowledgeThrough: (scope, input) => acknowledgeThrough(deps, scope, input),
  };
}
