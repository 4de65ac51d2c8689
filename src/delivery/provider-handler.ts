import type { ProviderDelivery } from '../core/delivery';
import { ProviderRefusedError, SupportDisabledError } from '../core/errors';
import { handleLostConversation } from '../core/flows/handoff/conversation-lost';
import { deliver, handleRefusedDelivery } from '../core/flows/to-provider/deliver';
import { accessOf, type FlowDeps } from '../core/flows/deps';
import { endHandoffIfDisabled } from '../core/flows/setup/disable';
import { fenceStores } from '../core/flows/to-provider/fenced-stores';
import type { HealthMonitor } from './health-monitor';
import type { DiscardVerdict, LaneHandler, ObsoleteVerdict } from './lane-runner';
import { attemptHistoryOf, verdictFor } from './retry-policy';

/**
 * A message stays among those that agents have not seen, and is posted with the next handoff; what only prepares a
 * handoff's opening goes with it.
 */
const verdictWhileDisabled = (
  { code }: SupportDisabledError,
  { work }: ProviderDelivery,
): ObsoleteVerdict | DiscardVerdict =>
  work.kind === 'POST_MESSAGE' || work.kind === 'RETURN_TO_BOT' || ('optional' in work && work.optional)
    ? { kind: 'obsolete' }
    : { kind: 'discard', code, reason: 'Support was switched off before it was done.' };

/** Creates the handler of work for providers. */
export const createProviderHandler = (deps: FlowDeps, health: HealthMonitor): LaneHandler<'PROVIDER'> => ({
  destination: 'PROVIDER',
  goesOn: true,
  deliver: ({ delivery }, lease) => deliver(deps, delivery, lease),

  async ambiguousForMs({ organizationId, remoteId }) {
    const account = await deps.stores.setup.findAccount(organizationId, remoteId);
    const instance = account && deps.providers.get(account.provider)?.instance;
    return account === null ? 0 : (instance?.ambiguousForMs?.(accessOf(deps, account)) ?? 0);
  },

  async handleFailure(lane, error) {
    const { organizationId, sessionId, delivery } = lane;
    const mine = fenceStores(deps, delivery);
    if (error instanceof SupportDisabledError) {
      // The work is from before support was disabled, so it is obsolete and no handoff waits for it.
      const { isDisabled } = await endHandoffIfDisabled(mine, organizationId, sessionId);
      if (isDisabled) return verdictWhileDisabled(error, delivery);
      // It was enabled again in the meantime.
      return { kind: 'retry', afterMs: 1_000, code: error.code, isNotCounted: true };
    }
    await health.recordFailure(lane, 'DELIVERY', error);
    const verdict = verdictFor(error, attemptHistoryOf(deps, delivery));
    if (verdict.kind === 'park') await handleRefusedDelivery(mine, delivery, verdict.code, error);
    if (verdict.kind === 'recreate' || (error instanceof ProviderRefusedError && error.gone))
      await handleLostConversation(mine, organizationId, sessionId, null);
    return verdict;
  },

  handleSuccess: lane => health.recordSuccess(lane, 'DELIVERY'),
});
