export interface LoggedCall {
  readonly by: 'service' | 'agents';
  readonly method: string;
  /** Without its query. */
  readonly path: string;
}

/** Records the calls to one Chatwoot with their callers, and what the Platform API created there. */
export class CallLog {
  readonly calls: LoggedCall[] = [];
  readonly accounts = new Set<number>();
  readonly users = new Set<number>();

  constructor(private readonly baseUrl: string) {}

  wrapFetch(by: LoggedCall['by'], fetch = globalThis.fetch): typeof fetch {
    return async (input, init) => {
      const url = String(input instanceof Request ? input.url : input);
      if (!url.startsWith(`${this.baseUrl}/`)) return fetch(input, init);
      const method = init?.method ?? 'GET';
      const path = url.slice(this.baseUrl.length).split('?')[0]!;
      this.calls.push({ by, method, path });
      const answer = await fetch(input, init);
      if (method === 'POST' && answer.ok) await this.remember(path, answer.clone());
      return answer;
    };
  }

  /** Returns the service's calls after the first `mark` ones. */
  since(mark: number): readonly string[] {
    return this.calls
      .slice(mark)
      .filter(({ by }) => by === 'service')
      .map(({ method, path }) => `${method} ${path.replace(/^\/api\/v1\/accounts\/\d+/, '').replace(/\/\d+/g, '/…')}`);
  }

  private async remember(path: string, answer: Response): Promise<void> {
    const kept =
      path === '/platform/api/v1/accounts' ? this.accounts : path === '/platform/api/v1/users' ? this.users : null;
    if (kept === null) return;
    const { id } = (await answer.json().catch(() => ({}))) as { id?: unknown };
    if (typeof id === 'number') kept.add(id);
  }
}
