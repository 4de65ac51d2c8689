import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Client } from 'pg';
import { cleaningSql, readMark } from './clean-database';
import { on, onServer, template, urlOf } from './test-server';

/** Emptied databases of this worker. */
const idle: string[] = [];

export interface TestDatabase {
  readonly url: string;
  /** Gives it back. @throws if a connection to it was not closed */
  drop(): Promise<void>;
}

export interface ReusableDatabase extends TestDatabase {
  /**
   * Empties it through a connection to it, with no other open than those. @returns whether it equals the template
   * again; if not, it must be dropped
   */
  empty(through: Pick<Client, 'query'>, others?: readonly number[]): Promise<boolean>;
  /** Gives it back after `empty`, without another check. */
  giveBack(): void;
}

/**
 * A database with all tables and no rows. It is one that an earlier test of this worker gave back, or else a clone of
 * the template: a clone costs Postgres a hundred times as much CPU as emptying the tables.
 */
export async function createTestDatabase(graceMs = GRACE_MS): Promise<ReusableDatabase> {
  const name = idle.pop() ?? (await clone());
  return {
    url: urlOf(name),
    drop: () => giveBack(name, graceMs),
    async empty(through, others = []) {
      return (await connectionsAfterGrace(through, name, graceMs, others)).length === 0 && empty(through);
    },
    giveBack() {
      idle.push(name);
    },
  };
}

/** Creates an empty database, for tests that create their own tables. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `e_${randomBytes(8).toString('hex')}`;
  await onServer(server => server.query(`create database ${name} template template0`));
  return { url: urlOf(name), drop: () => drop(name, GRACE_MS) };
}

async function clone(): Promise<string> {
  const { name, strategy } = template();
  const clone = `${name}_${randomBytes(8).toString('hex')}`;
  await onServer(server => server.query(`create database ${clone} template ${name} ${strategy}`));
  return clone;
}

/** Leaves it to the next test, empty; or drops it, if anything but rows differs from the template. */
async function giveBack(name: string, graceMs: number): Promise<void> {
  const { forgotten, isClean } = await on(urlOf(name), async client => {
    const connections = await connectionsAfterGrace(client, name, graceMs);
    return { forgotten: connections, isClean: connections.length === 0 && (await empty(client)) };
  });
  if (isClean) idle.push(name);
  else await drop(name, graceMs, forgotten);
}

/** Rows that tests have deleted stay in a table's pages, and slow down reads. */
const MOST_GROWTH_BYTES = 8_000_000;

/** @returns whether it equals the template again */
async function empty(client: Pick<Client, 'query'>): Promise<boolean> {
  const { clean } = template();
  const { mark, bytes } = await readMark(client);
  if (mark !== clean.mark || bytes > clean.bytes + MOST_GROWTH_BYTES) return false;
  try {
    await client.query(cleaningSql(clean));
    return true;
  } catch (error) {
    // The user of a given server may not disable triggers.
    if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE) return false;
    throw error;
  }
}

const INSUFFICIENT_PRIVILEGE = '42501';

async function drop(name: string, graceMs: number, forgotten?: readonly string[]): Promise<void> {
  await onServer(async server => {
    const connections = forgotten ?? (await connectionsAfterGrace(server, name, graceMs));
    await server.query(`drop database ${name} with (force)`);
    if (connections.length > 0)
      throw new Error(`Connections to the test's database were left open: ${connections.join('; ')}`);
  });
}

const GRACE_MS = 60_000;

/**
 * A backend takes a moment to notice that its client has disconnected. @param others process ids of connections that
 * may stay
 */
async function connectionsAfterGrace(
  server: Pick<Client, 'query'>,
  name: string,
  graceMs: number,
  others: readonly number[] = [],
): Promise<string[]> {
  for (const until = Date.now() + graceMs; ; ) {
    const { rows } = await server.query<{ line: string }>(
      `select format('%s (%s): %s', nullif(application_name, ''), state, left(query, 80)) as line from pg_stat_activity
       where datname = $1 and backend_type = 'client backend' and pid <> pg_backend_pid() and pid <> all($2::int[])`,
      [name, others],
    );
    if (rows.length === 0 || Date.now() > until) return rows.map(({ line }) => line);
    await setTimeout(10);
  }
}
