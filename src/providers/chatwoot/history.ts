import type { Connection } from './connection';
import { readInConversation } from './damaged';
import { listIn, type WireMessage } from './wire';

/** Chatwoot's page sizes: after an id, and between two ids. */
const PAGE = 100;
const RANGE_PAGE = 1000;

/**
 * A conversation's messages behind an id, in batches of ascending ids, each without a gap.
 *
 * Chatwoot filters by id and sorts by `created_at`, and the two orders differ: a full page may lack an id lower than its
 * highest. So a full page only says how far to go; what lies up to there is read by range.
 */
export async function* messagesAfter(connection: Connection, conversationPath: string, after: number, signal: AbortSignal): AsyncGenerator<readonly WireMessage[]> {
  const list = async (query: string) => {
    const { payload } = await readInConversation(connection, `${conversationPath}/messages?${query}`, signal) as { payload?: unknown };
    return listIn<WireMessage>(payload, 'messages');
  };
  /** All in (from, to]. */
  const between = async (from: number, to: number): Promise<readonly WireMessage[]> => {
    const rows = await list(`after=${from + 1}&before=${to + 1}`);
    if (rows.length < RANGE_PAGE || to - from < 2) return rows;
    const middle = from + Math.floor((to - from) / 2);
    return [...await between(from, middle), ...await between(middle, to)];
  };

  for (let from = after; ;) {
    const page = await list(`after=${from}`);
    if (page.length < PAGE) return yield byId(page);
    const highest = page.reduce((most, { id }) => Math.max(most, id), from);
    yield byId(await between(from, highest));
    from = highest;
  }
}

const byId = (rows: readonly WireMessage[]) => [...rows].sort((one, other) => one.id - other.id);
