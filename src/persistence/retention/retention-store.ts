import type { Pool, PoolClient } from 'pg';
import type { Instant, MessageId } from '../../core/ids';
import type { ExpiredMessages, RetentionCursor, RemovalResult, RetentionStore } from '../../core/ports/retention-store';
import {
  CLAIM,
  DELETE_SESSIONS,
  EMPTY_SESSIONS,
  FILES_OF_EXPIRED,
  LOCK_SESSIONS,
  LOCK_SESSIONS_TO_DELETE,
  EXPIRED_EVENTS,
  EXPIRED_MESSAGES,
  EXPIRED_SESSIONS,
  REMOVE_DELIVERIES,
  REMOVE_EVENTS,
  REMOVE_IDEMPOTENCY_KEYS,
  REMOVE_MESSAGES,
  RENEW,
} from './retention-sql';
import { firstOf, inTransaction, rowsOf, type Statement } from '../postgres/sql';

/** The number of sessions per transaction. Other work on one of these sessions waits no longer than this takes. */
const SESSIONS_PER_TRANSACTION = 20;
const START_CURSOR = { at: '-infinity', id: '00000000-0000-0000-0000-000000000000' };

interface FoundRow {
  readonly id: string;
  readonly at: Instant;
}

export class PostgresRetentionStore implements RetentionStore {
  constructor(private readonly pool: Pool) {}

  async claim(leaseMs: number): Promise<Instant | null> {
    return (await firstOf<{ until: Instant }>(this.pool, CLAIM, [leaseMs]))?.until ?? null;
  }

  async renew(claim: Instant, leaseMs: number): Promise<Instant | null> {
    return (await firstOf<{ until: Instant }>(this.pool, RENEW, [claim, leaseMs]))?.until ?? null;
  }

  async release(claim: Instant, afterMs: number): Promise<void> {
    await this.renew(claim, afterMs);
  }

  async removeIdempotencyKeys(before: Instant, limit: number): Promise<number> {
    return (await rowsOf(this.pool, REMOVE_IDEMPOTENCY_KEYS, [before, limit])).length;
  }

  async removeDeliveries(before: Instant, limit: number): Promise<number> {
    return (await rowsOf(this.pool, REMOVE_DELIVERIES, [before, limit])).length;
  }

  async removeEvents(before: Instant, after: RetentionCursor, limit: number): Promise<RemovalResult> {
    const { ids, next } = await this.findExpired(EXPIRED_EVENTS, before, after, limit);
    const count = await this.removeBySessions(
      ids,
      LOCK_SESSIONS,
      async (client, free) => (await firstOf<Counted>(client, REMOVE_EVENTS, [free, before, limit]))!.count,
    );
    return { count, next };
  }

  async findExpiredMessages(before: Instant, after: RetentionCursor, limit: number): Promise<ExpiredMessages> {
    const { ids, next } = await this.findExpired(EXPIRED_MESSAGES, before, after, limit);
    const withFiles =
      ids.length === 0
        ? []
        : await rowsOf<{ id: MessageId; files: number }>(this.pool, FILES_OF_EXPIRED, [ids, before, limit]);
    return { sessionIds: ids, messagesWithFiles: withFiles, next };
  }

  removeMessages(before: Instant, sessionIds: readonly string[], limit: number): Promise<number> {
    return this.removeBySessions(
      sessionIds,
      LOCK_SESSIONS,
      async (client, free) => (await firstOf<Counted>(client, REMOVE_MESSAGES, [free, before, limit]))!.count,
    );
  }

  async removeSessions(before: Instant, after: RetentionCursor, limit: number): Promise<RemovalResult> {
    const { ids, next } = await this.findExpired(EXPIRED_SESSIONS, before, after, limit);
    const count = await this.removeBySessions(ids, LOCK_SESSIONS_TO_DELETE, async (client, free) => {
      const empty = (await rowsOf<{ id: string }>(client, EMPTY_SESSIONS, [free, before])).map(({ id }) => id);
      if (empty.length > 0) await rowsOf(client, DELETE_SESSIONS, [empty]);
      return empty.length;
    });
    return { count, next };
  }

  private async findExpired(
    sql: Statement,
    before: Instant,
    after: RetentionCursor,
    limit: number,
  ): Promise<{ ids: readonly string[]; next: RetentionCursor }> {
    const { at, id } = after ?? START_CURSOR;
    const found = await rowsOf<FoundRow>(this.pool, sql, [before, at, id, limit]);
    const last = found.at(-1);
    return {
      ids: [...new Set(found.map(row => row.id))],
      next: last === undefined || found.length < limit ? null : { at: last.at, id: last.id },
    };
  }

  /**
   * Locks the sessions first, then removes rows with a separate statement, which sees everything that was committed for
   * these sessions until then.
   */
  private async removeBySessions(
    ids: readonly string[],
    lock: Statement,
    remove: (client: PoolClient, free: readonly string[]) => Promise<number>,
  ): Promise<number> {
    let count = 0;
    for (let from = 0; from < ids.length; from += SESSIONS_PER_TRANSACTION)
      count += await inTransaction(this.pool, async client => {
        const free = await rowsOf<{ id: string }>(client, lock, [ids.slice(from, from + SESSIONS_PER_TRANSACTION)]);
        return free.length === 0
          ? 0
          : remove(
              client,
              free.map(({ id }) => id),
            );
      });
    return count;
  }
}

interface Counted {
  readonly count: number;
}
