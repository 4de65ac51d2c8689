import type { Pool } from 'pg';
import { isUuid, type MessageId, type OrganizationId, type SessionId } from '../../core/ids';
import type { MessageRecord } from '../../core/message';
import { InvalidInputError } from '../../core/errors';
import type { MessageStore, SessionPageRequest } from '../../core/ports/message-store';
import type { Page, PageRequest } from '../../core/ports/page';
import { decodeCursor, encodeCursor, cursorExpiredError, isCount } from '../postgres/cursor';
import { findManyById, MESSAGE } from '../postgres/records';
import { type RequestRow, readRowsPerSession } from './rows-per-session';
import { firstOf, statement } from '../postgres/sql';

const BY_ID = statement('message', `select ${MESSAGE} from message m where m.organization_id = $1 and m.id = $2`);
const BY_IDS = statement(
  'messages',
  `select ${MESSAGE} from message m where m.organization_id = $1 and m.id = any($2::uuid[])`,
);
// As in event-store.ts: at least one row for each request of a known session, with a null message if there is none.
const OF_SESSIONS = statement(
  'messages_of_sessions',
  `
  select ${MESSAGE}, (s.removed_history ->> 'messageSeq')::int as "removedThroughSeq", asked.at::int as "askedAt"
  from unnest($2::uuid[], $3::int[], $4::int[]) with ordinality as asked (session_id, after_seq, rows, at)
  join session s on s.organization_id = $1 and s.id = asked.session_id
  left join lateral (select * from message m where m.session_id = s.id and m.seq > asked.after_seq order by m.seq limit asked.rows) m on true
  order by asked.at, m.seq`,
);
const HAS_AGENT_MESSAGE_SINCE = statement(
  'agent_said_since',
  `
  select from message where organization_id = $1 and session_id = $2 and seq > $3 and author = 'AGENT' and visibility = 'PUBLIC' limit 1`,
);

export class PostgresMessageStore implements MessageStore {
  constructor(private readonly pool: Pool) {}

  async get(organizationId: OrganizationId, id: MessageId): Promise<MessageRecord | null> {
    return isUuid(id) ? firstOf(this.pool, BY_ID, [organizationId, id]) : null;
  }

  getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (MessageRecord | null)[]> {
    return findManyById<MessageRecord>(this.pool, BY_IDS, organizationId, ids);
  }

  async hasAgentMessageSince(organizationId: OrganizationId, sessionId: SessionId, seq: number): Promise<boolean> {
    return (await firstOf(this.pool, HAS_AGENT_MESSAGE_SINCE, [organizationId, sessionId, seq])) !== null;
  }

  async page(organizationId: OrganizationId, sessionId: SessionId, page: PageRequest): Promise<Page<MessageRecord>> {
    const [found] = await this.listPagesBySessions(organizationId, [{ sessionId, ...page }]);
    if (found instanceof InvalidInputError) throw found;
    return found!;
  }

  async listPagesBySessions(
    organizationId: OrganizationId,
    requests: readonly SessionPageRequest[],
  ): Promise<readonly (Page<MessageRecord> | InvalidInputError)[]> {
    const afters = requests.map(({ after }) => afterSeqOf(after));
    // One row more than requested shows whether a page follows.
    const rowsByRequest = await readRowsPerSession<Row>(
      this.pool,
      OF_SESSIONS,
      organizationId,
      requests.map(({ sessionId, first }, i) => {
        const afterSeq = afters[i]!;
        return afterSeq instanceof InvalidInputError ? null : { sessionId, afterSeq, rows: first + 1 };
      }),
    );
    return requests.map(({ first, after }, i) => {
      const afterSeq = afters[i]!;
      const rows = rowsByRequest[i]!;
      if (afterSeq instanceof InvalidInputError) return afterSeq;
      if (after !== null && afterSeq < (rows[0]?.removedThroughSeq ?? 0)) return cursorExpiredError();
      const messages = rows
        .filter(({ id }) => (id as string | null) !== null)
        .map(({ removedThroughSeq: _, askedAt: __, ...message }): MessageRecord => message);
      return {
        edges: messages.slice(0, first).map(node => ({ node, cursor: encodeCursor('messages', node.seq) })),
        hasNextPage: messages.length > first,
      };
    });
  }
}

type Row = MessageRecord & RequestRow;

function afterSeqOf(after: string | null): number | InvalidInputError {
  try {
    return after === null ? 0 : decodeCursor<[number]>('messages', after, [isCount])[0];
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
}
