import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { RemoteConversation, RemoteMessage, RemoteStatus } from './evidence';

interface Person {
  readonly id: number;
  readonly name: string;
  readonly token: string;
}
interface WireConversation {
  readonly id: number;
  readonly status: RemoteStatus;
  readonly meta: {
    readonly sender: { readonly name: string };
    readonly assignee?: { readonly name: string } | null;
    readonly team?: { readonly id: number } | null;
  };
}
interface WireMessage {
  readonly id: number;
  readonly content: string | null;
  readonly message_type: number;
  readonly private: boolean;
  readonly sender?: { readonly type?: string } | null;
  readonly attachments?: readonly { readonly data_url?: string; readonly file_type?: string }[];
}

const INCOMING = 0;
const OUTGOING = 1;
const CALL_LIMIT_MS = 30_000;
const PAUSE_MS = 20_000;
/** Chatwoot's page sizes. */
const LATEST = 20;
const RANGE = 1_000;

export class ChatwootRefusal extends Error {
  constructor(
    readonly status: number,
    what: string,
  ) {
    super(`Chatwoot responded with ${status} to ${what}.`);
  }
}

/** Acts as Chatwoot's agents, without a proxy: what they see and do is the remote's own state. */
export class Chatwoot {
  readonly accountName: string;
  readonly accounts = new Set<number>();
  readonly users = new Set<number>();
  readonly owner: { readonly name: string; readonly email: string };
  agents: readonly Person[] = [];
  teams: readonly number[] = [];
  private readonly run = randomUUID().slice(0, 8);
  private olga: Person | null = null;

  constructor(
    readonly baseUrl: string,
    readonly platformToken: string,
  ) {
    this.accountName = `Support torture ${this.run}`;
    this.owner = { name: 'Olga Owner', email: `olga.${this.run}@support.example` };
  }

  /** Adds agents to all inboxes, and teams with them. Called after the service has created account and inboxes. */
  async staff(names: readonly string[]): Promise<void> {
    const olga = await this.person(this.owner.name, this.owner.email);
    const profile = (await this.call('GET', '/api/v1/profile', olga.token)) as { accounts: { id: number }[] };
    for (const { id } of profile.accounts) this.accounts.add(id);
    this.olga = olga;
    this.agents = await Promise.all(
      names.map(name => this.person(name, `${name.toLowerCase()}.${this.run}@support.example`)),
    );
    for (const { id } of this.agents)
      await this.platform('POST', `/accounts/${this.account}/account_users`, { user_id: id, role: 'agent' });
    const { payload: inboxes } = (await this.as(olga, 'GET', '/inboxes')) as { payload: { id: number }[] };
    const ids = this.agents.map(({ id }) => id);
    for (const { id } of inboxes) await this.as(olga, 'POST', '/inbox_members', { inbox_id: id, user_ids: ids });
    const teams: number[] = [];
    for (const name of ['orders', 'returns']) {
      const { id } = (await this.as(olga, 'POST', '/teams', { name, allow_auto_assign: false })) as { id: number };
      await this.as(olga, 'POST', `/teams/${id}/team_members`, { user_ids: ids });
      teams.push(id);
    }
    this.teams = teams;
  }

  /** Returns the newest conversations that an agent sees, as the dashboard lists them. */
  async listConversations(agent: Person): Promise<readonly WireConversation[]> {
    const { data } = (await this.as(agent, 'GET', '/conversations?status=all')) as {
      data: { payload: WireConversation[] };
    };
    return data.payload;
  }

  readConversation(agent: Person, id: number): Promise<WireConversation> {
    return this.as(agent, 'GET', `/conversations/${id}`) as Promise<WireConversation>;
  }
  act(agent: Person, id: number, path: string, body: unknown): Promise<unknown> {
    return this.as(agent, 'POST', `/conversations/${id}/${path}`, body);
  }

