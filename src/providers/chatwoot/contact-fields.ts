import type { SessionId } from '../../core/ids';
import type { EndUser } from '../../core/session';
import type { WireContact } from './wire';

/** The fields of a contact as sent to Chatwoot. Absent fields are not changed. */
export interface ContactFields {
  name?: string;
  email?: string;
  phone_number?: string;
  readonly custom_attributes: Record<string, string>;
  readonly additional_attributes: Record<string, string>;
}

/** Returns the name of an end-user of whom nothing is known. */
export const anonymousName = (sessionId: SessionId): string => `Visitor ${sessionId.slice(0, 8)}`;

/** Converts an end-user to Chatwoot's fields. */
export const toContactFields = (
  { externalId, name, email, phone, locale, attributes }: EndUser,
  sessionId: SessionId,
): ContactFields => ({
  name: name ?? email ?? externalId ?? anonymousName(sessionId),
  ...(email && { email }),
  ...(phone && { phone_number: phone }),
  custom_attributes: { ...attributes, ...(externalId && { support_end_user_id: externalId }) },
  additional_attributes: { ...(locale && { locale }) },
});

/**
 * Returns the changes that make a contact show `is`. Keeps a field that agents changed: one that is not empty, not as
 * we wrote it, and not the placeholder name.
 * @param was as we wrote it last; null: not known
 */
export function contactChanges(
  current: WireContact,
  was: ContactFields | null,
  is: ContactFields,
  sessionId: SessionId,
): ContactFields {
  const changes: ContactFields = { custom_attributes: {}, additional_attributes: {} };
  const isOurs = (now: unknown, before: string | undefined): boolean =>
    now === undefined || now === null || now === '' || now === before;
  for (const field of ['name', 'email', 'phone_number'] as const) {
    const [now, wanted] = [current[field], is[field]];
    if (wanted === undefined || now === wanted || wanted === was?.[field]) continue;
    if (isOurs(now, was?.[field]) || (field === 'name' && now === anonymousName(sessionId))) changes[field] = wanted;
  }
  for (const kind of ['custom_attributes', 'additional_attributes'] as const)
    for (const [name, wanted] of Object.entries(is[kind])) {
      const now = current[kind]?.[name];
      if (now !== wanted && wanted !== was?.[kind][name] && isOurs(now, was?.[kind][name]))
        changes[kind][name] = wanted;
    }
  // A value that Chatwoot once refused was stored as an attribute; that attribute must follow the current value.
  for (const field of ['email', 'phone_number'] as const)
    if (changes[field] !== undefined && current.custom_attributes?.[`support_${field}`] !== undefined)
      changes.custom_attributes[`support_${field}`] = changes[field];
  return changes;
}
