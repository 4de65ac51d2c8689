import type { Json, Message, MessageStatus } from '../model';
import type { World } from '../world';

const without = (attributes: Json, key: string): Json => Object.fromEntries(Object.entries(attributes).filter(([name]) => name !== key));

/** Saves a message that may have changed; when it did, `message_updated` goes out. */
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

/** A message that was read never goes back to delivered. */
export function setMessageStatus(world: World, message: Message, status: MessageStatus, externalError?: string | null): void {
  if (message.status === 'read' && status === 'delivered') return;
  const hadError = 'external_error' in message.contentAttributes;
  const rest = without(message.contentAttributes, 'external_error');
  // A mark that is taken off leaves its key, with nothing under it.
  const error = status === 'failed' && externalError ? { external_error: externalError } : hadError ? { external_error: null } : {};
  const contentAttributes = { ...rest, ...error };
  updateMessage(world, message, { status, contentAttributes });
}

/** What a failed delivery does to the message it was about, even to a visitor's own or a note. */
export function markFailed(world: World, message: Message, error: string): void {
  if (!world.store.messages.get(message.id)) return;
  setMessageStatus(world, message, 'failed', error);
}

/** Keeps the row, its sender and its `source_id`; empties the rest, our own marks in `content_attributes` too. */
export function deleteMessage(world: World, message: Message): void {
  message.attachments = [];
  updateMessage(world, message, {
    content: 'This message was deleted', contentType: 'text', contentAttributes: { deleted: true },
  });
}
