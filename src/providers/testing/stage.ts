import { randomUUID } from 'node:crypto';
import type { Attachment } from '../../core/message';
import type { EndUser } from '../../core/session';
import type { ProviderMessageId, SessionId } from '../../core/ids';
import type {
  AccountAccess, AccountProgress, ConversationAccess, InboxAccess, Observation, OpenForAgents, PostMessage, ProviderAgent,
  ReadForward, SupportProvider,
} from '../../core/ports/support-provider';
import type { NewAccount, ProviderHarness, ProviderHarnessFactory } from './harness';

const CALL_LIMIT_MS = 170_000;
const MOST_PAGES = 100;

/** What the core would store of an account after `save` or `ensureAccount`. */
export const withProgress = (access: AccountAccess, progress: AccountProgress): AccountAccess => ({
  ...access,
  externalId: progress.externalId ?? access.externalId,
  settings: progress.settings ?? access.settings,
  credentials: progress.credentials ?? access.credentials,
});

/** One far side with one account and one inbox in place, and the few lines that every case would repeat. */
export class Stage {
  harness: ProviderHarness;
  fresh: NewAccount;
  account: AccountAccess;
  inbox: InboxAccess;
  /** Two people of the account. */
  ada: ProviderAgent;
  bob: ProviderAgent;

  constructor(readonly factory: ProviderHarnessFactory) {}

  get provider(): SupportProvider { return this.harness.provider; }
  get capabilities() { return this.factory.capabilities; }
  signal(): AbortSignal { return AbortSignal.timeout(CALL_LIMIT_MS); }

  async open(): Promise<void> {
    this.harness = await this.factory.start();
    this.fresh = await this.harness.newAccount();
    this.account = await this.setUp(this.fresh);
    this.inbox = await this.newInbox(this.account);
    const [ada, bob] = await this.provider.listAgents(this.account, this.signal());
    if (!ada || !bob) throw new Error('The harness must give accounts with at least two owners, and the provider must list them.');
    this.ada = ada;
    this.bob = bob;
  }

  async setUp(fresh: NewAccount, save: (progress: AccountProgress) => Promise<void> = async () => {}): Promise<AccountAccess> {
    const { access, organizationId, name, owners } = fresh;
    const ensured = await this.provider.ensureAccount({ access, organizationId, name, owners, save }, this.signal());
    return withProgress(access, ensured);
  }

  async newInbox(account: AccountAccess, name = 'Chatbot'): Promise<InboxAccess> {
    const inbox = await this.provider.ensureInbox(
      { account, externalId: null, providerData: {}, inboxId: randomUUID(), chatbotId: `bot-${randomUUID()}`, name }, this.signal());
    return { account, ...inbox };
  }

  endUser(): EndUser {
    const id = randomUUID();
    return { externalId: id, name: `Eve ${id.slice(0, 8)}`, email: null, phone: null, locale: 'en', attributes: {} };
  }

  /** A conversation of its own end-user, held by the bot. */
  async newConversation(inbox = this.inbox, sessionId: SessionId = randomUUID()): Promise<ConversationAccess> {
    const contactId = await this.provider.ensureContact(inbox, sessionId, this.endUser(), this.signal());
    const conversationId = await this.provider.openConversation({ inbox, contactId, sessionId, mayExist: false }, this.signal());
    return { inbox, contactId, conversationId, sessionId };
  }

  async conversationWithAgents(): Promise<ConversationAccess> {
    const conversation = await this.newConversation();
    await this.openForAgents(conversation);
    return conversation;
  }

  message(conversation: ConversationAccess, text: string, more: Partial<PostMessage['message']> = {}): PostMessage {
    const message: PostMessage['message'] = {
      id: randomUUID(), author: 'END_USER', visibility: 'PUBLIC', text, attachments: [] as Attachment[], authorName: null,
      createdAt: new Date().toISOString(), ...more,
    };
    return { conversation, message, mayExist: false, lookAfter: null };
  }

  post(request: PostMessage): Promise<ProviderMessageId> { return this.provider.postMessage(request, this.signal()); }

  openForAgents(conversation: ConversationAccess, target: Partial<OpenForAgents> = {}): Promise<void> {
    return this.provider.openForAgents({ conversation, teamId: null, agentId: null, priority: null, ...target }, this.signal());
  }

  /** Reads until `more` is false. */
  async readForward(conversation: ConversationAccess, after: ReadForward['after'] = null) {
    const observations: Observation[] = [];
    for (let pages = 1; ; pages++) {
      const page = await this.provider.readForward({ conversation, after }, this.signal());
      observations.push(...page.observations);
      after = page.after;
      if (!page.more) return { observations, after, pages };
      if (pages === MOST_PAGES) throw new Error(`readForward still says "more" after ${MOST_PAGES} pages.`);
    }
  }

  async agentSays(conversation: ConversationAccess, after: ReadForward['after'] = null): Promise<string[]> {
    const { observations } = await this.readForward(conversation, after);
    return observations.flatMap((found) => (found.kind === 'agentMessage' ? [found.text] : []));
  }

  async textsSeen(conversation: ConversationAccess): Promise<string[]> {
    return (await this.harness.agentSees(conversation)).map((shown) => shown.text);
  }
}

/** Observations without the repeats that a page may hold, as the core's unique constraint leaves them. */
export function onceEach(observations: readonly Observation[]): Observation[] {
  const seen = new Set<string>();
  return observations.filter((found) => !seen.has(found.id) && seen.add(found.id));
}
