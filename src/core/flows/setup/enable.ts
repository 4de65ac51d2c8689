import { addressProblem } from '../../checks/url';
import { ConflictError, InvalidInputError, NotFoundError } from '../../errors';
import { validateText } from '../../message';
import { instantOf } from '../../ports/clock';
import type { SetupLock } from '../../ports/setup/setup-locks';
import type { Capabilities } from '../../capabilities';
import type { ProviderDefinition } from '../../ports/provider/definition';
import {
  DEFAULT_POLICY,
  UNCHECKED_HEALTH,
  type AccountRecord,
  type InboxRecord,
  type SupportPolicy,
} from '../../setup';
import { problemOf, createSetupTools, ambiguousForMs } from './find-account';
import { healthFromError } from './health';
import { disabledMeanwhileError, createInboxSetup } from './inbox';
import type { DeepPartial, EnableChatbotInput, EnableSupportInput } from '../api/setup';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import { accessOf, type FlowDeps } from '../deps';
import { validateEmail } from './agents-and-teams';
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

const mergePolicy = (base: SupportPolicy, change: DeepPartial<SupportPolicy>): SupportPolicy => ({
  whileWaiting: change.whileWaiting ?? base.whileWaiting,
  mirroring: change.mirroring ?? base.mirroring,
  onDeadLetter: change.onDeadLetter ?? base.onDeadLetter,
  automaticReplies: change.automaticReplies ?? base.automaticReplies,
  lostConversation: change.lostConversation ?? base.lostConversation,
  lines: { ...base.lines, ...change.lines },
});

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
 * Checks the policy's lines.
 * @throws InvalidInputError TEXT_EMPTY or TEXT_TOO_LONG naming a line that could not be shown to an end-user
 */
function checkPolicy({ lines = {} }: DeepPartial<SupportPolicy>): void {
  for (const [name, text] of Object.entries(lines))
    if (typeof text === 'string') validateText(text, [], `policy.lines.${name}`);
}

export function setupFlows(
  deps: FlowDeps,
): Pick<
  Flows,
  'enableSupport' | 'enableChatbot' | 'updatePolicy' | 'refreshDirectory' | 'linkAgent' | 'linkAgentByEmail'
