import {
  ConflictError, InvalidInputError, NotFoundError, ProviderAuthError, ProviderRefusedError, ProviderUnavailableError, UnsupportedByProviderError,
} from '../errors';
import { instantOf } from '../ports/clock';
import type { Capabilities } from '../ports/support-provider';
import { DEFAULT_POLICY, type AccountRecord, type InboxRecord, type SupportPolicy } from '../setup';
import type { DeepPartial, EnableChatbotInput, EnableSupportInput, Flows, Scope } from './api';
import { accessOf, type FlowDeps } from './deps';
import { checkedId } from './say';

/** Before the first answer of the provider nothing is promised. */
const NOTHING: Capabilities = {
  teams: false, priorities: false, privateNotes: false, attachments: false, typing: false, createsAccounts: false, maxTextLength: 0,
};

/** What a provider said when a set-up step failed: stable code and its own sentence. Other errors are ours and go up. */
function problemOf(error: unknown): { code: string; message: string } {
  if (error instanceof ProviderUnavailableError || error instanceof ProviderRefusedError || error instanceof ProviderAuthError || error instanceof UnsupportedByProviderError)
    return { code: error.code, message: error.message };
  // The signal of the whole call: a hop that never answered.
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return { code: 'PROVIDER_UNAVAILABLE', message: 'The provider did not answer in time; check its address and repeat the call, it resumes where it stopped.' };
  throw error;
}

const mergePolicy = (base: SupportPolicy, change: DeepPartial<SupportPolicy>): SupportPolicy => ({
  whileWaiting: change.whileWaiting ?? base.whileWaiting,
  mirroring: change.mirroring ?? base.mirroring,
  lines: { ...base.lines, ...change.lines },
});

