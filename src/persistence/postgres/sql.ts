import type { Pool, PoolClient } from 'pg';

/** A statement. With a name, each connection plans it once; without, each time. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

export const statement = (name: string, text: string): Statement => ({ name, text });

export type Connection = Pick<Pool, 'query'> | Pick<PoolClient, 'query'>;

export async function rowsOf<Row extends object>(
  db: Connection,
  { name, text }: Statement,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  return (await db.query<Row>({ name, text, values: values.map(toSendable) })).rows;
}

export async function firstOf<Row extends object>(
  db: Connection,
  sql: Statement,
  values: readonly unknown[] = [],
): Promise<Row | null> {
  return (await rowsOf<Row>(db, sql, values))[0] ?? null;
}

/** Runs one short transaction on one connection. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    await rollBack(client, error);
    throw error;
  }
}

/**
 * Rolls back and returns the connection to its pool. Closes a connection that cannot roll back, and one whose server
 * accepts no writes because it is a standby now: the next connection goes to the server that the host name then points
 * to.
 */
export async function rollBack(client: PoolClient, failure?: unknown): Promise<void> {
  if (isReadOnly(failure)) return client.release(failure as Error);
  await client.query('rollback').then(
    () => client.release(),
    (broken: Error) => client.release(broken),
  );
}

const isReadOnly = (failure: unknown): boolean => (failure as { code?: unknown } | undefined)?.code === '25006';

/** Removes NUL, which Postgres text cannot contain. Callers check for it where it is an error. */
const toSendable = (value: unknown): unknown =>
  typeof value === 'string' ? withoutNul(value) : Array.isArray(value) ? value.map(toSendable) : value;

const withoutNul = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '') : text);

/**
 * Converts a value for a json or jsonb parameter. jsonb refuses NUL and lone surrogates, which any text of a caller may
 * contain.
 */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('\\u')
    ? text.replace(/\\\\|\\u(0000|d[89a-f][0-9a-f]{2})/g, (match, code?: string) =>
        code === undefined ? match : code === '0000' ? '' : '\ufffd',
      )
    : text;
}

export const column = (field: string): string => field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/** Returns `s.organization_id as "organizationId", …`, so that rows are records. */
export const selectList = (alias: string, fields: readonly string[]): string =>
  fields.map(field => `${alias}.${column(field)} as "${field}"`).join(', ');

/** Returns `organization_id, …`. */
export const columns = (fields: readonly string[]): string => fields.map(column).join(', ');

/** Returns `$2, $3, …`. */
export const parameters = (fields: readonly string[], first = 1): string =>
  fields.map((_, i) => `$${i + first}`).join(', ');

/** Returns `state = $2, agent_id = $3, …`. */
export const assignments = (fields: readonly string[], first: number): string =>
  fields.map((field, i) => `${column(field)} = $${i + first}`).join(', ');
