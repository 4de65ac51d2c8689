import { accountOf, asList, type Call } from '../http/call';
import { refuse } from '../http/replies';
import type { Contact, Conversation, Json } from '../model';

const CONVERSATION_KEYS = [
  'status',
  'assignee_id',
  'inbox_id',
  'team_id',
  'priority',
  'display_id',
  'campaign_id',
  'labels',
  'browser_language',
  'conversation_language',
  'referer',
  'created_at',
  'last_activity_at',
  'mail_subject',
];
const CONTACT_KEYS = [
  'name',
  'phone_number',
  'email',
  'identifier',
  'country_code',
  'city',
  'company',
  'labels',
  'created_at',
  'last_activity_at',
  'blocked',
];

type Read<Row> = (row: Row, key: string) => unknown;

const readConversation: Read<Conversation> = (row, key) =>
  (
    ({
      status: row.status,
      assignee_id: row.assigneeId,
      inbox_id: row.inboxId,
      team_id: row.teamId,
      priority: row.priority,
      display_id: row.displayId,
      labels: row.labels,
      created_at: row.createdAt,
      last_activity_at: row.lastActivityAt,
      ...row.additionalAttributes,
    }) as Json
  )[key];

const readContact: Read<Contact> = (row, key) =>
  (
    ({
      name: row.name,
      phone_number: row.phoneNumber,
      email: row.email,
      identifier: row.identifier,
      created_at: row.createdAt,
      last_activity_at: row.lastActivityAt,
      blocked: row.blocked,
      labels: [],
      ...row.additionalAttributes,
    }) as Json
  )[key];

/** Filters conversations. Their texts are compared exactly; a contact's own texts ignore case. */
export function filterConversations(call: Call, rows: Conversation[]): Conversation[] {
  return filter(call, rows, CONVERSATION_KEYS, 'conversation_attribute', readConversation, false);
}

export function filterContacts(call: Call, rows: Contact[]): Contact[] {
  return filter(call, rows, CONTACT_KEYS, 'contact_attribute', readContact, true);
}

function filter<Row extends { customAttributes: Json }>(
  call: Call,
  rows: Row[],
  standard: string[],
  model: string,
  read: Read<Row>,
  ignoreCase: boolean,
): Row[] {
  const defined = call.world.store.attributeDefinitions.where(
    one => one.accountId === accountOf(call).id && one.model === model,
  );
  const conditions = asList(call.params['payload']) as Json[];
  for (const { attribute_key: key } of conditions) {
    if (standard.includes(String(key)) || defined.some(one => one.key === key)) continue;
    throw refuse.unprocessable(
      `Invalid attribute key - [${String(key)}]. The key should be one of [${standard.join(',')}] or a custom attribute defined in the account.`,
    );
  }
  const holds = (row: Row, condition: Json): boolean => {
    const key = String(condition['attribute_key']);
    const value = standard.includes(key) ? read(row, key) : row.customAttributes[key];
    return compare(String(condition['filter_operator']), value, asList(condition['values']), ignoreCase);
  };
  return rows.filter(row => joined(conditions, condition => holds(row, condition)));
}

/** Joins conditions. A condition's `query_operator` joins it to the next one; AND binds more tightly, as in SQL. */
function joined(conditions: Json[], holds: (condition: Json) => boolean): boolean {
  if (conditions.length === 0) return true;
  const alternatives: Json[][] = [[]];
  for (const condition of conditions) {
    alternatives.at(-1)?.push(condition);
    if (String(condition['query_operator'] ?? 'and').toLowerCase() === 'or') alternatives.push([]);
  }
  return alternatives.some(all => all.length > 0 && all.every(holds));
}

function compare(operator: string, value: unknown, wanted: unknown[], ignoreCase: boolean): boolean {
  const plain = (one: unknown) => (ignoreCase ? String(one).toLowerCase() : String(one));
  const isAbsent = value === null || value === undefined || (Array.isArray(value) && value.length === 0);
  const values = isAbsent ? [] : Array.isArray(value) ? value : [value];
  const equals = () => values.some(one => wanted.some(want => want === 'all' || plain(want) === plain(one)));
  const contains = () => values.some(one => wanted.some(want => plain(one).includes(plain(want))));
  const time = () => Date.parse(String(wanted[0]));
  switch (operator) {
    case 'equal_to':
      return equals();
    case 'not_equal_to':
      return !equals();
    case 'contains':
      return contains();
    case 'does_not_contain':
      return !contains();
    case 'starts_with':
      return values.some(one => wanted.some(want => plain(one).startsWith(plain(want))));
    case 'is_present':
      return !isAbsent;
    case 'is_not_present':
      return isAbsent;
    case 'is_greater_than':
      return typeof value === 'number' && value > time();
    case 'is_less_than':
      return typeof value === 'number' && value < time();
    default:
      throw refuse.unprocessable(`Invalid operator. The allowed operators for the key are [equal_to,not_equal_to].`);
  }
}
