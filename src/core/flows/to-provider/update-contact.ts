import { ProviderRefusedError, ProviderUnavailableError, UnsupportedByProviderError } from '../../errors';
import type { EndUser } from '../../session';
import { inboxAccessOf } from '../deps';
import { CONTACT_DROPPED, droppedNote } from '../dropped-note';
import { canonicalJson } from '../canonical-json';
import type { DeliveryContext } from './delivery-context';

/** After this many attempts the contact is left unchanged, because the deliveries after it in the lane matter more. */
export const MAX_ATTEMPTS = 5;

/**
 * Updates the provider's contact with what was learned about the end-user. Called by the worker, in the session's lane.
 * Writes the current values, so a repeat or a later delivery changes nothing. The contact is optional: if the provider
 * refuses it, agents get the values in a note, and the delivery is done.
 * @throws the provider's errors while a later attempt may succeed
 */
export async function updateContact(context: DeliveryContext): Promise<void> {
  const { deps, provider, account, inbox, session } = context;
  const { sessionId, previousAttempts } = context.delivery;
  const access = inboxAccessOf(deps, account, inbox);
  const { contactId, contactEndUser: before, endUser } = session;
  if (
    access === null ||
    contactId === null ||
    provider.updateContact === undefined ||
    canonicalJson(before) === canonicalJson(endUser)
  )
    return;
  let dropped: readonly string[];
  try {
    dropped = await provider.updateContact({ inbox: access, contactId, sessionId, before, endUser });
  } catch (error) {
    const isLost =
      error instanceof ProviderRefusedError ||
      error instanceof UnsupportedByProviderError ||
      (error instanceof ProviderUnavailableError && !error.isOwnRateLimit && previousAttempts >= MAX_ATTEMPTS);
    if (!isLost) throw error;
    dropped = changedFieldLines(before, endUser);
  }
  await context.transact(async tx => {
    if (tx.session.contactId !== contactId) return;
    await tx.updateSession({ contactEndUser: endUser });
    if (dropped.length > 0)
      await tx.enqueueForProvider(droppedNote(`contact:${deps.clock.newId()}`, CONTACT_DROPPED, dropped));
  });
}

const FIELD_LABELS = { name: 'Name', email: 'E-mail', phone: 'Phone', locale: 'Language' } as const;

function changedFieldLines(before: EndUser | null, { attributes, ...endUser }: EndUser): readonly string[] {
  const fields = (Object.keys(FIELD_LABELS) as (keyof typeof FIELD_LABELS)[]).filter(
    field => endUser[field] !== null && endUser[field] !== before?.[field],
  );
  const named = Object.entries(attributes).filter(([name, value]) => before?.attributes[name] !== value);
  return [
    ...fields.map(field => `${FIELD_LABELS[field]}: ${endUser[field]}`),
    ...named.map(([name, value]) => `${name}: ${value}`),
  ];
}
