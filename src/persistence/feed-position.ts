import { setTimeout } from 'node:timers/promises';
import { firstOf, statement, type Connection } from './sql';

/*
 * Lists that run over many Sessions are read forward by position. Each writing transaction draws its position from a
 * sequence while it holds its Session's lock, so positions never fall within a Session. But transactions do not commit
 * in the order in which they draw: a reader that went on behind the newest visible row would step over one that commits
 * later. Therefore a writer first takes a shared advisory lock named after the last position drawn so far, and a reader
 * stops at `feed_horizon()`: the newest position drawn, or the oldest such lock, whichever is less.
 *
 * Why nothing can appear at or below a horizon h later: its writer either held the lock when the horizon looked, and
 * then drew a position above the lock's number, which is at least h; or took the lock after the look, and then drew
 * after `last_value` had been read, hence above h; or had let go before the look, and locks are let go after commit.
 *
 * A horizon made of all running transactions of the server (`pg_snapshot_xmin`) would do too, but there anybody's long
 * transaction, in any database of that server, would hold back what agents say.
 */

/** In a transaction that holds its Session's lock, before its position is drawn. 21333 << 48 keeps clear of other advisory locks. */
export const ENTER_FEED = statement('enter_feed', 'select pg_advisory_xact_lock_shared((21333::bigint << 48) + last_value) from feed_position');

const HORIZON = statement('feed_horizon', 'select feed_horizon() as horizon');

export async function feedHorizon(db: Connection): Promise<bigint> {
  return BigInt((await firstOf<{ horizon: string }>(db, HORIZON))!.horizon);
}

/** Waits between looks at rows that are committed, but behind a transaction that is not: nobody rings when that one ends without a word. */
const LOOK_AGAIN_MS = [2, 5, 10, 20, 50, 100, 200];

/** What of a list lies below the horizon now, in order. `read` is called after the horizon was taken. */
export async function belowHorizon<Row extends { readonly position: string }>(db: Connection, read: () => Promise<Row[]>): Promise<Row[]> {
  for (const wait of [...LOOK_AGAIN_MS, null]) {
    const horizon = await feedHorizon(db);
    const rows = await read();
    const held = rows.findIndex(({ position }) => BigInt(position) > horizon);
    if (held === -1) return rows;
    if (held > 0 || wait === null) return rows.slice(0, held);
    await setTimeout(wait);
  }
  return [];
}
