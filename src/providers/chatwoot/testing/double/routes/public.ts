import { createHmac } from 'node:crypto';
import { asId, asList, asObject, asText, has, type Call } from '../http/call';
import { UploadedFile } from '../http/parameters';
import { empty, json, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import { storeBlob } from '../domain/blobs';
import { createContact, linkContact, updateContact } from '../domain/contacts';
import { createConversation, updateConversation } from '../domain/conversations';
import { createMessage, InvalidMessage } from '../domain/messages';
import { setMessageStatus, updateMessage } from '../domain/message-status';
import { publicConversation } from '../present/conversations';
import { publicMessage } from '../present/messages';
import { rawContact } from '../present/people';
import { iso } from '../present/times';
import type { Contact, ContactInbox, Conversation, Inbox, Json, Message } from '../model';

/** The visitor's own API, without a token: the source id identifies the visitor. */
const OPEN = { area: 'open' } as const;
const INBOX = '/public/api/v1/inboxes/:identifier';
const CONTACT = `${INBOX}/contacts/:sourceId`;
const CONVERSATION = `${CONTACT}/conversations/:conversationId`;

function inboxOf(call: Call): Inbox {
  const inbox = call.world.store.inboxes.find(row => row.identifier === call.at['identifier']);
  if (!inbox) throw refuse.barelyAbsent();
  return inbox;
}

function linkOf(call: Call): { link: ContactInbox; contact: Contact } {
  const inbox = inboxOf(call);
  const link = call.world.store.contactInboxes.find(
    row => row.inboxId === inbox.id && row.sourceId === call.at['sourceId'],
  );
  const contact = call.world.store.contacts.get(link?.contactId);
  if (!link || !contact) throw refuse.barelyAbsent();
  return { link, contact };
}

function conversationsOf(call: Call): Conversation[] {
  const { link } = linkOf(call);
  const sees = link.hmacVerified || !call.world.features.publicListsStayInInbox;
  return call.world.store.conversations.where(
    row => row.contactInboxId === link.id || (sees && row.contactId === link.contactId),
  );
}

function conversationOf(call: Call): Conversation {
  const row = conversationsOf(call).find(one => one.displayId === asId(call.at['conversationId']));
  if (!row) throw refuse.barelyAbsent();
  return row;
}

/**
 * Returns whether the caller proved their identity.
 * @throws a crash if the proof is required or wrong
 */
function checkHash(call: Call, inbox: Inbox): boolean {
  const hash = asText(call.params['identifier_hash']);
  const expected = createHmac('sha256', inbox.hmacToken)
    .update(asText(call.params['identifier']) ?? '')
    .digest('hex');
  if (hash === expected) return true;
  if (hash !== null || inbox.hmacMandatory) throw refuse.crash();
  return false;
}

const showContact = (link: ContactInbox, contact: Contact) =>
  json({
    source_id: link.sourceId,
    pubsub_token: link.pubsubToken,
    id: contact.id,
    name: contact.name,
    email: contact.email,
    phone_number: contact.phoneNumber,
  });

/**
 * Creates a contact. The same source id is the same visitor; the same identifier is the same contact with another
 * contact inbox.
 */
function createPublicContact(call: Call) {
  const { world, params } = call;
  const inbox = inboxOf(call);
  const verified = checkHash(call, inbox);
  const sourceId = asText(params['source_id']);
  const known = world.store.contactInboxes.find(
    row => row.inboxId === inbox.id && sourceId !== null && row.sourceId === sourceId,
  );
  if (known) return showContact(known, world.store.contacts.get(known.contactId) as Contact);
  const same = (key: 'identifier' | 'email') => (row: Contact) =>
    row.accountId === inbox.accountId && !!asText(params[key]) && row[key] === asText(params[key]);
  const contact =
    world.store.contacts.find(same('identifier')) ??
    world.store.contacts.find(same('email')) ??
    createContact(world, inbox.accountId, {
      name: asText(params['name']) ?? '',
      email: asText(params['email'])?.toLowerCase() ?? null,
      phoneNumber: asText(params['phone_number']),
      identifier: asText(params['identifier']),
      customAttributes: asObject(params['custom_attributes']),
      additionalAttributes: asObject(params['additional_attributes']),
      blocked: false,
    });
  return showContact(linkContact(world, contact, inbox, sourceId, verified), contact);
}

function updatePublicContact(call: Call) {
  const { contact } = linkOf(call);
  const { params } = call;
  checkHash(call, inboxOf(call));
  const text = (key: string, old: string | null) => (has(params, key) ? asText(params[key]) : old);
  updateContact(call.world, contact, {
    name: text('name', contact.name) ?? '',
    email: text('email', contact.email),
    phoneNumber: text('phone_number', contact.phoneNumber),
    identifier: text('identifier', contact.identifier),
    customAttributes: { ...contact.customAttributes, ...asObject(params['custom_attributes']) },
  });
  return json(rawContact(contact));
}

function createPublicMessage(call: Call) {
  const { world, params } = call;
  const conversation = conversationOf(call);
  const content = asText(params['content']);
  if (content?.includes('\0')) throw refuse.crash();
  const files = asList(params['attachments']).filter((one): one is UploadedFile => one instanceof UploadedFile);
  try {
    return json(
      publicMessage(
        world,
        createMessage(world, conversation, {
          content,
          messageType: 'incoming',
          sender: { type: 'Contact', id: conversation.contactId },
          blobs: files.map(one => storeBlob(world, one)),
        }),
      ),
    );
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    throw refuse.invalid(error.problem, [error.problem.startsWith('Content') ? 'content' : 'base']);
  }
}

/** Stores a visitor's choice beside the other attributes. The last choice counts. */
function answerSelect(call: Call) {
  const { world } = call;
  const conversation = conversationOf(call);
  const message = world.store.messagesIn(conversation).find(row => row.id === asId(call.at['messageId']));
  if (!message) throw refuse.barelyAbsent();
  updateMessage(world, message, {
    contentAttributes: { ...message.contentAttributes, submitted_values: asList(call.params['submitted_values']) },
  });
  return json(publicMessage(world, message));
}

function toggleTyping(call: Call) {
  const conversation = conversationOf(call);
  const status = call.params['typing_status'];
  if (status === 'on' || status === 'off')
    call.world.events.typing(status === 'on', conversation, { contact: linkOf(call).contact }, false);
  return empty();
}

/** Marks agents' messages as read, notes included, with one `message_updated` for each. */
function markSeen(call: Call) {
  const { world } = call;
  const conversation = conversationOf(call);
  conversation.contactLastSeenAt = world.now();
  conversation.updatedAt = world.now();
  world.jobs.enqueue(() => {
    const unread = world.store
      .messagesIn(conversation)
      .filter(row => row.messageType === 'outgoing' && ['sent', 'delivered'].includes(row.status));
    for (const row of unread) setMessageStatus(world, row, 'read');
  });
  return empty();
}

function surveyOf(call: Call): { conversation: Conversation; message: Message } {
  const { store } = call.world;
  const conversation = store.conversations.find(row => row.uuid === call.at['uuid']);
  const message = conversation && store.lastMessage(conversation, row => row.contentType === 'input_csat');
  if (!conversation || !message) throw refuse.barelyAbsent();
  return { conversation, message };
}

function showSurvey(call: Call) {
  const { conversation, message } = surveyOf(call);
  const { store } = call.world;
  const inbox = store.inboxes.get(conversation.inboxId) as Inbox;
  const response = store.csatResponses.find(row => row.messageId === message.id);
  return json({
    id: message.id,
    csat_survey_response: response
      ? { id: response.id, rating: response.rating, feedback_message: response.feedbackMessage }
      : null,
    display_type: message.contentAttributes['display_type'],
    content: inbox.csatConfig['message'] ?? null,
    inbox_avatar_url: '',
    inbox_name: inbox.name,
    locale: store.accounts.get(conversation.accountId)?.locale,
    conversation_id: conversation.displayId,
    created_at: iso(message.createdAt),
  });
}

/** Stores the answer on the message at once; a job creates the response itself. */
function answerSurvey(call: Call) {
  const { world } = call;
  const { conversation, message } = surveyOf(call);
  const submitted = asObject(asObject(call.params['message'])['submitted_values']);
  updateMessage(world, message, { contentAttributes: { ...message.contentAttributes, submitted_values: submitted } });
  const reply = showSurvey(call);
  const answer = asObject(submitted['csat_survey_response']);
  world.jobs.enqueue(() => recordAnswer(call, conversation, message, answer));
  return reply;
}

function recordAnswer(call: Call, conversation: Conversation, message: Message, answer: Json): void {
  const { store, now } = call.world;
  const existing = store.csatResponses.find(row => row.messageId === message.id);
  const fields = {
    rating: Number(answer['rating']),
    feedbackMessage: asText(answer['feedback_message']),
    updatedAt: now(),
  };
  if (existing) {
    Object.assign(existing, fields);
    return;
  }
  const id = store.csatResponses.nextId();
  store.csatResponses.insert(id, {
    id,
    accountId: conversation.accountId,
    conversationRowId: conversation.rowId,
    messageId: message.id,
    contactId: conversation.contactId,
    assignedAgentId: conversation.assigneeId,
    createdAt: now(),
    ...fields,
  });
}

export const publicRoutes: Route[] = [
  ...route('GET', INBOX, OPEN, call => {
    const inbox = inboxOf(call);
    return json({
      identifier: inbox.identifier,
      identity_validation_enabled: inbox.hmacMandatory,
      name: inbox.name,
      timezone: inbox.timezone,
      working_hours: inbox.workingHours,
      working_hours_enabled: inbox.workingHoursEnabled,
      csat_survey_enabled: inbox.csatSurveyEnabled,
      greeting_enabled: inbox.greetingEnabled,
    });
  }),
  ...route('POST', `${INBOX}/contacts`, OPEN, createPublicContact),
  ...route('GET', CONTACT, OPEN, call => {
    const { link, contact } = linkOf(call);
    return showContact(link, contact);
  }),
  ...route('PATCH|PUT', CONTACT, OPEN, updatePublicContact),
  ...route('GET', `${CONTACT}/conversations`, OPEN, call =>
    json(conversationsOf(call).map(row => publicConversation(call.world, row))),
  ),
  ...route('POST', `${CONTACT}/conversations`, OPEN, call => {
    const { link } = linkOf(call);
    const wanted = { customAttributes: asObject(call.params['custom_attributes']) };
    return json(publicConversation(call.world, createConversation(call.world, link, wanted, undefined, {})));
  }),
  ...route('GET', CONVERSATION, OPEN, call => json(publicConversation(call.world, conversationOf(call)))),
  ...route('GET', `${CONVERSATION}/messages`, OPEN, call => {
    const spoken = call.world.store
      .messagesIn(conversationOf(call))
      .filter(row => row.messageType !== 'activity' && !row.private);
    return json(spoken.slice(-20).map(row => publicMessage(call.world, row)));
  }),
  ...route('POST', `${CONVERSATION}/messages`, OPEN, createPublicMessage),
  ...route('PATCH|PUT', `${CONVERSATION}/messages/:messageId`, OPEN, answerSelect),
  ...route('POST', `${CONVERSATION}/toggle_typing`, OPEN, toggleTyping),
  ...route('POST', `${CONVERSATION}/update_last_seen`, OPEN, markSeen),
  ...route('POST', `${CONVERSATION}/toggle_status`, OPEN, call => {
    const row = conversationOf(call);
    updateConversation(call.world, row, { status: 'resolved' }, { contact: linkOf(call).contact });
    return json(publicConversation(call.world, row));
  }),
  ...route('GET', '/public/api/v1/csat_survey/:uuid', OPEN, showSurvey),
  ...route('PUT|PATCH', '/public/api/v1/csat_survey/:uuid', OPEN, answerSurvey),
];
