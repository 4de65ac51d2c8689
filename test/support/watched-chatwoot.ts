import { ChatwootDemoAdapter } from '../../scripts/demo/chatwoot-adapter';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { KillTest, type KillTarget } from './kill-test';
import { startStepProxy, type StepProxy } from './step-proxy';

/*
 * A process is killed after each write of a scenario at Chatwoot: it has taken effect there, and this service does not
 * know yet. The writes are those of an undisturbed run, so none can be forgotten.
 */

/** A Chatwoot whose writes can be stopped, and one replica of the service, for all tests of a file. */
export interface WatchedChatwoot {
  readonly killTest: KillTest;
  readonly double: ChatwootDouble;
  readonly proxy: StepProxy;
  targetAt(organization: string): Promise<KillTarget & { readonly stage: WatchedAdapter }>;
}

/** Starts it before the file's tests. @param organizations all that the file sets up */
export function watchedChatwoot(organizations: readonly string[]): WatchedChatwoot {
  let killTest: KillTest;
  let double: ChatwootDouble;
  let proxy: StepProxy;
  beforeAll(async () => {
    double = await startChatwootDouble();
    proxy = await startStepProxy(double.baseUrl);
    killTest = await KillTest.open(organizations);
  });
  afterAll(async () => {
    await killTest?.close();
    await proxy?.stop();
    await double?.stop();
  });
  return {
    get killTest() {
      return killTest;
    },
    get double() {
      return double;
    },
    get proxy() {
      return proxy;
    },
    async targetAt(organization) {
      const adapter = new WatchedAdapter(double, proxy.url);
      return {
        organization,
        stage: adapter,
        context: await killTest.createOrganization(organization, adapter),
        historyOf: endUser => adapter.historyOf(endUser),
        steps: {
          of: async sessionId => proxy.writesOf(sessionId),
          async hold(sessionId, index) {
            const reached = proxy.holdNext(sessionId, count => count === index);
            return () => reached;
          },
          release: async () => proxy.release(),
        },
      };
    },
  };
}

/** The service uses the proxy; agents do not. */
export class WatchedAdapter extends ChatwootDemoAdapter {
  constructor(
    private readonly double: ChatwootDouble,
    private readonly proxyUrl: string,
  ) {
    super(double.baseUrl, double.platformToken);
  }
  override get enableSettings() {
    return { ...super.enableSettings, baseUrl: this.proxyUrl };
  }

  async asOwner<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await this.inAccount(await this.administrator(), method, path, body)) as T;
  }

  /** From now on an opened conversation is assigned to an online agent, and one is online. */
  async switchRoundRobinOn(): Promise<void> {
    const {
      payload: [inbox],
    } = await this.asOwner<{ payload: { id: number }[] }>('GET', '/inboxes');
    await this.asOwner('PATCH', `/inboxes/${inbox!.id}`, { enable_auto_assignment: true });
    for (const { id, name } of await this.asOwner<{ id: number; name: string }[]>('GET', '/agents'))
      if (name === 'Adam Agent') this.double.setOnline(id);
  }

  /** Contacts, conversations, and everything written or done in them. */
  async historyOf(endUser: string): Promise<object> {
    await this.double.whenIdle();
    const { payload: contacts } = await this.asOwner<{ payload: { id: number; name: string }[] }>(
      'GET',
      `/contacts/search?q=${encodeURIComponent(endUser)}`,
    );
    const conversations: object[] = [];
    for (const { id } of contacts) {
      const { payload } = await this.asOwner<{ payload: Conversation[] }>('GET', `/contacts/${id}/conversations`);
      for (const { id: number } of payload) conversations.push(await this.conversation(number));
    }
    return { contacts: contacts.length, conversations };
  }

  private async conversation(number: number): Promise<object> {
    const { status, priority, meta } = await this.asOwner<Conversation>('GET', `/conversations/${number}`);
    const messages: Message[] = [];
    for (let before = ''; ; ) {
      const { payload } = await this.asOwner<{ payload: Message[] }>(
        'GET',
        `/conversations/${number}/messages${before}`,
      );
      if (payload.length === 0) break;
      messages.unshift(...payload);
      before = `?before=${Math.min(...payload.map(({ id }) => id))}`;
    }
    const events = this.double
      .deliveries()
      .filter(({ receiver, body }) => receiver === 'account' && numberIn(body) === number);
    return {
      status,
      priority,
      team: meta.team?.name ?? null,
      agent: meta.assignee?.name ?? null,
      // Chatwoot's own activity lines come a little later, before or after later messages.
      activities: messages
        .filter(({ message_type: type }) => type === ACTIVITY)
        .map(({ content }) => content)
        .sort(),
      lines: messages
        .filter(({ message_type: type }) => type !== ACTIVITY)
        .map(
          ({ message_type: type, private: isPrivate, content, attachments }) =>
            `${type}${isPrivate ? ' private' : ''} ${content}${attachments ? ` +${attachments.length}` : ''}`,
        ),
      events: Object.fromEntries(TOLD_ONCE.map(event => [event, events.filter(one => one.event === event).length])),
    };
  }
}
interface Conversation {
  id: number;
  status: string;
  priority: string | null;
  meta: { team?: { name: string } | null; assignee?: { name: string } | null };
}
interface Message {
  id: number;
  message_type: number;
  private: boolean;
  content: string | null;
  attachments?: unknown[];
}

const ACTIVITY = 2;

/** Events with new information; others repeat a known state. */
const TOLD_ONCE = ['conversation_created', 'conversation_status_changed', 'message_created'];
function numberIn(body: string): number | undefined {
  const sent = body === '' ? {} : (JSON.parse(body) as { id?: number; event?: string; conversation?: { id?: number } });
  return sent.event === 'message_created' ? sent.conversation?.id : sent.id;
}
