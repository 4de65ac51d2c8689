import type { Conversation } from '../model';
import type { World } from '../world';

/** Whether the conversation already has all the messages it may get in a minute, of any kind and by anyone. */
export function isFlooded(world: World, conversation: Conversation): boolean {
  const since = world.now() - 60_000;
  return world.store.messagesIn(conversation).filter((message) => message.createdAt >= since).length >= world.options.messagesPerMinute;
}
