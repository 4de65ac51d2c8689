import { ProviderRefusedError, SupportDisabledError } from '../core/errors';
import { conversationLost } from '../core/flows/conversation-lost';
import { deliver, deliveryRefused } from '../core/flows/deliver';
import type { FlowDeps } from '../core/flows/deps';
import { endForDisabled } from '../core/flows/disable';
import { provingClaim } from '../core/flows/proving-claim';
import type { HealthWatch } from './health-watch';
import type { LaneWorkOf } from './lane-runner';
import { triedOf, verdictOn } from './retry-policy';

/** What we owe to support systems. */
export const providerWork = (deps: FlowDeps, health: HealthWatch): LaneWorkOf<'PROVIDER'> => ({
  to: 'PROVIDER',
  deliver: ({ delivery }, lease) => deliver(deps, delivery, lease),

  async failed(lane, error) {
    const { organizationId, sessionId, delivery } = lane;
    const mine = provingClaim(deps, delivery);
    if (error instanceof SupportDisabledError) {
      // Owed from before support was switched off: not any more, and nobody is waiting for people.
      const { isOff } = await endForDisabled(mine, organizationId, sessionId);
      // On again since; or off a moment ago, and the inbox does not say so yet.
      return isOff ? { kind: 'nothingOwed' } : { kind: 'retry', afterMs: 1_000, code: error.code, wasNoTry: true };
    }
    await health.failed(lane, 'DELIVERY', error);
    const verdict = verdictOn(error, triedOf(deps, delivery));
    if (verdict.kind === 'park') await deliveryRefused(mine, delivery, verdict.code);
    if (verdict.kind === 'remake' || (error instanceof ProviderRefusedError && error.gone)) await conversationLost(mine, organizationId, sessionId, null);
    return verdict;
  },

  succeeded: (lane) => health.succeeded(lane, 'DELIVERY'),
});
