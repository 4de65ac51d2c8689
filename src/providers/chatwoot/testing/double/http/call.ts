import type { Account, AccountUser, AgentBot, Json, PlatformApp, User } from '../model';
import type { World } from '../world';

export type Actor =
  | { kind: 'user'; user: User }
  | { kind: 'bot'; bot: AgentBot }
  | { kind: 'platform'; app: PlatformApp };

/** One request while a route handles it. */
export interface Call {
  world: World;
  method: string;
  path: string;
  /** The named parts of the path. */
  at: Record<string, string>;
  /** Query and body merged; the body takes precedence. */
  params: Json;
  headers: Record<string, string | undefined>;
  address: string;
  actor?: Actor;
  account?: Account;
  membership?: AccountUser;
}

/** Returns the account of a call below `/api/v1/accounts/:accountId`. */
export function accountOf(call: Call): Account {
  if (!call.account) throw new Error(`The route of ${call.path} has no account; give it the area "account".`);
  return call.account;
}

export const isAdministrator = (call: Call) => call.membership?.role === 'administrator';

export const has = (params: Json, key: string) => Object.prototype.hasOwnProperty.call(params, key);

/** Returns the attributes, also if they are wrapped in the model's name, as Rails allows. */
export function wrapped(params: Json, name: string): Json {
  const inner = params[name];
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Json) : params;
}

export const asText = (value: unknown): string | null =>
  value === undefined || value === null ? null : typeof value === 'string' ? value : String(value);

export const asObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? structuredClone(value as Json) : {};

export const asList = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];

export const asBoolean = (value: unknown): boolean =>
  value === true || value === 'true' || value === 1 || value === '1';

/** Converts any input to a database id; `undefined` if it cannot be one. */
export function asId(value: unknown): number | undefined {
  const id =
    typeof value === 'number' ? value : typeof value === 'string' && /^\d+/.test(value) ? parseInt(value, 10) : NaN;
  return Number.isSafeInteger(id) ? id : undefined;
}
