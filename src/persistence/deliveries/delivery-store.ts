import type { Pool } from 'pg';
import type { RuntimeDelivery } from '../../core/delivery';
import { InvalidInputError } from '../../core/errors';
import { isUuid, type Instant, type OrganizationId, type SessionId } from '../../core/ids';
import type { Clock } from '../../core/ports/clock';
import type { DeliveryStore, PendingDeliveries, RuntimeInboxFilter } from '../../core/ports/delivery-store';
import type { Page, PageRequest } from '../../core/ports/page';
import { decodeCursor, encodeCursor, isBigint, isText } from '../postgres/cursor';
import { readBelowHorizon } from '../postgres/feed-position';
import { firstOf, rowsOf, statement } from '../postgres/sql';
import { retryConflicts } from '../postgres/retry-conflicts';

const inboxStatement = (name: string, condition: string) =>
  statement(
    `runtime_inbox${name}`,
    `
  select d.id, d.organization_id as "organizationId", d.chatbot_id as "chatbotId", d.session_id as "sessionId", d.payload as notice,
    d.position, d.created_at as "createdAt", d.done_at as "acknowledgedAt"
  from delivery d
  where d.organization_id = $1 and d.destination = 'RUNTIME' and d.state = 'WAITING' and (d.position, d.id) > ($2, $3)${condition}
  order by d.position, d.id limit $4`,
  );
const INBOX = inboxStatement('', '');
const INBOX_OF_CHATBOT = inboxStatement('_of_chatbot', ' and d.chatbot_id = $5');
const INBOX_OF_SESSION = inboxStatement('_of_session', ' and d.session_id = $5');
const INBOX_OF_BOTH = inboxStatement('_of_both', ' and d.session_id = $5 and d.chatbot_id = $6');

// Rows are locked in one order, so that two replicas that acknowledge overlapping lists cannot deadlock.
const ACKNOWLEDGE = statement(
  'acknowledge',
  `
  with mine as materialized (
    select id, session_id, state, attempts from delivery
    where organization_id = $1 and destination = 'RUNTIME' and id = any($2::bigint[]) order by id for no key update
  ), collected as (
    update delivery d set state = 'DONE', done_at = $3 from mine where d.id = mine.id and mine.state in ('WAITING', 'PARKED')
  )
  select id, session_id as "sessionId", attempts > 0 and state = 'WAITING' as "wasPushed" from mine`,
);

// Locked by id, as above. Deliveries that another caller collects meanwhile drop out under the lock.
const acknowledgeThroughStatement = (name: string, condition: string) =>
  statement(
    `acknowledge_through${name}`,
    `
  with batch as materialized (
    select d.id from delivery d
    where d.organization_id = $1 and d.destination = 'RUNTIME' and d.state = 'WAITING' and (d.position, d.id) <= ($2, $3)${condition}
    order by d.position, d.id limit $4
  ), mine as materialized (
    select d.id, d.session_id, d.attempts from delivery d join batch using (id) where d.state = 'WAITING' order by d.id for no key update of d
  ), collected as (
    update delivery d set state = 'DONE', done_at = $5 from mine where d.id = mine.id
  )
  select (select count(*)::int from batch) as found, (select count(*)::int from mine) as acknowledged,
    array(select distinct session_id from mine) as "sessionIds", array(select distinct session_id from mine where attempts > 0) as pushed`,
  );
const ACKNOWLEDGE_THROUGH = acknowledgeThroughStatement('', '');
const ACKNOWLEDGE_THROUGH_OF_CHATBOT = acknowledgeThroughStatement('_of_chatbot', ' and d.chatbot_id = $6');
const ACKNOWLEDGE_THROUGH_OF_SESSION = acknowledgeThroughStatement('_of_session', ' and d.session_id = $6');
const ACKNOWLEDGE_THROUGH_OF_BOTH = acknowledgeThroughStatement(
  '_of_both',
  ' and d.session_id = $6 and d.chatbot_id = $7',
);

// A separate statement after the acknowledgement, because a completion locks the lane before its delivery.
const ADVANCE_LANES = statement(
  'advance_lanes',
  `
  with mine as materialized (
    select session_id from lane where session_id = any($1::uuid[]) and destination = 'RUNTIME' and next_run_at > now() and not is_claimed
    order by session_id for no key update
  )
  update lane l set next_run_at = now() from mine where l.session_id = mine.session_id and l.destination = 'RUNTIME'`,
);

const IS_WAITING = statement(
  'is_waiting',
  "select 1 from delivery where organization_id = $1 and id = $2 and destination = 'RUNTIME' and state = 'WAITING'",
);

const COUNT_PENDING = statement(
  'count_pending',
  `
  select
    count(*) filter (where destination = 'PROVIDER' and state = 'WAITING')::int as provider,
    count(*) filter (where destination = 'RUNTIME' and state = 'WAITING')::int as runtime,
    count(*) filter (where state = 'PARKED')::int as parked,
    count(*) filter (where state = 'PARKED' and outcome_unknown)::int as "parkedUnknown",
    (array_agg(last_error_code order by state = 'WAITING' desc, id) filter (where last_error_code is not null))[1] as "lastErrorCode"
  from delivery where organization_id = $1 and session_id = $2 and state <> 'DONE' and state <> 'DISCARDED'`,
);

export class PostgresDeliveryStore implements DeliveryStore {
  constructor(
    private readonly pool: Pool,
    private readonly clock: Pick<Clock, 'random'>,
  ) {}

