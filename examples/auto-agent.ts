import { setTimeout } from 'node:timers/promises';

interface Conversation {
  readonly id: string;
  readonly status: string;
  readonly contact: { readonly name: string };
}
interface Message {
  readonly author: string;
  readonly text: string;
}

const PATIENCE_MS = 60_000;

/** Acts as an agent at the built-in desk: takes one end-user's conversation, replies, waits for a reply, resolves. */
export class AutoAgent {
  constructor(
    private readonly serviceUrl: string,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly endUser: string,
  ) {}

  async work(): Promise<void> {
    const {
      agents: [agent],
    } = (await this.call('GET', '/agents')) as { agents: { id: string; name: string }[] };
    if (!agent) throw new Error('The desk has no agents; enable support for the example organization.');
    const as = { 'x-desk-agent': agent.id };
    const { id } = await this.until('an open conversation', async () => {
      const { conversations } = (await this.call('GET', '/conversations?status=OPEN', as)) as {
        conversations: Conversation[];
      };
      return conversations.find(({ contact }) => contact.name === this.endUser);
    });
    await this.call('POST', `/conversations/${id}/assign`, as, { agentId: agent.id });
    await this.call('POST', `/conversations/${id}/messages`, as, {
      visibility: 'INTERNAL',
      text: 'Looks like A-17 again.',
    });
    await this.call('POST', `/conversations/${id}/messages`, as, {
      visibility: 'PUBLIC',
      text: `Hello, this is ${agent.name}. Your parcel is with the carrier and comes tomorrow.`,
    });
    await this.until('a word of thanks', async () => {
      const { messages } = (await this.call('GET', `/conversations/${id}`, as)) as { messages: Message[] };
      return messages.find(({ author, text }) => author === 'END_USER' && /thank/i.test(text));
    });
    await this.call('POST', `/conversations/${id}/messages`, as, {
      visibility: 'PUBLIC',
      text: 'Glad to help. Goodbye!',
    });
    await this.call('POST', `/conversations/${id}/resolve`, as, {});
  }

  private async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    for (const giveUpAt = Date.now() + PATIENCE_MS; ; ) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > giveUpAt)
        throw new Error(`The agent did not get ${what} in time; check that the service runs and has this end-user.`);
      await setTimeout(200);
    }
  }

  private async call(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: unknown,
  ): Promise<unknown> {
    const answer = await fetch(`${this.serviceUrl}/providers/desk/api${path}`, {
      method,
      headers: { ...this.headers, ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`The desk responded with ${answer.status} to ${method} ${path}.`);
    return answer.json();
  }
}
