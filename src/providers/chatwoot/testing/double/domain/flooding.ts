import type { Conversation } from '../model';
import type { World } from '../world';

/** Returns whether the conversation has reached its limit of messages per minute, of any kind and author. */
export function isFlooded(world: World, conversation: Conversation): boolean {
  const since = world.now() - 60_000;
  return (
    world.store.messagesIn(conversation).filter(message => message.createdAt >= since).length >=
    world.options.messagesPerMinute
  );
}
