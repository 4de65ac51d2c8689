import { createHash, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { asAttributeList, contactChanges } from './changes';
import { later } from './later';
import { refuse } from '../http/replies';
import { newToken } from '../tokens';
import type { Contact, ContactInbox, Inbox } from '../model';
import type { World } from '../world';

export type ContactFields = Pick<
  Contact,
  'name' | 'email' | 'phoneNumber' | 'identifier' | 'customAttributes' | 'additionalAttributes' | 'blocked'
>;

const LONGEST_FIELD = 255;

/**
 * Validates a contact.
 * @throws 422 with all problems in one sentence; a crash for a NUL, and for a second contact with an empty identifier
 */
export function validateContact(world: World, accountId: number, fields: ContactFields, self?: Contact): void {
  const taken = (key: 'email' | 'phoneNumber' | 'identifier') =>
    !!fields[key] &&
    world.store.contacts.find(row => row.accountId === accountId && row !== self && row[key] === fields[key]) !==
      undefined;
  if (
    fields.identifier === '' &&
    world.store.contacts.find(row => row.accountId === accountId && row !== self && row.identifier === '')
  )
    throw refuse.crash();
  if (
    JSON.stringify([fields.name, fields.identifier, fields.customAttributes, fields.additionalAttributes]).includes(
      '\\u0000',
    )
  )
    throw refuse.crash();
  const problems: Array<[attribute: string, text: string]> = [];
  if (taken('email')) problems.push(['email', 'Email has already been taken']);
  if (fields.email && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(fields.email)) problems.push(['email', 'Email Invalid email']);
  if (taken('identifier')) problems.push(['identifier', 'Identifier has already been taken']);
  if (taken('phoneNumber')) problems.push(['phone_number', 'Phone number has already been taken']);
  if (fields.phoneNumber && !/^\+[1-9]\d{1,14}$/.test(fields.phoneNumber)) {
    problems.push(['phone_number', 'Phone number should be in e164 format']);
  }
  for (const [key, attribute] of [
    ['name', 'name'],
    ['identifier', 'identifier'],
    ['email', 'email'],
  ] as const) {
    if ([...(fields[key] ?? '')].length > LONGEST_FIELD)
      problems.push([
        attribute,
        `${attribute.charAt(0).toUpperCase()}${attribute.slice(1)} is too long (maximum is ${LONGEST_FIELD} characters)`,
      ]);
  }
  if (problems.length === 0) return;
  throw refuse.invalid(problems.map(([, text]) => text).join(', '), [
    ...new Set(problems.map(([attribute]) => attribute)),
  ]);
}

export function createContact(world: World, accountId: number, fields: ContactFields): Contact {
  validateContact(world, accountId, fields);
  const now = world.now();
  const row: Contact = {
    ...fields,
    id: world.store.contacts.nextId(),
    accountId,
    lastActivityAt: null,
    companyId: companyOf(world, fields.email),
    createdAt: now,
    updatedAt: now,
  };
  world.store.contacts.insert(row.id, row);
  world.events.contact('contact_created', row);
  if (row.email) world.jobs.enqueue(() => syncAvatar(world, row), world.options.avatarSyncDelayMs);
  return row;
}

export function updateContact(world: World, row: Contact, patch: Partial<Contact>): void {
  const before = { ...row };
  Object.assign(row, patch);
  if (isDeepStrictEqual(before, row)) return;
  row.updatedAt = later(before.updatedAt, world.now());
  world.events.contact('contact_updated', row, asAttributeList(contactChanges(before, row)));
  if (row.email && row.email !== before.email)
    world.jobs.enqueue(() => syncAvatar(world, row), world.options.avatarSyncDelayMs);
}

/** Updates the contact's activity time. Every message of a visitor does this, so a `contact_updated` follows each. */
export function touchContact(world: World, row: Contact): void {
  updateContact(world, row, { lastActivityAt: world.now() });
}

/** Runs the avatar lookup for an e-mail: adds two attributes and causes a `contact_updated`. */
export function syncAvatar(world: World, row: Contact): void {
  if (!row.email || !world.store.contacts.get(row.id)) return;
  const hash = createHash('sha256').update(`avatar of ${row.email}`).digest('hex');
  const at = `${new Date(world.now()).toISOString().slice(0, 19)}Z`;
  updateContact(world, row, {
    additionalAttributes: { ...row.additionalAttributes, avatar_url_hash: hash, last_avatar_sync_at: at },
  });
}

function companyOf(world: World, email: string | null): number | null {
  const domain = email?.split('@')[1];
  if (!domain) return null;
  const { companies } = world.store;
  if (!companies.has(domain)) companies.set(domain, companies.size + 1);
  return companies.get(domain) ?? null;
}

/** Returns the contact inbox with this source id, or creates it. Another contact's source id causes a crash. */
export function linkContact(
  world: World,
  contact: Contact,
  inbox: Inbox,
  sourceId: string | null,
  hmacVerified = false,
): ContactInbox {
  const found = sourceId
    ? world.store.contactInboxes.find(row => row.inboxId === inbox.id && row.sourceId === sourceId)
    : undefined;
  if (found && found.contactId !== contact.id) throw refuse.crash();
  if (found) return found;
  const now = world.now();
  const id = world.store.contactInboxes.nextId();
  return world.store.contactInboxes.insert(id, {
    id,
    contactId: contact.id,
    inboxId: inbox.id,
    sourceId: sourceId || randomUUID(),
    hmacVerified,
    pubsubToken: newToken(),
    createdAt: now,
    updatedAt: now,
  });
}

/** Moves everything of `from` to `into`, and announces the remaining contact and each moved message of a visitor. */
export function mergeContacts(world: World, into: Contact, from: Contact): void {
  const { store } = world;
  const before = { ...into };
  for (const link of store.contactInboxes.where(row => row.contactId === from.id)) link.contactId = into.id;
  for (const conversation of store.conversations.where(row => row.contactId === from.id))
    conversation.contactId = into.id;
  const moved = store.messages.where(row => row.senderType === 'Contact' && row.senderId === from.id);
  for (const message of moved) message.senderId = into.id;
  into.email ??= from.email;
  into.phoneNumber ??= from.phoneNumber;
  into.identifier ??= from.identifier;
  into.customAttributes = { ...from.customAttributes, ...into.customAttributes };
  into.additionalAttributes = { ...from.additionalAttributes, ...into.additionalAttributes };
  into.updatedAt = later(before.updatedAt, world.now());
  store.contacts.delete(from.id);
  world.events.contact('contact_updated', into, asAttributeList(contactChanges(before, into)));
  for (const message of moved) if (message.messageType === 'incoming') world.events.message('message_updated', message);
}

export function deleteContact(world: World, row: Contact): void {
  const { store } = world;
  for (const conversation of store.conversations.where(one => one.contactId === row.id))
    store.deleteConversation(conversation);
  for (const link of store.contactInboxes.where(one => one.contactId === row.id)) store.contactInboxes.delete(link.id);
  store.contacts.delete(row.id);
}
