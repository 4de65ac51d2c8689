import type { ProviderDelivery } from '../../delivery';
import type { SessionStore } from '../../ports/session-store';
import type { FlowDeps } from '../deps';

/**
 * Returns the dependencies for work on one claimed delivery: each of their transactions first proves that the claim
 * still holds. A worker that was paused past its lease, between a call's response and the commit, then changes nothing.
 */
export function fenceStores(deps: FlowDeps, claim: ProviderDelivery): FlowDeps {
  const { sessions } = deps.stores;
  const transact: SessionStore['transact'] = (organizationId, sessionId, work, idempotency) =>
    sessions.transact(
      organizationId,
      sessionId,
      async tx => {
        await tx.assertFence(claim);
        return work(tx);
      },
      idempotency,
    );
  return {
    ...deps,
    stores: { ...deps.stores, sessions: Object.assign(Object.create(sessions) as SessionStore, { transact }) },
  };
}
