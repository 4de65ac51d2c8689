import { randomUUID } from 'node:crypto';
import { Pool, type PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { InitialDeskSchema1796120000001 } from '../migrations/1796120000001-InitialDeskSchema';
import type { Database } from '../database';

export const DESK_MIGRATIONS = [InitialDeskSchema1796120000001];

export interface TestDatabase extends Database {
  readonly pool: Pool;
  readonly url: string;
  stop(): Promise<void>;
}

/** Opens a new database that has only the desk's tables; the desk needs no others. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const server = process.env.TEST_DATABASE_URL;
  if (!server)
    throw new Error('TEST_DATABASE_URL is not set; run this through jest, whose global setup starts a Postgres.');
  const name = `desk_${randomUUID().replaceAll('-', '')}`;
  await once(server, `create database ${name}`);
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const source = await new DataSource({
    type: 'postgres',
    url,
    migrations: DESK_MIGRATIONS,
    migrationsTableName: 'desk_test_migration',
    poolSize: 1,
  }).initialize();
  await source.runMigrations();
  await source.destroy();

  const pool = new Pool({ connectionString: url, max: 12 });
  pool.on('error', () => {});
  return {
    pool,
    url,
    query: (text, values) => pool.query(text, values as unknown[]),
    async transaction(work) {
      const client = await pool.connect();
      try {
        return await inTransaction(client, work);
      } finally {
        client.release();
      }
    },
    async stop() {
      await pool.end();
      await once(server, `drop database ${name} with (force)`);
    },
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

async function once(url: string, statement: string): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 1 });
  try {
    await pool.query(statement);
  } finally {
    await pool.end();
  }
}
