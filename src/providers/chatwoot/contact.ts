import { ProviderRefusedError, ProviderUnavailableError } from '../../core/errors';
import type { ProviderContactId, SessionId } from '../../core/ids';
import type { InboxAccess } from '../../core/ports/support-provider';
import type { EndUser } from '../../core/session';
import { numberOf, type Connect, type Connection } from './connection';
import { failureOf, refusedAttributes } from './errors';
import { idIn, listIn, type WireContact } from './wire';

/** Fields that Chatwoot wants unique or of a certain form, and that a contact can do without. */
const OPTIONAL_FIELDS = ['email', 'phone_number'] as const;

/**
 * One contact per session, under our session id as `identifier`: it is unique there, so two tries at once cannot make
 * two, and only a contact that has one can be found again.
 */
export async function ensureContact(connect: Connect, inbox: InboxAccess, sessionId: SessionId, endUser: EndUser, signal: AbortSignal): Promise<ProviderContactId> {
  const connection = connect(inbox.account);
  const inboxId = numberOf(inbox.externalId, 'inbox');
  const contact: Record<string, unknown> = {
    inbox_id: inboxId, identifier: sessionId, source_id: sessionId,
    name: endUser.name ?? endUser.email ?? endUser.externalId ?? `Visitor ${sessionId.slice(0, 8)}`,
    ...(endUser.email && { email: endUser.email }), ...(endUser.phone && { phone_number: endUser.phone }),
    additional_attributes: { ...(endUser.locale && { locale: endUser.locale }) },
  };
  const attributes: Record<string, string> = { ...endUser.attributes, ...(endUser.externalId && { support_end_user_id: endUser.externalId }) };

  // One round more than there are fields to give up.
  for (let round = 0; round <= OPTIONAL_FIELDS.length; round++) {
    const call = { method: 'POST', path: `${connection.account}/contacts`, body: { ...contact, custom_attributes: attributes } } as const;
    const answer = await connection.user.answer(call, [422, 500], signal);
    if (answer.status === 500) return ownerOr(failureOf(answer, { ...call, caller: connection.user.caller, writes: true }), connection, inboxId, sessionId, signal);
    if (answer.status !== 422 && answer.body !== 'notJson')
      return idIn((answer.body.json as { payload?: { contact?: WireContact } } | undefined)?.payload?.contact, 'contact');

    const refused = refusedAttributes(answer);
    // No validation speaks here, so it may be an outage that hides a stored contact: the next try is told by its identifier.
    if (refused.length === 0) throw failureOf(answer, { ...call, caller: connection.user.caller, writes: true });
    if (refused.includes('identifier')) return findContact(connection, inboxId, sessionId, signal);
    // Another contact's address, or one that Chatwoot takes for none: agents still see it, beside the contact's own fields.
    const given = OPTIONAL_FIELDS.filter((field) => refused.includes(field) && contact[field] !== undefined);
    if (given.length === 0) throw new ProviderRefusedError(`Chatwoot does not take the end-user's data: ${refused.join(', ')}.`);
    for (const field of given) {
      attributes[`support_${field}`] = String(contact[field]);
      delete contact[field];
    }
  }
  throw new ProviderRefusedError('Chatwoot does not take the end-user\'s data.');
}

async function findContact({ user, account }: Connection, inboxId: number, sessionId: SessionId, signal: AbortSignal): Promise<ProviderContactId> {
  const filter = [{ attribute_key: 'identifier', filter_operator: 'equal_to', values: [sessionId], query_operator: null }];
  const { payload } = await user.json({ method: 'POST', path: `${account}/contacts/filter`, body: { payload: filter }, reads: true }, signal) as { payload?: unknown };
  const [contact] = listIn<WireContact>(payload, 'contacts');
  if (!contact) throw new ProviderUnavailableError('Chatwoot knows the contact and does not show it yet.');
  const id = idIn(contact, 'contact');
  const linked = contact.contact_inboxes?.some((link) => link.inbox?.id === inboxId && link.source_id === sessionId);
  if (linked) return id;
  const call = { method: 'POST', path: `${account}/contacts/${id}/contact_inboxes`, body: { inbox_id: inboxId, source_id: sessionId } } as const;
  const answer = await user.answer(call, [500], signal);
  if (answer.status !== 500) return id;
  return ownerOr(failureOf(answer, { ...call, caller: user.caller, writes: true }), { user, account }, inboxId, sessionId, signal);
}

/**
 * Contacts that agents merged: what was the end-user's is another one's now, and Chatwoot answers 500 to having it again.
 * @throws the failure when nobody has it, or nobody can say
 */
async function ownerOr(failure: Error, { user, account }: Pick<Connection, 'user' | 'account'>, inboxId: number, sessionId: SessionId, signal: AbortSignal): Promise<ProviderContactId> {
  const call = { method: 'POST', path: `${account}/contact_inboxes/filter`, body: { inbox_id: inboxId, source_id: sessionId }, reads: true } as const;
  const answer = await user.answer(call, [404], signal).catch(() => null);
  if (answer === null || answer.status === 404 || answer.body === 'notJson') throw failure;
  return idIn(answer.body.json, 'contact');
}
