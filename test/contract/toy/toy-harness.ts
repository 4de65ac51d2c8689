import { randomUUID } from 'node:crypto';
import type { ConversationAccess } from '../../../src/core/ports/provider/access';
import type { ProviderAgent } from '../../../src/core/ports/provider/setup-verbs';
import type { ProviderDefinition, ProviderHost } from '../../../src/core/ports/provider/definition';
import type { ProviderHarnessFactory } from '../../../src/providers/testing/harness';
import { ToySupportSystem, type ToyConversation } from './far-side';
import { TOY_CAPABILITIES } from './toy-provider';

const never = () => {
  throw new Error('The toy needs nothing of the process.');
};
const host: ProviderHost = {
  hint: never,
  database: { query: never, transaction: never },
  fetch: never,
  replicas: () => 1,
  now: Date.now,
  log: never,
};

/** The toy and its wrong variants share one remote, and so one harness. */
export const toyHarness = (definition: ProviderDefinition): ProviderHarnessFactory => ({
  definition,
  capabilities: TOY_CAPABILITIES,
  faults: ['unavailable', 'appliedThenCut', 'auth'],
  skills: ['deletesMessages'],
  async start() {
    const side = new ToySupportSystem();
    const baseUrl = `toy://${randomUUID()}`;
    ToySupportSystem.byAddress.set(baseUrl, side);
    let provider = definition.create(host);
    const at = ({ inbox, conversationId }: ConversationAccess) =>
      side.conversation(inbox.account.externalId, conversationId);
    const act = async (conversation: ConversationAccess, change: Partial<ToyConversation>) => {
      Object.assign(at(conversation), change);
    };
    const say = async (
      conversation: ConversationAccess,
      agent: ProviderAgent,
      text: string,
      visibility: 'PUBLIC' | 'INTERNAL',
    ) => {
      side.say(at(conversation), { ourId: null, author: 'AGENT', agent, visibility, text });
    };
    const total = (count: (account: ReturnType<ToySupportSystem['account']>) => number) =>
      [...side.accounts.values()].reduce((sum, account) => sum + count(account), 0);

    return {
      get provider() {
        return provider;
      },
      async restart() {
        provider = definition.create(host);
      },
      async stop() {
        ToySupportSystem.byAddress.delete(baseUrl);
      },
      async newAccount() {
        const accountId = randomUUID();
        return {
          access: { accountId, externalId: null, baseUrl, settings: {}, credentials: {}, webhookUrl: '' },
          organizationId: `org-${accountId}`,
          name: 'Toy maker',
          owners: ['Ada', 'Bob'].map(name => ({ name, email: `${name.toLowerCase()}-${accountId}@example.com` })),
        };
      },
      addTeam: never,
      agentReplies: (conversation, by, text) => say(conversation, by, text, 'PUBLIC'),
      agentNotes: (conversation, by, text) => say(conversation, by, text, 'INTERNAL'),
      agentAssignsSelf: (conversation, by) => act(conversation, { agent: by, status: 'OPEN' }),
      resolves: conversation => act(conversation, { status: 'RESOLVED' }),
      snoozes: conversation => act(conversation, { status: 'ON_HOLD' }),
      returnsToBot: conversation => act(conversation, { status: 'BOT_HELD' }),
      async deletesConversation(conversation) {
        side.account(conversation.inbox.account.externalId).conversations.delete(conversation.conversationId);
      },
      async agentSees(conversation) {
        return at(conversation).messages.map(({ author, text, visibility }) => ({
          author,
          text,
          visibility,
          files: [],
        }));
      },
      async conversationState(conversation) {
        const { status, agent, priority } = at(conversation);
        return { status, agentId: agent?.externalId ?? null, teamId: null, priority };
      },
      async inboxName({ account, externalId }) {
        return (
          [...side.account(account.externalId).inboxes.values()].find(inbox => inbox.id === externalId)?.name ?? ''
        );
      },
      async census() {
        return {
          accounts: side.accounts.size,
          agents: total(one => one.agents.length),
          inboxes: total(one => one.inboxes.size),
          contacts: total(one => one.contacts.size),
          conversations: total(one => one.conversations.size),
        };
      },
      async failNext(fault) {
        side.fault = fault;
      },
      async heal() {
        side.fault = null;
      },
    };
  },
});
