import { randomUUID } from 'node:crypto';
import type { AccountAccess, ConversationAccess, InboxAccess } from '../../../core/ports/provider/access';
import type { AccountProgress, EnsuredAccount } from '../../../core/ports/provider/setup-verbs';
import type { ProviderHost } from '../../../core/ports/provider/definition';
import type { SupportProvider } from '../../../core/ports/provider/support-provider';
import { chatwoot } from '../index';
import { startChatwootDouble, type ActingAgent, type ChatwootDouble, type ChatwootDoubleOptions } from './double';
import { ChatwootApi } from './remote';
import { hostWith } from './harness';

/** A double and what the core would have stored about it, for tests of this provider alone. */
export class ChatwootFixture {
  access: AccountAccess;
  inbox: InboxAccess;
  /** The first owner, an administrator. */
  ownerId: number;

  private constructor(
    readonly double: ChatwootDouble,
    readonly farSide: ChatwootApi,
    public provider: SupportProvider,
  ) {}

  /** Starts a double without any setup. */
  static async open(options: ChatwootDoubleOptions = {}, fetch?: ProviderHost['fetch']): Promise<ChatwootFixture> {
    const double = await startChatwootDouble({ activityDelayMs: 0, ...options });
    const remote = new ChatwootApi(double.baseUrl, double.platformToken);
    const fixture = new ChatwootFixture(double, remote, chatwoot.create(hostWith(fetch ?? remote.fetch)));
    fixture.access = fixture.newAccess();
    return fixture;
  }

  /** Starts a double with an account and an inbox. */
  static async ready(options: ChatwootDoubleOptions = {}, fetch?: ProviderHost['fetch']): Promise<ChatwootFixture> {
    const fixture = await ChatwootFixture.open(options, fetch);
    await fixture.ensureAccount();
    fixture.inbox = await fixture.ensureInbox();
    const owner = (await fixture.provider.listAgents(fixture.access, fixture.signal()))[0];
    fixture.ownerId = Number(owner?.externalId);
    return fixture;
  }

  /** Starts a double with an existing account whose only user gives us their token. That user is the owner. */
  static async hosted(options: ChatwootDoubleOptions = {}): Promise<ChatwootFixture> {
    const fixture = await ChatwootFixture.open(options);
    const { id } = await fixture.farSide.platform('POST', '/accounts', { name: 'Hosted' });
    const { id: personId, access_token } = await fixture.farSide.platform('POST', '/users', {
      name: 'Root',
      email: 'root@people.example',
      password: 'Passw0rd!x',
    });
    fixture.access = { ...fixture.access, externalId: String(id) };
    await fixture.setRole(personId, 'administrator');
    fixture.access = {
      ...fixture.access,
      externalId: null,
      settings: { accountId: id },
      credentials: { adminToken: access_token },
    };
    await fixture.ensureAccount([]);
    fixture.inbox = await fixture.ensureInbox();
    fixture.ownerId = personId;
    return fixture;
  }

  stop(): Promise<void> {
    return this.double.stop();
  }
  signal(): AbortSignal {
    return AbortSignal.timeout(170_000);
  }
  get account(): string {
    return `/api/v1/accounts/${this.access.externalId}`;
  }
  get admin(): string {
    return this.access.credentials['botToken'] ?? this.access.credentials['adminToken'] ?? '';
  }

  newAccess(): AccountAccess {
    const accountId = randomUUID();
    return {
      accountId,
      externalId: null,
      baseUrl: `${this.double.baseUrl}/`,
      settings: {},
      credentials: { platformToken: this.double.platformToken },
      webhookUrl: '',
    };
  }

  /** Runs the setup and stores its progress, as the core does. */
  async ensureAccount(owners = [{ name: 'Ada Owner', email: 'ada@owners.example' }]): Promise<EnsuredAccount> {
    const store = async (progress: AccountProgress) => {
      this.access = { ...this.access, ...progress };
    };
    const ensured = await this.provider.ensureAccount(
      {
        access: this.access,
        organizationId: 'org',
        name: 'Acme',
        owners,
        inboxes: this.inbox ? [this.inbox.externalId] : [],
        save: store,
      },
      this.signal(),
    );
    await store({ externalId: ensured.externalId, settings: ensured.settings, credentials: ensured.credentials });
    return ensured;
  }