export function setupFlows(deps: FlowDeps): Pick<Flows, 'enableSupport' | 'enableChatbot' | 'updatePolicy' | 'refreshDirectory' | 'linkAgent'> {
  const { setup } = deps.stores;
  const providerOf = (name: string) => {
    const provider = deps.providers.get(name);
    if (!provider) throw new NotFoundError('PROVIDER_UNKNOWN', 'provider', `No provider ${JSON.stringify(name.slice(0, 60))}; known are ${[...deps.providers.keys()].join(', ')}.`);
    return provider;
  };

  async function mirrorDirectory(account: AccountRecord, signal: AbortSignal) {
    const { instance } = providerOf(account.provider);
    const access = accessOf(deps, account);
    const teams = account.capabilities.teams ? await setup.syncTeams(account, await instance.listTeams(access, signal)) : [];
    const agents = await setup.syncAgents(account, await instance.listAgents(access, signal));
    return { teams, agents };
  }

  async function accountRow(scope: Scope, input: EnableSupportInput): Promise<AccountRecord> {
    const row: AccountRecord = {
      id: deps.clock.newId(), organizationId: scope.organizationId, provider: input.provider, name: input.name, externalId: null,
      baseUrl: input.baseUrl, settings: input.settings, credentials: input.credentials, webhookSecret: deps.clock.newSecret(),
      capabilities: NOTHING, state: 'PROVISIONING', problem: null, createdAt: instantOf(deps.clock.now()),
    };
    const known = await setup.insertAccount(row);
    if (known.id === row.id) return known;
    // A repeat: what is given replaces, what is not given stays; progress of an earlier run is kept.
    return setup.updateAccount(known.id, {
      name: input.name, baseUrl: input.baseUrl ?? known.baseUrl,
      settings: { ...known.settings, ...input.settings }, credentials: { ...known.credentials, ...input.credentials },
    });
  }

  async function accountFor(scope: Scope, accountId: string | null): Promise<AccountRecord> {
    if (accountId !== null) {
      const account = await setup.account(scope.organizationId, accountId);
      if (account === null) throw new NotFoundError('ACCOUNT_NOT_FOUND', 'accountId', 'No such support account in this organization; see supportAccounts.');
      return account;
    }
    const accounts = (await setup.accountsOf(scope.organizationId)).filter(account => account.state !== 'DISABLED');
    if (accounts.length === 0) throw new NotFoundError('ORGANIZATION_NOT_ENABLED', 'accountId', 'The organization has no support account; call enableSupport first.');
    if (accounts.length > 1) throw new InvalidInputError('INPUT_INVALID', 'accountId', `The organization has ${accounts.length} support accounts; name one with accountId.`);
    return accounts[0]!;
  }

  return {
    async enableSupport(scope, input) {
      checkedId(input.name, 'name', 200);
      const { definition, instance } = providerOf(input.provider);
      const known = (await setup.accountsOf(scope.organizationId)).find(account => account.provider === input.provider);
      const { problems } = definition.parseSettings({
        baseUrl: input.baseUrl ?? known?.baseUrl ?? null,
        settings: { ...known?.settings, ...input.settings },
        credentials: { ...known?.credentials, ...input.credentials },
      });
      if (problems.length > 0)
        throw new InvalidInputError('INPUT_INVALID', problems[0]!.field, problems.map(problem => `${problem.field}: ${problem.message}`).join(' '));

      let account = await accountRow(scope, input);
      const signal = AbortSignal.timeout(deps.limits.setupMs);
      try {
        const { leftToDo, ...made } = await instance.ensureAccount({
          access: accessOf(deps, account), organizationId: scope.organizationId, name: input.name, owners: input.owners,
          save: async progress => { account = await setup.updateAccount(account.id, progress); },
        }, signal);
        account = await setup.updateAccount(account.id, { ...made, state: 'READY', problem: null });
        await mirrorDirectory(account, signal);
        return { account, leftToDo };
      } catch (error) {
        const problem = problemOf(error);
        // READY stays READY when a repeat fails: sessions go on, the problem is shown.
        account = await setup.updateAccount(account.id, { state: account.state === 'READY' ? 'READY' : 'FAILED', problem });
        return { account, leftToDo: [problem.message] };
      }
    },

    async enableChatbot(scope, input: EnableChatbotInput) {
      checkedId(input.name, 'name', 200);
      checkedId(input.chatbotId, 'chatbotId');
      const account = await accountFor(scope, input.accountId);
      if (account.externalId === null)
        throw new ConflictError('ACCOUNT_DISABLED', 'accountId', `Support account ${account.id} is ${account.state}; call enableSupport again until it is READY.`);
      const row: InboxRecord = {
        id: deps.clock.newId(), organizationId: scope.organizationId, chatbotId: input.chatbotId, accountId: account.id, name: input.name,
        externalId: null, providerData: {}, policy: mergePolicy(DEFAULT_POLICY, input.policy), state: 'PROVISIONING', problem: null,
        createdAt: instantOf(deps.clock.now()),
      };
      let inbox = await setup.insertInbox(row);
      if (inbox.accountId !== account.id)
        throw new ConflictError('PROVIDER_FIXED', 'accountId', `Chatbot ${input.chatbotId} is connected to account ${inbox.accountId}; one chatbot has one inbox.`);
      if (inbox.id !== row.id) inbox = await setup.updateInbox(inbox.id, { name: input.name, policy: mergePolicy(inbox.policy, input.policy) });
      try {
        const made = await providerOf(account.provider).instance.ensureInbox({
          account: accessOf(deps, account), externalId: inbox.externalId, providerData: inbox.providerData, inboxId: inbox.id,
          chatbotId: input.chatbotId, name: input.name,
        }, AbortSignal.timeout(deps.limits.setupMs));
        return { inbox: await setup.updateInbox(inbox.id, { ...made, state: 'READY', problem: null }) };
      } catch (error) {
        const problem = problemOf(error);
        return { inbox: await setup.updateInbox(inbox.id, { state: inbox.externalId === null ? 'FAILED' : 'READY', problem }) };
      }
    },

    async updatePolicy(scope, chatbotId, policy) {
      const inbox = await setup.inboxOfChatbot(scope.organizationId, chatbotId);
      if (inbox === null) throw new NotFoundError('CHATBOT_NOT_ENABLED', 'chatbotId', 'This chatbot has no support inbox; call enableChatbotSupport for it first.');
      return setup.updateInbox(inbox.id, { policy: mergePolicy(inbox.policy, policy) });
    },

    async refreshDirectory(scope, accountId) {
      return mirrorDirectory(await accountFor(scope, accountId), AbortSignal.timeout(deps.limits.setupMs));
    },

    async linkAgent(scope, agentId, userId) {
      const agent = await setup.linkAgentToUser(scope.organizationId, agentId, userId);
      if (agent === null) throw new NotFoundError('AGENT_NOT_FOUND', 'agentId', 'No such agent in this organization; see supportAgents.');
      return agent;
    },
  };
}
