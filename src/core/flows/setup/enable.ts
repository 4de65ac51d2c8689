import { addressProblem } from '../../checks/url';
import { InvalidInputError, NotFoundError } from '../../errors';
import type { UserId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { SetupLock } from '../../ports/setup/setup-locks';
import type { Capabilities } from '../../capabilities';
import type { ProviderDefinition } from '../../ports/provider/definition';
import { UNCHECKED_HEALTH, type AccountRecord, type AgentRecord } from '../../setup';
import {
  ambiguousForMs,
  mirrorDirectory,
  problemOf,
  providerOf,
  requireAccount,
  signalUnderLock,
} from './find-account';
import { healthFromError } from './health';
import { connectInboxes, disabledMeanwhileError } from './inbox';
import type { EnableSupportInput, EnableSupportResult } from '../api/setup';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import { accessOf, type FlowDeps, type StoreDeps, type ProviderDeps } from '../deps';
import { validateEmail } from './agents-and-teams';
import { enableChatbot, updatePolicy } from './enable-chatbot';
import { validateId } from '../from-runtime/record-message';

/** The capabilities before the provider's first response. */
const NO_CAPABILITIES: Capabilities = {
  teams: false,
  priorities: false,
  privateNotes: false,
  attachments: false,
  typing: false,
  createsAccounts: false,
  managesAgents: false,
  inboxMembers: false,
  managesTeams: false,
  loginLinks: false,
  inspectsDrift: false,
  maxTextLength: 0,
};

const mergeCredentials = (
  definition: ProviderDefinition,
  known: AccountRecord['credentials'],
  given: AccountRecord['credentials'],
): AccountRecord['credentials'] => ({ ...(definition.mergeCredentials?.(known, given) ?? known), ...given });

type ConnectionSettings = Pick<AccountRecord, 'baseUrl' | 'settings' | 'credentials'>;
const connectionSettingsOf = ({ baseUrl, settings, credentials }: AccountRecord): ConnectionSettings => ({
  baseUrl,
  settings,
  credentials,
});

/**
 * Returns the stored account and the wanted connection settings. The settings of a running account are not replaced
 * before the new ones have worked.
 */
async function prepareAccount(
  deps: ProviderDeps,
  input: EnableSupportInput,
  known: AccountRecord,
): Promise<{ readonly account: AccountRecord; readonly requested: ConnectionSettings }> {
  // Given values replace stored ones, others stay; progress of an earlier run is kept.
  const requested: ConnectionSettings = {
    baseUrl: input.baseUrl ?? known.baseUrl,
    settings: { ...known.settings, ...input.settings },
    credentials: mergeCredentials(providerOf(deps, input.provider).definition, known.credentials, input.credentials),
  };
  const isRunning = known.state === 'READY';
  const account = await deps.stores.setup.updateAccount(known.id, {
    name: input.name,
    ...(!isRunning && requested),
    ...(input.owners.length > 0 && { owners: input.owners }),
  });
  return { account, requested: isRunning ? requested : connectionSettingsOf(account) };
}

/** Returns the account's state after a failed setup. */
function failedAccountState(deps: StoreDeps, error: unknown, account: AccountRecord, requested: ConnectionSettings) {
  // No new setting was saved, because the run did not get that far, so the account's health is unchanged.
  const isAsBefore = JSON.stringify(requested) !== JSON.stringify(connectionSettingsOf(account));
  const { code, message } = problemOf(error);
  return {
    // READY stays READY when a repeat fails: sessions continue, and the problem is shown.
    state: account.state === 'READY' ? ('READY' as const) : ('FAILED' as const),
    problem: { code, message: isAsBefore ? `${message} What was in use before stays in use.` : message },
    ...(!isAsBefore && {
      health: { ...healthFromError(error), checkedAt: instantOf(deps.clock.now()), source: 'CHECK' as const },
    }),
  };
}

/** Runs one setup of an account and records any problem on it. */
async function connectAccount(
  deps: ProviderDeps,
  scope: Scope,
  input: EnableSupportInput,
  asked: AccountRecord,
  lock: SetupLock,
): Promise<{ readonly account: AccountRecord; readonly manualSteps: readonly string[] }> {
  const { setup } = deps.stores;
  const { instance } = providerOf(deps, input.provider);
  const known = (await setup.findAccount(scope.organizationId, asked.id))!;
  if (known.disabledCount !== asked.disabledCount) throw disabledMeanwhileError('provider');
  let { account, requested } = await prepareAccount(deps, input, known);
  const finishSetup = async (patch: Parameters<typeof setup.finishAccountSetup>[1]): Promise<AccountRecord> => {
    lock.ensureHeld();
    const concluded = await setup.finishAccountSetup(asked, patch);
    if (concluded === null) throw disabledMeanwhileError('provider');
    return concluded;
  };
  const signal = await signalUnderLock(deps, lock, { ...account, ...requested });
  const inboxes = (await setup.listInboxes(scope.organizationId, account.id)).flatMap(({ externalId, state }) =>
    externalId === null || state === 'DISABLED' ? [] : [externalId],
  );
  try {
    const { manualSteps, ...made } = await instance.ensureAccount(
      {
        access: accessOf(deps, { ...account, ...requested }),
        organizationId: scope.organizationId,
        name: input.name,
        owners: account.owners,
        inboxes,
        save: async progress => {
          lock.ensureHeld();
          account = await setup.updateAccount(account.id, { ...requested, ...progress });
          requested = connectionSettingsOf(account);
        },
      },
      signal,
    );
    account = await finishSetup({
      ...requested,
      ...made,
      state: 'READY',
      problem: null,
      health: { state: 'HEALTHY', problem: null, checkedAt: instantOf(deps.clock.now()), source: 'CHECK' },
    });
    await setup.scheduleCheck(account.id, deps.limits.checkMs);
    await mirrorDirectory(deps, account, signal);
    return { account, manualSteps: [...manualSteps, ...(await connectInboxes(deps, account))] };
  } catch (error) {
    lock.keepLockedFor(ambiguousForMs(error));
    const failed = failedAccountState(deps, error, account, requested);
    account = await finishSetup(failed);
    return { account, manualSteps: [failed.problem.message] };
  }
}

/**
 * Checks the call before anything is stored.
 * @throws UserFacingError naming the field
 */
async function checkEnableInput(deps: FlowDeps, scope: Scope, input: EnableSupportInput): Promise<void> {
  validateId(input.name, 'name', 200);
  for (const [at, { name, email }] of input.owners.entries()) {
    validateId(name, `owners.${at}.name`, 200);
    validateEmail(email, `owners.${at}.email`);
  }
  const { definition } = providerOf(deps, input.provider);
  const badForm = input.baseUrl === null ? null : addressProblem(input.baseUrl, 'base');
  if (badForm !== null) throw new InvalidInputError('INPUT_INVALID', 'baseUrl', badForm);
  const known = (await deps.stores.setup.listAccounts(scope.organizationId)).find(
    account => account.provider === input.provider,
  );
  const { problems } = definition.parseSettings({
    baseUrl: input.baseUrl ?? known?.baseUrl ?? null,
    settings: { ...known?.settings, ...input.settings },
    credentials: mergeCredentials(definition, known?.credentials ?? {}, input.credentials),
    externalId: known?.externalId ?? null,
  });
  if (problems.length > 0)
    throw new InvalidInputError(
      'INPUT_INVALID',
      problems[0]!.field,
      problems.map(problem => `${problem.field}: ${problem.message}`).join(' '),
    );
  const refusal =
    input.baseUrl === null || !definition.callsBaseUrl ? null : ((await deps.addressProblem?.(input.baseUrl)) ?? null);
  if (refusal !== null) throw new InvalidInputError('INPUT_INVALID', 'baseUrl', refusal);
}

async function enableSupport(deps: FlowDeps, scope: Scope, input: EnableSupportInput): Promise<EnableSupportResult> {
  await checkEnableInput(deps, scope, input);
  const account = await deps.stores.setup.insertAccount({
    id: deps.clock.newId(),
    organizationId: scope.organizationId,
    provider: input.provider,
    name: input.name,
    externalId: null,
    baseUrl: input.baseUrl,
    settings: input.settings,
    credentials: input.credentials,
    webhookSecret: deps.clock.newSecret(),
    webhookRotation: null,
    capabilities: NO_CAPABILITIES,
    owners: input.owners,
    health: UNCHECKED_HEALTH,
    state: 'PROVISIONING',
    problem: null,
    disabledCount: 0,
    createdAt: instantOf(deps.clock.now()),
  });
  return deps.stores.setupLocks.withLock({ id: account.id, field: 'provider' }, deps.limits.setupMs, lock =>
    connectAccount(deps, scope, input, account, lock),
  );
}

async function linkAgent(deps: StoreDeps, scope: Scope, agentId: string, userId: UserId | null): Promise<AgentRecord> {
  const agent = await deps.stores.setup.linkAgentToUser(scope.organizationId, agentId, userId);
  if (agent === null)
    throw new NotFoundError(
      'AGENT_NOT_FOUND',
      'agentId',
      'There is no such agent in this organization. Use an id from supportAgents.',
    );
  return agent;
}

export const setupFlows = (
  deps: FlowDeps,
): Pick<
  Flows,
  'enableSupport' | 'enableChatbot' | 'updatePolicy' | 'refreshDirectory' | 'linkAgent' | 'linkAgentByEmail'
> => ({
  enableSupport: (scope, input) => enableSupport(deps, scope, input),
  enableChatbot: (scope, input) => enableChatbot(deps, scope, input),
  updatePolicy: (scope, chatbotId, policy) => updatePolicy(deps, scope, chatbotId, policy),
  refreshDirectory: async (scope, accountId) => mirrorDirectory(deps, await requireAccount(deps, scope, accountId)),
  linkAgent: (scope, agentId, userId) => linkAgent(deps, scope, agentId, userId),
  linkAgentByEmail: async (scope, email, userId) =>
    deps.stores.setup.linkEmailToUser(scope.organizationId, validateEmail(email), userId),
});
