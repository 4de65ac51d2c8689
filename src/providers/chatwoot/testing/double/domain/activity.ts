import { nameOf, type Cause } from './cause';
import { isFlooded } from './flooding';
import type { Conversation, Priority } from '../model';
import type { World } from '../world';

/** Writes an activity line in a job after the change. No webhook reports it. */
export function writeActivity(world: World, conversation: Conversation, content: string): void {
  const write = () => {
    if (!world.store.conversations.get(conversation.rowId) || isFlooded(world, conversation)) return;
    const now = world.now();
    world.store.addMessage({
      id: world.store.messages.nextId(),
      accountId: conversation.accountId,
      inboxId: conversation.inboxId,
      conversationRowId: conversation.rowId,
      messageType: 'activity',
      contentType: 'text',
      content,
      contentAttributes: {},
      private: false,
      status: 'sent',
      sourceId: null,
      senderType: null,
      senderId: null,
      attachments: [],
      createdAt: now,
      updatedAt: now,
    });
    conversation.lastActivityAt = now;
    conversation.updatedAt = now;
  };
  if (world.options.activityDelayMs === 0) write();
  else world.jobs.enqueue(write, world.options.activityDelayMs);
}

export function statusLine(status: Conversation['status'], cause: Cause): string | undefined {
  if (cause.contact) {
    return status === 'resolved'
      ? `Conversation was resolved by ${cause.contact.name}`
      : 'System reopened the conversation due to a new incoming message.';
  }
  const name = nameOf(cause);
  if (!name) return undefined;
  return {
    open: `Conversation was reopened by ${name}`,
    resolved: `Conversation was marked resolved by ${name}`,
    pending: `Conversation was marked as pending by ${name}`,
    snoozed: `Conversation was snoozed by ${name}`,
  }[status];
}

export function priorityLine(from: Priority | null, to: Priority | null, cause: Cause): string | undefined {
  const name = nameOf(cause);
  if (!name) return undefined;
  if (from && to) return `${name} changed the priority from ${from} to ${to}`;
  return to ? `${name} set the priority to ${to}` : `${name} removed the priority`;
}

export function labelLines(before: string[], after: string[], cause: Cause): string[] {
  const name = nameOf(cause);
  if (!name) return [];
  const added = after.filter(label => !before.includes(label));
  const removed = before.filter(label => !after.includes(label));
  return [
    ...(added.length > 0 ? [`${name} added ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`${name} removed ${removed.join(', ')}`] : []),
  ];
}

/** Returns the line about a change of team. It includes a change of assignee, which gets no line of its own. */
export function teamLine(
  from: string | undefined,
  to: string | undefined,
  newAssignee: string | undefined,
  cause: Cause,
): string | undefined {
  const name = nameOf(cause);
  if (!name) return undefined;
  if (to === undefined) return `Unassigned from ${from ?? ''} by ${name}`;
  return newAssignee ? `Assigned to ${newAssignee} via ${to} by ${name}` : `Assigned to ${to} by ${name}`;
}

export function assigneeLine(assignee: { id: number; name: string } | undefined, cause: Cause): string | undefined {
  const name = nameOf(cause);
  if (!name) return undefined;
  if (!assignee) return `Conversation unassigned by ${name}`;
  return assignee.id === cause.user?.id
    ? `${name} self-assigned this conversation`
    : `Assigned to ${assignee.name} by ${name}`;
}
