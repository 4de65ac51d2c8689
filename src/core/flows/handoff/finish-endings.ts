import type { HandoffId, OrganizationId, SessionId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { StoreDeps } from '../deps';
import { endIfDrained } from './transition';

/** Ends draining handoffs of sessions whose deliveries were collected, because they wait for exactly that. */
export async function endDrainedHandoffs(
  deps: StoreDeps,
  organizationId: OrganizationId,
  sessionIds: readonly SessionId[],
): Promise<void> {
  const { sessions } = deps.stores;
  for (const session of await sessions.getMany(organizationId, sessionIds))
    if (session?.liveHandoffId)
      await sessions.transact(
        organizationId,
        session.id,
        async tx => tx.liveHandoff && void (await endIfDrained(tx, deps, tx.liveHandoff)),
      );
}

/** An ending that could not be finished this time; it stays due. */
export interface UnfinishedEnding {
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  readonly handoffId: HandoffId;
}

/**
 * Ends handoffs whose drain is over. Called by the timer, on any replica, any number of times. It reports a failing one
 * to `onUnfinished` and continues with the others. Returns how many it handled without an error.
 */
export async function finishEndings(
  deps: StoreDeps,
  limit: number,
  onUnfinished: (ending: UnfinishedEnding, error: unknown) => void,
): Promise<number> {
  const { handoffs, sessions } = deps.stores;
  const left: HandoffId[] = [];
  for (let looked = 0; ; ) {
    const leftBefore = left.length;
    const due = await handoffs.findDueToEnd(instantOf(deps.clock.now()), limit, left);
    for (const ending of due)
      try {
        await sessions.transact(ending.organizationId, ending.sessionId, async tx => {
          if (tx.liveHandoff?.id === ending.handoffId) await endIfDrained(tx, deps, tx.liveHandoff);
        });
        looked += 1;
      } catch (error) {
        left.push(ending.handoffId);
        onUnfinished(ending, error);
      }
    // Even if many fail, the loop continues after them.
    if (due.length < limit || left.length === leftBefore) return looked;
  }
}
