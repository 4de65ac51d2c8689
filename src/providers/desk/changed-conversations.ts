import type { ChangedConversations, ChangedPage } from '../../core/ports/provider/read-verbs';
import { requireAccount, type Query } from './database';

const PAGE = 100;

/**
 * Returns one page of the recently changed conversations, newest change first. While a caller pages, a conversation
 * that changes moves to an earlier page and the others only to later ones, so paging skips none of them.
 */
export async function listChangedConversations(
  query: Query,
  now: number,
  { access, withinMs, page }: ChangedConversations,
): Promise<ChangedPage> {
  const { rows } = await query(
    `
    select id from desk_conversation where account_id = $1 and last_activity_at >= $2
    order by last_activity_at desc, id desc limit ${PAGE + 1} offset $3`,
    [await requireAccount(query, access), new Date(now - withinMs).toISOString(), (page - 1) * PAGE],
  );
  return { conversationIds: rows.slice(0, PAGE).map(({ id }) => id as string), hasMore: rows.length > PAGE };
}
