import { isUuid } from '../core/ids';
import { rowsOf, type Connection, type Statement } from './sql';

/** What a statement over many Sessions says beside each row. */
export interface OfRequest {
  /** 1-based place of the request that the row belongs to. */
  readonly askedAt: number;
  /** The last row that retention removed from the front of the Session's list; null: none. */
  readonly forgottenSeq: number | null;
}

export interface RowsRequest { readonly sessionId: string; readonly afterSeq: number; readonly rows: number }

/**
 * Rows of many Sessions by one statement, a list for each request in the order of `requests`. The statement takes the
 * organization and three arrays: Session ids, `seq` to start after, most rows. A null request, and one whose id cannot
 * be one of ours, gets an empty list.
 */
export async function rowsPerSession<Row extends OfRequest>(db: Connection, sql: Statement, organizationId: string, requests: readonly (RowsRequest | null)[]): Promise<readonly (readonly Row[])[]> {
  const found: Row[][] = requests.map(() => []);
  const places = [...requests.keys()].filter((i) => requests[i] !== null && isUuid(requests[i]!.sessionId));
  if (places.length === 0) return found;
  const asked = places.map((i) => requests[i]!);
  const rows = await rowsOf<Row>(db, sql, [
    organizationId, asked.map(({ sessionId }) => sessionId), asked.map(({ afterSeq }) => afterSeq), asked.map((request) => request.rows),
  ]);
  for (const row of rows) found[places[row.askedAt - 1]!]!.push(row);
  return found;
}
