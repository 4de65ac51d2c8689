import type { ProviderDelivery } from '../core/delivery';
import { ProviderRefusedError, SupportDisabledError } from '../core/errors';
import { conversationLost } from '../core/flows/conversation-lost';
import { deliver, deliveryRefused } from '../core/flows/deliver';
import { accessOf, type FlowDeps } from '../core/flows/deps';
import { endForDisabled } from '../core/flows/disable';
import { provingClaim } from '../core/flows/proving-claim';
import type { HealthWatch } from './health-watch';
import type { GivenUp, LaneWorkOf, NothingOwed } from './lane-runner';
import { triedOf, verdictOn } from './retry-policy';

/**
 * Returns the verdict for work of a disabled account. A message stays undelivered and is forwarded with the next
 * handoff; other work never returns.
 */
const givenUpFor = ({ code }: SupportDisabledError, { work }: ProviderDelivery): NothingOwed | GivenUp =>
  (work.kind === 'POST_MESSAGE' ? { kind: 'nothingOwed' } : { kind: 'givenUp', code, reason: 'Support was disabled before it was done.' });

/** Creates the handler of work for providers. */
export const providerWork = (deps: FlowDeps, health: HealthWatch): LaneWorkOf<'PROVIDER'> => ({
  to: 'PROVIDER',
  deliver: ({ delivery }, lease) => deliver(deps, delivery, lease),

  async settlesMs({ organizationId, farSideId }) {
    const account = await deps.stores.setup.account(organizationId, farSideId);
    const instance = account && deps.providers.get(account.provider)?.instance;
    return account === null ? 0 : instance?.settlesAfterMs?.(accessOf(deps, account)) ?? 0;
  },

  async failed(lane, error) {
    const { organizationId, sessionId, delivery } = lane;
    const mine = provingClaim(deps, delivery);
    if (error instanceof SupportDisabledError) {
      // The work is from before support was disabled, so it is obsolete and no handoff waits for it.
      const { isOff } = await endForDisabled(mine, organizationId, sessionId);
      if (isOff) return givenUpFor(error, delivery);
      // It was enabled again in the meantime.
      return { kind: 'retry', afterMs: 1_000, code: error.code, wasNoTry: true };
    }
    await health.failed(lane, 'DELIVERY', error);
    const verdict = verdictOn(error, triedOf(deps, delivery));
    if (verdict.kind === 'park') await deliveryRefused(mine, delivery, verdict.code);
    if (verdict.kind === 'remake' || (error instanceof ProviderRefusedError && error.gone)) await conversationLost(mine, organizationId, sessionId, null);
    return verdict;
  },

  succeeded: (lane) => health.succeeded(lane, 'DELIVERY'),
});
