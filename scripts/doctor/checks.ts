import { lookup } from 'node:dns/promises';
import { isLoopback, isPrivateAddress } from '../../src/addresses';
import { readAtMost } from '../../src/core/read-at-most';
import { RESPONSE_LIMIT_BYTES, isToken } from '../../src/providers/chatwoot/client';
import { errorForResponse, errorWithoutResponse, type ChatwootResponse } from '../../src/providers/chatwoot/errors';
import { differencesOf, isBefore, SUPPORTED, versionIn, type Version } from './versions';

export interface Finding {
  readonly check: 'reachable' | 'api' | 'version' | 'services' | 'header' | 'token' | 'accounts' | 'webhooks';
  /** `advice`: it works, but the operator should read this. */
  readonly state: 'ok' | 'advice' | 'wrong';
  readonly message: string;
  /** The next step. */
  readonly nextStep?: string;
}

export interface DoctorOptions {
  readonly url: string;
  readonly token: string;
  readonly publicUrl?: string | undefined;
}

type Spelling = 'api-access-token' | 'api_access_token';

const CALL_LIMIT_MS = 10_000;
const NOT_SEEN = 'You need to sign in or sign up before continuing.';

/**
 * Examines a Chatwoot from outside, check by check, without changing anything in it. Stops at the first failure that
 * makes further checks impossible.
 */
export async function* runChecks({ url, token, publicUrl }: DoctorOptions): AsyncGenerator<Finding, void> {
  const baseUrl = url.replace(/\/+$/, '');
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) => ask(baseUrl, path, headers);

  const health = await get('/api');
  if (health instanceof Error) return yield wrong('reachable', `${baseUrl} does not respond.`, health.message);
  yield ok('reachable', `${baseUrl} responds.`);

  const about = health.body === 'notJson' ? null : (health.body.json as Readonly<Record<string, unknown>> | null);
  if (health.status !== 200 || about === null || typeof about !== 'object' || !('version' in about)) {
    const failure = errorForResponse(health.status === 200 ? { ...health, body: 'notJson' } : health, {
      method: 'GET',
      path: '/api',
      caller: 'nobody',
      isWrite: false,
    });
    return yield wrong('api', "The response does not come from Chatwoot's API.", failure.message);
  }
  yield ok('api', "It is Chatwoot's API.");

  const version = versionIn(about['version']);
  yield versionFinding(version, String(about['version']).slice(0, 40));
  if (version !== null && isBefore(version, SUPPORTED.first)) return;

  if (!isToken(token))
    return yield wrong(
      'token',
      'The given token is not a valid token.',
      'Copy it again; a token has only printable characters, without spaces or line breaks.',
    );
  yield await headerFinding(spelling => get('/api/v1/profile', { [spelling]: token }));
  const ofToken = await tokenFinding(get, token);
  yield ofToken;
  if (ofToken.state === 'ok') yield* await accountsFinding(get, token);
  // Last, because a new process reports its database as failing until its first query.
  yield servicesFinding(await get('/api'));
  yield await webhooksFinding(version, new URL(baseUrl), publicUrl);
}

function versionFinding(version: Version | null, shown: string): Finding {
  const range = `${SUPPORTED.first.join('.')} to ${SUPPORTED.last.join('.')}`;
  if (version === null)
    return {
      check: 'version',
      state: 'advice',
      message: `Its version is not known to this service (${shown}).`,
      nextStep: `Supported are ${range}. Look up the version in the super-admin console, and run the demo.`,
    };
  if (isBefore(version, SUPPORTED.first))
    return wrong('version', `It is ${shown}, which is not supported.`, `Upgrade Chatwoot; supported are ${range}.`);
  const differences = differencesOf(version)
    .map(one => `\n      - ${one}`)
    .join('');
  if (isBefore(SUPPORTED.last, version))
    return {
      check: 'version',
      state: 'advice',
      message: `It is ${shown}, newer than the supported versions (${range}).${differences}`,
      nextStep: 'Run the demo before you rely on it.',
    };
  return ok('version', `It is ${shown}, which is supported. With this version:${differences}`);
}

