import { addressProblem } from '../../checks/url';
import { ConflictError, InvalidInputError, NotFoundError } from '../../errors';
import { checkedText } from '../../message';
import { instantOf } from '../../ports/clock';
import type { SetUpTurn } from '../../ports/set-up-turns';
import type { Capabilities, ProviderDefinition } from '../../ports/support-provider';
import { DEFAULT_POLICY, UNCHECKED, type AccountRecord, type InboxRecord, type SupportPolicy } from '../../setup';
import { problemOf, setUpTools, settlesAfterMs } from './find-account';
import { healthAfter } from './health';
import { disabledMeanwhile, inboxSetUp } from './inbox';
import type { DeepPartial, EnableChatbotInput, EnableSupportInput, Flows, Scope } from '../api';
import { accessOf, type FlowDeps } from '../deps';
import { checkedEmail } from './agents-and-teams';
import { checkedId } from '../from-runtime/record-message';

/** The capabilities before the provider's first response. */
const NOTHING: Capabilities = {
  teams: false, priorities: false, privateNotes: false, attachments: false, typing: false, createsAccounts: false,
  managesAgents: false, inboxMembers: false, managesTeams: false, loginLinks: false, inspectsDrift: false, maxTextLength: 0,
};

const mergePolicy = (base: SupportPolicy, change: DeepPartial<SupportPolicy>): SupportPolicy => ({
  whileWaiting: change.whileWaiting ?? base.whileWaiting,
  mirroring: change.mirroring ?? base.mirroring,
  onDeadLetter: change.onDeadLetter ?? base.onDeadLetter,
  automaticReplies: change.automaticReplies ?? base.automaticReplies,
  lostConversation: change.lostConversation ?? base.lostConversation,
  lines: { ...base.lines, ...change.lines },
});

const mergeCredentials = (definition: ProviderDefinition, known: AccountRecord['credentials'], given: AccountRecord['credentials']): AccountRecord['credentials'] =>
  ({ ...(definition.credentialsKept?.(known, given) ?? known), ...given });

type Reach = Pick<AccountRecord, 'baseUrl' | 'settings' | 'credentials'>;
const reachOf = ({ baseUrl, settings, credentials }: AccountRecord): Reach => ({ baseUrl, settings, credentials });

/**
 * Checks the policy's lines.
 * @throws InvalidInputError TEXT_EMPTY or TEXT_TOO_LONG naming a line that could not be shown to an end-user
 */
function checkPolicy({ lines = {} }: DeepPartial<SupportPolicy>): void {
  for (const [name, text] of Object.entries(lines)) if (typeof text === 'string') checkedText(text, [], `policy.lines.${name}`);
}

