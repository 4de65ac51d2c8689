import type { DeliveryOutcome, ProviderWork } from '../delivery';
import { OutcomeUnknownError, writeAfterLook } from '../errors';
import type { HandoffId, ProviderMessageId } from '../ids';
import { instantOf } from '../ports/clock';
import type { SessionTransaction } from '../ports/stores';
import type { SessionRecord } from '../session';
import type { FlowDeps } from './deps';
import type { Lease } from './lease';
import { notifyUndelivered } from './undelivered';

/**
 * A post that an earlier try may have made. Where the provider cannot tell, we may: what it takes for a possible trace of
 * it can be the trace of something else that we know of, a post that was taken back for one.
 * @throws OutcomeUnknownError when that does not tell either
 */
export async function writeOnce(deps: FlowDeps, { organizationId, id }: SessionRecord, lease: Lease, mayExist: boolean, write: (mayExist: boolean) => Promise<ProviderMessageId>): Promise<ProviderMessageId> {
  try {
    return await write(mayExist);
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError) || error.mayBe.length === 0) throw error;
    const known = await deps.stores.messages.knownPosts(organizationId, id, error.mayBe);
    if (error.mayBe.some(one => !known.has(one))) throw error;
  }
  await lease.held();
  return writeAfterLook(() => write(false));
}

/** Does a part of something that goes on without it when nobody can tell whether it is there. */
export async function orSetAside(deps: FlowDeps, { organizationId, id }: Pick<SessionRecord, 'organizationId' | 'id'>, work: ProviderWork, handoffId: HandoffId | null, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError)) throw error;
    await deps.stores.sessions.transact(organizationId, id, tx => setAsidePart(tx, deps, work, { code: error.code, outcome: 'UNKNOWN', handoffId }));
  }
}

/** Makes a dead letter of a part of something that goes on without it, and says so in the history. */
export async function setAsidePart(tx: SessionTransaction, deps: Pick<FlowDeps, 'clock'>, work: ProviderWork, { code, outcome, handoffId }: { readonly code: string; readonly outcome: DeliveryOutcome; readonly handoffId: HandoffId | null }): Promise<void> {
  const letter = await tx.setAside(work, code, outcome);
  if (letter === null) return;
  await tx.appendEvent({ type: 'DELIVERY_PARKED', deliveryId: letter.id, kind: letter.kind, code, outcome }, handoffId, instantOf(deps.clock.now()));
  await notifyUndelivered(tx, work, code, outcome);
}
