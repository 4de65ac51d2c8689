import { setTimeout } from 'node:timers/promises';
import { firstOf, statement, type Connection } from './sql';

/**
 * Lists over many sessions are read forward by position. Each writing transaction draws its position from a sequence
 * while it holds its session's lock, so positions never decrease within a session. But transactions do not commit in
 * the order in which they draw: a reader that continued after the newest visible row would skip a row that commits
 * later. Therefore a writer first takes a shared advisory lock named after the last position drawn so far, and a reader
 * stops at `feed_horizon()`: the newest drawn position or the oldest such lock, whichever is lower.
 *
 * Nothing can appear later at or below a horizon h. There are three cases. The writer held the lock when the horizon
 * was computed: then it draws a position above the lock's number, which is at least h. Or it took the lock after that:
 * then it draws after `last_value` was read, hence above h. Or it had released the lock before: then it had committed,
 * because locks are released after the commit.
 *
 * The oldest running transaction of the server (`pg_snapshot_xmin`) would also be a valid horizon. But then any long
 * transaction, in any database of that server, would delay agents' messages.
 */

/**
 * Called in a transaction that holds its session's lock, before it draws its position. 21333 << 48 avoids other
 * advisory locks.
 */
export const ENTER_FEED = statement(
  'enter_feed',
  'select pg_advisory_xact_lock_shared((21333::bigint << 48) + last_value) from feed_position',
);

const HORIZON = statement('feed_horizon', 'select feed_horizon() as horizon');

export async function feedHorizon(db: Connection): Promise<bigint> {
  return BigInt((await firstOf<{ horizon: string }>(db, HORIZON))!.horizon);
}

/**
 * The waits between reads while rows are committed but after a transaction that is not. Nothing signals when such a
 * transaction ends without writing.
 */
const RECHECK_WAITS_MS = [2, 5, 10, 20, 50, 100, 200];

/**
 * Returns the rows of a list that are below the current horizon, in order. Calls `read` after it has read the horizon.
 */
export async function readBelowHorizon<Row extends { readonly position: string }>(
  db: Connection,
  read: () => Promise<Row[]>,
): Promise<Row[]> {
  for (const wait of [...RECHECK_WAITS_MS, null]) {
    const horizon = await feedHorizon(db);
    const rows = await read();
    const held = rows.findIndex(({ position }) => BigInt(position) > horizon);
    if (held === -1) return rows;
    if (held > 0 || wait === null) return rows.slice(0, held);
    await setTimeout(wait);
  }
  return [];
}
