import { isDeepStrictEqual } from 'node:util';
import { isoOrNull } from '../present/times';
import type { Contact, Conversation, Json } from '../model';

type Column<Row> = [name: string, key: keyof Row, kind?: 'time'];

/** In the order of the table's columns, which is the order of `changed_attributes`. */
const CONVERSATION_COLUMNS: Array<Column<Conversation>> = [
  ['status', 'status'],
  ['assignee_id', 'assigneeId'],
  ['updated_at', 'updatedAt', 'time'],
  ['contact_last_seen_at', 'contactLastSeenAt', 'time'],
  ['additional_attributes', 'additionalAttributes'],
  ['team_id', 'teamId'],
  ['snoozed_until', 'snoozedUntil', 'time'],
  ['custom_attributes', 'customAttributes'],
  ['first_reply_created_at', 'firstReplyCreatedAt', 'time'],
  ['priority', 'priority'],
  ['waiting_since', 'waitingSince', 'time'],
  ['cached_label_list', 'cachedLabelList'],
  ['assignee_agent_bot_id', 'assigneeAgentBotId'],
  ['label_list', 'labels'],
];

const CONTACT_COLUMNS: Array<Column<Contact>> = [
  ['name', 'name'],
  ['email', 'email'],
  ['phone_number', 'phoneNumber'],
  ['updated_at', 'updatedAt', 'time'],
  ['additional_attributes', 'additionalAttributes'],
  ['identifier', 'identifier'],
  ['custom_attributes', 'customAttributes'],
  ['last_activity_at', 'lastActivityAt', 'time'],
  ['blocked', 'blocked'],
];

export type Change = { previous_value: unknown; current_value: unknown };

function changes<Row>(columns: Array<Column<Row>>, before: Row, after: Row): Map<string, Change> {
  const found = new Map<string, Change>();
  for (const [name, key, kind] of columns) {
    if (isDeepStrictEqual(before[key], after[key])) continue;
    const show = (value: unknown) => (kind === 'time' ? isoOrNull(value as number | null) : structuredClone(value));
    found.set(name, { previous_value: show(before[key]), current_value: show(after[key]) });
  }
  return found;
}

export const conversationChanges = (before: Conversation, after: Conversation) =>
  changes(CONVERSATION_COLUMNS, before, after);

export const contactChanges = (before: Contact, after: Contact) => changes(CONTACT_COLUMNS, before, after);

/** Returns `changed_attributes`: a list of objects with one key each. */
export const asAttributeList = (found: Map<string, Change>): Json[] =>
  [...found].map(([name, change]) => ({ [name]: change }));
