import { timeLimit } from '../../time-limit';
import { accessOf, type FlowDeps } from '../deps';
import { watchClaimMs } from './scan-account';
import { noticeStrays } from './agent-initiated';

const EVERY_MS = 5 * 60_000;
/** The scan reaches further back than the last one, because clocks differ and a change may become visible late. */
const OVERLAP_MS = 60_000;
export interface FailedLook { readonly accountId: string; readonly organizationId: string }
/** The maximum number of pages per tick; the next tick continues after them. */
const PAGES_OF_TURN = 20;

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
export async function lookOver(deps: FlowDeps, stopped: AbortSignal, onFailure?: (account: FailedLook, error: unknown) => void): Promise<{ readonly accountId: string; readonly readings: number; readonly complete: boolean } | null> {
  const { watches, setup } = deps.stores;
  const [everyMs, claimMs] = [deps.limits.lookMs ?? EVERY_MS, watchClaimMs(deps)];
  const look = await watches.claimLook(claimMs);
  if (look === null) return null;
  const { accountId, organizationId, startedAt } = look;
  const withinMs = look.unseenMs + OVERLAP_MS;
  const account = await setup.account(organizationId, accountId);
  const instance = account && deps.providers.get(account.provider)?.instance;
  let readings = 0;
  let { page } = look;
  const canBeAsked = account?.state !== 'DISABLED' && instance?.changedConversations !== undefined;
  let more = canBeAsked;
  let hasFailed = false;
  try {
    for (const end = page + PAGES_OF_TURN; more && page < end && !stopped.aborted; page++) {
      const found = await instance!.changedConversations!({ access: accessOf(deps, account!), withinMs, page }, AbortSignal.any([stopped, timeLimit(deps.limits.callMs)]));
      readings += await watches.wantReadingOf(accountId, found.conversationIds);
      if (found.endUsers !== undefined) await noticeStrays(deps.stores, accountId, found.endUsers);
      more = found.more;
      // If this process dies here, another one continues after this page within the time of one call.
      if (more) await watches.leaveLook(accountId, startedAt, page + 1, claimMs);
    }
  } catch (error) {
    hasFailed = !stopped.aborted;
    if (hasFailed && onFailure === undefined) throw error;
    if (hasFailed) onFailure?.({ accountId, organizationId }, error);
  } finally {
    if (more) await watches.leaveLook(accountId, startedAt, page, hasFailed ? everyMs : 0);
  }
  if (!more) await watches.finishLook(accountId, startedAt, everyMs, canBeAsked ? deps.limits.livePollMs : 0);
  return { accountId, readings, complete: !more };
}
