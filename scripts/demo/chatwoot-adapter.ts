import { randomUUID } from 'node:crypto';
import type { DemoAgent, AgentScreen, DemoAdapter, ConversationStatusLabel } from './demo-adapter';

interface Person {
  readonly name: string;
  readonly email: string;
}
interface User extends Person {
  readonly id: number;
  readonly token: string;
}
interface Conversation {
  readonly id: number;
  readonly status: string;
  readonly meta: {
    readonly sender: { readonly name: string };
    readonly assignee?: { readonly name: string } | null;
    readonly team?: { readonly name: string } | null;
  };
}
interface Message {
  readonly id: number;
  readonly content: string | null;
  readonly message_type: number;
  readonly private: boolean;
  readonly sender?: { readonly type?: string } | null;
}

const STATUS_LABELS: Readonly<Record<string, ConversationStatusLabel>> = {
  pending: 'held by the bot',
  open: 'open',
  snoozed: 'on hold',
  resolved: 'resolved',
};
const ACTIVITY = 2;
const TEMPLATE = 3;
const CALL_LIMIT_MS = 30_000;

/** Drives a Chatwoot, real or double, as its users do: through Chatwoot's own API with their own tokens. */
export class ChatwootDemoAdapter implements DemoAdapter {
  private readonly owner: Person;
  private readonly colleague: Person;
  private account = 0;
  private olga: User | undefined;

  private readonly accountName: string;

  constructor(
    private readonly baseUrl: string,
    private readonly platformToken: string,
    private readonly fetch: typeof globalThis.fetch = globalThis.fetch,
  ) {
    // Users are unique by e-mail in the whole installation, so each run creates its own.
    const run = randomUUID().slice(0, 8);
    this.accountName = `Support demo ${run}`;
    this.owner = { name: 'Olga Owner', email: `olga.${run}@support.example` };
    this.colleague = { name: 'Adam Agent', email: `adam.${run}@support.example` };
  }

  get enableSettings() {
    return {
      name: this.accountName,
      provider: 'chatwoot',
      baseUrl: this.baseUrl,
      credentials: { platformToken: this.platformToken },
      settings: {},
      owners: [this.owner],
    };
  }

  readonly expectedAdministrators = ['BotAgent1', 'Olga Owner'];
  readonly allowsManualSteps = true;

  async administrators(): Promise<readonly string[]> {
    const agents = (await this.inAccount(await this.administrator(), 'GET', '/agents')) as {
      name: string;
      role: string;
    }[];
    return agents
      .filter(({ role }) => role === 'administrator')
      .map(({ name }) => name)
      .sort();
  }

  /** The owner adds a colleague as an agent of the inbox and of a team. */
  async addStaff(inboxName: string) {
    const olga = await this.administrator();
    const adam = await this.person(this.colleague);
    await this.platform('POST', `/accounts/${this.account}/account_users`, { user_id: adam.id, role: 'agent' });
    const { payload } = (await this.inAccount(olga, 'GET', '/inboxes')) as { payload: { id: number; name: string }[] };
    const inbox = payload.find(({ name }) => name === inboxName);
    if (!inbox)
      throw new Error(`Chatwoot does not list the inbox ${inboxName}; check that support is enabled for the chatbot.`);
    await this.inAccount(olga, 'POST', '/inbox_members', { inbox_id: inbox.id, user_ids: [adam.id] });
    const team = (await this.inAccount(olga, 'POST', '/teams', { name: 'orders', allow_auto_assign: false })) as {
      id: number;
      name: string;
    };
    await this.inAccount(olga, 'POST', `/teams/${team.id}/team_members`, { user_ids: [adam.id] });
    return { team: team.name, agent: this.createDemoAgent(adam, inbox) };
  }

