import { attachment, nestedMessage, sender, unreadCount } from './messages';
import { sendingBot, sendingContact, sendingUser } from './people';
import { fraction, iso, isoOrNull, seconds, secondsOrZero } from './times';
import type { Account, AgentBot, Contact, ContactInbox, Conversation, Inbox, Json, Message, User } from '../model';
import type { World } from '../world';

/**
 * The current account while a webhook's body is built. Null for account and inbox webhooks, which a job without an
 * account builds; the account for agent bots' bodies.
 */
type InAccount = number | null;

export function conversationBody(world: World, row: Conversation, inAccount: InAccount): Json {
  const { store } = world;
  const last = store.lastMessage(row, message => message.messageType !== 'activity' && !message.private);
  const link = store.contactInboxes.get(row.contactInboxId) as ContactInbox;
  return {
    additional_attributes: row.additionalAttributes,
    can_reply: true,
    channel: 'Channel::Api',
    contact_inbox: {
      id: link.id,
      contact_id: link.contactId,
      inbox_id: link.inboxId,
      source_id: link.sourceId,
      created_at: iso(link.createdAt),
      updated_at: iso(link.updatedAt),
      hmac_verified: link.hmacVerified,
      pubsub_token: link.pubsubToken,
    },
    id: row.displayId,
    inbox_id: row.inboxId,
    messages: last ? [nestedMessage(world, last, row, inAccount)] : [],
    labels: row.labels,
    meta: conversationMeta(world, row, link, inAccount),
    status: row.status,
    custom_attributes: row.customAttributes,
    snoozed_until: isoOrNull(row.snoozedUntil),
    unread_count: unreadCount(world, row),
    first_reply_created_at: isoOrNull(row.firstReplyCreatedAt),
    priority: row.priority,
    waiting_since: secondsOrZero(row.waitingSince),
    agent_last_seen_at: secondsOrZero(row.agentLastSeenAt),
    contact_last_seen_at: secondsOrZero(row.contactLastSeenAt),
    last_activity_at: seconds(row.lastActivityAt),
    timestamp: seconds(row.lastActivityAt),
    created_at: seconds(row.createdAt),
    ...(world.features.conversationUpdatedAt ? { updated_at: fraction(row.updatedAt) } : {}),
    ...(world.features.accountInConversationEvents
      ? { account: { id: row.accountId, name: store.accounts.get(row.accountId)?.name } }
      : {}),
  };
}

function conversationMeta(world: World, row: Conversation, link: ContactInbox, inAccount: InAccount): Json {
  const user = world.store.users.get(row.assigneeId);
  const bot = world.store.agentBots.get(row.assigneeAgentBotId);
  const team = world.store.teams.get(row.teamId);
  const assigneeType = bot ? 'AgentBot' : user ? 'User' : null;
  return {
    sender: sendingContact(world.store.contacts.get(row.contactId) as Contact),
    assignee: bot ? sendingBot(bot) : user ? sendingUser(world, user, inAccount) : null,
    ...(world.features.agentBotAssignee ? { assignee_type: assigneeType } : {}),
    team: team ? { id: team.id, name: team.name } : null,
    hmac_verified: link.hmacVerified,
  };
}

export function messageBody(world: World, row: Message, inAccount: InAccount): Json {
  const { store } = world;
  const account = store.accounts.get(row.accountId) as Account;
  const conversation = store.conversations.get(row.conversationRowId) as Conversation;
  const inbox = store.inboxes.get(row.inboxId) as Inbox;
  return {
    account: { id: account.id, name: account.name },
    additional_attributes: {},
    content_attributes: row.contentAttributes,
    content_type: row.contentType,
    content: shownContent(world, row, conversation),
    conversation: conversationBody(world, conversation, inAccount),
    created_at: iso(row.createdAt),
    id: row.id,
    inbox: { id: inbox.id, name: inbox.name },
    message_type: row.messageType,
    private: row.private,
    sender: messageSender(world, row),
    source_id: row.sourceId,
    ...(row.attachments.length > 0 ? { attachments: row.attachments.map(one => attachment(world, one)) } : {}),
  };
}

/** Renders the content. From 4.4 to 4.12 a survey's webhook contains the survey's link. */
function shownContent(world: World, row: Message, conversation: Conversation): string | null {
  if (row.contentType !== 'input_csat' || !world.features.renderedWebhookContent) return row.content;
  return `Please rate this conversation, ${world.baseUrl}/survey/responses/${conversation.uuid}`;
}

/** Renders the sender. Here users and bots have a type, contacts do not. */
function messageSender(world: World, row: Message): Json | null {
  const { store } = world;
  if (!sender(world, row, null)) return null;
  if (row.senderType === 'User') return userBody(store.users.get(row.senderId) as User);
  if (row.senderType === 'Contact') return contactBody(world, store.contacts.get(row.senderId) as Contact);
  const bot = store.agentBots.get(row.senderId) as AgentBot;
  return { id: bot.id, name: bot.name, type: 'agent_bot' };
}

export function userBody(user: User): Json {
  return { id: user.id, name: user.name, email: user.email, type: 'user' };
}

export function contactBody(world: World, row: Contact): Json {
  const account = world.store.accounts.get(row.accountId) as Account;
  return {
    account: { id: account.id, name: account.name },
    additional_attributes: row.additionalAttributes,
    avatar: '',
    custom_attributes: row.customAttributes,
    email: row.email,
    id: row.id,
    identifier: row.identifier,
    name: row.name,
    phone_number: row.phoneNumber,
    thumbnail: '',
    blocked: row.blocked,
  };
}
