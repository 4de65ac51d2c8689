import { randomUUID } from 'node:crypto';
import type { EndUser } from '../../core/session';
import type { ProviderMessageId, SessionId } from '../../core/ids';
import type { AccountAccess, ConversationAccess, InboxAccess } from '../../core/ports/provider/access';
import type { AccountProgress, ProviderAgent } from '../../core/ports/provider/setup-verbs';
import type { Observation, ListMessages } from '../../core/ports/provider/observation';
import type { OpenForAgents } from '../../core/ports/provider/conversation-verbs';
import type { PostMessage } from '../../core/ports/provider/post-verbs';
import type { SupportProvider } from '../../core/ports/provider/support-provider';
import type { NewAccount, ProviderHarness, ProviderHarnessFactory } from './harness';

const CALL_LIMIT_MS = 170_000;
const MOST_PAGES = 100;

/** Returns the access that the core would store after `save` or `ensureAccount`. */
export const withProgress = (access: AccountAccess, progress: AccountProgress): AccountAccess => ({
  ...access,
  externalId: progress.externalId ?? access.externalId,
  settings: progress.settings ?? access.settings,
  credentials: progress.credentials ?? access.credentials,
});

/** A remote with one account and one inbox, and the steps that most cases share. */
export class ContractFixture {
  harness: ProviderHarness;
  fresh: NewAccount;
  account: AccountAccess;
  inbox: InboxAccess;
  /** Two agents of the account. */
  ada: ProviderAgent;
  bob: ProviderAgent;

  constructor(readonly factory: ProviderHarnessFactory) {}

  get provider(): SupportProvider {
    return this.harness.provider;
  }
  get capabilities() {
    return this.factory.capabilities;
  }
  signal(): AbortSignal {
    return AbortSignal.timeout(CALL_LIMIT_MS);
  }

  async open(): Promise<void> {
    this.harness = await this.factory.start();
    this.fresh = await this.harness.newAccount();
    this.account = await this.setUp(this.fresh);
    this.inbox = await this.newInbox(this.account);
    const [ada, bob] = await this.provider.listAgents(this.account, this.signal());
    if (!ada || !bob)
      throw new Error(
        'The provider lists fewer than two agents; the harness must create accounts with two owners, and listAgents must return them.',
      );
    this.ada = ada;
    this.bob = bob;
  }

  async setUp(
    fresh: NewAccount,
    save: (progress: AccountProgress) => Promise<void> = async () => {},
  ): Promise<AccountAccess> {
    const { access, organizationId, name, owners } = fresh;
    const ensured = await this.provider.ensureAccount({ access, organizationId, name, owners, save }, this.signal());
    return withProgress(access, ensured);
  }

  async newInbox(account: AccountAccess, name = 'Chatbot'): Promise<InboxAccess> {
    const inbox = await this.provider.ensureInbox(
      { account, externalId: null, providerData: {}, inboxId: randomUUID(), chatbotId: `bot-${randomUUID()}`, name },
      this.signal(),
    );
    return { account, ...inbox };
  }

  endUser(): EndUser {
    const id = randomUUID();
    return { externalId: id, name: `Eve ${id.slice(0, 8)}`, email: null, phone: null, locale: 'en', attributes: {} };
  }

  /** Creates a conversation with a new end-user, held by the bot. */
  async newConversation(inbox = this.inbox, sessionId: SessionId = randomUUID()): Promise<ConversationAccess> {
    const contactId = await this.provider.ensureContact(inbox, sessionId, this.endUser(), this.signal());
    const conversationId = await this.provider.openConversation(
      { inbox, contactId, sessionId, mayExist: false },
      this.signal(),
    );
    return { inbox, contactId, conversationId, sessionId };
  }

  async conversationWithAgents(): Promise<ConversationAccess> {
    const conversation = await this.newConversation();
    await this.openForAgents(conversation);
    return conversation;
  }

  message(conversation: ConversationAccess, text: string, more: Partial<PostMessage['message']> = {}): PostMessage {
    const message: PostMessage['message'] = {
      id: randomUUID(),
      author: 'END_USER',
      visibility: 'PUBLIC',
      text,
      attachments: [],
      authorName: null,
      createdAt: new Date().toISOString(),
      ...more,
    };
    return { conversation, message, mayExist: false, lookupAfter: null };
  }

  post(request: PostMessage): Promise<ProviderMessageId> {
    return this.provider.postMessage(request, this.signal());
  }

  openForAgents(conversation: ConversationAccess, target: Partial<OpenForAgents> = {}): Promise<void> {
    return this.provider.openForAgents(
      { conversation, teamId: null, agentId: null, priority: null, ...target },
      this.signal(),
    );
  }

  /** Reads all pages, until `hasMore` is false. */
  async listMessages(conversation: ConversationAccess, after: ListMessages['after'] = null) {
    const observations: Observation[] = [];
    for (let pages = 1; ; pages++) {
      const page = await this.provider.listMessages({ conversation, after }, this.signal());
      observations.push(...page.observations);
      after = page.after;
      if (!page.hasMore) return { observations, after, pages };
      if (pages === MOST_PAGES)
        throw new Error(
          `The provider still reports more messages after ${MOST_PAGES} pages; its cursor does not advance.`,
        );
    }
  }

  async agentSays(conversation: ConversationAccess, after: ListMessages['after'] = null): Promise<string[]> {
    const { observations } = await this.listMessages(conversation, after);
    return observations.flatMap(found => (found.kind === 'agentMessage' ? [found.text] : []));
  }

  async textsSeen(conversation: ConversationAccess): Promise<string[]> {
    return (await this.harness.agentSees(conversation)).map(shown => shown.text);
  }
}

/** Removes the repeats that pages may contain, as the core's unique constraint does. */
export function onceEach(observations: readonly Observation[]): Observation[] {
  const seen = new Set<string>();
  return observations.filter(found => !seen.has(found.id) && seen.add(found.id));
}