  /** Returns everything that the account's agents can see of all conversations. */
  async history(): Promise<readonly RemoteConversation[]> {
    const conversations: WireConversation[] = [];
    for (let page = 1; ; page++) {
      const { data } = (await this.as(this.olga!, 'GET', `/conversations?status=all&page=${page}`)) as {
        data: { payload: WireConversation[] };
      };
      if (data.payload.length === 0) break;
      conversations.push(...data.payload.filter(({ id }) => !conversations.some(known => known.id === id)));
    }
    const whole: RemoteConversation[] = [];
    for (const { id, status, meta } of conversations.sort((a, b) => a.id - b.id)) {
      const messages = await this.messages(id);
      const lines = await Promise.all(
        messages
          .filter(({ message_type: type }) => type === INCOMING || type === OUTGOING)
          .map(message => this.lineOf(message)),
      );
      whole.push({ id, session: meta.sender.name, status, agent: meta.assignee?.name ?? null, lines });
    }
    return whole;
  }

  private async lineOf({
    id,
    content,
    message_type: type,
    private: isPrivate,
    sender,
    attachments,
  }: WireMessage): Promise<RemoteMessage> {
    const [file] = attachments ?? [];
    const by =
      type === INCOMING
        ? 'endUser'
        : sender?.type === 'user'
          ? 'agent'
          : sender?.type === 'agent_bot'
            ? 'bot'
            : 'system';
    return {
      id,
      by,
      isPrivate,
      text: content ?? '',
      file:
        file?.data_url === undefined
          ? null
          : await fetch(file.data_url, { signal: AbortSignal.timeout(CALL_LIMIT_MS) }).then(answer => answer.text()),
    };
  }

  private async messages(id: number): Promise<readonly WireMessage[]> {
    const list = async (query: string) =>
      ((await this.as(this.olga!, 'GET', `/conversations/${id}/messages${query}`)) as { payload: WireMessage[] })
        .payload;
    const between = async (from: number, to: number): Promise<readonly WireMessage[]> => {
      const rows = await list(`?after=${from}&before=${to}`);
      if (rows.length < RANGE || to - from < 2) return rows;
      const middle = from + Math.floor((to - from) / 2);
      return [...(await between(from, middle)), ...(await between(middle, to))];
    };
    const latest = await list('');
    const all = latest.length < LATEST ? latest : await between(1, Math.max(...latest.map(message => message.id)) + 1);
    return [...all].sort((one, other) => one.id - other.id);
  }

  /**
   * Returns all users of the run's account, the one that the service created included. Empty if they cannot be read.
   */
  async members(): Promise<readonly number[]> {
    const ids: number[] = [];
    for (const account of this.accounts)
      ids.push(
        ...(
          (await this.platform('GET', `/accounts/${account}/account_users`).catch(() => [])) as { user_id: number }[]
        ).map(({ user_id: id }) => id),
      );
    return ids;
  }

  private get account(): number {
    return [...this.accounts][0]!;
  }

  /** Creates a user. For a known e-mail Chatwoot returns the existing one; the response has the token. */
  private async person(name: string, email: string): Promise<Person> {
    const { id, access_token: token } = (await this.platform('POST', '/users', {
      name,
      email,
      password: `${randomUUID()}Aa1!`,
    })) as { id: number; access_token: string };
    this.users.add(id);
    return { id, name, token };
  }

  private platform = (method: string, path: string, body?: unknown) =>
    this.call(method, `/platform/api/v1${path}`, this.platformToken, body);
  private as = (person: Person, method: string, path: string, body?: unknown) =>
    this.call(method, `/api/v1/accounts/${this.account}${path}`, person.token, body);

  /** Makes a call. After a 429 it waits and repeats: Chatwoot's limit is per minute and address. */
  private async call(method: string, path: string, token: string, body?: unknown, tries = 4): Promise<unknown> {
    const answer = await fetch(`${this.baseUrl}${path}`, {
      method,
      signal: AbortSignal.timeout(CALL_LIMIT_MS),
      headers: { 'api-access-token': token, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status === 429 && tries > 1) {
      await setTimeout(PAUSE_MS);
      return this.call(method, path, token, body, tries - 1);
    }
    if (!answer.ok) throw new ChatwootRefusal(answer.status, `${method} ${path.split('?')[0]}`);
    const text = await answer.text();
    return text === '' ? null : JSON.parse(text);
  }
}

export type { Person, WireConversation };
