import { agent, contact, rawContact } from './people';
import { nestedMessage, publicMessage, unreadCount } from './messages';
import { assignedBot, team } from './settings';
import { fraction, isoOrNull, seconds, secondsOrZero } from './times';
import type { Contact, Conversation, Json, User } from '../model';
import type { World } from '../world';

/**
 * Renders a conversation for conversation calls: with its last message of any kind, and the last that is not an
 * activity line.
 */
export function conversation(world: World, row: Conversation, reader: User | undefined): Json {
  const messages = world.store.messagesIn(row);
  const last = messages.at(-1);
  const lastSpoken = world.store.lastMessage(row, message => message.messageType !== 'activity');
  const nested = (message: typeof last) => (message ? nestedMessage(world, message, row, row.accountId) : null);
  const owner = world.store.contacts.get(row.contactId) as Contact;
  return {
    meta: meta(world, row, reader),
    id: row.displayId,
    messages: last ? [nested(last)] : [],
    account_id: row.accountId,
    uuid: row.uuid,
    additional_attributes: row.additionalAttributes,
    agent_last_seen_at: secondsOrZero(row.agentLastSeenAt),
    assignee_last_seen_at: secondsOrZero(row.assigneeLastSeenAt),
    can_reply: true,
    contact_last_seen_at: secondsOrZero(row.contactLastSeenAt),
    custom_attributes: row.customAttributes,
    inbox_id: row.inboxId,
    labels: row.labels,
    muted: owner.blocked,
    snoozed_until: isoOrNull(row.snoozedUntil),
    status: row.status,
    created_at: seconds(row.createdAt),
    ...(world.features.conversationUpdatedAt ? { updated_at: fraction(row.updatedAt) } : {}),
    timestamp: seconds(row.lastActivityAt),
    first_reply_created_at: secondsOrZero(row.firstReplyCreatedAt),
    unread_count: unreadCount(world, row),
    last_non_activity_message: nested(lastSpoken),
    last_activity_at: seconds(row.lastActivityAt),
    priority: row.priority,
    waiting_since: secondsOrZero(row.waitingSince),
    sla_policy_id: null,
  };
}

function meta(world: World, row: Conversation, reader: User | undefined): Json {
  const { store } = world;
  const assignee = store.users.get(row.assigneeId);
  const bot = store.agentBots.get(row.assigneeAgentBotId);
  const its = store.teams.get(row.teamId);
  const assigned = bot
    ? { assignee: assignedBot(bot), assignee_type: 'AgentBot' }
    : assignee
      ? {
          assignee: agent(world, row.accountId, assignee),
          ...(world.features.agentBotAssignee ? { assignee_type: 'User' } : {}),
        }
      : {};
  return {
    sender: contact(world, store.contacts.get(row.contactId) as Contact, false),
    channel: 'Channel::Api',
    ...assigned,
    ...(its ? { team: team(its, reader) } : {}),
    hmac_verified: store.contactInboxes.get(row.contactInboxId)?.hmacVerified ?? false,
  };
}

/** Renders a conversation for its visitor: without notes and activity lines. */
export function publicConversation(world: World, row: Conversation): Json {
  const spoken = world.store.messagesIn(row).filter(message => message.messageType !== 'activity' && !message.private);
  return {
    id: row.displayId,
    uuid: row.uuid,
    inbox_id: row.inboxId,
    contact_last_seen_at: secondsOrZero(row.contactLastSeenAt),
    status: row.status,
    agent_last_seen_at: secondsOrZero(row.agentLastSeenAt),
    messages: spoken.map(message => publicMessage(world, message)),
    contact: rawContact(world.store.contacts.get(row.contactId) as Contact),
  };
}
