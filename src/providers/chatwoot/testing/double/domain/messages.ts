import { NOBODY } from './cause';
import { touchContact } from './contacts';
import { updateConversation } from './conversations';
import { isFlooded } from './flooding';
import { isUnshowable, UNROUTABLE } from './file-names';
import { renderLiquid } from './liquid';
import { notifyOfMessage } from './notifications';
import { surveyFor, templatesFor } from './templates';
import { refuse } from '../http/replies';
import type { Attachment, Blob, Contact, Conversation, Json, Message, MessageType, SenderType } from '../model';
import type { World } from '../world';

/** The reason why a message cannot be saved, worded as a validation error. */
export class InvalidMessage extends Error {
  constructor(readonly problem: string) {
    super(`Validation failed: ${problem}`);
  }
}

export interface NewMessage {
  content: string | null;
  messageType: MessageType;
  private?: boolean;
  contentType?: string;
  contentAttributes?: Json;
  sourceId?: string | null;
  sender: { type: SenderType; id: number } | null;
  blobs?: Blob[];
}

const LONGEST_CONTENT = 150_000;

/** Stores a message with all effects: reopening, events, waiting times, templates. */
export function createMessage(world: World, conversation: Conversation, wanted: NewMessage): Message {
  validate(world, conversation, wanted);
  const now = world.now() + world.faults.takeTimeSkew();
  const id = world.store.messages.nextId();
  const message: Message = {
    id,
    accountId: conversation.accountId,
    inboxId: conversation.inboxId,
    conversationRowId: conversation.rowId,
    messageType: wanted.messageType,
    contentType: wanted.contentType ?? 'text',
    content: render(world, conversation, wanted),
    contentAttributes: fillReply(world, conversation, wanted.contentAttributes ?? {}),
    private: wanted.private ?? false,
    status: 'sent',
    sourceId: wanted.sourceId ?? null,
    senderType: wanted.sender?.type ?? null,
    senderId: wanted.sender?.id ?? null,
    attachments: (wanted.blobs ?? []).map(blob => attach(world, conversation, id, blob)),
    createdAt: now,
    updatedAt: now,
  };
  world.store.addMessage(message);
  conversation.updatedAt = now;
  reopen(world, conversation, message);
  conversation.lastActivityAt = now;
  // The response to the post fails on it, and so does the job that would announce the message.
  if (message.attachments.some(isUnshowable)) throw refuse.unroutable(UNROUTABLE);
  world.events.message('message_created', message);
  notifyOfMessage(world, conversation, message);
  updateWaiting(world, conversation, message);
  for (const content of templatesFor(world, conversation, message)) postTemplate(world, conversation, { content });
  if (message.senderType === 'Contact') touchContact(world, world.store.contacts.get(message.senderId) as Contact);
  return message;
}

/** Sends the survey. Runs in a listener's job, so after the events of resolving. */
export function sendSurvey(world: World, conversation: Conversation): void {
  world.jobs.enqueue(() => {
    const survey = world.store.conversations.get(conversation.rowId) && surveyFor(world, conversation);
    if (survey) postTemplate(world, conversation, { ...survey, contentType: 'input_csat' });
  });
}

function postTemplate(
  world: World,
  conversation: Conversation,
  template: Pick<NewMessage, 'content' | 'contentType' | 'contentAttributes'>,
): void {
  if (!isFlooded(world, conversation))
    createMessage(world, conversation, { ...template, messageType: 'template', sender: null });
}

function validate(world: World, conversation: Conversation, wanted: NewMessage): void {
  if (wanted.content !== null && [...wanted.content].length > LONGEST_CONTENT) {
    throw new InvalidMessage(`Content is too long (maximum is ${LONGEST_CONTENT} characters)`);
  }
  if (isFlooded(world, conversation)) throw new InvalidMessage('Too many messages');
}

