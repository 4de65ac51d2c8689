import { isUuid } from '../../core/ids';
import { rowsOf, type Connection, type Statement } from '../postgres/sql';

/** The columns that a statement over many sessions adds to each row. */
export interface RequestRow {
  /** The 1-based position of the request that the row belongs to. */
  readonly askedAt: number;
  /** The last row that retention removed from the beginning of the session's list; null: none. */
  readonly removedThroughSeq: number | null;
}

export interface RowsRequest {
  readonly sessionId: string;
  readonly afterSeq: number;
  readonly rows: number;
}

/**
 * Reads rows of many sessions in one statement. Returns a list for each request, in the order of `requests`. The
 * statement takes the organization and three arrays: session ids, `seq` to start after, maximum rows. A null request,
 * or one with an id that cannot be ours, gets an empty list.
 */
export async function readRowsPerSession<Row extends RequestRow>(
  db: Connection,
  sql: Statement,
  organizationId: string,
  requests: readonly (RowsRequest | null)[],
): Promise<readonly (readonly Row[])[]> {
  const found: Row[][] = requests.map(() => []);
  const places = [...requests.keys()].filter(i => requests[i] !== null && isUuid(requests[i]!.sessionId));
  if (places.length === 0) return found;
  const asked = places.map(i => requests[i]!);
  const rows = await rowsOf<Row>(db, sql, [
    organizationId,
    asked.map(({ sessionId }) => sessionId),
    asked.map(({ afterSeq }) => afterSeq),
    asked.map(request => request.rows),
  ]);
  for (const row of rows) found[places[row.askedAt - 1]!]!.push(row);
  return found;
}
