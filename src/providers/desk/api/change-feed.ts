import type { Query } from '../database';

const POLL_EVERY_MS = 1_000;
/** Shorter than the idle time after which proxies close a connection. */
const BEAT_EVERY_MS = 15_000;

/**
 * Selects the newest activity per organization, because other replicas write too. Costs four index probes per account.
 */
const NEWEST = `
  select a.organization_id, max(newest.last_activity_at)::text as at
  from desk_account a cross join unnest(array['BOT_HELD', 'OPEN', 'ON_HOLD', 'RESOLVED']) as of (status)
    cross join lateral (select c.last_activity_at from desk_conversation c where c.account_id = a.id and c.status = of.status order by c.last_activity_at desc limit 1) newest
  where a.organization_id = any($1) group by a.organization_id`;

/**
 * Notifies open pages about changes at their organization's desk, as an event stream. All streams of a process share
 * one statement per second; without a stream there is none.
 */
export class ChangeFeed {
  private readonly watchers = new Map<string, Set<() => void>>();
  private readonly newest = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;
  private isPolling = false;

  constructor(private readonly query: Query) {}

  /** Notifies the streams of this process at once after a change made here. */
  notify(organizationId: string): void {
    for (const wake of this.watchers.get(organizationId) ?? []) wake();
  }

  /** Returns the event stream of one page. Its first event makes the page read. Ends when `return` is called. */
  stream(organizationId: string): AsyncIterableIterator<string> {
    let isChanged = true;
    let isOver = false;
    let resume = (): void => undefined;
    const leave = this.join(organizationId, () => {
      isChanged = true;
      resume();
    });
    const over = { done: true, value: undefined } as const;
    return {
      async next() {
        if (!isChanged && !isOver) {
          let beat: NodeJS.Timeout | undefined;
          await new Promise<void>(resolve => {
            resume = resolve;
            beat = setTimeout(resolve, BEAT_EVERY_MS).unref();
          });
          clearTimeout(beat);
        }
        if (isOver) return over;
        const text = isChanged ? 'event: changed\ndata: {}\n\n' : ':\n\n';
        isChanged = false;
        return { done: false, value: text };
      },
      async return() {
        isOver = true;
        leave();
        resume();
        return over;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  private join(organizationId: string, wake: () => void): () => void {
    const others = this.watchers.get(organizationId) ?? new Set();
    this.watchers.set(organizationId, others.add(wake));
    this.timer ??= setInterval(() => void this.poll(), POLL_EVERY_MS).unref();
    return () => {
      others.delete(wake);
      if (others.size > 0) return;
      this.watchers.delete(organizationId);
      this.newest.delete(organizationId);
      if (this.watchers.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  private async poll(): Promise<void> {
    if (this.isPolling) return;
    this.isPolling = true;
    try {
      const { rows } = await this.query(NEWEST, [[...this.watchers.keys()]]);
      for (const { organization_id: organizationId, at } of rows) {
        const before = this.newest.get(organizationId);
        this.newest.set(organizationId, at);
        if (before !== at) this.notify(organizationId);
      }
    } catch {
      // The database is unavailable. Pages also poll, and show the failure themselves.
    } finally {
      this.isPolling = false;
    }
  }
}
