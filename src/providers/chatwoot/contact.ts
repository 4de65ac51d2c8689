import { shortenText } from '../../core/checks/text';
import { ProviderRefusedError, ProviderUnavailableError } from '../../core/errors';
import type { ProviderContactId, SessionId } from '../../core/ids';
import type { InboxAccess } from '../../core/ports/provider/access';
import type { UpdateContact } from '../../core/ports/provider/conversation-verbs';
import { numberOf, type Connect, type Connection } from './connection';
import { contactChanges, toContactFields, anonymousName, type ContactFields } from './contact-fields';
import { errorForResponse, invalidAttributes } from './errors';
import { readId, readList, type WireContact } from './wire';
import type { EndUser } from '../../core/session';

/**
 * Fields that Chatwoot requires to be unique or of a certain form. A refused value is stored as an attribute instead.
 */
const MOVABLE = ['email', 'phone_number'] as const;
const LABELS = { name: 'Name', email: 'E-mail', phone_number: 'Phone' } as const;
/** In characters; Chatwoot refuses longer names with 422 (CONTRACT §2.1). */
const MAX_NAME = 255;

type ReportDropped = (line: string) => void;

/**
 * Ensures one contact per session, with our session id as its `identifier`. Identifiers are unique in Chatwoot, so two
 * attempts at once cannot create two contacts, and only a contact with an identifier can be found again. Data that
 * Chatwoot refuses is dropped and reported; the contact is created without it.
 */
export async function ensureContact(
  connect: Connect,
  inbox: InboxAccess,
  sessionId: SessionId,
  endUser: EndUser,
  signal: AbortSignal,
  onDropped: ReportDropped = () => undefined,
): Promise<ProviderContactId> {
  const connection = connect(inbox.account);
  const key = { inbox_id: numberOf(inbox.externalId, 'inbox'), identifier: sessionId, source_id: sessionId };
  const { fields, lines } = fitFields(toContactFields(endUser, sessionId));
  const createWith = (contact: ContactFields) => createContact(connection, key, contact, signal);

  let made = await createWith(fields);
  for (const _field of MOVABLE)
    if (made.kind === 'refused') {
      const moved = moveRefusedFields(fields, made.attributes, lines);
      if (!moved) break;
      made = await createWith(fields);
    }
  if ('id' in made) {
    if (made.kind === 'made') for (const line of lines) onDropped(line);
    return made.id;
  }
  const { failure } = made;
  // Some field is too much for this Chatwoot or makes it crash: create a contact without details, then add the fields
  // one by one.
  const bare = await createWith({
    name: anonymousName(sessionId),
    custom_attributes: {},
    additional_attributes: {},
  }).catch((error: Error) => {
    // The first crash may have been an outage that hides a stored contact, so its error is the one to report.
    throw made.kind === 'crashed' ? failure : error;
  });
  if (!('id' in bare)) throw failure;
  for (const line of [...lines, ...(await updateFieldByField(connection, bare.id, fields, signal))]) onDropped(line);
  return bare.id;
}

/** Shortens a name that is too long, and stores the full name as an attribute. */
function fitFields(fields: ContactFields): { readonly fields: ContactFields; readonly lines: string[] } {
  if (fields.name === undefined || fields.name.length <= MAX_NAME) return { fields, lines: [] };
  const custom_attributes = { ...fields.custom_attributes, support_name: fields.name };
  return {
    fields: { ...fields, name: shortenText(fields.name, MAX_NAME), custom_attributes },
    lines: [`${LABELS.name}: ${fields.name}`],
  };
}

/**
 * Moves refused addresses to attributes: one that another contact has, or one that Chatwoot considers invalid. Returns
 * false if no such field was refused.
 */
function moveRefusedFields(fields: ContactFields, refused: readonly string[], lines: string[]): boolean {
  const given = MOVABLE.filter(field => refused.includes(field) && fields[field] !== undefined);
  for (const field of given) {
    fields.custom_attributes[`support_${field}`] = fields[field]!;
    lines.push(`${LABELS[field]}: ${fields[field]}`);
    delete fields[field];
  }
  return given.length > 0;
}

type CreateContactResult =
  | { readonly kind: 'made' | 'found'; readonly id: ProviderContactId }
  | { readonly kind: 'refused'; readonly attributes: readonly string[]; readonly failure: Error }
  | { readonly kind: 'crashed'; readonly failure: Error };

interface ContactKey {
  readonly inbox_id: number;
  readonly identifier: string;
  readonly source_id: string;
}

