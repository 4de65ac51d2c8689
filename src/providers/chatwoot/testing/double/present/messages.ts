import { isUnshowable } from '../domain/file-names';
import { refuse } from '../http/replies';
import { sendingBot, sendingContact, sendingUser } from './people';
import { iso, seconds } from './times';
import { MESSAGE_TYPES, type Attachment, type Conversation, type Json, type Message } from '../model';
import type { World } from '../world';

export const typeNumber = (message: Message) => MESSAGE_TYPES.indexOf(message.messageType);

/** Renders the sender. `inAccount` is null where the server has no current account: in jobs and the public API. */
export function sender(world: World, message: Message, inAccount: number | null): Json | undefined {
  const { store } = world;
  if (message.senderType === 'User') {
    const user = store.users.get(message.senderId);
    return user && sendingUser(world, user, inAccount);
  }
  if (message.senderType === 'AgentBot') {
    const bot = store.agentBots.get(message.senderId);
    return bot && sendingBot(bot);
  }
  const contact = message.senderType === 'Contact' ? store.contacts.get(message.senderId) : undefined;
  return contact && sendingContact(contact);
}

export function attachment(world: World, row: Attachment): Json {
  const { blob } = row;
  if (isUnshowable(row)) throw refuse.crash();
  const name = encodeURIComponent(blob.filename);
  const link = (kind: string) => `${world.baseUrl}/rails/active_storage/${kind}/redirect/${blob.signedId}`;
  return {
    id: row.id,
    message_id: row.messageId,
    file_type: row.fileType,
    account_id: row.accountId,
    extension: world.features.attachmentDetails ? extensionOf(blob.filename) : null,
    ...(world.features.attachmentDetails ? { content_type: blob.contentType } : {}),
    data_url: `${link('blobs')}/${name}`,
    thumb_url: row.fileType === 'image' ? `${link('representations')}/${blob.signedId}/${name}` : '',
    file_size: blob.bytes.length,
    width: blob.size?.width ?? null,
    height: blob.size?.height ?? null,
  };
}

const extensionOf = (filename: string) => /\.([^.]+)$/.exec(filename)?.[1] ?? null;

/** Renders a message for message calls. Only the response to the post contains `echoId`. */
export function message(world: World, row: Message, echoId?: unknown): Json {
  const conversation = world.store.conversations.get(row.conversationRowId);
  const from = sender(world, row, row.accountId);
  return {
    id: row.id,
    content: row.content,
    inbox_id: row.inboxId,
    ...(echoId === undefined || echoId === null ? {} : { echo_id: echoId }),
    conversation_id: conversation?.displayId,
    message_type: typeNumber(row),
    content_type: row.contentType,
    status: row.status,
    content_attributes: row.contentAttributes,
    created_at: seconds(row.createdAt),
    private: row.private,
    source_id: row.sourceId,
    ...(from ? { sender: from } : {}),
    ...(row.attachments.length > 0 ? { attachments: row.attachments.map(one => attachment(world, one)) } : {}),
  };
}

export function publicMessage(world: World, row: Message): Json {
  const from = sender(world, row, null);
  return {
    id: row.id,
    content: row.content,
    message_type: typeNumber(row),
    content_type: row.contentType,
    content_attributes: row.contentAttributes,
    created_at: seconds(row.createdAt),
    conversation_id: world.store.conversations.get(row.conversationRowId)?.displayId,
    ...(row.attachments.length > 0 ? { attachments: row.attachments.map(one => attachment(world, one)) } : {}),
    ...(from ? { sender: from } : {}),
  };
}

/** Renders a message nested in a conversation, in REST as in webhooks. */
export function nestedMessage(world: World, row: Message, conversation: Conversation, inAccount: number | null): Json {
  const from = sender(world, row, inAccount);
  return {
    id: row.id,
    content: row.content,
    account_id: row.accountId,
    inbox_id: row.inboxId,
    conversation_id: conversation.displayId,
    message_type: typeNumber(row),
    created_at: seconds(row.createdAt),
    updated_at: iso(row.updatedAt),
    private: row.private,
    status: row.status,
    source_id: row.sourceId,
    content_type: row.contentType,
    content_attributes: row.contentAttributes,
    sender_type: row.senderType,
    sender_id: row.senderId,
    external_source_ids: {},
    additional_attributes: {},
    processed_message_content: row.content,
    sentiment: {},
    conversation: {
      assignee_id: conversation.assigneeId,
      unread_count: unreadCount(world, conversation),
      last_activity_at: seconds(conversation.lastActivityAt),
      contact_inbox: { source_id: world.store.contactInboxes.get(conversation.contactInboxId)?.sourceId ?? null },
    },
    ...(row.attachments.length > 0 ? { attachments: row.attachments.map(one => attachment(world, one)) } : {}),
    ...(from ? { sender: from } : {}),
  };
}

/** Counts the visitor's messages since an agent last read; at most ten. */
export function unreadCount(world: World, conversation: Conversation): number {
  const since = conversation.agentLastSeenAt ?? -1;
  const unread = world.store
    .messagesIn(conversation)
    .filter(row => row.messageType === 'incoming' && row.createdAt > since);
  return Math.min(unread.length, 10);
}