  private createDemoAgent(adam: User, inbox: { readonly id: number; readonly name: string }): DemoAgent {
    const conversations = async (endUser: string): Promise<readonly Conversation[]> => {
      const { data } = (await this.inAccount(adam, 'GET', `/conversations?status=all&inbox_id=${inbox.id}`)) as {
        data: { payload: Conversation[] };
      };
      return data.payload.filter(({ meta }) => meta.sender.name === endUser).sort((a, b) => b.id - a.id);
    };
    const act = async (endUser: string, path: string, body: unknown): Promise<void> => {
      const [newest] = await conversations(endUser);
      if (!newest) throw new Error(`${adam.name} sees no conversation of ${endUser}.`);
      await this.inAccount(adam, 'POST', `/conversations/${newest.id}/${path}`, body);
    };
    const screen = async ({ id, status, meta }: Conversation): Promise<AgentScreen> => {
      const messages = await this.messages(adam, id);
      return {
        inbox: inbox.name,
        status: STATUS_LABELS[status]!,
        team: meta.team?.name ?? null,
        agent: meta.assignee?.name ?? null,
        lines: messages
          .filter(({ message_type: type }) => type !== ACTIVITY && type !== TEMPLATE)
          .map(message => `${speakerOf(message)}: ${message.content}`),
      };
    };
    return {
      name: adam.name,
      readConversations: async endUser => Promise.all((await conversations(endUser)).map(screen)),
      take: endUser => act(endUser, 'assignments', { assignee_id: adam.id }),
      reply: (endUser, text) => act(endUser, 'messages', { content: text, message_type: 'outgoing' }),
      note: (endUser, text) => act(endUser, 'messages', { content: text, message_type: 'outgoing', private: true }),
      resolve: endUser => act(endUser, 'toggle_status', { status: 'resolved' }),
      returnToBot: endUser => act(endUser, 'toggle_status', { status: 'pending' }),
    };
  }

  /** Reads twenty at a time, newest first, as the dashboard does when an agent scrolls up. */
  private async messages(reader: User, conversationId: number): Promise<readonly Message[]> {
    let messages: readonly Message[] = [];
    for (let earlier = ''; ; ) {
      const { payload } = (await this.inAccount(
        reader,
        'GET',
        `/conversations/${conversationId}/messages${earlier}`,
      )) as { payload: Message[] };
      messages = [...payload, ...messages];
      if (payload.length === 0) return messages;
      earlier = `?before=${Math.min(...payload.map(({ id }) => id))}`;
    }
  }

  /** Returns the owner after enableSupport created them; their profile names the account. */
  protected async administrator(): Promise<User> {
    if (this.olga) return this.olga;
    const olga = await this.person(this.owner);
    const profile = (await this.call('GET', '/api/v1/profile', olga.token)) as { accounts: { id: number }[] };
    const account = profile.accounts[0];
    if (!account) throw new Error(`${olga.name} is in no Chatwoot account; check that support is enabled.`);
    this.account = account.id;
    return (this.olga = olga);
  }

  /** Creates a user. For a known e-mail Chatwoot returns the existing one; the response has the token. */
  private async person({ name, email }: Person): Promise<User> {
    const { id, access_token: token } = (await this.platform('POST', '/users', {
      name,
      email,
      password: `${randomUUID()}Aa1!`,
    })) as { id: number; access_token: string };
    return { id, name, email, token };
  }

  private platform = (method: string, path: string, body?: unknown) =>
    this.call(method, `/platform/api/v1${path}`, this.platformToken, body);
  protected inAccount = (user: User, method: string, path: string, body?: unknown) =>
    this.call(method, `/api/v1/accounts/${this.account}${path}`, user.token, body);

  private async call(method: string, path: string, token: string, body?: unknown): Promise<unknown> {
    const answer = await this.fetch(`${this.baseUrl}${path}`, {
      method,
      signal: AbortSignal.timeout(CALL_LIMIT_MS),
      // With hyphens, because proxies drop header names with underscores.
      headers: { 'api-access-token': token, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`Chatwoot responded with ${answer.status} to ${method} ${path.split('?')[0]}.`);
    const text = await answer.text();
    return text === '' ? null : JSON.parse(text);
  }
}

function speakerOf({ message_type: type, private: isPrivate, sender }: Message): string {
  if (isPrivate) return 'note';
  if (type === 0) return 'end-user';
  return sender?.type === 'user' ? 'agent' : 'bot';
}