async function createContact(
  connection: Connection,
  key: ContactKey,
  contact: ContactFields,
  signal: AbortSignal,
): Promise<CreateContactResult> {
  const call = { method: 'POST', path: `${connection.account}/contacts`, body: { ...key, ...contact } } as const;
  const answer = await connection.user.request(call, [400, 422, 500], signal);
  const failure = () => errorForResponse(answer, { ...call, caller: connection.user.caller, isWrite: true });
  if (answer.status === 500) {
    const owner = await findMergedContact(connection, key.inbox_id, key.identifier, signal);
    return owner === null ? { kind: 'crashed', failure: failure() } : { kind: 'found', id: owner };
  }
  if (answer.status === 400) return { kind: 'refused', attributes: [], failure: failure() };
  if (answer.status !== 422 && answer.body !== 'notJson')
    return {
      kind: 'made',
      id: readId(
        (answer.body.json as { payload?: { contact?: WireContact } } | undefined)?.payload?.contact,
        'contact',
      ),
    };
  const attributes = invalidAttributes(answer);
  // Not a validation error, so it may be an outage that hides a stored contact. The next attempt then finds it by its
  // identifier.
  if (attributes.length === 0) throw failure();
  if (attributes.includes('identifier'))
    return { kind: 'found', id: await findContact(connection, key.inbox_id, key.identifier, signal) };
  return {
    kind: 'refused',
    attributes,
    failure: new ProviderRefusedError(
      `Chatwoot refused the end-user's data: ${attributes.join(', ')}. Correct these fields.`,
    ),
  };
}

/**
 * Writes each field in a call of its own, so that a refused one does not affect the others. Returns a line per refused
 * field.
 */
async function updateFieldByField(
  connection: Connection,
  id: ProviderContactId,
  { custom_attributes, additional_attributes, ...fields }: ContactFields,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const parts = [
    ...Object.entries(fields).map(([field, value]) => ({ [field]: value })),
    { custom_attributes, additional_attributes },
  ];
  for (const part of parts) {
    const call = { method: 'PUT', path: `${connection.account}/contacts/${id}`, body: part } as const;
    const answer = await connection.user.request(call, [400, 422, 500], signal);
    if (answer.status < 300) continue;
    for (const [name, value] of Object.entries('custom_attributes' in part ? custom_attributes : part))
      lines.push(`${LABELS[name as keyof typeof LABELS] ?? name}: ${String(value)}`);
  }
  return lines;
}

/** Implements the port's verb. Reads before it writes, so that agents' changes stay. */
export async function updateContact(
  connect: Connect,
  { inbox, contactId, sessionId, before, endUser }: UpdateContact,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const connection = connect(inbox.account);
  const path = `${connection.account}/contacts/${numberOf(contactId, 'contact')}`;
  const { payload: current } = (await connection.user.json({ method: 'GET', path }, signal)) as {
    payload?: WireContact;
  };
  readId(current, 'contact');
  const is = fitFields(toContactFields(endUser, sessionId));
  const was = before === null ? null : fitFields(toContactFields(before, sessionId)).fields;
  const changes = contactChanges(current as WireContact, was, is.fields, sessionId);
  const lines = changes.name === undefined ? [] : is.lines;
  for (let round = 0; round <= MOVABLE.length; round++) {
    if (isEmpty(changes)) return lines;
    const call = { method: 'PUT', path, body: changes } as const;
    const answer = await connection.user.request(call, [400, 422], signal);
    if (answer.status < 300) return lines;
    if (!moveRefusedFields(changes, invalidAttributes(answer), lines)) break;
  }
  return [...lines, ...(await updateFieldByField(connection, contactId, changes, signal))];
}

const isEmpty = ({ custom_attributes, additional_attributes, ...fields }: ContactFields): boolean =>
  [custom_attributes, additional_attributes, fields].every(part => Object.keys(part).length === 0);

async function findContact(
  { user, account }: Connection,
  inboxId: number,
  sessionId: SessionId,
  signal: AbortSignal,
): Promise<ProviderContactId> {
  const filter = [
    { attribute_key: 'identifier', filter_operator: 'equal_to', values: [sessionId], query_operator: null },
  ];
  const { payload } = (await user.json(
    { method: 'POST', path: `${account}/contacts/filter`, body: { payload: filter }, isRead: true },
    signal,
  )) as { payload?: unknown };
  const [contact] = readList<WireContact>(payload, 'contacts');
  if (!contact)
    throw new ProviderUnavailableError('Chatwoot has the contact but does not list it yet; the call is retried.');
  const id = readId(contact, 'contact');
  const linked = contact.contact_inboxes?.some(link => link.inbox?.id === inboxId && link.source_id === sessionId);
  if (linked) return id;
  const call = {
    method: 'POST',
    path: `${account}/contacts/${id}/contact_inboxes`,
    body: { inbox_id: inboxId, source_id: sessionId },
  } as const;
  const answer = await user.request(call, [500], signal);
  if (answer.status !== 500) return id;
  const owner = await findMergedContact({ user, account }, inboxId, sessionId, signal);
  if (owner === null) throw errorForResponse(answer, { ...call, caller: user.caller, isWrite: true });
  return owner;
}

/**
 * Returns the contact that owns a `source_id` in an inbox. After agents merged contacts, the end-user's link belongs to
 * another contact, and Chatwoot responds with 500 to an attempt to create it again. Null: no contact has it, or the
 * request failed.
 */
async function findMergedContact(
  { user, account }: Pick<Connection, 'user' | 'account'>,
  inboxId: number,
  sessionId: SessionId,
  signal: AbortSignal,
): Promise<ProviderContactId | null> {
  const call = {
    method: 'POST',
    path: `${account}/contact_inboxes/filter`,
    body: { inbox_id: inboxId, source_id: sessionId },
    isRead: true,
  } as const;
  const answer = await user.request(call, [404], signal).catch(() => null);
  return answer === null || answer.status === 404 || answer.body === 'notJson'
    ? null
    : readId(answer.body.json, 'contact');
}
