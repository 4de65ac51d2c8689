import type { Pool } from 'pg';
import type { RuntimeDelivery } from '../core/delivery';
import { isUuid, type Instant, type OrganizationId, type SessionId } from '../core/ids';
import type { DeliveryStore, Page, PageRequest, RuntimeInboxFilter } from '../core/ports/stores';
import { decodeCursor, encodeCursor, isBigint } from './cursor';
import { belowHorizon } from './feed-position';
import { firstOf, rowsOf, statement } from './sql';

const inbox = (name: string, condition: string) => statement(`runtime_inbox${name}`, `
  select d.id, d.organization_id as "organizationId", d.chatbot_id as "chatbotId", d.session_id as "sessionId", d.payload as notice,
    d.position, d.created_at as "createdAt", d.done_at as "acknowledgedAt"
  from delivery d
  where d.organization_id = $1 and d.destination = 'RUNTIME' and d.state = 'WAITING' and (d.position, d.id) > ($2, $3)${condition}
  order by d.position, d.id limit $4`);
const INBOX = inbox('', '');
const INBOX_OF_CHATBOT = inbox('_of_chatbot', ' and d.chatbot_id = $5');
const INBOX_OF_SESSION = inbox('_of_session', ' and d.session_id = $5');
const INBOX_OF_BOTH = inbox('_of_both', ' and d.session_id = $5 and d.chatbot_id = $6');

// Locked in one order: two replicas that acknowledge overlapping lists cannot wait for each other in a circle.
const ACKNOWLEDGE = statement('acknowledge', `
  with mine as materialized (
    select id, session_id, state from delivery
    where organization_id = $1 and destination = 'RUNTIME' and id = any($2::bigint[]) order by id for no key update
  ), collected as (
    update delivery d set state = 'DONE', done_at = $3 from mine where d.id = mine.id and mine.state <> 'DONE'
  )
  select id, session_id as "sessionId" from mine`);

const OWED = statement('owed', `
  select
    count(*) filter (where destination = 'PROVIDER' and state = 'WAITING')::int as provider,
    count(*) filter (where destination = 'RUNTIME' and state = 'WAITING')::int as runtime,
    count(*) filter (where state = 'PARKED')::int as parked,
    (array_agg(last_error_code order by state = 'WAITING' desc, id) filter (where last_error_code is not null))[1] as "lastErrorCode"
  from delivery where organization_id = $1 and session_id = $2 and state <> 'DONE'`);

export class PostgresDeliveryStore implements DeliveryStore {
  constructor(private readonly pool: Pool) {}

  async runtimeInbox(organizationId: OrganizationId, { chatbotId, sessionId }: RuntimeInboxFilter, { first, after }: PageRequest): Promise<Page<RuntimeDelivery>> {
    const [position, id] = after === null ? ['0', '0'] : decodeCursor<[string, string]>('runtimeInbox', after, [isBigint, isBigint]);
    if (sessionId !== null && !isUuid(sessionId)) return { edges: [], hasNextPage: false };
    const page = [organizationId, position, id, first + 1];
    const read = (): Promise<RuntimeDelivery[]> =>
      sessionId !== null && chatbotId !== null ? rowsOf(this.pool, INBOX_OF_BOTH, [...page, sessionId, chatbotId])
      : sessionId !== null ? rowsOf(this.pool, INBOX_OF_SESSION, [...page, sessionId])
      : chatbotId !== null ? rowsOf(this.pool, INBOX_OF_CHATBOT, [...page, chatbotId])
      : rowsOf(this.pool, INBOX, page);
    // Within one Session the lock has put commits in the order of positions already.
    const rows = sessionId !== null ? await read() : await belowHorizon(this.pool, read);
    return {
      edges: rows.slice(0, first).map((node) => ({ node, cursor: encodeCursor('runtimeInbox', node.position, node.id) })),
      hasNextPage: rows.length > first,
    };
  }

  async acknowledge(organizationId: OrganizationId, ids: readonly string[], at: Instant) {
    const asked = [...new Set(ids)];
    const possible = asked.filter(isBigint);
    const found = possible.length === 0 ? [] : await rowsOf<{ id: string; sessionId: SessionId }>(this.pool, ACKNOWLEDGE, [organizationId, possible, at]);
    const known = new Set(found.map(({ id }) => id));
    return {
      acknowledged: asked.filter((id) => known.has(id)),
      unknown: asked.filter((id) => !known.has(id)),
      sessionIds: [...new Set(found.map(({ sessionId }) => sessionId))],
    };
  }

  async owed(organizationId: OrganizationId, sessionId: SessionId): Promise<{ provider: number; runtime: number; parked: number; lastErrorCode: string | null }> {
    if (!isUuid(sessionId)) return { provider: 0, runtime: 0, parked: 0, lastErrorCode: null };
    return (await firstOf<{ provider: number; runtime: number; parked: number; lastErrorCode: string | null }>(this.pool, OWED, [organizationId, sessionId]))!;
  }
}
