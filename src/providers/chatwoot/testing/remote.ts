import type { ProviderHost } from '../../../core/ports/provider/definition';

/** Calls Chatwoot's own API directly, not through the provider. */
export class ChatwootApi {
  /** Messages that no reader gets yet, as if their transaction were still open. */
  private readonly hidden = new Set<number>();

  constructor(
    private readonly baseUrl: string,
    private readonly platformToken: string,
  ) {}

  async get<Answer = any>(path: string, token: string): Promise<Answer> {
    return this.call('GET', path, token);
  }

  async call<Answer = any>(method: string, path: string, token: string, body?: object): Promise<Answer> {
    const response = await fetch(this.baseUrl + path, {
      method,
      headers: { api_access_token: token, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
    const text = await response.text();
    return (text === '' ? null : JSON.parse(text)) as Answer;
  }

  platform<Answer = any>(method: string, path: string, body?: object): Promise<Answer> {
    return this.call(method, `/platform/api/v1${path}`, this.platformToken, body);
  }

  /** Returns the token of an administrator of an account, or null if it has none. */
  async administratorOf(accountId: number | string): Promise<string | null> {
    const members: { user_id: number; role: string }[] = await this.platform(
      'GET',
      `/accounts/${accountId}/account_users`,
    );
    const member = members.find(({ role }) => role === 'administrator');
    return member ? (await this.platform('GET', `/users/${member.user_id}`)).access_token : null;
  }

  async census(): Promise<Record<string, number>> {
    const accounts = await this.accountIds();
    const sum: Record<string, number> = {
      accounts: accounts.length,
      people: 0,
      bots: 0,
      inboxes: 0,
      contacts: 0,
      conversations: 0,
      teams: 0,
    };
    const add = (what: string, count: number) => {
      sum[what] = (sum[what] ?? 0) + count;
    };
    for (const id of accounts) {
      add('people', (await this.platform<unknown[]>('GET', `/accounts/${id}/account_users`)).length);
      const token = await this.administratorOf(id);
      if (!token) continue;
      const account = `/api/v1/accounts/${id}`;
      add('bots', (await this.get<unknown[]>(`${account}/agent_bots`, token)).length);
      add('teams', (await this.get<unknown[]>(`${account}/teams`, token)).length);
      add('inboxes', (await this.get(`${account}/inboxes`, token)).payload.length);
      add('contacts', (await this.get(`${account}/contacts`, token)).meta.count);
      add('conversations', (await this.get(`${account}/conversations?status=all`, token)).data.meta.all_count);
    }
    return sum;
  }

  /** Reads the accounts one by one, because releases before 4.5 have no list. */
  private async accountIds(): Promise<number[]> {
    const ids: number[] = [];
    for (let id = 1; ; id++) {
      const response = await fetch(`${this.baseUrl}/platform/api/v1/accounts/${id}`, {
        headers: { api_access_token: this.platformToken },
      });
      if (!response.ok) return ids;
      ids.push(id);
    }
  }

  hide(messageId: number): () => void {
    this.hidden.add(messageId);
    return () => {
      this.hidden.delete(messageId);
    };
  }

  /** A `fetch` for the provider whose histories lack the hidden messages. */
  readonly fetch: ProviderHost['fetch'] = async (url, init) => {
    const response = await fetch(url, init);
    if (this.hidden.size === 0 || !/\/messages\?/.test(String(url)) || !response.ok) return response;
    const answer = (await response.json()) as { payload: { id: number }[] };
    return Response.json({ ...answer, payload: answer.payload.filter(({ id }) => !this.hidden.has(id)) });
  };
}
