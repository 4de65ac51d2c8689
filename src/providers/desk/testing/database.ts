import type { Pool, PoolClient } from 'pg';
import { openTestPool } from '../../../testing/test-pool';
import type { Database } from '../database';

export interface TestDatabase extends Database {
  readonly pool: Pool;
  stop(): Promise<void>;
}

/** Opens a database of its own with all tables and nothing in them. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const { pool, close } = await openTestPool();
  return {
    pool,
    query: (text, values) => pool.query(text, values as unknown[]),
    async transaction(work) {
      const client = await pool.connect();
      try {
        return await inTransaction(client, work);
      } finally {
        client.release();
      }
    },
    stop: close,
  };
}

async function inTransaction<T>(client: PoolClient, work: Parameters<Database['transaction']>[0]): Promise<T> {
  await client.query('begin');
  try {
    const answer = await work((text, values) => client.query(text, values as unknown[]));
    await client.query('commit');
    return answer as T;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
