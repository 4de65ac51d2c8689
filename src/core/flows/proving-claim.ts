import type { ProviderDelivery } from '../delivery';
import type { SessionStore } from '../ports/stores';
import type { FlowDeps } from './deps';

/**
 * What a worker works with on one claimed delivery: each of its transactions first proves that the claim still holds. One
 * that was paused past its lease, between a call's answer and the commit, changes nothing behind its successor's back.
 */
export function provingClaim(deps: FlowDeps, claim: ProviderDelivery): FlowDeps {
  const { sessions } = deps.stores;
  const transact: SessionStore['transact'] = (organizationId, sessionId, work, idempotency) =>
    sessions.transact(organizationId, sessionId, async tx => {
      await tx.holdLane(claim);
      return work(tx);
    }, idempotency);
  return { ...deps, stores: { ...deps.stores, sessions: Object.assign(Object.create(sessions) as SessionStore, { transact }) } };
}
