import type { Conversation, Message, NotificationType, User } from '../model';
import type { World } from '../world';

const ALL_KINDS = [
  'conversation_creation',
  'conversation_assignment',
  'assigned_conversation_new_message',
  'conversation_mention',
  'participating_conversation_new_message',
  'sla_missed_first_response',
  'sla_missed_next_response',
  'sla_missed_resolution',
];
export const EMAIL_FLAGS = ALL_KINDS.map(kind => `email_${kind}`);
export const PUSH_FLAGS = ALL_KINDS.map(kind => `push_${kind}`);

/** The notifications that agents get until they choose others. */
export const DEFAULT_FLAGS = { email: ['email_conversation_assignment'], push: ['push_conversation_assignment'] };

function notify(
  world: World,
  user: User,
  conversation: Conversation,
  type: NotificationType,
  secondaryMessageId: number | null = null,
): void {
  const id = world.store.notifications.nextId();
  world.store.notifications.insert(id, {
    id,
    accountId: conversation.accountId,
    userId: user.id,
    type,
    conversationRowId: conversation.rowId,
    messageId: secondaryMessageId,
    createdAt: world.now(),
  });
}

/**
 * Notifies an agent to whom another user assigned a conversation. Neither a team's members nor agents of pending
 * conversations are notified.
 */
export function notifyAssignee(world: World, before: Conversation, row: Conversation, by: User | undefined): void {
  const user = world.store.users.get(row.assigneeId);
  if (!user || row.assigneeId === before.assigneeId || user.id === by?.id || row.status === 'pending') return;
  notify(world, user, row, 'conversation_assignment');
}

/**
 * Notifies the assignee of every public message that is not their own, also a bot's. For an unassigned conversation no
 * agent is notified.
 */
export function notifyOfMessage(world: World, row: Conversation, message: Message): void {
  const user = world.store.users.get(row.assigneeId);
  const isOwn = message.senderType === 'User' && message.senderId === row.assigneeId;
  if (
    !user ||
    isOwn ||
    message.private ||
    row.status === 'pending' ||
    !['incoming', 'outgoing'].includes(message.messageType)
  )
    return;
  notify(world, user, row, 'assigned_conversation_new_message', message.id);
}

/** Notifies those members of the inbox who chose it of a conversation that is new to agents. */
export function notifyOfOpening(world: World, row: Conversation): void {
  if (row.status === 'pending') return;
  for (const userId of world.store.inboxes.get(row.inboxId)?.memberIds ?? []) {
    const user = world.store.users.get(userId);
    const chosen = world.store.notificationSettings.find(
      one => one.userId === userId && one.accountId === row.accountId,
    );
    if (
      user &&
      [...(chosen?.email ?? []), ...(chosen?.push ?? [])].some(flag => flag.endsWith('_conversation_creation'))
    )
      notify(world, user, row, 'conversation_creation');
  }
}
