import type { ConversationAccess } from '../../core/ports/provider/access';
import type { DeleteMessage, ReportDelivery } from '../../core/ports/provider/post-verbs';
import type { Observation } from '../../core/ports/provider/observation';
import { UnsupportedByProviderError } from '../../core/errors';
import { throwIfOver } from './client';
import { numberOf, type Connect } from './connection';
import { messagesBetween } from './history';
import { toObservation } from './mapping';

/** Sets the delivery state that agents see beside a message. Chatwoot has this call since 4.2. */
export async function reportDelivery(
  connect: Connect,
  { conversation, messageId, state, error }: ReportDelivery,
  signal: AbortSignal,
): Promise<void> {
  throwIfOver(signal);
  const { user, conversation: pathOf, settings } = connect(conversation.inbox.account);
  const [major = 0, minor = 0] = (settings.version ?? '').split('.').map(Number);
  if (settings.version !== undefined && (major < 4 || (major === 4 && minor < 2)))
    throw new UnsupportedByProviderError("Chatwoot before 4.2 cannot show a message's delivery state; upgrade it.");
  await user.json(
    {
      method: 'PATCH',
      path: `${pathOf(conversation.conversationId)}/messages/${numberOf(messageId, 'message')}`,
      body: {
        status: state.toLowerCase(),
        ...(state === 'FAILED' && { external_error: error ?? 'It did not reach the end-user.' }),
      },
    },
    signal,
  );
}

/**
 * Deletes a message. Chatwoot keeps the row, with a text of its own and without files; a repeat gets the same response.
 * The AgentBot is not permitted to. A message that no longer exists counts as deleted.
 */
export async function deleteMessage(
  connect: Connect,
  { conversation, messageId }: DeleteMessage,
  signal: AbortSignal,
): Promise<void> {
  throwIfOver(signal);
  const { user, conversation: pathOf } = connect(conversation.inbox.account);
  const path = `${pathOf(conversation.conversationId)}/messages/${numberOf(messageId, 'message')}`;
  await user.request({ method: 'DELETE', path }, [404], signal);
}

/**
 * Returns the given messages. Reads the range from the lowest id to the highest and skips the others. Called for
 * changed messages.
 */
export async function readMessages(
  connect: Connect,
  access: ConversationAccess,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly Observation[]> {
  throwIfOver(signal);
  const connection = connect(access.inbox.account);
  const wanted = new Set(ids.map(id => numberOf(id, 'message')));
  const rows = await messagesBetween(
    connection,
    connection.conversation(access.conversationId),
    Math.min(...wanted),
    Math.max(...wanted),
    signal,
  );
  return rows.filter(({ id }) => wanted.has(id)).map(message => toObservation(message, connection.botUserId));
}
