import type { Json, Message, MessageStatus } from '../model';
import type { World } from '../world';

const without = (attributes: Json, key: string): Json =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => name !== key));

/** Updates a message. Sends `message_updated` if something changed. */
export function updateMessage(world: World, message: Message, patch: Partial<Message>): void {
  const before = JSON.stringify([message.status, message.content, message.contentAttributes, message.contentType]);
  Object.assign(message, patch);
  const after = JSON.stringify([message.status, message.content, message.contentAttributes, message.contentType]);
  if (before === after) return;
  touch(world, message);
  world.events.message('message_updated', message);
}

function touch(world: World, message: Message): void {
  message.updatedAt = world.now();
  const conversation = world.store.conversations.get(message.conversationRowId);
  if (conversation) conversation.updatedAt = message.updatedAt;
}

/** Sets a message's status. A message that was read never returns to delivered. */
export function setMessageStatus(
  world: World,
  message: Message,
  status: MessageStatus,
  externalError?: string | null,
): void {
  if (message.status === 'read' && status === 'delivered') return;
  const hadError = 'external_error' in message.contentAttributes;
  const rest = without(message.contentAttributes, 'external_error');
  // A removed mark leaves its key with null.
  const error =
    status === 'failed' && externalError ? { external_error: externalError } : hadError ? { external_error: null } : {};
  const contentAttributes = { ...rest, ...error };
  updateMessage(world, message, { status, contentAttributes });
}

/** Marks a message whose delivery failed, even a visitor's own or a note. */
export function markFailed(world: World, message: Message, error: string): void {
  if (!world.store.messages.get(message.id)) return;
  setMessageStatus(world, message, 'failed', error);
}

/**
 * Deletes a message: keeps its row, sender and `source_id`, and clears the rest, our marks in `content_attributes` too.
 */
export function deleteMessage(world: World, message: Message): void {
  message.attachments = [];
  updateMessage(world, message, {
    content: 'This message was deleted',
    contentType: 'text',
    contentAttributes: { deleted: true },
  });
}
