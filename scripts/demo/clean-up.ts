import { setTimeout } from 'node:timers/promises';
import type { CallLog } from './call-log';

const MAX_WAIT_MS = 20_000;
const POLL_MS = 250;
const DONE_PREFIX = 'removed: ';

interface CleanUpOptions {
  readonly baseUrl: string;
  readonly platformToken: string;
  readonly traffic: CallLog;
  /** Unique to this run, so it finds an account whose creation got no response. */
  readonly accountName: string;
}

type Send = (method: string, path: string, body?: object) => Promise<Response>;

/**
 * Empties, renames and suspends the account of this run, and deletes its users, whose e-mail addresses are unique to
 * the run. The account itself stays: once an account was deleted, Chatwoot responds with 500 to the Platform App's list
 * of accounts for good, and setups that need the list fail. Called after the service has stopped, which would otherwise
 * repair what is deleted.
 * @returns what could not be removed
 */
export async function cleanUp({
  baseUrl,
  platformToken,
  traffic,
  accountName,
}: CleanUpOptions): Promise<readonly string[]> {
  const sendAs =
    (token: string): Send =>
    (method, path, body) =>
      fetch(`${baseUrl}${path}`, {
        method,
        headers: { 'api-access-token': token, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(MAX_WAIT_MS),
      });
  const asPlatform = sendAs(platformToken);
  const platform: Send = (method, path, body) => asPlatform(method, `/platform/api/v1${path}`, body);

  const left: string[] = [];
  for (const id of new Set([...traffic.accounts, ...(await accountsNamed(accountName, platform))])) {
    const token = await administratorOf(id, platform);
    // Without a user it is still empty.
    if (token !== null) left.push(...(await emptyAccount(id, sendAs(token))));
    left.push(
      ...(await runStep(`account ${id}`, () =>
        platform('PATCH', `/accounts/${id}`, { name: `${DONE_PREFIX}${accountName}`, status: 'suspended' }),
      )),
    );
  }
  for (const id of traffic.users) left.push(...(await runStep(`user ${id}`, () => platform('DELETE', `/users/${id}`))));
  return left;
}

/** An object that no longer exists counts as deleted. */
async function runStep(what: string, act: () => Promise<Response>): Promise<readonly string[]> {
  try {
    const { ok, status } = await act();
    return ok || status === 404 ? [] : [`${what} (Chatwoot responded with ${status})`];
  } catch {
    return [`${what} (Chatwoot did not respond)`];
  }
}

/** Deletes everything in an account except its users: inboxes with their conversations, contacts, teams, bots. */
async function emptyAccount(accountId: number, send: Send): Promise<readonly string[]> {
  const account = `/api/v1/accounts/${accountId}`;
  const left: string[] = [];
  for (const kind of ['inboxes', 'contacts', 'teams', 'agent_bots'] as const) {
    const until = Date.now() + MAX_WAIT_MS;
    for (const tried = new Set<number>(); ; ) {
      const ids = await idsOf(send, `${account}/${kind}`);
      if (ids.length === 0) break;
      // Chatwoot deletes an inbox in the background and lists it until then.
      const fresh = ids.filter(id => !tried.has(id));
      for (const id of fresh) {
        tried.add(id);
        left.push(
          ...(await runStep(`${kind} ${id} of account ${accountId}`, () => send('DELETE', `${account}/${kind}/${id}`))),
        );
      }
      if (fresh.length > 0) continue;
      if (Date.now() > until || left.length > 0) {
        left.push(`${kind} of account ${accountId} (Chatwoot accepted the deletion but has not finished it)`);
        break;
      }
      await setTimeout(POLL_MS);
    }
  }
  return left;
}

/** Reads one page. The next one is read after these are deleted. */
async function idsOf(send: Send, path: string): Promise<readonly number[]> {
  try {
    const answer = await send('GET', path);
    const body = answer.ok ? ((await answer.json()) as { payload?: unknown } | unknown[]) : [];
    const rows = Array.isArray(body) ? body : body.payload;
    return Array.isArray(rows) ? rows.map(({ id }: { id: number }) => id) : [];
  } catch {
    return [];
  }
}

/** Returns the token of an administrator of the account; null if it has none or cannot be read. */
async function administratorOf(accountId: number, platform: Send): Promise<string | null> {
  try {
    const members = (await (await platform('GET', `/accounts/${accountId}/account_users`)).json()) as readonly {
      user_id: number;
      role: string;
    }[];
    const member = members.find(({ role }) => role === 'administrator');
    if (member === undefined) return null;
    const user = (await (await platform('GET', `/users/${member.user_id}`)).json()) as { access_token?: unknown };
    return typeof user.access_token === 'string' ? user.access_token : null;
  } catch {
    return null;
  }
}

/** Chatwoot has this list since 4.5, and cannot return it after an account was deleted. */
async function accountsNamed(name: string, platform: Send): Promise<readonly number[]> {
  try {
    const answer = await platform('GET', '/accounts');
    const listed: unknown = answer.ok ? await answer.json() : [];
    return Array.isArray(listed)
      ? listed.filter((one: { name?: unknown }) => one.name === name).map(({ id }: { id: number }) => id)
      : [];
  } catch {
    return [];
  }
}