/** Any response but "sign in" shows that a token arrived, valid or not. */
async function headerFinding(profile: (spelling: Spelling) => Promise<ChatwootResponse | Error>): Promise<Finding> {
  const arrives = async (spelling: Spelling) => {
    const answer = await profile(spelling);
    return !(answer instanceof Error) && textOf(answer) !== NOT_SEEN;
  };
  if (!(await arrives('api-access-token')))
    return wrong(
      'header',
      'The token does not arrive.',
      'A proxy in front of Chatwoot drops the header api-access-token. Let the proxy pass it.',
    );
  if (!(await arrives('api_access_token')))
    return ok(
      'header',
      "The token arrives. A proxy drops the header as Chatwoot's documentation spells it (api_access_token); this service uses api-access-token, so there is nothing to do.",
    );
  return ok('header', 'The token arrives, in both spellings of its header.');
}

async function tokenFinding(
  get: (path: string, headers: Readonly<Record<string, string>>) => Promise<ChatwootResponse | Error>,
  token: string,
): Promise<Finding> {
  const headers = { 'api-access-token': token };
  // Account 0 does not exist: a Platform App gets 404, any other token 401. Every version has this call.
  const asPlatform = await get('/platform/api/v1/accounts/0', headers);
  if (asPlatform instanceof Error) return wrong('token', 'The token could not be checked.', asPlatform.message);
  if (asPlatform.status === 404 && textOf(asPlatform) !== '')
    return ok('token', "The token is a Platform App's: the service creates account, BotAgent1 and owners.");
  if (asPlatform.status !== 401)
    return wrong(
      'token',
      'The token could not be checked.',
      errorForResponse(asPlatform, {
        method: 'GET',
        path: '/platform/api/v1/accounts',
        caller: 'platformApp',
        isWrite: false,
      }).message,
    );

  const asUser = await get('/api/v1/profile', headers);
  if (asUser instanceof Error) return wrong('token', 'The token could not be checked.', asUser.message);
  if (asUser.status === 200) {
    const { accounts = [] } = (asUser.body === 'notJson' ? {} : (asUser.body.json ?? {})) as {
      accounts?: { id: number; role?: string }[];
    };
    const administered = accounts.filter(({ role }) => role === 'administrator').map(({ id }) => id);
    if (administered.length === 0)
      return wrong(
        'token',
        'The token belongs to a user who administers no account.',
        'Give the token of an administrator, or of a Platform App.',
      );
    return {
      check: 'token',
      state: 'advice',
      message: `The token belongs to a user who administers account ${administered.join(', ')}.`,
      nextStep:
        "Use it as adminToken with settings.accountId. The demo needs a Platform App's token: super-admin console → Platform Apps.",
    };
  }
  if (textOf(asUser) === 'Access to this endpoint is not authorized for bots')
    return wrong(
      'token',
      'The token belongs to an agent bot.',
      'Give the token of a Platform App: super-admin console → Platform Apps.',
    );
  return wrong(
    'token',
    'Chatwoot does not know the token.',
    'Give the token of a Platform App (super-admin console → Platform Apps), or that of an administrator (their profile page).',
  );
}

/** Only for a Platform App. Chatwoot has this list since 4.5. */
async function accountsFinding(
  get: (path: string, headers: Readonly<Record<string, string>>) => Promise<ChatwootResponse | Error>,
  token: string,
): Promise<readonly Finding[]> {
  const listed = await get('/platform/api/v1/accounts', { 'api-access-token': token });
  if (listed instanceof Error || listed.status !== 500) return [];
  return [
    {
      check: 'accounts',
      state: 'advice',
      message:
        'Chatwoot cannot list the accounts of this Platform App (500), because one of them was deleted. The setup works without the list, but cannot find an account whose creation was interrupted.',
      nextStep:
        'To repair the list, on the Chatwoot server: bundle exec rails runner "PlatformAppPermissible.where(permissible_type: \'Account\').find_each { |one| one.destroy if one.permissible.nil? }". Suspend accounts in future instead of deleting them.',
    },
  ];
}