/** Reopens the conversation for a visitor's message, unless the visitor is blocked. */
function reopen(world: World, conversation: Conversation, message: Message): void {
  const { store } = world;
  const contact = store.contacts.get(conversation.contactId) as Contact;
  if (message.messageType !== 'incoming' || contact.blocked) return;
  const botIsThere = (store.inboxes.get(conversation.inboxId)?.agentBotId ?? null) !== null;
  if (conversation.status === 'snoozed') updateConversation(world, conversation, { status: 'open' }, NOBODY);
  else if (conversation.status === 'resolved' && botIsThere)
    updateConversation(world, conversation, { status: 'pending' }, NOBODY);
  else if (conversation.status === 'resolved') updateConversation(world, conversation, { status: 'open' }, { contact });
}

/** Updates the waiting time. Any public reply ends it; only a person's counts as the first reply. */
function updateWaiting(world: World, conversation: Conversation, message: Message): void {
  if (message.messageType === 'incoming') {
    if (conversation.waitingSince === null)
      updateConversation(world, conversation, { waitingSince: message.createdAt }, NOBODY);
    return;
  }
  if (message.messageType !== 'outgoing' || message.private) return;
  const byPerson = message.senderType === 'User';
  if (byPerson && conversation.firstReplyCreatedAt === null) {
    updateConversation(world, conversation, { firstReplyCreatedAt: message.createdAt, waitingSince: null }, NOBODY);
  } else if (byPerson || (message.senderType === 'AgentBot' && world.features.botRepliesClearWaiting)) {
    updateConversation(world, conversation, { waitingSince: null }, NOBODY);
  }
}

const capitalized = (name: string) =>
  name
    .split(/\s+/)
    .map(word => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join(' ');

function render(world: World, conversation: Conversation, wanted: NewMessage): string | null {
  if (!wanted.content || (wanted.messageType !== 'outgoing' && wanted.messageType !== 'template'))
    return wanted.content;
  const { store } = world;
  const contact = store.contacts.get(conversation.contactId) as Contact;
  const agent = wanted.sender?.type === 'User' ? store.users.get(wanted.sender.id) : undefined;
  const name = capitalized(contact.name ?? '');
  return renderLiquid(wanted.content, {
    contact: {
      id: contact.id,
      name,
      first_name: name.split(' ')[0],
      last_name: name.split(' ').slice(1).join(' '),
      email: contact.email,
      phone_number: contact.phoneNumber,
      identifier: contact.identifier,
      custom_attribute: contact.customAttributes,
    },
    agent: agent
      ? {
          id: agent.id,
          name: capitalized(agent.name),
          available_name: agent.displayName ?? agent.name,
          email: agent.email,
        }
      : {},
    conversation: {
      display_id: conversation.displayId,
      contact_name: name,
      custom_attribute: conversation.customAttributes,
    },
    inbox: { id: conversation.inboxId, name: store.inboxes.get(conversation.inboxId)?.name },
    account: { id: conversation.accountId, name: store.accounts.get(conversation.accountId)?.name },
  });
}

/**
 * Completes `in_reply_to` and `in_reply_to_external_id` from each other. A reference that is not found becomes null.
 */
function fillReply(world: World, conversation: Conversation, attributes: Json): Json {
  if (attributes['in_reply_to'] == null && attributes['in_reply_to_external_id'] == null) return attributes;
  const messages = world.store.messagesIn(conversation);
  const wantedId = /^\d+$/.test(String(attributes['in_reply_to'])) ? Number(attributes['in_reply_to']) : NaN;
  const original =
    attributes['in_reply_to'] == null
      ? messages.find(one => one.sourceId !== null && one.sourceId === attributes['in_reply_to_external_id'])
      : messages.find(one => one.id === wantedId);
  return { ...attributes, in_reply_to: original?.id ?? null, in_reply_to_external_id: original?.sourceId ?? null };
}

function attach(world: World, conversation: Conversation, messageId: number, blob: Blob): Attachment {
  const kind = blob.contentType.split('/')[0] ?? '';
  const fileType = ['image', 'audio', 'video'].includes(kind) ? kind : 'file';
  return { id: world.store.attachments.nextId(), messageId, accountId: conversation.accountId, fileType, blob };
}
