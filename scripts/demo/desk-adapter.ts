import type { DemoAgent, AgentScreen, DemoAdapter, ConversationStatusLabel } from './demo-adapter';

interface Named {
  readonly id: string;
  readonly name: string;
}
interface Conversation {
  readonly id: string;
  readonly status: string;
  readonly inbox: { readonly name: string };
  readonly contact: { readonly name: string };
  readonly agent: Named | null;
  readonly team: Named | null;
}
interface Message {
  readonly kind: 'SPEECH' | 'ACTIVITY';
  readonly author: 'END_USER' | 'BOT' | 'AGENT' | 'SYSTEM';
  readonly visibility: 'PUBLIC' | 'INTERNAL';
  readonly text: string;
}

const STATUS_LABELS: Readonly<Record<string, ConversationStatusLabel>> = {
  BOT_HELD: 'held by the bot',
  OPEN: 'open',
  ON_HOLD: 'on hold',
  RESOLVED: 'resolved',
};
const SPEAKERS: Readonly<Record<Message['author'], string>> = {
  END_USER: 'end-user',
  BOT: 'bot',
  AGENT: 'agent',
  SYSTEM: 'system',
};
const OLGA = { name: 'Olga Owner', email: 'olga@support.example' };
const ADAM = { name: 'Adam Agent', email: 'adam@support.example' };

/** Drives the built-in desk as its page does: through `/providers/desk/api`. */
export class DeskDemoAdapter implements DemoAdapter {
  /** @param identity headers that name the organization of the desk's agents */
  constructor(
    private readonly serviceUrl: string,
    private readonly identity: Readonly<Record<string, string>>,
  ) {}

  readonly enableSettings = {
    provider: 'desk',
    baseUrl: null,
    credentials: {},
    owners: [OLGA],
    settings: { agents: [ADAM], teams: [{ name: 'orders', members: [ADAM.email] }] },
  };

  readonly expectedAdministrators = ['Olga Owner'];

  async administrators(): Promise<readonly string[]> {
    const { agents } = (await this.call('GET', '/agents')) as { agents: (Named & { role: string })[] };
    return agents
      .filter(({ role }) => role === 'ADMINISTRATOR')
      .map(({ name }) => name)
      .sort();
  }

  async addStaff(): Promise<{ agent: DemoAgent; team: string }> {
    const { agents } = (await this.call('GET', '/agents')) as { agents: (Named & { email: string })[] };
    const adam = agents.find(({ email }) => email === ADAM.email);
    if (!adam) throw new Error('The desk does not list the agent Adam; check that support is enabled.');
    return { team: 'orders', agent: this.createDemoAgent(adam) };
  }

  private createDemoAgent(adam: Named): DemoAgent {
    const as = { 'x-desk-agent': adam.id };
    const conversations = async (endUser: string): Promise<readonly Conversation[]> => {
      const { conversations: all } = (await this.call('GET', '/conversations?limit=200', as)) as {
        conversations: Conversation[];
      };
      return all.filter(({ contact }) => contact.name === endUser).sort((a, b) => Number(b.id) - Number(a.id));
    };
    const act = async (endUser: string, deed: string, body: unknown = {}): Promise<void> => {
      const [newest] = await conversations(endUser);
      if (!newest) throw new Error(`${adam.name} sees no conversation of ${endUser}.`);
      await this.call('POST', `/conversations/${newest.id}/${deed}`, as, body);
    };
    const screen = async (shown: Conversation): Promise<AgentScreen> => {
      const { conversation, messages } = (await this.call('GET', `/conversations/${shown.id}`, as)) as {
        conversation: Conversation;
        messages: Message[];
      };
      return {
        inbox: conversation.inbox.name,
        status: STATUS_LABELS[conversation.status]!,
        team: conversation.team?.name ?? null,
        agent: conversation.agent?.name ?? null,
        lines: messages
          .filter(({ kind }) => kind === 'SPEECH')
          .map(({ author, visibility, text }) => `${visibility === 'INTERNAL' ? 'note' : SPEAKERS[author]}: ${text}`),
      };
    };
    return {
      name: adam.name,
      readConversations: async endUser => Promise.all((await conversations(endUser)).map(screen)),
      take: endUser => act(endUser, 'assign', { agentId: adam.id }),
      reply: (endUser, text) => act(endUser, 'messages', { text, visibility: 'PUBLIC' }),
      note: (endUser, text) => act(endUser, 'messages', { text, visibility: 'INTERNAL' }),
      resolve: endUser => act(endUser, 'resolve'),
      returnToBot: endUser => act(endUser, 'return'),
    };
  }

  private async call(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: unknown,
  ): Promise<unknown> {
    const answer = await fetch(`${this.serviceUrl}/providers/desk/api${path}`, {
      method,
      headers: { ...this.identity, ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`The desk responded with ${answer.status} to ${method} ${path.split('?')[0]}.`);
    return answer.json();
  }
}
