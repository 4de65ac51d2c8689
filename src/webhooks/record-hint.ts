import { isNews, isNewsAfterWrite } from '../core/flows/from-provider/needs-sync';
import type { AccountId } from '../core/ids';
import { instantOf, type Clock } from '../core/ports/clock';
import type { SessionStore } from '../core/ports/stores';
import type { WebhookHint } from '../core/ports/support-provider';

const MOST_RECHECKED = 50;

type Hint = Omit<Extract<WebhookHint, { readonly kind: 'conversation' }>, 'kind'>;

export interface HintStores { readonly sessions: Pick<SessionStore, 'findByConversation' | 'transact'> }

/**
 * Requests a sync of a conversation now. Hints from webhooks and from providers in this process have no other effect: a
 * session has one time for its next sync, so repetitions cost nothing and order does not matter.
 */
export async function recordHint(
  { stores, clock }: { readonly stores: HintStores; readonly clock: Pick<Clock, 'now'> },
  accountId: AccountId, { conversationId, changedMessageId, about, unlessKnown, shows }: Hint,
): Promise<'recorded' | 'unknownConversation'> {
  const session = await stores.sessions.findByConversation(accountId, conversationId);
  if (session === null) return 'unknownConversation';
  await stores.sessions.transact(session.organizationId, session.id, async tx => {
    if (unlessKnown !== undefined && (await tx.messageByProviderId(unlessKnown)) !== null) return;
    if (shows !== undefined && !isNews(tx.session, shows)) {
      if (isNewsAfterWrite(tx.session, shows)) await tx.addHint('ALL');
      return tx.wantReadingAgain();
    }
    await tx.wantReading(instantOf(clock.now()), about);
    // The sync finds messages that were never read; only those already recorded must be read again.
    const { recheck } = tx.session;
    if (changedMessageId !== undefined && recheck.length < MOST_RECHECKED && !recheck.includes(changedMessageId))
      await tx.updateSession({ recheck: [...recheck, changedMessageId] });
  });
  return 'recorded';
}
