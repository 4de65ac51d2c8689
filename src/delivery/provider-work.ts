import type { ProviderDelivery } from '../core/delivery';
import { ProviderRefusedError, SupportDisabledError } from '../core/errors';
import { conversationLost } from '../core/flows/handoff/conversation-lost';
import { deliver, deliveryRefused } from '../core/flows/to-provider/deliver';
import { accessOf, type FlowDeps } from '../core/flows/deps';
import { endForDisabled } from '../core/flows/setup/disable';
import { provingClaim } from '../core/flows/to-provider/fenced-stores';
import type { HealthWatch } from './health-watch';
import type { GivenUp, LaneWorkOf, NothingOwed } from './lane-runner';
import { triedOf, verdictOn } from './retry-policy';

/** A message stays among those that agents have not seen, and is posted with the next handoff; what only prepares a handoff's opening goes with it. */
const givenUpFor = ({ code }: SupportDisabledError, { work }: ProviderDelivery): NothingOwed | GivenUp =>
  (work.kind === 'POST_MESSAGE' || work.kind === 'RETURN_TO_BOT' || ('optional' in work && work.optional) ? { kind: 'nothingOwed' } : { kind: 'givenUp', code, reason: 'Support was switched off before it was done.' });

/** Creates the handler of work for providers. */
export const providerWork = (deps: FlowDeps, health: HealthWatch): LaneWorkOf<'PROVIDER'> => ({
  to: 'PROVIDER',
  goesOn: true,
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
    if (verdict.kind === 'park') await deliveryRefused(mine, delivery, verdict.code, error);
    if (verdict.kind === 'remake' || (error instanceof ProviderRefusedError && error.gone)) await conversationLost(mine, organizationId, sessionId, null);
    return verdict;
  },

  succeeded: (lane) => health.succeeded(lane, 'DELIVERY'),
});