  async listRuntimeInbox(
    organizationId: OrganizationId,
    { chatbotId, sessionId }: RuntimeInboxFilter,
    { first, after }: PageRequest,
  ): Promise<Page<RuntimeDelivery>> {
    const [position, id] = after === null ? ['0', '0'] : decodePlace(after);
    if (sessionId !== null && !isUuid(sessionId)) return { edges: [], hasNextPage: false };
    const page = [organizationId, position, id, first + 1];
    const read = (): Promise<Omit<RuntimeDelivery, 'cursor'>[]> =>
      sessionId !== null && chatbotId !== null
        ? rowsOf(this.pool, INBOX_OF_BOTH, [...page, sessionId, chatbotId])
        : sessionId !== null
          ? rowsOf(this.pool, INBOX_OF_SESSION, [...page, sessionId])
          : chatbotId !== null
            ? rowsOf(this.pool, INBOX_OF_CHATBOT, [...page, chatbotId])
            : rowsOf(this.pool, INBOX, page);
    // Within one session, the lock already orders commits by position.
    const rows = sessionId !== null ? await read() : await readBelowHorizon(this.pool, read);
    return {
      edges: rows.slice(0, first).map(row => {
        const cursor = encodeCursor('runtimeInbox', row.position, row.id, chatbotId ?? '', sessionId ?? '');
        return { node: { ...row, cursor }, cursor };
      }),
      hasNextPage: rows.length > first,
    };
  }

  async acknowledge(organizationId: OrganizationId, ids: readonly string[], at: Instant) {
    const asked = [...new Set(ids)];
    const possible = asked.filter(isBigint);
    const found =
      possible.length === 0
        ? []
        : await this.retryConflicts(() =>
            rowsOf<{ id: string; sessionId: SessionId; wasPushed: boolean }>(this.pool, ACKNOWLEDGE, [
              organizationId,
              possible,
              at,
            ]),
          );
    await this.advanceLanes(found.filter(({ wasPushed }) => wasPushed).map(({ sessionId }) => sessionId));
    const known = new Set(found.map(({ id }) => id));
    return {
      acknowledged: asked.filter(id => known.has(id)),
      unknown: asked.filter(id => !known.has(id)),
      sessionIds: [...new Set(found.map(({ sessionId }) => sessionId))],
    };
  }

  async acknowledgeThrough(
    organizationId: OrganizationId,
    filter: RuntimeInboxFilter,
    cursor: string,
    limit: number,
    at: Instant,
  ) {
    const [position, id, ofChatbot, ofSession] = decodePlace(cursor, 'cursor');
    const chatbotId = checkSameList(ofChatbot, filter.chatbotId);
    const sessionId = checkSameList(ofSession, filter.sessionId);
    if (sessionId !== '' && !isUuid(sessionId)) return { acknowledged: 0, sessionIds: [], isComplete: true };
    const given = [organizationId, position, id, limit, at];
    const [sql, values] =
      sessionId !== '' && chatbotId !== ''
        ? [ACKNOWLEDGE_THROUGH_OF_BOTH, [...given, sessionId, chatbotId]]
        : sessionId !== ''
          ? [ACKNOWLEDGE_THROUGH_OF_SESSION, [...given, sessionId]]
          : chatbotId !== ''
            ? [ACKNOWLEDGE_THROUGH_OF_CHATBOT, [...given, chatbotId]]
            : [ACKNOWLEDGE_THROUGH, given];
    const done = (await this.retryConflicts(() =>
      firstOf<{ found: number; acknowledged: number; sessionIds: SessionId[]; pushed: SessionId[] }>(
        this.pool,
        sql,
        values,
      ),
    ))!;
    await this.advanceLanes(done.pushed);
    return { acknowledged: done.acknowledged, sessionIds: done.sessionIds, isComplete: done.found < limit };
  }

  async isWaiting(organizationId: OrganizationId, id: string): Promise<boolean> {
    return isBigint(id) && (await firstOf(this.pool, IS_WAITING, [organizationId, id])) !== null;
  }

  /**
   * Makes lanes due whose head was collected. A push that waits for its next attempt has nothing to wait for once the
   * runtime has collected it.
   */
  private async advanceLanes(sessionIds: readonly SessionId[]): Promise<void> {
    if (sessionIds.length > 0) await this.retryConflicts(() => rowsOf(this.pool, ADVANCE_LANES, [sessionIds]));
  }

  private retryConflicts<T>(work: () => Promise<T>): Promise<T> {
    return retryConflicts(work, () => this.clock.random());
  }

  async countPending(organizationId: OrganizationId, sessionId: SessionId): Promise<PendingDeliveries> {
    if (!isUuid(sessionId)) return { provider: 0, runtime: 0, parked: 0, parkedUnknown: 0, lastErrorCode: null };
    return (await firstOf<PendingDeliveries>(this.pool, COUNT_PENDING, [organizationId, sessionId]))!;
  }
}

/**
 * Decodes a cursor of the runtime inbox. It contains the filter of its list, because a position in one list does not
 * show what was read of another.
 */
const decodePlace = (cursor: string, field?: string): [string, string, string, string] =>
  decodeCursor('runtimeInbox', cursor, [isBigint, isBigint, isText, isText], field);

/**
 * Combines the cursor's filter with the given one.
 * @throws InvalidInputError CURSOR_INVALID if the cursor is of another list
 */
function checkSameList(ofCursor: string, wanted: string | null): string {
  if (wanted === null || wanted === ofCursor || ofCursor === '') return wanted ?? ofCursor;
  throw new InvalidInputError(
    'CURSOR_INVALID',
    'cursor',
    'This cursor belongs to the list of another chatbot or session. Acknowledge with a cursor of the list that you have read.',
  );
}
