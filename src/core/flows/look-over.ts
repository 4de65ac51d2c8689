import { timeLimit } from '../time-limit';
import { accessOf, type FlowDeps } from './deps';
import { watchClaimMs } from './scan-account';
import { noticeStrays } from './stray-conversation';

const EVERY_MS = 5 * 60_000;
/** Further back than we were away: clocks differ, and a change may become visible late. */
const OVERLAP_MS = 60_000;
export interface FailedLook { readonly accountId: string; readonly organizationId: string }
/** Of one turn; the next one goes on behind them. */
const PAGES_OF_TURN = 20;

/**
 * Asks the next account that is due which of its conversations changed since it was last asked, and wants a reading of
 * those Sessions: after our own outage this finds what no webhook will ever repeat, takeovers of bot-held ones too.
 * Called at start and on a slow timer, by one replica at a time for an account. What does not fit into one turn, or was
 * stopped or failed in the middle, goes on where it was left, also after a restart: what changes meanwhile comes to the
 * front of the list, and the next look finds it there.
 *
 * @param stopped ends the turn
 * @param onFailure told which account could not be asked, and why; if omitted, the error is thrown
 * @returns what this turn found, or null when no account is due
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
      // A process that dies here leaves it to others within one call's time, and they begin behind this page.
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
