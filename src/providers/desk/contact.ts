import type { UpdateContact } from '../../core/ports/provider/conversation-verbs';
import type { EndUser } from '../../core/session';
import type { Query } from './database';
import type { DeskContactRow } from './entities';

const FIELDS = ['name', 'email', 'phone', 'locale'] as const;
type ContactFields = Pick<DeskContactRow, (typeof FIELDS)[number] | 'attributes'>;

/**
 * Updates a contact with what the core learned of the end-user. Keeps fields that were changed at the desk since the
 * last update. Returns false if the account has no such contact.
 */
export async function updateContact(
  query: Query,
  accountId: string,
  contactId: string,
  { before, endUser }: Pick<UpdateContact, 'before' | 'endUser'>,
): Promise<boolean> {
  const {
    rows: [row],
  } = await query(
    `
    select c.name, c.email, c.phone, c.locale, c.attributes from desk_contact c join desk_inbox i on i.id = c.inbox_id
    where c.id = $1 and i.account_id = $2 for update of c`,
    [contactId, accountId],
  );
  if (!row) return false;
  const { name, email, phone, locale, attributes } = mergeContact(row as ContactFields, before, endUser);
  await query('update desk_contact set name = $2, email = $3, phone = $4, locale = $5, attributes = $6 where id = $1', [
    contactId,
    name,
    email,
    phone,
    locale,
    attributes,
  ]);
  return true;
}

function mergeContact(current: ContactFields, before: EndUser | null, is: EndUser): ContactFields {
  const next = <T>(now: T | undefined, was: T | undefined, wanted: T): T =>
    now === undefined || now === null || now === was ? wanted : now;
  const fields = Object.fromEntries(
    FIELDS.map(field => [
      field,
      is[field] === null ? current[field] : next(current[field], before?.[field], is[field]),
    ]),
  ) as Pick<ContactFields, (typeof FIELDS)[number]>;
  const attributes = Object.fromEntries(
    Object.entries(is.attributes).map(([key, wanted]) => [
      key,
      next(current.attributes[key], before?.attributes[key], wanted),
    ]),
  );
  return { ...fields, attributes: { ...current.attributes, ...attributes } };
}

/** Creates the contact of a session, or updates it. Returns its id, or null if there is no such inbox. */
export async function ensureContact(
  query: Query,
  accountId: string,
  inboxId: string,
  sessionId: string,
  endUser: EndUser,
): Promise<string | null> {
  const {
    rows: [contact],
  } = await query(
    `
      insert into desk_contact (inbox_id, session_id, name, email, phone, locale, attributes)
      select id, $3, $4, $5, $6, $7, $8 from desk_inbox where id = $1 and account_id = $2
      on conflict on constraint uq_desk_contact_session do update
        set name = excluded.name, email = excluded.email, phone = excluded.phone, locale = excluded.locale, attributes = excluded.attributes
      returning id`,
    [inboxId, accountId, sessionId, endUser.name, endUser.email, endUser.phone, endUser.locale, endUser.attributes],
  );
  return contact?.id ?? null;
}
