import { createTimeLimit } from '../../time-limit';
import { accessOf, type ProviderDeps } from '../deps';
import { scanClaimMs } from './scan-account';
import { enqueueAgentInitiatedNotes } from './agent-initiated';

const FULL_SCAN_INTERVAL_MS = 5 * 60_000;
/** The scan reaches further back than the last one, because clocks differ and a change may become visible late. */
const OVERLAP_MS = 60_000;
export interface FailedScan {
  readonly accountId: string;
  readonly organizationId: string;
}
/** The maximum number of pages per tick; the next tick continues after them. */
const PAGES_PER_RUN = 20;

/**
 * Scans the next due account for conversations that changed since its last full scan, and requests syncs of their
 * sessions. After an outage of this service it finds changes that no webhook will repeat, including takeovers. Called
 * at start and on a slow timer, by one replica at a time per account. A scan that does not fit into one tick, was
 * stopped or failed continues at its page, also after a restart: changes made meanwhile come to the front of the list,
 * and the next full scan finds them there.
 *
 * @param stopped ends the tick
 * @param onFailure called with the account that could not be scanned, and the error; if omitted, the error is thrown
 * @returns what this tick found, or null if no account is due
 */
export async function runFullScan(
  deps: ProviderDeps,
  stopped: AbortSignal,
  onFailure?: (account: FailedScan, error: unknown) => void,
): Promise<{ readonly accountId: string; readonly requestedSyncs: number; readonly complete: boolean } | null> {
  const { scans, setup } = deps.stores;
  const [everyMs, claimMs] = [deps.limits.fullScanIntervalMs ?? FULL_SCAN_INTERVAL_MS, scanClaimMs(deps)];
  const look = await scans.claimFullScan(claimMs);
  if (look === null) return null;
  const { accountId, organizationId, startedAt } = look;
  const withinMs = look.unscannedMs + OVERLAP_MS;
  const account = await setup.findAccount(organizationId, accountId);
  const instance = account && deps.providers.get(account.provider)?.instance;
  let requestedSyncs = 0;
  let { page } = look;
  const canBeAsked = account?.state !== 'DISABLED' && instance?.listChangedConversations !== undefined;
  let more = canBeAsked;
  let hasFailed = false;
  try {
    for (const end = page + PAGES_PER_RUN; more && page < end && !stopped.aborted; page++) {
      const found = await instance!.listChangedConversations!(
        { access: accessOf(deps, account!), withinMs, page },
        AbortSignal.any([stopped, createTimeLimit(deps.limits.callMs)]),
      );
      requestedSyncs += await scans.requestSyncs(accountId, found.conversationIds);
      if (found.endUsers !== undefined) await enqueueAgentInitiatedNotes(deps.stores, accountId, found.endUsers);
      more = found.hasMore;
      // If this process dies here, another one continues after this page within the time of one call.
      if (more) await scans.pauseFullScan(accountId, startedAt, page + 1, claimMs);
    }
  } catch (error) {
    hasFailed = !stopped.aborted;
    if (hasFailed && onFailure === undefined) throw error;
    if (hasFailed) onFailure?.({ accountId, organizationId }, error);
  } finally {
    if (more) await scans.pauseFullScan(accountId, startedAt, page, hasFailed ? everyMs : 0);
  }
  if (!more) await scans.finishFullScan(accountId, startedAt, everyMs, canBeAsked ? deps.limits.liveScanIntervalMs : 0);
  return { accountId, requestedSyncs, complete: !more };
}
