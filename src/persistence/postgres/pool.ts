import { Pool, type PoolClient, types } from 'pg';
import { OverloadedError } from '../../core/errors';
import type { Instant } from '../../core/ids';
import { TIME_LIMITS } from '../../time-limits';

export interface PoolOptions {
  /** Milliseconds. If omitted, as for the others: TIME_LIMITS.database. */
  readonly connectMs?: number;
  readonly statementMs?: number;
  readonly idleInTransactionMs?: number;
  /** The maximum number of connections of this process. */
  readonly max?: number;
  readonly applicationName?: string;
  /** How long a statement may have no response until its connection counts as dead. */
  readonly silenceMs?: number;
  /** Called when an idle connection broke. The pool opens a new one by itself. */
  readonly onError?: (error: Error) => void;
}

/**
 * Settings for solid-state disks, made per connection so that any Postgres will do. Times have the format that RFC 3339
 * needs.
 */
const SESSION_SETTINGS = '-c random_page_cost=1.1 -c jit=off -c TimeZone=UTC -c DateStyle=ISO';

export function createPool(url: string, options: PoolOptions = {}): Pool {
  const pool = new Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.applicationName ?? 'support',
    options: SESSION_SETTINGS,
    statement_timeout: options.statementMs ?? TIME_LIMITS.database.statementMs,
    idle_in_transaction_session_timeout: options.idleInTransactionMs ?? TIME_LIMITS.database.idleInTransactionMs,
    connectionTimeoutMillis: options.connectMs ?? TIME_LIMITS.database.connectMs,
    // Longer than the server's own limit, for connections on which the server's response no longer arrives.
    query_timeout: options.silenceMs ?? TIME_LIMITS.database.silenceMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    // Statements are sent without waiting for earlier responses, so a transaction needs fewer round trips.
    pipeline: true,
    types: { getTypeParser },
  });
  // Without listeners, a restart of the server would end this process. The pool's listener is for idle connections, the
  // client's for busy ones, whose statements fail by themselves.
  pool.on('error', error => options.onError?.(error));
  pool.on('connect', client => {
    client.on('error', () => undefined);
  });
  translatePoolErrors(pool);
  return pool;
}

/** Replaces the pool's connect timeout with an OverloadedError that says when to retry. */
function translatePoolErrors(pool: Pool): void {
  const translateError = <E>(error: E): E | OverloadedError =>
    (error as Error | undefined)?.message === 'timeout exceeded when trying to connect'
      ? new OverloadedError(1_000, 'All database connections of this process are in use.')
      : error;
  const connect = pool.connect.bind(pool) as (
    callback?: (error: unknown, ...rest: unknown[]) => void,
  ) => Promise<PoolClient>;
  // Also with a callback, because `pool.query` calls it so.
  pool.connect = ((callback?: (error: unknown, ...rest: unknown[]) => void) =>
    callback
      ? connect((error, ...rest) => callback(translateError(error), ...rest))
      : connect().catch((error: unknown) => {
          throw translateError(error);
        })) as Pool['connect'];
}

const TIMESTAMPTZ = 1184;

/** Returns this pool's own parsers: bigints stay text (ids, positions and fences are opaque), and times become text. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  return oid === TIMESTAMPTZ && format !== 'binary'
    ? instantOfRow
    : (types.getTypeParser(oid, format) as (value: string) => unknown);
}

/** Converts `2026-11-22 20:52:20.5+00` to `2026-11-22T20:52:20.500Z`. */
export function instantOfRow(text: string): Instant {
  if (!text.endsWith('+00') || text.length < 22 || text[10] !== ' ')
    return new Date(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')).toISOString();
  const fraction = text.length > 22 ? text.slice(20, -3) : '';
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
}
