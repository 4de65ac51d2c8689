import { ProviderRefusedError, UnsupportedByProviderError } from '../../core/errors';
import type { ConversationAccess, ShowTyping } from '../../core/ports/support-provider';
import { throwIfOver } from './client';
import type { Connect } from './connection';

/**
 * What end-users do beside talking, by the public inbox API: under our own users' names agents would see BotAgent1 do it.
 * Whoever knows an inbox's identifier and a contact's `source_id`, which is our session id, is that end-user there.
 */
async function asEndUser(connect: Connect, { inbox, conversationId, sessionId }: ConversationAccess, act: string, body: object | undefined, signal: AbortSignal): Promise<void> {
  throwIfOver(signal);
  const { endUser, conversation } = connect(inbox.account);
  const identifier = inbox.providerData['inboxIdentifier'];
  if (typeof identifier !== 'string' || !/^[\w-]{1,100}$/.test(identifier))
    throw new UnsupportedByProviderError('Chatwoot has not told the inbox\'s public identifier; enable the chatbot again.');
  const number = conversation(conversationId).split('/').at(-1);
  try {
    await endUser.json({ method: 'POST', path: `/public/api/v1/inboxes/${identifier}/contacts/${encodeURIComponent(sessionId)}/conversations/${number}/${act}`, body }, signal);
  } catch (error) {
    // Also the answer for an inbox with another identifier, or a contact that was merged: the conversation itself may well be there.
    if (error instanceof ProviderRefusedError && error.gone) throw new UnsupportedByProviderError('Chatwoot does not know the end-user of this conversation by our id.', { cause: error });
    throw error;
  }
}

/** Marks every outgoing message as read, notes too; each change comes back to us as a `message_updated` without its status. */
export const markRead = (connect: Connect, conversation: ConversationAccess, signal: AbortSignal): Promise<void> =>
  asEndUser(connect, conversation, 'update_last_seen', undefined, signal);

export const showTyping = (connect: Connect, { conversation, isTyping }: ShowTyping, signal: AbortSignal): Promise<void> =>
  asEndUser(connect, conversation, 'toggle_typing', { typing_status: isTyping ? 'on' : 'off' }, signal);
