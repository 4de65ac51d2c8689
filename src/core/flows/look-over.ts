import type { Instant } from '../ids';
import { timeLimit } from '../time-limit';
import { accessOf, type FlowDeps } from './deps';

const EVERY_MS = 5 * 60_000;
/** Further back than we were away: clocks differ, and a change may become visible late. */
const OVERLAP_MS = 60_000;
/** Of one look; what is older than that many changed conversations waits for its own webhook or turn. */
const MOST_PAGES = 200;

/**
 * Asks the next account that is due which of its conversations changed since it was last asked, and wants a reading of
 * those Sessions: after our own outage this finds what no webhook will ever repeat, takeovers of bot-held ones too.
 * Called at start and on a slow timer, by one replica at a time for an account.
 *
 * @returns what was found, or null when no account is due
 */
export async function lookOver(deps: FlowDeps): Promise<{ readonly accountId: string; readonly readings: number; readonly complete: boolean } | null> {
  const { watches, setup } = deps.stores;
  const look = await watches.claimLook(deps.limits.lookMs ?? EVERY_MS);
  if (look === null) return null;
  const { accountId, organizationId, unseenMs } = look;
  const startedAt: Instant = look.startedAt;
  const account = await setup.account(organizationId, accountId);
  const instance = account && deps.providers.get(account.provider)?.instance;
  let readings = 0;
  let more = account?.state !== 'DISABLED' && instance?.changedConversations !== undefined;
  let page = 1;
  for (; more && page <= MOST_PAGES; page++) {
    const found = await instance!.changedConversations!(
      { access: accessOf(deps, account!), withinMs: unseenMs + OVERLAP_MS, page }, timeLimit(deps.limits.callMs));
    readings += await watches.wantReadingOf(accountId, found.conversationIds);
    more = found.more;
  }
  await watches.finishLook(accountId, startedAt);
  return { accountId, readings, complete: !more };
}
