import { setTimeout } from 'node:timers/promises';
import type { Traffic } from './traffic';

const PATIENCE_MS = 20_000;
const LOOK_AGAIN_MS = 250;

interface CleanUp {
  readonly baseUrl: string;
  readonly platformToken: string;
  readonly traffic: Traffic;
  /** Nobody else's account has this name; finds one whose making was never answered. */
  readonly accountName: string;
}

/**
 * Deletes what this run made, and nothing else: its account with all in it, and its people, whose e-mail addresses no
 * other run has. Called after the service has stopped, which would else repair what goes.
 * @returns what is still there and has to be deleted by hand
 */
export async function cleanUp({ baseUrl, platformToken, traffic, accountName }: CleanUp): Promise<readonly string[]> {
  const platform = (method: string, path: string): Promise<Response> => fetch(`${baseUrl}/platform/api/v1${path}`, {
    method, headers: { 'api-access-token': platformToken }, signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const remove = async (what: string, path: string): Promise<string | null> => {
    try {
      const { ok, status } = await platform('DELETE', path);
      return ok || status === 404 ? null : `${what} (Chatwoot answered ${status})`;
    } catch {
      return `${what} (Chatwoot did not answer)`;
    }
  };
  const isGone = async (path: string): Promise<boolean> => {
    // A deleted one is no longer ours to see, or no longer there.
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await setTimeout(LOOK_AGAIN_MS))
      if (await platform('GET', path).then(({ status }) => status === 404 || status === 401, () => false)) return true;
    return false;
  };

  const accounts = new Set([...traffic.accounts, ...await accountsNamed(accountName, platform)]);
  const left: (string | null)[] = [];
  for (const id of accounts) left.push(await remove(`account ${id}`, `/accounts/${id}`));
  for (const id of traffic.users) left.push(await remove(`user ${id}`, `/users/${id}`));
  // Chatwoot deletes an account in the background.
  for (const id of accounts)
    if (!left.some((one) => one?.startsWith(`account ${id} `)) && !(await isGone(`/accounts/${id}`))) left.push(`account ${id} (Chatwoot took the deletion; it is not done yet)`);
  return left.filter((one) => one !== null);
}

/** Before 4.5 Chatwoot has no such list. */
async function accountsNamed(name: string, platform: (method: string, path: string) => Promise<Response>): Promise<readonly number[]> {
  try {
    const answer = await platform('GET', '/accounts');
    const listed: unknown = answer.ok ? await answer.json() : [];
    return Array.isArray(listed) ? listed.filter((one: { name?: unknown }) => one.name === name).map(({ id }: { id: number }) => id) : [];
  } catch {
    return [];
  }
}
