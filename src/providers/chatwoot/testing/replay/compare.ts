/** Options of a comparison that ignores ids, times, tokens and other random values. */
export interface CompareOptions {
  /** Compares lists of rows with ids in any order, because the database did not define it. */
  anyOrder?: boolean;
  /** Paths (`a.b[0].c`) whose values are not compared; they must exist. */
  ignore?: readonly string[];
  /** Treats names and identifiers that end in six random letters and digits as equal. */
  anySuffix?: boolean;
}

const RANDOM_KEYS = new Set([
  'access_token',
  'pubsub_token',
  'token',
  'hmac_token',
  'inbox_identifier',
  'secret',
  'uuid',
  'source_id',
  'blob_id',
  'avatar_url_hash',
  'in_reply_to',
  'assignee_agent_bot_id',
]);
const TIME = /(_at|^created_on|_since|_until|^timestamp)$/;
const ID = /(^|_)id$/;
const ISO = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/;
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

export function differences(
  recorded: unknown,
  actual: unknown,
  options: CompareOptions = {},
  path = '',
  key = '',
): string[] {
  if (options.ignore?.includes(path)) return [];
  const differ = (what: string) => [`${path || '(body)'}: ${what}`];
  if (kind(recorded) !== kind(actual)) return differ(`recorded ${show(recorded)}, got ${show(actual)}`);
  if (Array.isArray(recorded) && Array.isArray(actual)) return inLists(recorded, actual, options, path, key);
  if (isRecord(recorded) && isRecord(actual)) return inObjects(recorded, actual, options, path, key);
  return sameLeaf(recorded, actual, key, options.anySuffix === true)
    ? []
    : differ(`recorded ${show(recorded)}, got ${show(actual)}`);
}

function inLists(recorded: unknown[], actual: unknown[], options: CompareOptions, path: string, key: string): string[] {
  if (recorded.length !== actual.length)
    return [`${path}: recorded ${recorded.length} entries, got ${actual.length}: ${show(actual)}`];
  const ordered = (list: unknown[]) => (options.anyOrder ? list.slice().sort((a, b) => idOf(a) - idOf(b)) : list);
  const others = ordered(actual);
  return ordered(recorded).flatMap((one, index) => differences(one, others[index], options, `${path}[${index}]`, key));
}

function inObjects(
  recorded: Record<string, unknown>,
  actual: Record<string, unknown>,
  options: CompareOptions,
  path: string,
  key: string,
): string[] {
  const at = (name: string) => (path ? `${path}.${name}` : name);
  const missing = Object.keys(recorded)
    .filter(name => !(name in actual))
    .map(name => `${at(name)}: is missing`);
  const extra = Object.keys(actual)
    .filter(name => !(name in recorded) && !options.ignore?.includes(at(name)))
    .map(name => `${at(name)}: was not recorded`);
  const common = Object.keys(recorded).filter(name => name in actual);
  // Previous and current value are compared like the changed attribute.
  const kindOf = (name: string) => (name === 'previous_value' || name === 'current_value' ? key : name);
  return [
    ...missing,
    ...extra,
    ...common.flatMap(name => differences(recorded[name], actual[name], options, at(name), kindOf(name))),
  ];
}

function sameLeaf(recorded: unknown, actual: unknown, key: string, anySuffix: boolean): boolean {
  if (recorded === null || recorded === actual) return true;
  if (TIME.test(key))
    return typeof recorded === 'number'
      ? (recorded === 0) === (actual === 0)
      : sameText(String(recorded), String(actual), true);
  if (ID.test(key) || RANDOM_KEYS.has(key)) return true;
  if (typeof recorded === 'string')
    return (
      sameText(recorded, String(actual), false) ||
      (anySuffix && withoutSuffixes(recorded) === withoutSuffixes(String(actual)))
    );
  return recorded === actual;
}

const withoutSuffixes = (text: string): string =>
  plain(text).replace(/(?<=[-. ])[a-z0-9]{6}(?=[@ :.'(]|$)/g, '<SUFFIX>');

function sameText(recorded: string, actual: string, isTime: boolean): boolean {
  if (isTime) return ISO.test(recorded) && ISO.test(actual);
  return plain(recorded) === plain(actual);
}

/** Removes what differs between servers from a text. */
function plain(text: string): string {
  if (/^(.)\1{999,}$/s.test(text)) return `<${text.charAt(0)} repeated ${text.length} times>`;
  return text
    .replace(/\/\/127\.0\.0\.1:\d+/g, '//<HOST>')
    .replace(/<[A-Z_]*TOKEN[A-Z_0-9]*>|sso_auth_token=[0-9a-f]{64}/g, token =>
      token.startsWith('sso') ? 'sso_auth_token=<RANDOM>' : '<RANDOM>',
    )
    .replace(/eyJ[\w=-]+(--[0-9a-f]{40})?|<SIGNED_BLOB_ID>/g, '<BLOB>')
    .replace(UUID, '<UUID>')
    .replace(/^(<INBOX_IDENTIFIER>|[A-Za-z0-9]{24})$/, '<RANDOM>');
}

function kind(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

const isRecord = (value: unknown): value is Record<string, unknown> => kind(value) === 'object';
const idOf = (value: unknown) => (isRecord(value) ? Number(value['id']) : 0);
const show = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 200);
