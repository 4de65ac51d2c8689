import { needsSync, isNewsAfterWrite } from './needs-sync';
import type { AccountId } from '../../ids';
import { instantOf, type Clock } from '../../ports/clock';
import type { SessionStore } from '../../ports/session-store';
import type { WebhookHint } from '../../ports/provider/webhook';

const MAX_RECHECKED = 50;

type Hint = Omit<Extract<WebhookHint, { readonly kind: 'conversation' }>, 'kind'>;

export interface HintStores {
  readonly sessions: Pick<SessionStore, 'findByConversation' | 'transact'>;
}

/**
 * Requests a sync of a conversation now. Hints from webhooks and from providers in this process have no other effect: a
 * session has one time for its next sync, so repetitions cost nothing and order does not matter.
 */
export async function recordHint(
  { stores, clock }: { readonly stores: HintStores; readonly clock: Pick<Clock, 'now'> },
  accountId: AccountId,
  { conversationId, changedMessageId, about, skipIfKnownId, stateHint }: Hint,
): Promise<'recorded' | 'unknownConversation'> {
  const session = await stores.sessions.findByConversation(accountId, conversationId);
  if (session === null) return 'unknownConversation';
  await stores.sessions.transact(session.organizationId, session.id, async tx => {
    if (skipIfKnownId !== undefined && (await tx.findMessageByProviderId(skipIfKnownId)) !== null) return;
    if (stateHint !== undefined && !needsSync(tx.session, stateHint)) {
      if (isNewsAfterWrite(tx.session, stateHint)) await tx.addHint('ALL');
      return tx.requestAnotherSync();
    }
    await tx.requestSync(instantOf(clock.now()), about);
    // The sync finds messages that were never read; only those already recorded must be read again.
    const { recheckIds } = tx.session;
    if (changedMessageId !== undefined && recheckIds.length < MAX_RECHECKED && !recheckIds.includes(changedMessageId))
      await tx.updateSession({ recheckIds: [...recheckIds, changedMessageId] });
  });
  return 'recorded';
}
