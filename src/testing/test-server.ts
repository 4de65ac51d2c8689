import { Client } from 'pg';
import type { CleanState } from './clean-database';

/** The migrated template; global setup passes its name to the workers in TEST_TEMPLATE. */
export interface Template {
  readonly name: string;
  /** Option of `create database`: how to copy the files. */
  readonly strategy: string;
  readonly clean: CleanState;
}

export const template = (): Template => JSON.parse(required('TEST_TEMPLATE')) as Template;

export const onServer = <T>(use: (server: Client) => Promise<T>): Promise<T> => on(required('TEST_DATABASE_URL'), use);

export async function on<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'test-support' });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

export function urlOf(database: string): string {
  const url = new URL(required('TEST_DATABASE_URL'));
  url.pathname = `/${database}`;
  return url.href;
}

function required(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`${name} is not set: test/global-setup.ts sets it, which jest runs for every project but "unit".`);
  return value;
}
