import {
  InvalidInputError,
  NotFoundError,
  ProviderAuthError,
  ProviderRefusedError,
  ProviderUnavailableError,
  UnsupportedByProviderError,
} from '../../errors';
import type { SetupLock } from '../../ports/setup/setup-locks';
import type { AgentRecord, AccountRecord, TeamRecord } from '../../setup';
import { createTimeLimit } from '../../time-limit';
import type { Scope } from '../api/scope';
import { accessOf, type RegisteredProvider, type ProviderDeps, type StoreDeps } from '../deps';

export interface Problem {
  readonly code: string;
  readonly message: string;
}

/**
 * Returns the code and the sentence of a provider's error in a setup step. Throws any other error, because it is ours.
 */
export function problemOf(error: unknown): Problem {
  if (
    error instanceof ProviderUnavailableError ||
    error instanceof ProviderRefusedError ||
    error instanceof ProviderAuthError ||
    error instanceof UnsupportedByProviderError
  )
    return { code: error.code, message: error.message };
  // The signal of the whole call has ended: a remote call never responded.
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return {
      code: 'PROVIDER_UNAVAILABLE',
      message:
        'The provider did not respond in time. Check its address and repeat the call; it resumes where it stopped.',
    };
  throw error;
}

/** Returns how long the last request of a failed setup may still take effect, in milliseconds. */
export const ambiguousForMs = (error: unknown): number =>
  error instanceof ProviderUnavailableError ? error.ambiguousForMs : 0;

/** Returns a signal that limits a setup call with all its remote steps. */
export const setupSignal = (deps: StoreDeps): AbortSignal => createTimeLimit(deps.limits.setupMs);

/** Creates the signal for the remote calls of a setup that holds its lock. */
export const signalUnderLock = (deps: ProviderDeps, lock: SetupLock, account: AccountRecord): Promise<AbortSignal> =>
  lock.signal(
    deps.limits.setupMs,
    providerOf(deps, account.provider).instance.ambiguousForMs?.(accessOf(deps, account)) ?? 0,
  );

/** @throws NotFoundError PROVIDER_UNKNOWN */
export function providerOf(deps: ProviderDeps, name: string): RegisteredProvider {
  const provider = deps.providers.get(name);
  if (!provider)
    throw new NotFoundError(
      'PROVIDER_UNKNOWN',
      'provider',
      `There is no provider ${JSON.stringify(name.slice(0, 60))}. Use one of ${[...deps.providers.keys()].join(', ')}.`,
    );
  return provider;
}

/** Reads an account's teams and agents from the provider and stores them. */
export async function mirrorDirectory(
  deps: ProviderDeps,
  account: AccountRecord,
  until = setupSignal(deps),
): Promise<{ readonly teams: readonly TeamRecord[]; readonly agents: readonly AgentRecord[] }> {
  const { setup } = deps.stores;
  const { instance } = providerOf(deps, account.provider);
  const access = accessOf(deps, account);
  const teams = account.capabilities.teams
    ? await setup.syncTeams(account, await instance.listTeams(access, until))
    : [];
  const agents = await setup.syncAgents(account, await instance.listAgents(access, until));
  return { teams, agents };
}

/**
 * Finds the account of a call; null names the organization's only one.
 * @throws UserFacingError naming `accountId`
 */
export async function requireAccount(deps: StoreDeps, scope: Scope, accountId: string | null): Promise<AccountRecord> {
  const { setup } = deps.stores;
  if (accountId !== null) {
    const account = await setup.findAccount(scope.organizationId, accountId);
    if (account === null)
      throw new NotFoundError(
        'ACCOUNT_NOT_FOUND',
        'accountId',
        'There is no such support account in this organization. Use an id from supportAccounts.',
      );
    return account;
  }
  const accounts = (await setup.listAccounts(scope.organizationId)).filter(account => account.state !== 'DISABLED');
  if (accounts.length === 0)
    throw new NotFoundError(
      'ORGANIZATION_NOT_ENABLED',
      'accountId',
      'The organization has no support account. Call enableSupport first.',
    );
  if (accounts.length > 1)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'accountId',
      `The organization has ${accounts.length} support accounts. Name one with accountId.`,
    );
  return accounts[0]!;
}

/** Finds a row in the mirrored lists, and once more after reading the provider's lists. */
async function findOrRefresh<Row>(
  deps: ProviderDeps,
  account: AccountRecord,
  find: () => Promise<Row | null>,
): Promise<Row | null> {
  const known = await find();
  if (known !== null) return known;
  await mirrorDirectory(deps, account);
  return find();
}

/** Finds an agent by our id or the provider's. @throws NotFoundError AGENT_NOT_FOUND naming the field */
export async function requireAgent(
  deps: ProviderDeps,
  account: AccountRecord,
  id: string,
  field: string,
): Promise<AgentRecord> {
  const agent = await findOrRefresh(deps, account, () => deps.stores.setup.findAgent(account.id, id));
  if (agent === null)
    throw new NotFoundError(
      'AGENT_NOT_FOUND',
      field,
      "There is no such agent in this account. Use an id from supportAgents, or the provider's own number.",
    );
  return agent;
}

/** Finds a team by our id or the provider's. @throws NotFoundError TEAM_NOT_FOUND naming the field */
export async function requireTeam(
  deps: ProviderDeps,
  account: AccountRecord,
  id: string,
  field: string,
): Promise<TeamRecord> {
  const team = await findOrRefresh(deps, account, () => deps.stores.setup.findTeam(account.id, id));
  if (team === null)
    throw new NotFoundError(
      'TEAM_NOT_FOUND',
      field,
      "There is no such team in this account. Use an id from supportTeams, or the provider's own number.",
    );
  return team;
}

/**
 * Returns the verbs of a group.
 * @throws UnsupportedByProviderError if the provider or the account lacks the capability
 */
export function requireVerbs<Group extends 'agentsAndTeams' | 'login' | 'drift'>(
  deps: ProviderDeps,
  account: AccountRecord,
  group: Group,
  capability: keyof AccountRecord['capabilities'],
): NonNullable<RegisteredProvider['instance'][Group]> {
  const found = providerOf(deps, account.provider).instance[group];
  if (found === undefined || account.capabilities[capability] !== true)
    throw new UnsupportedByProviderError(
      `Support account ${account.id} lacks the capability ${capability}. See its capabilities.`,
    );
  return found;
}
