import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Pool } from 'pg';
import { ChatwootDemoAdapter } from '../../scripts/demo/chatwoot-adapter';
import type { ProviderHost } from '../../src/core/ports/provider/definition';
import type { ActingAgent, ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { desk } from '../../src/providers/desk';

/** Actions of agents in the provider's own UI, in the newest conversation of one end-user. */
export interface AgentActions {
  take(endUser: string): Promise<unknown>;
  reply(endUser: string, text: string, by?: string): Promise<unknown>;
  note(endUser: string, text: string): Promise<unknown>;
  attach(endUser: string, fileName: string, bytes: string): Promise<unknown>;
  snooze(endUser: string): Promise<unknown>;
  transfer(endUser: string, toPerson: string): Promise<unknown>;
  resolve(endUser: string): Promise<unknown>;
  giveBack(endUser: string, by: string): Promise<unknown>;
}

const ADAM = 'Adam Agent';

/** Acts at the double, through the calls that the dashboard makes. */
export class ChatwootAgents extends ChatwootDemoAdapter implements AgentActions {
  constructor(private readonly double: ChatwootDouble) {
    super(double.baseUrl, double.platformToken);
  }

  async take(endUser: string) {
    return (await this.at(endUser)).assignSelf();
  }
  async reply(endUser: string, text: string, by = ADAM) {
    return (await this.at(endUser, by)).reply(text);
  }
  async note(endUser: string, text: string) {
    return (await this.at(endUser)).note(text);
  }
  async attach(endUser: string, filename: string, bytes: string) {
    return (await this.at(endUser)).attach({ filename, contentType: 'text/plain', bytes });
  }
  async snooze(endUser: string) {
    return (await this.at(endUser)).snooze();
  }
  async transfer(endUser: string, toPerson: string) {
    return (await this.at(endUser)).assign({ agentId: (await this.named(toPerson)).id });
  }
  async resolve(endUser: string) {
    return (await this.at(endUser)).resolve();
  }
  async giveBack(endUser: string, by: string) {
    return (await this.at(endUser, by)).returnToPending();
  }

  private async at(endUser: string, by = ADAM): Promise<ActingAgent> {
    const { id, account_id: accountId } = await this.named(by);
    const {
      payload: [contact],
    } = await this.asOwner<{ payload: { id: number }[] }>(`/contacts/search?q=${encodeURIComponent(endUser)}`);
    const { payload } = await this.asOwner<{ payload: { id: number }[] }>(`/contacts/${contact!.id}/conversations`);
    return this.double.agent(id, { accountId, conversationId: Math.max(...payload.map(one => one.id)) });
  }
  private async named(name: string) {
    return (await this.asOwner<{ id: number; account_id: number; name: string }[]>('/agents')).find(
      one => one.name === name,
    )!;
  }
  private async asOwner<T>(path: string): Promise<T> {
    return (await this.inAccount(await this.administrator(), 'GET', path)) as T;
  }
}

/** Acts at the desk, through the calls that its page makes. */
export class DeskAgents implements AgentActions {
  /** @param serviceUrl where the desk is currently served */
  constructor(
    private readonly serviceUrl: () => string,
    private readonly identity: Readonly<Record<string, string>>,
  ) {}

  async take(endUser: string) {
    return this.act(endUser, 'assign', { agentId: await this.person(ADAM) });
  }
  reply(endUser: string, text: string, by = ADAM) {
    return this.act(endUser, 'messages', { text, visibility: 'PUBLIC' }, by);
  }
  note(endUser: string, text: string) {
    return this.act(endUser, 'messages', { text, visibility: 'INTERNAL' });
  }
  attach(endUser: string, name: string, bytes: string) {
    return this.act(endUser, 'messages', {
      visibility: 'PUBLIC',
      attachments: [{ name, contentType: 'text/plain', content: Buffer.from(bytes).toString('base64') }],
    });
  }
  snooze(endUser: string) {
    return this.act(endUser, 'snooze');
  }
  async transfer(endUser: string, toPerson: string) {
    return this.act(endUser, 'assign', { agentId: await this.person(toPerson) });
  }
  resolve(endUser: string) {
    return this.act(endUser, 'resolve');
  }
  giveBack(endUser: string, by: string) {
    return this.act(endUser, 'return', {}, by);
  }

  private async act(endUser: string, deed: string, body: object = {}, by = ADAM): Promise<unknown> {
    const as = { 'x-desk-agent': await this.person(by) };
    const { conversations } = await this.call<{ conversations: { id: string; contact: { name: string } }[] }>(
      'GET',
      '/conversations?limit=200',
      as,
    );
    const mine = conversations.filter(({ contact }) => contact.name === endUser).map(({ id }) => Number(id));
    return this.call('POST', `/conversations/${Math.max(...mine)}/${deed}`, as, body);
  }
  private async person(name: string): Promise<string> {
    const { agents } = await this.call<{ agents: { id: string; name: string }[] }>('GET', '/agents');
    return agents.find(one => one.name === name)!.id;
  }
  private async call<T>(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: object,
  ): Promise<T> {
    const answer = await fetch(`${this.serviceUrl()}/providers/desk/api${path}`, {
      method,
      headers: { ...this.identity, ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`The desk answered ${answer.status} to ${method} ${path}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}

/** Serves only the desk while the service is down: agents continue, and nothing receives its hints. */
export async function serveDeskAlone(
  sql: Pool,
  organizationId: string,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const host: ProviderHost = {
    hint: () => undefined,
    fetch,
    replicas: () => 1,
    now: Date.now,
    log: () => undefined,
    database: {
      query: (text, values) => sql.query(text, values as unknown[]),
      async transaction(work) {
        const client = await sql.connect();
        try {
          await client.query('begin');
          const answer = await work((text, values) => client.query(text, values as unknown[]));
          await client.query('commit');
          return answer;
        } finally {
          client.release();
        }
      },
    },
  };
  const answer = desk.routes!(host);
  const server = createServer(
    (request, response) =>
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const url = new URL(request.url!, 'http://desk');
        const answered = await answer({
          method: request.method!,
          path: url.pathname.replace('/providers/desk', ''),
          query: url.searchParams,
          headers: request.headers as Record<string, string>,
          readBody: async () => Buffer.concat(chunks),
          caller: { organizationId, role: 'ui', userId: null },
        });
        response.writeHead(answered.status, answered.headers).end(answered.body);
      })(),
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
