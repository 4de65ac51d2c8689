import { ProviderRefusedError, UnsupportedByProviderError } from '../../core/errors';
import type { ConversationAccess } from '../../core/ports/provider/access';
import type { SendTyping } from '../../core/ports/provider/post-verbs';
import { throwIfOver } from './client';
import type { Connect } from './connection';

/**
 * Calls the public inbox API as the end-user. Used for actions other than messages: with our own users' tokens agents
 * would see BotAgent1 as the actor. In that API an inbox's identifier and a contact's `source_id` (our session id)
 * authenticate the end-user.
 */
async function callAsEndUser(
  connect: Connect,
  { inbox, conversationId, sessionId }: ConversationAccess,
  act: string,
  body: object | undefined,
  signal: AbortSignal,
): Promise<void> {
  throwIfOver(signal);
  const { endUser, conversation } = connect(inbox.account);
  const identifier = inbox.providerData['inboxIdentifier'];
  if (typeof identifier !== 'string' || !/^[\w-]{1,100}$/.test(identifier))
    throw new UnsupportedByProviderError(
      "The inbox's public identifier is unknown; enable support for the chatbot again.",
    );
  const number = conversation(conversationId).split('/').at(-1);
  try {
    await endUser.json(
      {
        method: 'POST',
        path: `/public/api/v1/inboxes/${identifier}/contacts/${encodeURIComponent(sessionId)}/conversations/${number}/${act}`,
        body,
      },
      signal,
    );
  } catch (error) {
    // Chatwoot also responds with 404 if the inbox has another identifier or the contact was merged; the conversation
    // itself may still exist.
    if (error instanceof ProviderRefusedError && error.gone)
      throw new UnsupportedByProviderError(
        'Chatwoot does not know the end-user of this conversation by our session id; the step is skipped.',
        { cause: error },
      );
    throw error;
  }
}

/**
 * Marks all outgoing messages as read, notes too. Chatwoot then sends a `message_updated` webhook for each, without its
 * status.
 */
export const markRead = (connect: Connect, conversation: ConversationAccess, signal: AbortSignal): Promise<void> =>
  callAsEndUser(connect, conversation, 'update_last_seen', undefined, signal);

export const sendTyping = (
  connect: Connect,
  { conversation, isTyping }: SendTyping,
  signal: AbortSignal,
): Promise<void> =>
  callAsEndUser(connect, conversation, 'toggle_typing', { typing_status: isTyping ? 'on' : 'off' }, signal);
