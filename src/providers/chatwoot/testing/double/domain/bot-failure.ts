import { writeActivity } from './activity';
import { NOBODY } from './cause';
import { updateConversation } from './conversations';
import type { Conversation } from '../model';
import type { World } from '../world';

/** Opens a pending conversation to agents after its agent bot could not be reached. */
export function moveToHumans(world: World, conversation: Conversation): void {
  const held = world.store.conversations.get(conversation.rowId)?.status === 'pending';
  if (!held || !world.features.botFailureOpens) return;
  updateConversation(world, conversation, { status: 'open' }, NOBODY);
  writeActivity(world, conversation, 'Conversation was marked open by system due to an error with the agent bot.');
}
