import type { Pool } from 'pg';
import { InvalidInputError } from '../../core/errors';
import type { EventRecord } from '../../core/event';
import type { OrganizationId, SessionId } from '../../core/ids';
import type { EventStore, SessionEventsRequest } from '../../core/ports/event-store';
import { decodeCursor, encodeCursor, cursorExpiredError, isBigint, isCount } from '../postgres/cursor';
import { readBelowHorizon, feedHorizon } from '../postgres/feed-position';
import { EVENT } from '../postgres/records';
import { type RequestRow, readRowsPerSession } from './rows-per-session';
import { rowsOf, statement } from '../postgres/sql';

// Reads what was removed and what is left in one statement, because retention could remove rows between two. Each
// request therefore yields at least one row, with a null event if there is none.
const OF_SESSIONS = statement(
  'events_of_sessions',
  `
  select ${EVENT}, (s.removed_history ->> 'eventSeq')::int as "removedThroughSeq", asked.at::int as "askedAt"
  from unnest($2::uuid[], $3::int[], $4::int[]) with ordinality as asked (session_id, after_seq, rows, at)
  join session s on s.organization_id = $1 and s.id = asked.session_id
  left join lateral (select * from event e where e.session_id = s.id and e.seq > asked.after_seq order by e.seq limit asked.rows) e on true
  order by asked.at, e.seq`,
);
// Each transaction is of one session, so (position, seq) orders all events.
const HANDOFF_CHANGES = statement(
  'handoff_changes',
  `
  select ${EVENT}, floor.is_above as "isExpired"
  from (select exists (select from feed_floor f where f.organization_id = $1 and (f.position, f.seq) > ($2::bigint, $3::int)) as is_above) floor
  left join lateral (
    select * from event e
    where e.organization_id = $1 and e.type = 'HANDOFF_CHANGED' and (e.position, e.seq) > ($2::bigint, $3::int)
    order by e.position, e.seq limit $4
  ) e on true
  order by e.position, e.seq`,
);

const NO_LIMIT = 2_147_483_647;

export class PostgresEventStore implements EventStore {
  constructor(private readonly pool: Pool) {}

  async listBySession(
    organizationId: OrganizationId,
    sessionId: SessionId,
    afterSeq: number | null,
    limit: number,
  ): Promise<readonly EventRecord[]> {
    const [found] = await this.listBySessions(organizationId, [{ sessionId, afterSeq, limit }]);
    if (found instanceof InvalidInputError) throw found;
    return found!;
  }

  async listBySessions(
    organizationId: OrganizationId,
    requests: readonly SessionEventsRequest[],
  ): Promise<readonly (readonly EventRecord[] | InvalidInputError)[]> {
    const rowsByRequest = await readRowsPerSession<EventRecord & RequestRow>(
      this.pool,
      OF_SESSIONS,
      organizationId,
      requests.map(({ sessionId, afterSeq, limit }) => ({ sessionId, afterSeq: afterSeq ?? 0, rows: limit })),
    );
    return requests.map(({ afterSeq }, i) => {
      const rows = rowsByRequest[i]!;
      if (afterSeq !== null && afterSeq < (rows[0]?.removedThroughSeq ?? 0)) return cursorExpiredError();
      return rows.filter(hasEvent).map(({ removedThroughSeq: _, askedAt: __, ...event }): EventRecord => event);
    });
  }

  async listHandoffChanges(organizationId: OrganizationId, after: string, limit: number) {
    const [position, seq] = decodeCursor<[string, number]>('handoffChanges', after, [isBigint, isCount]);
    const rows = await readBelowHorizon(this.pool, async () => {
      const found = await rowsOf<EventRecord & { isExpired: boolean }>(this.pool, HANDOFF_CHANGES, [
        organizationId,
        position,
        seq,
        limit,
      ]);
      if (found[0]?.isExpired) throw cursorExpiredError();
      return found.filter(hasEvent).map(({ isExpired: _, ...event }): EventRecord => event);
    });
    const events = rows.map(event => ({ event, cursor: encodeCursor('handoffChanges', event.position, event.seq) }));
    return { events, cursor: events.at(-1)?.cursor ?? after };
  }

  async currentCursor(): Promise<string> {
    return encodeCursor('handoffChanges', String(await feedHorizon(this.pool)), NO_LIMIT);
  }
}

const hasEvent = ({ seq }: EventRecord): boolean => (seq as number | null) !== null;
