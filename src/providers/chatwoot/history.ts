import type { Connection } from './connection';
import { readInConversation } from './damaged-conversation';
import { readList, type WireMessage } from './wire';

/** Chatwoot's page sizes: after an id, and between two ids (measured on 4.10 and 4.14). */
const PAGE = 100;
const RANGE_PAGE = 1000;

const createMessageList =
  (connection: Connection, conversationPath: string, signal: AbortSignal) =>
  async (query: string): Promise<readonly WireMessage[]> => {
    const { payload } = (await readInConversation(connection, `${conversationPath}/messages?${query}`, signal)) as {
      payload?: unknown;
    };
    return readList<WireMessage>(payload, 'messages');
  };

/**
 * Returns all messages with ids from `first` to `last`, both included. A full response may be cut off, so its range is
 * read in halves. Throws what calls throw.
 */
export async function messagesBetween(
  connection: Connection,
  conversationPath: string,
  first: number,
  last: number,
  signal: AbortSignal,
): Promise<readonly WireMessage[]> {
  const rows = await createMessageList(connection, conversationPath, signal)(`after=${first}&before=${last + 1}`);
  if (rows.length < RANGE_PAGE || first >= last) return rows;
  const middle = first + Math.floor((last - first) / 2);
  return [
    ...(await messagesBetween(connection, conversationPath, first, middle, signal)),
    ...(await messagesBetween(connection, conversationPath, middle + 1, last, signal)),
  ];
}

/**
 * Yields the messages after an id, in batches of ascending ids without gaps. Chatwoot filters by id but sorts by
 * `created_at`, and the two orders differ: a full page may lack an id below its highest. So a full page only gives the
 * next upper bound, and the messages up to it are read by range.
 */
export async function* messagesAfter(
  connection: Connection,
  conversationPath: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<readonly WireMessage[]> {
  const list = createMessageList(connection, conversationPath, signal);
  for (let from = after; ; ) {
    const page = await list(`after=${from}`);
    if (page.length < PAGE) return yield byId(page);
    const highest = page.reduce((most, { id }) => Math.max(most, id), from);
    yield byId(await messagesBetween(connection, conversationPath, from + 1, highest, signal));
    from = highest;
  }
}

const byId = (rows: readonly WireMessage[]) => [...rows].sort((one, other) => one.id - other.id);
