import type { ConversationAccess, DeleteMessage, Observation, ReportDelivery } from '../../core/ports/support-provider';
import { UnsupportedByProviderError } from '../../core/errors';
import { throwIfOver } from './client';
import { numberOf, type Connect } from './connection';
import { readInConversation } from './damaged';
import { observe } from './mapping';
import { listIn, type WireMessage } from './wire';

/** Agents' screens show it beside the message. Chatwoot before 4.2 has no such call. */
export async function reportDelivery(connect: Connect, { conversation, messageId, state, error }: ReportDelivery, signal: AbortSignal): Promise<void> {
  throwIfOver(signal);
  const { user, conversation: pathOf, settings } = connect(conversation.inbox.account);
  const [major = 0, minor = 0] = (settings.version ?? '').split('.').map(Number);
  if (settings.version !== undefined && (major < 4 || (major === 4 && minor < 2)))
    throw new UnsupportedByProviderError('Chatwoot before 4.2 cannot be told what became of a message.');
  await user.json({
    method: 'PATCH', path: `${pathOf(conversation.conversationId)}/messages/${numberOf(messageId, 'message')}`,
    body: { status: state.toLowerCase(), ...(state === 'FAILED' && { external_error: error ?? 'It did not reach the end-user.' }) },
  }, signal);
}

/**
 * Chatwoot keeps the row, with a sentence of its own and without files; deleting it again answers the same. The AgentBot
 * may not. What is not there any more needs no deleting.
 */
export async function deleteMessage(connect: Connect, { conversation, messageId }: DeleteMessage, signal: AbortSignal): Promise<void> {
  throwIfOver(signal);
  const { user, conversation: pathOf } = connect(conversation.inbox.account);
  const path = `${pathOf(conversation.conversationId)}/messages/${numberOf(messageId, 'message')}`;
  await user.answer({ method: 'DELETE', path }, [404], signal);
}

/** One call for all of them; what lies between is read and left aside. */
export async function readMessages(connect: Connect, access: ConversationAccess, ids: readonly string[], signal: AbortSignal): Promise<readonly Observation[]> {
  throwIfOver(signal);
  const connection = connect(access.inbox.account);
  const { conversation: pathOf, botUserId } = connection;
  const wanted = new Set(ids.map((id) => numberOf(id, 'message')));
  const [from, to] = [Math.min(...wanted), Math.max(...wanted)];
  const { payload } = await readInConversation(connection, `${pathOf(access.conversationId)}/messages?after=${from}&before=${to + 1}`, signal) as { payload?: unknown };
  return listIn<WireMessage>(payload, 'messages').filter(({ id }) => wanted.has(id)).map((message) => observe(message, botUserId));
}
