import { accountOf, asBoolean, asId, asList, asObject, asText, has, isAdministrator, type Call } from '../http/call';
import { contactAt, inboxAt, mayUseInbox, usableInboxAt, callingUser } from '../http/access';
import { empty, json, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import {
  createContact,
  deleteContact,
  linkContact,
  mergeContacts,
  updateContact,
  validateContact,
  type ContactFields,
} from '../domain/contacts';
import { filterContacts } from '../domain/filters';
import { contact as contactJson, contactInbox } from '../present/people';
import { conversation as conversationJson } from '../present/conversations';
import { rawInbox } from '../present/settings';
import type { Contact, Json } from '../model';

const BASE = '/api/v1/accounts/:accountId';
const ANYONE = { area: 'account' } as const;
const PAGE = 15;

function fieldsOf(params: Json, before?: Contact): ContactFields {
  // Accepts only a scalar; an object counts as absent.
  const scalar = (key: string) => (typeof params[key] === 'object' ? null : asText(params[key]));
  const text = (key: string, old: string | null) => (has(params, key) ? scalar(key) : old);
  return {
    name: !has(params, 'name') ? (before?.name ?? '') : params['name'] === null ? null : (scalar('name') ?? ''),
    email: text('email', before?.email ?? null)?.toLowerCase() || null,
    phoneNumber: text('phone_number', before?.phoneNumber ?? null),
    identifier: text('identifier', before?.identifier ?? null),
    customAttributes: { ...before?.customAttributes, ...asObject(params['custom_attributes']) },
    additionalAttributes: { ...before?.additionalAttributes, ...asObject(params['additional_attributes']) },
    blocked: has(params, 'blocked') ? asBoolean(params['blocked']) : (before?.blocked ?? false),
  };
}

function create(call: Call) {
  const { world, params } = call;
  const account = accountOf(call);
  const inbox = params['inbox_id'] ? inboxAt(call, params['inbox_id']) : undefined;
  const sourceId = asText(params['source_id']);
  const taken =
    inbox && sourceId && world.store.contactInboxes.find(row => row.inboxId === inbox.id && row.sourceId === sourceId);
  const fields = fieldsOf(params);
  validateContact(world, account.id, fields);
  if (taken) throw refuse.crash();
  const row = createContact(world, account.id, fields);
  // An empty source id counts as absent: the contact gets no contact inbox.
  const link = inbox && sourceId !== '' ? linkContact(world, row, inbox, sourceId) : undefined;
  return json({
    payload: {
      contact: contactJson(world, row, true),
      contact_inbox: { inbox: inbox && link ? rawInbox(inbox) : null, source_id: link?.sourceId ?? null },
    },
  });
}

/** Returns whether a contact is in lists, searches and filters, which omit contacts without any identifying field. */
const isKnown = (row: Contact) => Boolean(row.identifier || row.email || row.phoneNumber);

function page(call: Call, rows: Contact[]) {
  const current = Math.max(1, asId(call.params['page']) ?? 1);
  const withInboxes =
    call.params['include_contact_inboxes'] === undefined || asBoolean(call.params['include_contact_inboxes']);
  const shown = rows.slice((current - 1) * PAGE, current * PAGE);
  return json({
    meta: { count: rows.length, current_page: current },
    payload: shown.map(row => contactJson(call.world, row, withInboxes)),
  });
}

const known = (call: Call) =>
  call.world.store.contacts.where(row => row.accountId === accountOf(call).id && isKnown(row));

function search(call: Call) {
  const wanted = asText(call.params['q'])?.trim().toLowerCase();
  if (!wanted) throw refuse.unprocessable('Specify search string with parameter q');
  return page(
    call,
    known(call).filter(row =>
      [row.name, row.email, row.phoneNumber, row.identifier].some(field => field?.toLowerCase().includes(wanted)),
    ),
  );
}

function conversationsOf(call: Call) {
  const { world } = call;
  const row = contactAt(call, call.at['id']);
  const rows = world.store.conversations
    .where(one => one.contactId === row.id)
    .filter(one => mayUseInbox(call, inboxAt(call, one.inboxId)))
    .sort((a, b) => b.lastActivityAt - a.lastActivityAt || b.rowId - a.rowId);
  return json({ payload: rows.slice(0, 20).map(one => conversationJson(world, one, callingUser(call))) });
}

function filterByContactInbox(call: Call) {
  const { world, params } = call;
  const inbox = usableInboxAt(call, params['inbox_id']);
  const link = world.store.contactInboxes.find(row => row.inboxId === inbox.id && row.sourceId === params['source_id']);
  const row = link && world.store.contacts.get(link.contactId);
  if (!row) throw refuse.absent();
  return json(contactJson(world, row, true));
}

export const contactRoutes: Route[] = [
  ...route('GET', `${BASE}/contacts`, ANYONE, call => page(call, known(call))),
  ...route('POST', `${BASE}/contacts`, ANYONE, create),
  ...route('GET', `${BASE}/contacts/search`, ANYONE, search),
  ...route('POST', `${BASE}/contacts/filter`, ANYONE, call => page(call, filterContacts(call, known(call)))),
  ...route('GET', `${BASE}/contacts/:id`, ANYONE, call =>
    json({ payload: contactJson(call.world, contactAt(call, call.at['id']), true) }),
  ),
  ...route('PUT|PATCH', `${BASE}/contacts/:id`, ANYONE, call => {
    const row = contactAt(call, call.at['id']);
    const fields = fieldsOf(call.params, row);
    validateContact(call.world, row.accountId, fields, row);
    updateContact(call.world, row, fields);
    return json({ payload: contactJson(call.world, row, true) });
  }),
  ...route('POST', `${BASE}/contacts/:id/destroy_custom_attributes`, ANYONE, call => {
    const row = contactAt(call, call.at['id']);
    const gone = asList(call.params['custom_attributes']).map(String);
    updateContact(call.world, row, {
      customAttributes: Object.fromEntries(Object.entries(row.customAttributes).filter(([key]) => !gone.includes(key))),
    });
    return json({ payload: contactJson(call.world, row, true) });
  }),
  ...route('DELETE', `${BASE}/contacts/:id`, ANYONE, call => {
    const row = contactAt(call, call.at['id']);
    if (!isAdministrator(call)) throw refuse.notAllowed();
    deleteContact(call.world, row);
    return empty();
  }),
  ...route('GET', `${BASE}/contacts/:id/conversations`, ANYONE, conversationsOf),
  ...route('GET', `${BASE}/contacts/:id/contactable_inboxes`, ANYONE, call => {
    const row = contactAt(call, call.at['id']);
    const links = call.world.store.contactInboxes.where(link => link.contactId === row.id);
    return json({ payload: links.map(link => contactInbox(call.world, link)) });
  }),
  ...route('POST', `${BASE}/contacts/:id/contact_inboxes`, ANYONE, call => {
    const row = contactAt(call, call.at['id']);
    const inbox = usableInboxAt(call, call.params['inbox_id']);
    return json(contactInbox(call.world, linkContact(call.world, row, inbox, asText(call.params['source_id']))));
  }),
  ...route('POST', `${BASE}/contact_inboxes/filter`, ANYONE, filterByContactInbox),
  ...route('POST', `${BASE}/actions/contact_merge`, ANYONE, call => {
    const into = contactAt(call, call.params['base_contact_id']);
    const from = contactAt(call, call.params['mergee_contact_id']);
    if (into !== from) mergeContacts(call.world, into, from);
    return json(contactJson(call.world, into, false));
  }),
];
