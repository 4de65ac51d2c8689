import { isOnline } from './presence';
import type { Conversation, Inbox, Team, User } from '../model';
import type { World } from '../world';

/** Returns the next online member of the round robin and moves them to its end. */
function nextInTurn(world: World, inbox: Inbox, allowed: (userId: number) => boolean): User | undefined {
  const next = inbox.turn.find(id => allowed(id) && isOnline(world, inbox.accountId, id));
  if (next === undefined) return undefined;
  inbox.turn = [...inbox.turn.filter(id => id !== next), next];
  return world.store.users.get(next);
}

/** Returns the user to whom an inbox assigns a newly opened conversation; none if its assignee may keep it. */
export function assigneeForOpened(world: World, conversation: Conversation): User | undefined {
  const inbox = world.store.inboxes.get(conversation.inboxId);
  if (!inbox?.enableAutoAssignment || conversation.status !== 'open') return undefined;
  if (conversation.assigneeId !== null && inbox.memberIds.includes(conversation.assigneeId)) return undefined;
  const team = world.features.teamBoundAssignment ? world.store.teams.get(conversation.teamId) : undefined;
  return nextInTurn(world, inbox, id => team === undefined || team.memberIds.includes(id));
}

/**
 * Returns the user to whom a team with `allow_auto_assign` assigns a conversation, whatever the inbox's own setting.
 */
export function assigneeFromTeam(world: World, conversation: Conversation, team: Team): User | undefined {
  const inbox = world.store.inboxes.get(conversation.inboxId);
  if (!inbox || !team.allowAutoAssign) return undefined;
  return nextInTurn(world, inbox, id => team.memberIds.includes(id));
}
