import type { Pool } from 'pg';
import { firstOf, statement } from './sql';

const IS_WRITABLE = statement(
  'takes_writes',
  `select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off' as "isWritable"`,
);

/**
 * Returns whether the pool's server accepts writes. Closes the connection otherwise, so that the next one may reach
 * another server.
 */
export async function isWritable(pool: Pool): Promise<boolean> {
  const client = await pool.connect();
  try {
    const { isWritable: does } = (await firstOf<{ isWritable: boolean }>(client, IS_WRITABLE))!;
    client.release(!does);
    return does;
  } catch (error) {
    client.release(error as Error);
    throw error;
  }
}