  async ensureInbox(
    name = 'Shop bot',
    known?: Pick<InboxAccess, 'externalId' | 'providerData'>,
    inboxId = randomUUID(),
  ): Promise<InboxAccess> {
    const made = await this.provider.ensureInbox(
      {
        account: this.access,
        externalId: known?.externalId ?? null,
        providerData: known?.providerData ?? {},
        inboxId,
        chatbotId: 'bot',
        name,
      },
      this.signal(),
    );
    return { account: this.access, ...made };
  }

  async conversation(sessionId = randomUUID()): Promise<ConversationAccess> {
    const endUser = { externalId: null, name: 'Eve', email: null, phone: null, locale: null, attributes: {} };
    const contactId = await this.provider.ensureContact(this.inbox, sessionId, endUser, this.signal());
    const conversationId = await this.provider.openConversation(
      { inbox: this.inbox, contactId, sessionId, mayExist: false },
      this.signal(),
    );
    return { inbox: this.inbox, contactId, conversationId, sessionId };
  }

  post(
    conversation: ConversationAccess,
    text: string,
    more: Partial<Parameters<SupportProvider['postMessage']>[0]['message']> = {},
    mayExist = false,
  ) {
    const message = {
      id: randomUUID(),
      author: 'END_USER' as const,
      visibility: 'PUBLIC' as const,
      text,
      attachments: [],
      authorName: null,
      createdAt: new Date().toISOString(),
      ...more,
    };
    return this.provider.postMessage({ conversation, message, mayExist, lookupAfter: null }, this.signal());
  }

  open(conversation: ConversationAccess, target: { teamId?: string; agentId?: string; priority?: 'HIGH' } = {}) {
    return this.provider.openForAgents(
      { conversation, teamId: null, agentId: null, priority: null, ...target },
      this.signal(),
    );
  }

  /** Adds a user with a role in the account and, if requested, as a member of the inbox. */
  async addPerson(name: string, role: 'agent' | 'administrator', inboxMember = false): Promise<number> {
    const { id } = await this.farSide.platform('POST', '/users', {
      name,
      email: `${name.toLowerCase()}@people.example`,
      password: 'Passw0rd!x',
    });
    await this.setRole(id, role);
    if (inboxMember)
      await this.farSide.call('POST', `${this.account}/inbox_members`, this.admin, {
        inbox_id: Number(this.inbox.externalId),
        user_ids: [id],
      });
    return id;
  }

  setRole(userId: unknown, role: 'agent' | 'administrator'): Promise<unknown> {
    return this.farSide.platform('POST', `/accounts/${this.access.externalId}/account_users`, {
      user_id: userId,
      role,
    });
  }

  createActingAgent(userId: number, conversation: ConversationAccess): ActingAgent {
    return this.double.agent(userId, {
      accountId: Number(this.access.externalId),
      conversationId: Number(conversation.conversationId),
    });
  }

  readConversation(conversation: ConversationAccess): Promise<any> {
    return this.farSide.get(`${this.account}/conversations/${conversation.conversationId}`, this.admin);
  }

  async messages(conversation: ConversationAccess): Promise<any[]> {
    return (
      await this.farSide.get(
        `${this.account}/conversations/${conversation.conversationId}/messages?after=0`,
        this.admin,
      )
    ).payload.filter((row: any) => row.message_type !== 2);
  }

  /** Returns the provider's calls during `act`, as `METHOD /path` without numbers. */
  async callsOf(act: () => Promise<unknown>): Promise<string[]> {
    this.double.clearRequests();
    await act();
    return this.double
      .requests()
      .map(
        ({ method, path }) =>
          `${method} ${path.replace(/^\/api\/v1\/accounts\/\d+|^\/platform\/api\/v1/, '').replace(/\/\d+(?=[/?]|$)/g, '')}`,
      );
  }
}
