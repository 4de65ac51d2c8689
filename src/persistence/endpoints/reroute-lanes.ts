import type { Pool } from 'pg';
import { ENTER_FEED, feedHorizon } from '../postgres/feed-position';
import { firstOf, inTransaction, rowsOf, statement } from '../postgres/sql';

/**
 * The endpoint of a runtime delivery is read without a lock when the delivery is enqueued. Locking endpoints would make
 * all sessions of an organization wait for each other. So when endpoints change, a transaction that read them before
 * may later commit a delivery without a lane, or with a lane to the wrong endpoint. Such deliveries must not be lost.
 *
 * Therefore a change marks its row as outdated. A replica that reroutes it draws a position after the change was
 * committed. All transactions that read endpoints to write lanes have entered the feed before (feed-position.ts), so a
 * transaction that read the earlier endpoints has a position below the drawn one, and so has its delivery. Once the
 * horizon has reached the drawn position, all of them have ended, and one more pass over everything that waits up to
 * there misses nothing.
 */

/**
 * The SQL that selects one chatbot's endpoint: its own once that was verified, even while it is disabled; otherwise the
 * organization's.
 */
export const endpointForSql = (organizationId: string, chatbotId: string): string => `
  select e.id from runtime_endpoint e
  where e.organization_id = ${organizationId} and (e.chatbot_id = ${chatbotId} or e.chatbot_id is null) and e.verified_at is not null and e.state <> 'REMOVED'
  order by e.chatbot_id nulls last limit 1`;

const FIND_OUTDATED = statement(
  'find_outdated',
  `
  select id, organization_id as "organizationId", chatbot_id as "chatbotId", state, reroute_position as position from runtime_endpoint where not are_lanes_current order by id limit 100`,
);
const DRAW_REROUTE_POSITION = statement(
  'draw_reroute_position',
  `
  update runtime_endpoint set reroute_position = nextval('feed_position') where id = $1 and not are_lanes_current and reroute_position is null returning reroute_position as position`,
);

const PAGE_SIZE = 500;
const ROUTE_PAGE = statement(
  'lead_runtime_lanes',
  `
  with page as materialized (
    select d.id, d.session_id, d.chatbot_id, d.position from delivery d
    where d.organization_id = $1 and d.destination = 'RUNTIME' and d.state = 'WAITING' and (d.position, d.id) > ($2, $3) and d.position <= $4
      and ($5::text is null or d.chatbot_id = $5)
    order by d.position, d.id limit ${PAGE_SIZE}
  ), led as (
    insert into lane (session_id, destination, organization_id, remote_id, head, tail, next_run_at)
    select p.session_id, 'RUNTIME', $1, e.id, 0, max(p.id), now() from page p cross join lateral (${endpointForSql('$1', 'p.chatbot_id')}) e
    group by p.session_id, e.id order by p.session_id
    on conflict on constraint pk_lane do update set
      remote_id = excluded.remote_id, tail = greatest(lane.tail, excluded.tail),
      next_run_at = case when lane.remote_id = excluded.remote_id or lane.is_claimed then coalesce(lane.next_run_at, excluded.next_run_at) else excluded.next_run_at end
  )
  select position, id from page order by position desc, id desc limit 1`,
);

// Only if the position is unchanged: a later change must be rerouted again.
const MARK_CURRENT = statement(
  'mark_current',
  'update runtime_endpoint set are_lanes_current = true, reroute_position = null where id = $1 and reroute_position = $2',
);
// The row stays, because its fence must keep rising. Otherwise a process with a claim on the old lane could present the
// fence of a new one.
const DELETE_LANES = statement(
  'forget_lanes_of_endpoint',
  `
  with mine as materialized (
    select session_id from lane where destination = 'RUNTIME' and remote_id = $1 and next_run_at is not null order by session_id for no key update
  )
  update lane l set fence = l.fence + 1, is_claimed = false, failures = 0, resent_from = null, next_run_at = null
  from mine where l.session_id = mine.session_id and l.destination = 'RUNTIME' and l.remote_id = $1`,
);
const DELETE_ENDPOINT = statement(
  'forget_endpoint',
  "delete from runtime_endpoint where id = $1 and state = 'REMOVED'",
);

interface OutdatedEndpoint {
  readonly id: string;
  readonly organizationId: string;
  readonly chatbotId: string | null;
  readonly state: string;
  readonly position: string | null;
}

/** Reroutes the lanes of changed endpoints. @returns whether no change is left */
export async function rerouteRuntimeLanes(pool: Pool): Promise<boolean> {
  const outdated = await rowsOf<OutdatedEndpoint>(pool, FIND_OUTDATED);
  let areAllSettled = outdated.length < 100;
  for (const endpoint of outdated) areAllSettled = (await rerouteEndpoint(pool, endpoint)) && areAllSettled;
  return areAllSettled;
}

async function rerouteEndpoint(pool: Pool, endpoint: OutdatedEndpoint): Promise<boolean> {
  const position =
    endpoint.position ?? (await firstOf<{ position: string }>(pool, DRAW_REROUTE_POSITION, [endpoint.id]))?.position;
  // Another replica was faster.
  if (position === undefined) return false;
  // Read before the pass, because everything that the pass can miss commits after it.
  const isLast = (await feedHorizon(pool)) >= BigInt(position);
  await routeLanes(pool, endpoint, position);
  if (!isLast) return false;
  if (endpoint.state === 'REMOVED') {
    await rowsOf(pool, DELETE_LANES, [endpoint.id]);
    await rowsOf(pool, DELETE_ENDPOINT, [endpoint.id]);
  } else {
    await rowsOf(pool, MARK_CURRENT, [endpoint.id, position]);
  }
  return true;
}

async function routeLanes(pool: Pool, { organizationId, chatbotId }: OutdatedEndpoint, upTo: string): Promise<void> {
  for (let last: { position: string; id: string } | null = { position: '0', id: '0' }; last !== null; ) {
    const after: { position: string; id: string } = last;
    last = await inTransaction(pool, async client => {
      await rowsOf(client, ENTER_FEED);
      return firstOf<{ position: string; id: string }>(client, ROUTE_PAGE, [
        organizationId,
        after.position,
        after.id,
        upTo,
        chatbotId,
      ]);
    });
  }
}
