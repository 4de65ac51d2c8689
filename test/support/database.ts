import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { migrate } from '../../src/persistence/migrate';

export interface TestDatabase {
  readonly url: string;
  /** Drops the database. Throws if a connection to it was not closed. */
  drop(): Promise<void>;
}

/** Creates a separate database with all tables, cloned from the migrated template (about 30 ms). */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `t_${randomBytes(8).toString('hex')}`;
  await onServer((server) => server.query(`create database ${name} template ${templateName()}`));
  return { url: urlOf(name), drop: () => drop(name) };
}

/** Creates an empty database, for tests that create their own tables. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `e_${randomBytes(8).toString('hex')}`;
  await onServer((server) => server.query(`create database ${name} template template0`));
  return { url: urlOf(name), drop: () => drop(name) };
}

/**
 * Creates the template. Called once per test run, by global-setup. The name is unique per run, because several runs may
 * share a server.
 */
export async function buildTemplate(): Promise<void> {
  process.env.TEST_TEMPLATE = `support_template_${randomBytes(4).toString('hex')}`;
  await onServer((server) => server.query(`create database ${templateName()} template template0`));
  await migrate(urlOf(templateName()));
}

export const dropTemplate = (): Promise<unknown> => onServer((server) => server.query(`drop database if exists ${templateName()}`));

async function drop(name: string): Promise<void> {
  await onServer(async (server) => {
    const forgotten = await connectionsAfterGrace(server, name);
    await server.query(`drop database ${name} with (force)`);
    if (forgotten.length > 0) throw new Error(`Connections to the test's database were left open: ${forgotten.join('; ')}`);
  });
}

/** A backend needs a moment to notice that its client has disconnected. */
async function connectionsAfterGrace(server: Client, name: string): Promise<string[]> {
  for (const until = Date.now() + 60_000; ;) {
    const { rows } = await server.query<{ line: string }>(
      "select format('%s (%s): %s', nullif(application_name, ''), state, left(query, 80)) as line from pg_stat_activity where datname = $1 and backend_type = 'client backend'", [name]);
    if (rows.length === 0 || Date.now() > until) return rows.map(({ line }) => line);
    await setTimeout(25);
  }
}

async function onServer<T>(use: (server: Client) => Promise<T>): Promise<T> {
  const server = new Client({ connectionString: required('TEST_DATABASE_URL'), application_name: 'test-support' });
  await server.connect();
  try {
    return await use(server);
  } finally {
    await server.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(required('TEST_DATABASE_URL'));
  url.pathname = `/${database}`;
  return url.href;
}

const templateName = (): string => required('TEST_TEMPLATE');

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: test/global-setup.ts sets it.`);
  return value;
}