> {
  const { setup, setupLocks } = deps.stores;
  const { providerOf, mirrorDirectory, accountFor, signalIn } = createSetupTools(deps);
  const { connectInbox, connectInboxes } = createInboxSetup(deps);

  /**
   * Returns the stored account and the wanted connection settings. The settings of a running account are not replaced
   * before the new ones have worked.
   */
  async function prepareAccount(
    input: EnableSupportInput,
    known: AccountRecord,
  ): Promise<{ readonly account: AccountRecord; readonly requested: ConnectionSettings }> {
    // Given values replace stored ones, others stay; progress of an earlier run is kept.
    const requested: ConnectionSettings = {
      baseUrl: input.baseUrl ?? known.baseUrl,
      settings: { ...known.settings, ...input.settings },
      credentials: mergeCredentials(providerOf(input.provider).definition, known.credentials, input.credentials),
    };
    const isRunning = known.state === 'READY';
    const account = await setup.updateAccount(known.id, {
      name: input.name,
      ...(!isRunning && requested),
      ...(input.owners.length > 0 && { owners: input.owners }),
    });
    return { account, requested: isRunning ? requested : connectionSettingsOf(account) };
  }

  /** Runs one setup of an account and records any problem on it. */
  async function connectAccount(
    scope: Scope,
    input: EnableSupportInput,
    asked: AccountRecord,
    lock: SetupLock,
  ): Promise<{ readonly account: AccountRecord; readonly manualSteps: readonly string[] }> {
    const { instance } = providerOf(input.provider);
    const known = (await setup.findAccount(scope.organizationId, asked.id))!;
    if (known.disabledCount !== asked.disabledCount) throw disabledMeanwhileError('provider');
    let { account, requested } = await prepareAccount(input, known);
    const finishSetup = async (patch: Parameters<typeof setup.finishAccountSetup>[1]): Promise<AccountRecord> => {
      lock.ensureHeld();
      const concluded = await setup.finishAccountSetup(asked, patch);
      if (concluded === null) throw disabledMeanwhileError('provider');
      return concluded;
    };
    const signal = await signalIn(lock, { ...account, ...requested });
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
      await mirrorDirectory(account, signal);
      return { account, manualSteps: [...manualSteps, ...(await connectInboxes(account))] };
    } catch (error) {
      lock.keepLockedFor(ambiguousForMs(error));
      // No new setting was saved, because the run did not get that far, so the account's health is unchanged.
      const isAsBefore = JSON.stringify(requested) !== JSON.stringify(connectionSettingsOf(account));
      const { code, message } = problemOf(error);
      const problem = { code, message: isAsBefore ? `${message} What was in use before stays in use.` : message };
      // READY stays READY when a repeat fails: sessions continue, and the problem is shown.
      account = await finishSetup({
        state: account.state === 'READY' ? 'READY' : 'FAILED',
        problem,
        ...(!isAsBefore && {
          health: { ...healthFromError(error), checkedAt: instantOf(deps.clock.now()), source: 'CHECK' as const },
        }),
      });
      return { account, manualSteps: [problem.message] };
    }
  }

  return {
    async enableSupport(scope, input) {
      validateId(input.name, 'name', 200);
      for (const [at, { name, email }] of input.owners.entries()) {
        validateId(name, `owners.${at}.name`, 200);
        validateEmail(email, `owners.${at}.email`);
      }
      const { definition } = providerOf(input.provider);
      const badForm = input.baseUrl === null ? null : addressProblem(input.baseUrl, 'base');
      if (badForm !== null) throw new InvalidInputError('INPUT_INVALID', 'baseUrl', badForm);
      const known = (await setup.listAccounts(scope.organizationId)).find(
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
        input.baseUrl === null || !definition.callsBaseUrl
          ? null
          : ((await deps.addressProblem?.(input.baseUrl)) ?? null);
      if (refusal !== null) throw new InvalidInputError('INPUT_INVALID', 'baseUrl', refusal);

      const account = await setup.insertAccount({
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
      return setupLocks.withLock({ id: account.id, field: 'provider' }, deps.limits.setupMs, lock =>
        connectAccount(scope, input, account, lock),
      );
    },

    async enableChatbot(scope, input: EnableChatbotInput) {
      validateId(input.name, 'name', 200);
      validateId(input.chatbotId, 'chatbotId');
      checkPolicy(input.policy);
      const account = await accountFor(scope, input.accountId);
      if (account.externalId === null || account.state === 'DISABLED')
        throw new ConflictError(
          'ACCOUNT_DISABLED',
          'accountId',
          `Support account ${account.id} is ${account.state}. Call enableSupport again until it is READY.`,
        );
      const row: InboxRecord = {
        id: deps.clock.newId(),
        organizationId: scope.organizationId,
        chatbotId: input.chatbotId,
        accountId: account.id,
        name: input.name,
        externalId: null,
        providerData: {},
        policy: mergePolicy(DEFAULT_POLICY, input.policy),
        memberIds: null,
        state: 'PROVISIONING',
        problem: null,
        disabledCount: 0,
        reenabledAt: null,
        createdAt: instantOf(deps.clock.now()),
      };
      const inbox = await setup.insertInbox(row);
      if (inbox.accountId !== account.id)
        throw new ConflictError(
          'PROVIDER_FIXED',
          'accountId',
          `Chatbot ${input.chatbotId} is already connected to account ${inbox.accountId}. A chatbot can have only one inbox.`,
        );
      return {
        inbox: await connectInbox(account, inbox, ({ policy }) => ({
          name: input.name,
          policy: mergePolicy(policy, input.policy),
        })),
      };
    },

    async updatePolicy(scope, chatbotId, policy) {
      checkPolicy(policy);
      const inbox = await setup.findInboxByChatbot(scope.organizationId, chatbotId);
      if (inbox === null)
        throw new NotFoundError(
          'CHATBOT_NOT_ENABLED',
          'chatbotId',
          'This chatbot has no support inbox. Call enableChatbotSupport for it first.',
        );
      return setup.updateInbox(inbox.id, { policy: mergePolicy(inbox.policy, policy) });
    },

    async refreshDirectory(scope, accountId) {
      return mirrorDirectory(await accountFor(scope, accountId));
    },

    async linkAgentByEmail(scope, email, userId) {
      return setup.linkEmailToUser(scope.organizationId, validateEmail(email), userId);
    },

    async linkAgent(scope, agentId, userId) {
      const agent = await setup.linkAgentToUser(scope.organizationId, agentId, userId);
      if (agent === null)
        throw new NotFoundError(
          'AGENT_NOT_FOUND',
          'agentId',
          'There is no such agent in this organization. Use an id from supportAgents.',
        );
      return agent;
    },
  };
}
