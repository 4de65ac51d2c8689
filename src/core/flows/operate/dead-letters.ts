import type { DeadLetter } from '../../delivery';
import { InvalidInputError } from '../../errors';
import type { UserId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { SessionTransaction, DeliveryReference } from '../../ports/session-transaction';
import type { DeadLettersResult, DeadLetterSelection, ResendSelection } from '../api/dead-letters';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import type { StoreDeps } from '../deps';

/** The maximum per call; to process more, call again with the cursor. */
const MAX_PER_CALL = 500;
/** The maximum per transaction, so that a session is not locked for long. */
const MAX_PER_TRANSACTION = 100;
const MAX_REASON = 500;

/**
 * Checks a selection.
 * @throws InvalidInputError unless exactly one of ids, filter and all is given and selects something
 */
function checkSelection({ ids, filter, all, after }: DeadLetterSelection): void {
  if ([ids !== null, filter !== null, all].filter(Boolean).length !== 1)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'ids',
      'The selection is ambiguous or missing. Give exactly one of ids, filter and all.',
    );
  if (ids !== null && ids.length > MAX_PER_CALL)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'ids',
      `${ids.length} ids are too many. Give at most ${MAX_PER_CALL} per call.`,
    );
  if (ids !== null && after !== null)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'after',
      'after cannot be combined with ids. It continues an earlier call with filter or all.',
    );
  if (filter !== null && Object.values(filter).every(value => value === null))
    throw new InvalidInputError('INPUT_INVALID', 'filter', 'The filter is empty. Give it at least one condition.');
}

const NO_FILTER = {
  accountId: null,
  chatbotId: null,
  sessionId: null,
  destination: null,
  kind: null,
  code: null,
  parkedBefore: null,
  parkedAfter: null,
};

async function selectDeadLetters(
  deps: StoreDeps,
  scope: Scope,
  { ids, filter, after }: DeadLetterSelection,
): Promise<{ letters: readonly DeadLetter[]; hasMore: boolean; endCursor: string | null }> {
  const { deadLetters } = deps.stores;

  if (ids !== null)
    return { letters: await deadLetters.findParked(scope.organizationId, ids), hasMore: false, endCursor: null };
  const { edges, hasNextPage } = await deadLetters.page(scope.organizationId, 'PARKED', filter ?? NO_FILTER, {
    first: MAX_PER_CALL,
    after,
  });
  return { letters: edges.map(edge => edge.node), hasMore: hasNextPage, endCursor: edges.at(-1)?.cursor ?? after };
}

/** Applies a decision session by session, lowest id first: in the order in which the deliveries were enqueued. */
async function forEachSession(
  deps: StoreDeps,
  scope: Scope,
  selection: DeadLetterSelection,
  act: (tx: SessionTransaction, ids: readonly string[]) => Promise<readonly DeliveryReference[]>,
): Promise<DeadLettersResult> {
  const { sessions } = deps.stores;

  checkSelection(selection);
  const { letters, hasMore, endCursor } = await selectDeadLetters(deps, scope, selection);
  const bySession = new Map<string, string[]>();
  for (const { sessionId, id } of letters) bySession.set(sessionId, [...(bySession.get(sessionId) ?? []), id]);
  const done: string[] = [];
  for (const [sessionId, ids] of bySession)
    for (let at = 0; at < ids.length; at += MAX_PER_TRANSACTION) {
      const { result } = await sessions.transact(scope.organizationId, sessionId, tx =>
        act(tx, ids.slice(at, at + MAX_PER_TRANSACTION)),
      );
      done.push(...result.map(letter => letter.id));
    }
  const known = new Set(done);
  return { count: done.length, skippedIds: (selection.ids ?? []).filter(id => !known.has(id)), hasMore, endCursor };
}

async function resendDeadLetters(
  deps: StoreDeps,
  scope: Scope,
  { skipLookup = false, ...selection }: ResendSelection,
  by: UserId | null,
) {
  const now = () => instantOf(deps.clock.now());

  if (skipLookup && selection.ids === null)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'skipLookup',
      'skipLookup needs ids, because an operator must have checked each delivery. Name those that are missing at the receiver by ids.',
    );
  return forEachSession(deps, scope, selection, async (tx, ids) => {
    const sent = await tx.resend(ids, skipLookup);
    for (const { id: deliveryId, kind, handoffId } of sent)
      await tx.appendEvent(
        { type: 'DELIVERY_RESENT', deliveryId, kind, by, ...(skipLookup && { skipLookup: true }) },
        handoffId,
        now(),
      );
    return sent;
  });
}

async function discardDeadLetters(
  deps: StoreDeps,
  scope: Scope,
  selection: DeadLetterSelection,
  reason: string,
  by: UserId | null,
) {
  const now = () => instantOf(deps.clock.now());

  if (reason.trim() === '' || reason.length > MAX_REASON)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'reason',
      `reason is empty or too long. Give 1 to ${MAX_REASON} characters; they are stored with the dead letter.`,
    );
  return forEachSession(deps, scope, selection, async (tx, ids) => {
    const discarded = await tx.discard(ids, reason);
    for (const { id: deliveryId, kind, handoffId } of discarded)
      await tx.appendEvent({ type: 'DELIVERY_DISCARDED', deliveryId, kind, reason, by }, handoffId, now());
    return discarded;
  });
}

/**
 * Operators' decisions about dead letters. Only deliveries that are PARKED at that moment change, so a repeat is
 * harmless.
 */
export function deadLetterFlows(deps: StoreDeps): Pick<Flows, 'resendDeadLetters' | 'discardDeadLetters'> {
  return {
    resendDeadLetters: (scope, input, by) => resendDeadLetters(deps, scope, input, by),
    discardDeadLetters: (scope, selection, reason, by) => discardDeadLetters(deps, scope, selection, reason, by),
  };
}