export function setupFlows(deps: FlowDeps): Pick<Flows, 'enableSupport' | 'enableChatbot' | 'updatePolicy' | 'refreshDirectory' | 'linkAgent' | 'linkAgentByEmail'> {
  const { setup, setUpTurns } = deps.stores;
  const { providerOf, mirrorDirectory, accountFor, signalIn } = setUpTools(deps);
  const { connectInbox, connectInboxes } = inboxSetUp(deps);

  /**
   * Returns the stored account and the wanted connection settings. The settings of a running account are not replaced
   * before the new ones have worked.
   */
  async function accountRow(input: EnableSupportInput, known: AccountRecord): Promise<{ readonly account: AccountRecord; readonly wanted: Reach }> {
    // Given values replace stored ones, others stay; progress of an earlier run is kept.
    const wanted: Reach = {
      baseUrl: input.baseUrl ?? known.baseUrl, settings: { ...known.settings, ...input.settings },
      credentials: mergeCredentials(providerOf(input.provider).definition, known.credentials, input.credentials),
    };
    const isRunning = known.state === 'READY';
    const account = await setup.updateAccount(known.id, { name: input.name, ...(!isRunning && wanted), ...(input.owners.length > 0 && { owners: input.owners }) });
    return { account, wanted: isRunning ? wanted : reachOf(account) };
  }

  /** Runs one setup of an account and records any problem on it. */
  async function connectAccount(scope: Scope, input: EnableSupportInput, asked: AccountRecord, turn: SetUpTurn): Promise<{ readonly account: AccountRecord; readonly leftToDo: readonly string[] }> {
    const { instance } = providerOf(input.provider);
    const known = (await setup.account(scope.organizationId, asked.id))!;
    if (known.timesDisabled !== asked.timesDisabled) throw disabledMeanwhile('provider');
    let { account, wanted } = await accountRow(input, known);
    const conclude = async (patch: Parameters<typeof setup.concludeAccount>[1]): Promise<AccountRecord> => {
      turn.held();
      const concluded = await setup.concludeAccount(asked, patch);
      if (concluded === null) throw disabledMeanwhile('provider');
      return concluded;
    };
    const signal = await signalIn(turn, { ...account, ...wanted });
    const inboxes = (await setup.inboxesOf(scope.organizationId, account.id)).flatMap(({ externalId, state }) => (externalId === null || state === 'DISABLED' ? [] : [externalId]));
    try {
      const { leftToDo, ...made } = await instance.ensureAccount({
        access: accessOf(deps, { ...account, ...wanted }), organizationId: scope.organizationId, name: input.name, owners: account.owners, inboxes,
        save: async progress => {
          turn.held();
          account = await setup.updateAccount(account.id, { ...wanted, ...progress });
          wanted = reachOf(account);
        },
      }, signal);
      account = await conclude({
        ...wanted, ...made, state: 'READY', problem: null, health: { state: 'HEALTHY', problem: null, checkedAt: instantOf(deps.clock.now()), seenBy: 'CHECK' },
      });
      await setup.scheduleCheck(account.id, deps.limits.checkMs);
      await mirrorDirectory(account, signal);
      return { account, leftToDo: [...leftToDo, ...await connectInboxes(account)] };
    } catch (error) {
      turn.settlesAfter(settlesAfterMs(error));
      // No new setting was saved, because the run did not get that far, so the account's health is unchanged.
      const isAsBefore = JSON.stringify(wanted) !== JSON.stringify(reachOf(account));
      const { code, message } = problemOf(error);
      const problem = { code, message: isAsBefore ? `${message} What was in use before stays in use.` : message };
      // READY stays READY when a repeat fails: sessions continue, and the problem is shown.
      account = await conclude({
        state: account.state === 'READY' ? 'READY' : 'FAILED', problem,
        ...(!isAsBefore && { health: { ...healthAfter(error), checkedAt: instantOf(deps.clock.now()), seenBy: 'CHECK' as const } }),
      });
      return { account, leftToDo: [problem.message] };
    }
  }

  return {
    async enableSupport(scope, input) {
      checkedId(input.name, 'name', 200);
      for (const [at, { name, email }] of input.owners.entries()) {
        checkedId(name, `owners.${at}.name`, 200);
        checkedEmail(email, `owners.${at}.email`);
      }
      const { definition } = providerOf(input.provider);
      const badForm = input.baseUrl === null ? null : addressProblem(input.baseUrl, 'base');
      if (badForm !== null) throw new InvalidInputError('INPUT_INVALID', 'baseUrl', badForm);
      const known = (await setup.accountsOf(scope.organizationId)).find(account => account.provider === input.provider);
      const { problems } = definition.parseSettings({
        baseUrl: input.baseUrl ?? known?.baseUrl ?? null,
        settings: { ...known?.settings, ...input.settings },
        credentials: mergeCredentials(definition, known?.credentials ?? {}, input.credentials), externalId: known?.externalId ?? null,
      });
      if (problems.length > 0)
        throw new InvalidInputError('INPUT_INVALID', problems[0]!.field, problems.map(problem => `${problem.field}: ${problem.message}`).join(' '));
      const refusal = input.baseUrl === null || !definition.callsBaseUrl ? null : await deps.whyRefused?.(input.baseUrl) ?? null;
      if (refusal !== null) throw new InvalidInputError('INPUT_INVALID', 'baseUrl', refusal);

      const account = await setup.insertAccount({
        id: deps.clock.newId(), organizationId: scope.organizationId, provider: input.provider, name: input.name, externalId: null,
        baseUrl: input.baseUrl, settings: input.settings, credentials: input.credentials, webhookSecret: deps.clock.newSecret(), webhookRotation: null,
        capabilities: NOTHING, owners: input.owners, health: UNCHECKED, state: 'PROVISIONING', problem: null, timesDisabled: 0, createdAt: instantOf(deps.clock.now()),
      });
      return setUpTurns.inTurn({ id: account.id, field: 'provider' }, deps.limits.setupMs, turn => connectAccount(scope, input, account, turn));
    },

    async enableChatbot(scope, input: EnableChatbotInput) {
      checkedId(input.name, 'name', 200);
      checkedId(input.chatbotId, 'chatbotId');
      checkPolicy(input.policy);
      const account = await accountFor(scope, input.accountId);
      if (account.externalId === null || account.state === 'DISABLED')
        throw new ConflictError('ACCOUNT_DISABLED', 'accountId', `Support account ${account.id} is ${account.state}. Call enableSupport again until it is READY.`);
      const row: InboxRecord = {
        id: deps.clock.newId(), organizationId: scope.organizationId, chatbotId: input.chatbotId, accountId: account.id, name: input.name,
        externalId: null, providerData: {}, policy: mergePolicy(DEFAULT_POLICY, input.policy), memberIds: null, state: 'PROVISIONING', problem: null,
        timesDisabled: 0, heardSince: null, createdAt: instantOf(deps.clock.now()),
      };
      const inbox = await setup.insertInbox(row);
      if (inbox.accountId !== account.id)
        throw new ConflictError('PROVIDER_FIXED', 'accountId', `Chatbot ${input.chatbotId} is already connected to account ${inbox.accountId}. A chatbot can have only one inbox.`);
      return { inbox: await connectInbox(account, inbox, ({ policy }) => ({ name: input.name, policy: mergePolicy(policy, input.policy) })) };
    },

    async updatePolicy(scope, chatbotId, policy) {
      checkPolicy(policy);
      const inbox = await setup.inboxOfChatbot(scope.organizationId, chatbotId);
      if (inbox === null) throw new NotFoundError('CHATBOT_NOT_ENABLED', 'chatbotId', 'This chatbot has no support inbox. Call enableChatbotSupport for it first.');
      return setup.updateInbox(inbox.id, { policy: mergePolicy(inbox.policy, policy) });
    },

    async refreshDirectory(scope, accountId) {
      return mirrorDirectory(await accountFor(scope, accountId));
    },

    async linkAgentByEmail(scope, email, userId) {
      return setup.linkEmailToUser(scope.organizationId, checkedEmail(email), userId);
    },

    async linkAgent(scope, agentId, userId) {
      const agent = await setup.linkAgentToUser(scope.organizationId, agentId, userId);
      if (agent === null) throw new NotFoundError('AGENT_NOT_FOUND', 'agentId', 'There is no such agent in this organization. Use an id from supportAgents.');
      return agent;
    },
  };
}
