import { setTimeout } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { createPool, type PoolOptions } from '../persistence/postgres/pool';
import { createTestDatabase, type ReusableDatabase } from './database';

export interface TestPool {
  readonly database: ReusableDatabase;
  readonly pool: Pool;
  /** @throws if a connection was not closed. Afterwards the pool accepts no statement. */
  close(): Promise<void>;
}

interface Opened {
  readonly key: string;
  readonly database: ReusableDatabase;
  readonly pool: Pool;
  /** As it was created: the next test must not get what a test has replaced. */
  readonly methods: readonly unknown[];
}

/**
 * Emptied databases with their connections, for the next test of this worker: Postgres needs more CPU time to connect
 * than for most tests. They do not keep the worker running.
 */
const kept: Opened[] = [];

/** All open ones, or one. */
const clientsOf = (pool: Pool): Promise<PoolClient[]> =>
  Promise.all(Array.from({ length: Math.max(pool.totalCount, 1) }, () => pool.connect()));

/** A pool on a separate database with all tables and no rows. @param graceMs for unclosed connections to close */
export async function openTestPool(options: PoolOptions = {}, graceMs?: number): Promise<TestPool> {
  const key = JSON.stringify(options);
  const place = kept.findIndex(one => one.key === key);
  const opened = place >= 0 ? kept.splice(place, 1)[0]! : await open(key, options, graceMs);
  let isClosed = false;
  const pool = new Proxy(opened.pool, {
    get(target, name) {
      if (isClosed && (name === 'query' || name === 'connect'))
        return () => Promise.reject(new Error('Cannot use a pool after calling end on the pool'));
      return Reflect.get(target, name) as unknown;
    },
  });
  return {
    database: opened.database,
    pool,
    async close() {
      const isEmpty = (await comesToRest(opened)) && (await emptied(opened));
      isClosed = true;
      if (isEmpty) return void kept.push(opened);
      await opened.pool.end();
      await opened.database.drop();
    },
  };
}

async function open(key: string, options: PoolOptions, graceMs?: number): Promise<Opened> {
  const database = await createTestDatabase(graceMs);
  const pool = createPool(database.url, options);
  pool.options.allowExitOnIdle = true;
  return { key, database, pool, methods: methodsOf(pool) };
}

const methodsOf = (pool: Pool): unknown[] => [
  pool.query,
  pool.connect,
  pool.end,
  ...pool.eventNames().flatMap(name => pool.listeners(name)),
];

/** @returns false if it was changed or ended, or a connection of it is still in use */
async function comesToRest({ pool, methods }: Opened): Promise<boolean> {
  const now = methodsOf(pool);
  if (pool.ending || now.length !== methods.length || now.some((method, index) => method !== methods[index]))
    return false;
  for (const until = Date.now() + 60_000; pool.idleCount !== pool.totalCount || pool.waitingCount > 0; ) {
    if (Date.now() > until) return false;
    await setTimeout(5);
  }
  return true;
}

async function emptied({ pool, database }: Opened): Promise<boolean> {
  // All of them: each may have settings of the last test.
  const clients = await clientsOf(pool);
  try {
    await Promise.all(clients.map(client => client.query('reset all; unlisten *; select pg_advisory_unlock_all()')));
    return await database.empty(
      clients[0]!,
      clients.map(client => (client as unknown as { processID: number }).processID),
    );
  } finally {
    for (const client of clients) client.release();
  }
}
