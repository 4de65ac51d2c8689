import type { Pool } from 'pg';
import { isUuid, type MessageId, type OrganizationId, type ProviderMessageId, type SessionId } from '../core/ids';
import type { MessageRecord } from '../core/message';
import type { MessageStore, Page, PageRequest } from '../core/ports/stores';
import { decodeCursor, encodeCursor, expiredCursor, isCount } from './cursor';
import { manyById, MESSAGE } from './records';
import { firstOf, rowsOf, statement } from './sql';

const BY_ID = statement('message', `select ${MESSAGE} from message m where m.organization_id = $1 and m.id = $2`);
const BY_IDS = statement('messages', `select ${MESSAGE} from message m where m.organization_id = $1 and m.id = any($2::uuid[])`);
// As in event-store.ts: at least one row, with a null for the message when there is none.
const OF_SESSION = statement('messages_of_session', `
  select ${MESSAGE}, (s.forgotten ->> 'messageSeq')::int as "forgottenSeq" from session s
  left join lateral (select * from message m where m.session_id = s.id and m.seq > $3 order by m.seq limit $4) m on true
  where s.organization_id = $1 and s.id = $2 order by m.seq`);
// A message that went in a file is `<the file's id>#<its number>` there.
const KNOWN_POSTS = statement('known_posts', `
  select id from unnest($3::text[]) as given (id)
  where exists (
    select from message m where m.organization_id = $1 and m.session_id = $2
      and (split_part(m.provider_message_id, '#', 1) = given.id or m.shown -> 'lines' ? given.id))`);
const AGENT_SAID_SINCE = statement('agent_said_since', `
  select from message where organization_id = $1 and session_id = $2 and seq > $3 and author = 'AGENT' and visibility = 'PUBLIC' limit 1`);

export class PostgresMessageStore implements MessageStore {
  constructor(private readonly pool: Pool) {}

  async get(organizationId: OrganizationId, id: MessageId): Promise<MessageRecord | null> {
    return isUuid(id) ? firstOf(this.pool, BY_ID, [organizationId, id]) : null;
  }

  getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (MessageRecord | null)[]> {
    return manyById<MessageRecord>(this.pool, BY_IDS, organizationId, ids);
  }

  async knownPosts(organizationId: OrganizationId, sessionId: SessionId, ids: readonly ProviderMessageId[]): Promise<ReadonlySet<ProviderMessageId>> {
    return new Set((await rowsOf<{ id: string }>(this.pool, KNOWN_POSTS, [organizationId, sessionId, ids])).map(({ id }) => id));
  }

  async hasAgentSaidSince(organizationId: OrganizationId, sessionId: SessionId, seq: number): Promise<boolean> {
    return (await firstOf(this.pool, AGENT_SAID_SINCE, [organizationId, sessionId, seq])) !== null;
  }

  async page(organizationId: OrganizationId, sessionId: SessionId, { first, after }: PageRequest): Promise<Page<MessageRecord>> {
    const [afterSeq] = after === null ? [0] : decodeCursor<[number]>('messages', after, [isCount]);
    const found = isUuid(sessionId) ? await rowsOf<MessageRecord & { forgottenSeq: number | null }>(this.pool, OF_SESSION, [organizationId, sessionId, afterSeq, first + 1]) : [];
    if (after !== null && afterSeq < (found[0]?.forgottenSeq ?? 0)) throw expiredCursor();
    const rows = found.filter(({ id }) => (id as string | null) !== null).map(({ forgottenSeq: _, ...message }): MessageRecord => message);
    return {
      edges: rows.slice(0, first).map((node) => ({ node, cursor: encodeCursor('messages', node.seq) })),
      hasNextPage: rows.length > first,
    };
  }
}
