import { ProviderRefusedError } from '../../errors';
import type { ProviderContactId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { ConversationAccess, InboxAccess } from '../../ports/provider/access';
import type { SessionTransaction } from '../../ports/session-transaction';
import { canonicalJson } from '../canonical-json';
import { inboxAccessOf } from '../deps';
import { droppedNote, CONTACT_DROPPED } from '../dropped-note';
import { UNTOUCHED_VIEW } from '../provider-context';
import type { DeliveryContext } from './delivery-context';

/**
 * Creates contact and conversation if there are none. Each is stored as soon as it is known, so that a restart
 * continues after it. Called by each delivery that writes into the conversation.
 * @param onMade runs in the transaction that records a conversation which was created, or found, just now
 */
export async function ensureConversation(
  context: DeliveryContext,
  onMade: (tx: SessionTransaction) => Promise<void> = async () => undefined,
): Promise<ConversationAccess> {
  const { deps, provider, account, inbox, session, loadedAt } = context;
  const access = inboxAccessOf(deps, account, inbox);
  if (access === null)
    throw new ProviderRefusedError(
      `Inbox ${inbox.id} is ${inbox.state} and not connected to the provider; call enableChatbotSupport again.`,
    );
  const contactId = session.contactId ?? (await ensureContact(context, access));
  let { conversationId } = session;
  if (conversationId === null) {
    // Only the first attempt of the first message knows that there is no conversation.
    const mayExist = !(context.isFirstAttempt && session.lastEventSeq <= 2);
    conversationId = await provider.openConversation({ inbox: access, contactId, sessionId: session.id, mayExist });
    await context.transact(async tx => {
      await tx.updateSession({ conversationId, lastView: UNTOUCHED_VIEW, syncCursor: null });
      // Agents may have written in a conversation that was not linked yet. Hints about it were ignored.
      if (mayExist) await tx.requestSync(instantOf(deps.clock.now()));
      await onMade(tx);
    });
  }
  return {
    inbox: access,
    contactId,
    conversationId,
    sessionId: session.id,
    recentPosts: { at: session.recentPosts, asOf: loadedAt },
  };
}

async function ensureContact(context: DeliveryContext, access: InboxAccess): Promise<ProviderContactId> {
  const { deps, provider, account, session } = context;
  const dropped: string[] = [];
  const contactId = await provider.ensureContact(access, session.id, session.endUser, line => {
    dropped.push(line);
  });
  await context.transact(async tx => {
    // For a contact from an earlier conversation, the last written values are known.
    const contactEndUser = tx.session.contactEndUser ?? session.endUser;
    await tx.updateSession({ contactId, contactEndUser });
    if (dropped.length > 0 && account.capabilities.privateNotes)
      await tx.enqueueForProvider(droppedNote(`contact:${deps.clock.newId()}`, CONTACT_DROPPED, dropped));
    // Writes what the runtime reported while the contact was being created.
    if (canonicalJson(contactEndUser) !== canonicalJson(tx.session.endUser))
      await tx.enqueueForProvider({ kind: 'UPDATE_CONTACT' });
  });
  return contactId;
}

/**
 * Links a conversation that an earlier attempt of a dropped delivery may have created without recording it, because
 * agents may write there.
 */
export async function linkConversation(context: DeliveryContext): Promise<void> {
  const { contactId, conversationId } = context.session;
  if (!context.isFirstAttempt && contactId !== null && conversationId === null) await ensureConversation(context);
}
