import type { Pool } from 'pg';
import type { EventRecord } from '../core/event';
import { isUuid, type OrganizationId, type SessionId } from '../core/ids';
import type { EventStore } from '../core/ports/stores';
import { decodeCursor, encodeCursor, isBigint, isCount } from './cursor';
import { belowHorizon, feedHorizon } from './feed-position';
import { EVENT } from './records';
import { rowsOf, statement } from './sql';

const OF_SESSION = statement('events_of_session',
  `select ${EVENT} from event e where e.organization_id = $1 and e.session_id = $2 and e.seq > $3 order by e.seq limit $4`);
// One transaction is one Session: (position, seq) orders all of them.
const HANDOFF_CHANGES = statement('handoff_changes', `
  select ${EVENT} from event e
  where e.organization_id = $1 and e.type = 'HANDOFF_CHANGED' and (e.position, e.seq) > ($2, $3)
  order by e.position, e.seq limit $4`);

const ALL_OF_IT = 2_147_483_647;

export class PostgresEventStore implements EventStore {
  constructor(private readonly pool: Pool) {}

  async ofSession(organizationId: OrganizationId, sessionId: SessionId, afterSeq: number, limit: number): Promise<readonly EventRecord[]> {
    return isUuid(sessionId) ? rowsOf(this.pool, OF_SESSION, [organizationId, sessionId, afterSeq, limit]) : [];
  }

  async handoffChanges(organizationId: OrganizationId, after: string, limit: number) {
    const [position, seq] = decodeCursor<[string, number]>('handoffChanges', after, [isBigint, isCount]);
    const rows = await belowHorizon(this.pool, () => rowsOf<EventRecord>(this.pool, HANDOFF_CHANGES, [organizationId, position, seq, limit]));
    const events = rows.map((event) => ({ event, cursor: encodeCursor('handoffChanges', event.position, event.seq) }));
    return { events, cursor: events.at(-1)?.cursor ?? after };
  }

  async now(): Promise<string> {
    return encodeCursor('handoffChanges', String(await feedHorizon(this.pool)), ALL_OF_IT);
  }
}
