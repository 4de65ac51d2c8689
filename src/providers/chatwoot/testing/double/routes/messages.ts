import { accountOf, asBoolean, asId, asList, asObject, asText, has, type Call } from '../http/call';
import { conversationOf } from '../http/access';
import { UploadedFile } from '../http/parameters';
import { json, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import { storeBlob } from '../domain/blobs';
import { isUnshowable, keptName } from '../domain/file-names';
import { createMessage, InvalidMessage, type NewMessage } from '../domain/messages';
import { deleteMessage, setMessageStatus, updateMessage } from '../domain/message-status';
import { message as messageJson } from '../present/messages';
import { sendingContact, sendingUser } from '../present/people';
import { isoOrNull } from '../present/times';
import {
  MESSAGE_STATUSES,
  MESSAGE_TYPES,
  type Blob,
  type Contact,
  type Conversation,
  type Json,
  type Message,
  type MessageType,
} from '../model';

const BASE = '/api/v1/accounts/:accountId/conversations/:conversationId/messages';
const ANYONE = { area: 'account' } as const;

const CONTENT_TYPES = [
  'text',
  'input_text',
  'input_textarea',
  'input_email',
  'input_select',
  'cards',
  'form',
  'article',
  'incoming_email',
  'input_csat',
  'integrations',
  'sticker',
];

/** Posts a message as the caller. An incoming one is the visitor's, with any caller's token. */
export function postMessage(call: Call, conversation: Conversation, params: Json): Message {
  const messageType = oneOf(params['message_type'] ?? 'outgoing', MESSAGE_TYPES, 'message_type');
  const contentType = oneOf(params['content_type'] ?? 'text', CONTENT_TYPES, 'content_type');
  const contentAttributes = attributesIn(params['content_attributes']);
  if (has(params, 'external_created_at')) contentAttributes['external_created_at'] = params['external_created_at'];
  const problem = problemWithItems(contentType, contentAttributes);
  const content = asText(params['content']);
  if (content?.includes('\0')) throw refuse.unprocessable('string contains null byte');
  if (problem) throw refuse.unprocessable(`Validation failed: ${problem}`);
  try {
    return createMessage(call.world, conversation, {
      content,
      messageType,
      contentType,
      contentAttributes,
      private: asBoolean(params['private']),
      sourceId: asText(params['source_id']),
      sender: senderOf(call, conversation, messageType, params),
      blobs: asList(params['attachments']).flatMap(one => blobOf(call, one)),
    });
  } catch (error) {
    if (error instanceof InvalidMessage) throw refuse.unprocessable(error.message);
    throw error;
  }
}

function oneOf<Word extends string>(value: unknown, words: readonly Word[], column: string): Word {
  const word = words.find(one => one === value);
  if (!word) throw refuse.unprocessable(`'${String(value)}' is not a valid ${column}`);
  return word;
}

/** Parses the attributes. Forms contain only texts, so they may be JSON in a string. */
function attributesIn(value: unknown): Json {
  if (typeof value !== 'string') return asObject(value);
  try {
    return asObject(JSON.parse(value));
  } catch {
    return {};
  }
}

const ITEM_KEYS: Record<string, { allowed: string[]; needsActions: boolean }> = {
  input_select: { allowed: ['title', 'value'], needsActions: false },
  cards: { allowed: ['title', 'description', 'media_url', 'actions'], needsActions: true },
  article: { allowed: ['title', 'description', 'link'], needsActions: false },
};

function problemWithItems(contentType: string, attributes: Json): string | undefined {
  const rule = ITEM_KEYS[contentType];
  if (!rule) return undefined;
  const items = asList(attributes['items']).map(asObject);
  if (items.length === 0) return 'Content attributes At least one item is required.';
  const unknown = [...new Set(items.flatMap(item => Object.keys(item)))].filter(key => !rule.allowed.includes(key));
  const problems = [
    ...(unknown.length > 0
      ? [`Content attributes contains invalid keys for items : [${unknown.map(key => `:${key}`).join(', ')}]`]
      : []),
    ...(rule.needsActions && items.some(item => asList(item['actions']).length === 0)
      ? ['Content attributes contains items missing actions']
      : []),
  ];
  return problems.length > 0 ? problems.join(', ') : undefined;
}

function senderOf(
  call: Call,
  conversation: Conversation,
  messageType: MessageType,
  params: Json,
): NewMessage['sender'] {
  if (messageType !== 'outgoing') return { type: 'Contact', id: conversation.contactId };
  const bot =
    params['sender_type'] === 'AgentBot' ? call.world.store.agentBots.get(asId(params['sender_id'])) : undefined;
  if (bot && (bot.accountId === null || bot.accountId === conversation.accountId))
    return { type: 'AgentBot', id: bot.id };
  if (call.actor?.kind === 'bot') return { type: 'AgentBot', id: call.actor.bot.id };
  return call.actor?.kind === 'user' ? { type: 'User', id: call.actor.user.id } : null;
}

/**
 * Returns the file: an upload, or the signed id of an earlier one. An address is neither. None if its name makes
 * Chatwoot drop it.
 */
function blobOf(call: Call, value: unknown): Blob[] {
  if (value instanceof UploadedFile) {
    if (value.filename.includes('\0')) throw refuse.unprocessable('string contains null byte');
    const filename = keptName(value.filename);
    return filename === null ? [] : [storeBlob(call.world, { ...value, filename })];
  }
  const blob = call.world.store.blobs.find(row => row.signedId === value);
  if (!blob) throw refuse.unprocessable('mismatched digest');
  return [blob];
}

function messageAt(call: Call): Message {
  const conversation = conversationOf(call);
  const row = call.world.store.messages.get(asId(call.at['id']));
  if (!row || row.conversationRowId !== conversation.rowId) throw refuse.absent();
  return row;
}

/**
 * Returns a page of the history. It is filtered by id and sorted by time, so its last row need not have the highest id.
 */
function history(call: Call, conversation: Conversation): Message[] {
  const { params } = call;
  const inside = asBoolean(params['filter_internal_messages']);
  const rows = call.world.store
    .messagesIn(conversation)
    .filter(row => !inside || (!row.private && row.messageType !== 'activity'));
  const after = asId(params['after']);
  const before = asId(params['before']);
  if (after !== undefined && before !== undefined)
    return rows.filter(row => row.id >= after && row.id < before).slice(0, 1000);
  if (before !== undefined) return rows.filter(row => row.id < before).slice(-20);
  if (after !== undefined) return rows.filter(row => row.id > after).slice(0, 100);
  return rows.slice(-20);
}

function list(call: Call) {
  const { world } = call;
  const conversation = conversationOf(call);
  // Fails for good, whatever messages follow.
  if (world.store.messagesIn(conversation).some(row => row.attachments.some(isUnshowable))) throw refuse.crash();
  const assignee = world.store.users.get(conversation.assigneeId);
  return json({
    meta: {
      labels: conversation.labels,
      additional_attributes: conversation.additionalAttributes,
      contact: sendingContact(world.store.contacts.get(conversation.contactId) as Contact),
      ...(assignee ? { assignee: sendingUser(world, assignee, accountOf(call).id) } : {}),
      agent_last_seen_at: isoOrNull(conversation.agentLastSeenAt),
      assignee_last_seen_at: isoOrNull(conversation.assigneeLastSeenAt),
    },
    payload: history(call, conversation).map(row => messageJson(world, row)),
  });
}

/** Updates a message. Only the delivery state can change; new content gets 200 and is ignored. */
function update(call: Call) {
  const row = messageAt(call);
  const status = MESSAGE_STATUSES.find(one => one === call.params['status']);
  if (status) setMessageStatus(call.world, row, status, asText(call.params['external_error']));
  return json(messageJson(call.world, row));
}

export const messageRoutes: Route[] = [
  ...route('GET', BASE, ANYONE, list),
  ...route('POST', BASE, { ...ANYONE, bot: true }, call =>
    json(messageJson(call.world, postMessage(call, conversationOf(call), call.params), call.params['echo_id'])),
  ),
  ...route('PATCH|PUT', `${BASE}/:id`, { ...ANYONE, when: call => call.world.features.messageStatusUpdates }, update),
  ...route('DELETE', `${BASE}/:id`, ANYONE, call => {
    const row = messageAt(call);
    deleteMessage(call.world, row);
    return json(messageJson(call.world, row));
  }),
  ...route('POST', `${BASE}/:id/retry`, ANYONE, call => {
    const row = messageAt(call);
    updateMessage(call.world, row, { status: 'sent', contentAttributes: {} });
    return json(messageJson(call.world, row));
  }),
];