function servicesFinding(health: ChatwootResponse | Error): Finding {
  if (health instanceof Error)
    return wrong('services', 'It does not report the state of its services.', health.message);
  const { queue_services: queue, data_services: data } = (
    health.body === 'notJson' ? {} : (health.body.json ?? {})
  ) as Readonly<Record<string, unknown>>;
  const failing = [...(queue === 'failing' ? ['Redis'] : []), ...(data === 'failing' ? ['Postgres'] : [])];
  if (failing.length > 0)
    return wrong(
      'services',
      `Chatwoot reports that its ${failing.join(' and ')} is failing.`,
      'Restart it; until then messages are refused or lost.',
    );
  if (queue === undefined || data === undefined)
    return {
      check: 'services',
      state: 'advice',
      message: 'It does not report the state of its services.',
      nextStep: 'Check that its Redis, Postgres and Sidekiq run.',
    };
  return ok('services', 'Its Redis and Postgres work. Only the demo can check its Sidekiq, which sends webhooks.');
}

async function webhooksFinding(
  version: Version | null,
  chatwoot: URL,
  publicUrl: string | undefined,
): Promise<Finding> {
  if (publicUrl === undefined)
    return {
      check: 'webhooks',
      state: 'advice',
      message: 'Webhooks cannot be checked without --public-url.',
      nextStep:
        "Give the address at which Chatwoot will reach this service (SUPPORT_PUBLIC_URL). Without webhooks agents' messages are only found on a timer.",
    };
  if (!/^https?:\/\//.test(publicUrl) || !URL.canParse(publicUrl))
    return wrong('webhooks', '--public-url is not an http(s) address.', 'Give one, e.g. https://support.example.com');
  const { hostname } = new URL(publicUrl);
  if (isLoopback(hostname) && !isLoopback(chatwoot.hostname))
    return wrong(
      'webhooks',
      `Chatwoot at ${chatwoot.host} would look for ${hostname} on its own machine.`,
      "Give an address at which Chatwoot's machine reaches this service.",
    );
  if (version !== null && !isBefore(version, [4, 14]) && (await leadsToPrivate(hostname)))
    return {
      check: 'webhooks',
      state: 'advice',
      message: `${hostname} is a private address: Chatwoot 4.14 and later sends no webhooks to it and marks agents' messages as failed.`,
      nextStep:
        'Give this service a public address, or set SAFE_FETCH_ALLOW_PRIVATE_NETWORK=true in Chatwoot (after 4.14.0); the demo then shows whether it works.',
    };
  return ok('webhooks', `Chatwoot may send webhooks to ${hostname}. Only the demo can check that they arrive.`);
}

/** A name that cannot be resolved here does not count as private. */
async function leadsToPrivate(hostname: string): Promise<boolean> {
  const addresses = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
  return addresses.some(({ address }) => isPrivateAddress(address));
}

async function ask(
  baseUrl: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<ChatwootResponse | Error> {
  const signal = AbortSignal.timeout(CALL_LIMIT_MS);
  try {
    const response = await fetch(baseUrl + path, {
      headers: { accept: 'application/json', ...headers },
      redirect: 'manual',
      signal,
    });
    const text = (await readAtMost(response.body, RESPONSE_LIMIT_BYTES)).toString('utf8');
    return { status: response.status, body: parsed(text), retryAfter: null, ambiguousForMs: 0 };
  } catch (error) {
    return errorWithoutResponse(error, { method: 'GET', path, caller: 'nobody', isWrite: false }, signal.aborted, 0);
  }
}

function parsed(text: string): ChatwootResponse['body'] {
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return 'notJson';
  }
}

function textOf({ body }: ChatwootResponse): string {
  const { error, errors } = (body === 'notJson' ? {} : (body.json ?? {})) as { error?: unknown; errors?: unknown };
  return String(error ?? (Array.isArray(errors) ? errors[0] : '') ?? '');
}

const ok = (check: Finding['check'], says: string): Finding => ({ check, state: 'ok', message: says });
const wrong = (check: Finding['check'], says: string, next: string): Finding => ({
  check,
  state: 'wrong',
  message: says,
  nextStep: next,
});
