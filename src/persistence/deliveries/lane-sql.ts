import type { LaneDestination } from '../../core/delivery';
import type { SyncCause } from '../../core/ports/lane-store';
import { ambiguousUntilSql, outcomeSql } from './dead-letter-sql';
import { statement, type Statement } from '../postgres/sql';
import { countedHint, requestSyncs, widenedHint } from '../scans/sync-requests';

/**
 * A claim moves `next_run_at` to the end of the lease, so that a dead worker's lane becomes due by itself. The lane is
 * then still `is_claimed`, which shows the next claimer that no result was reported. A claim also raises the fence,
 * which every later step of that claim must present. Claims lock free lanes and wait for none; all other statements
 * lock one lane, or many in the order of their sessions.
 *
 * Statements that change a lane read nothing but its own row. A second table would be seen as of the start of the
 * statement, which may be before the lane's lock was acquired. That is why the lane has `tail`.
 */

/**
 * Each remote (a support account or a runtime's endpoint) has a share of every claim. Its lanes are adjacent in the
 * index: the recursive part steps from one remote to the next and takes only the first due lanes of each. So a claim
 * costs as much as there are remotes with work, however much work waits for a remote that does not respond.
 */
const claimStatement = (destination: string, condition = '', isTimer = false) => `
  with recursive side as (
    (select remote_id from lane where destination = '${destination}' and next_run_at is not null order by remote_id limit 1)
    union all
    select (
      select l.remote_id from lane l
      where l.destination = '${destination}' and l.next_run_at is not null and l.remote_id > side.remote_id order by l.remote_id limit 1
    ) from side where side.remote_id is not null
  ), due as materialized (
    select first.session_id, first.is_claimed as is_abandoned, first.next_run_at as ended_at, first.resent_from is not null as was_resent from side
    left join unnest($3::uuid[], $4::int[]) as exception (remote_id, room) on exception.remote_id = side.remote_id
    cross join lateral (
      select l.session_id, l.next_run_at, l.is_claimed, l.resent_from from lane l
      where l.destination = '${destination}' and l.remote_id = side.remote_id and ${isTimer ? 'l.is_timer' : 'not l.is_timer'} and l.next_run_at <= now()
      order by l.next_run_at limit coalesce(exception.room, $5::int) for no key update skip locked
    ) first
    where side.remote_id is not null${condition} order by first.next_run_at limit $1
  )
  update lane l set next_run_at = now() + $2 * interval '1 ms', fence = l.fence + 1, is_claimed = true, claimed_by = $6, requested_at = null,
    head = least(l.head, l.resent_from), resent_from = null
  from due where l.session_id = due.session_id and l.destination = '${destination}'`;

/** Lanes to a disabled endpoint stay due and are skipped. */
const CONDITIONS: Readonly<Record<LaneDestination, string>> = {
  PROVIDER: '',
  RUNTIME: " and exists (select from runtime_endpoint e where e.id = side.remote_id and e.state = 'ACTIVE')",
  MEDIA: '',
};
export const CLAIM_DELIVERIES = new Map(
  (Object.keys(CONDITIONS) as LaneDestination[]).map(to => [
    to,
    statement(
      `claim_deliveries_${to}`,
      `${claimStatement(to, CONDITIONS[to])} returning l.session_id as "sessionId", l.remote_id as "remoteId", l.fence, l.tail, due.was_resent as "wasResent",
    case when due.is_abandoned then (extract(epoch from now() - due.ended_at) * 1000)::float8 end as "abandonedMs"`,
    ),
  ]),
);
const claimSyncsStatement = (name: string, isTimer: boolean) =>
  statement(
    name,
    `${claimStatement('SYNC', '', isTimer)} returning l.organization_id as "organizationId", l.session_id as "sessionId", l.remote_id as "remoteId", l.fence, l.failures`,
  );
export const CLAIM_SYNCS: Readonly<Record<SyncCause, Statement>> = {
  HINT: claimSyncsStatement('claim_hinted_syncs', false),
  TIMER: claimSyncsStatement('claim_timers', true),
};

/**
 * A condition that is always true. With it, the planner expects few claimed lanes from the unknown arrays. Without it,
 * next to a large table, it makes a new plan for each call, which takes longer than the call.
 */
const LAST_FENCE = '9223372036854775807';
// A separate statement after the claim, so that it sees everything that the lane's last change committed. Runtime
// deliveries may be below `head`, if they were enqueued before there was an endpoint. Locked by id, because
// acknowledgements lock the same deliveries.
export const TAKE_HEADS = statement(
  'take_heads',
  `
  with heads as materialized (
    select l.session_id, l.fence, head.id from unnest($1::uuid[], $2::bigint[]) as claimed (session_id, fence)
    join lane l on l.session_id = claimed.session_id and l.destination = $3 and l.fence = claimed.fence and claimed.fence between 1 and ${LAST_FENCE}
    cross join lateral (
      select d.id from delivery d
      where d.session_id = l.session_id and d.destination = $3 and d.state = 'WAITING' and d.id >= case when $3 = 'RUNTIME' then 0 else l.head end
      order by d.id limit 1
    ) head
  ), mine as materialized (
    select d.id, heads.fence from delivery d join heads on heads.id = d.id order by d.id for no key update of d
  )
  update delivery d set attempts = d.attempts + 1 from mine where d.id = mine.id
  returning mine.fence, d.id, d.organization_id as "organizationId", d.session_id as "sessionId", d.payload as work, d.conversation_id as "conversationId", d.lookup_after as "lookupAfter",
    d.attempts - 1 as "previousAttempts", d.attempts - 1 > d.attempts_reported as "hasUnreportedAttempt", d.last_error_code as "lastErrorCode", d.created_at as "createdAt", d.first_failed_at as "failingSince"`,
);

/** Marks a lane without waiting deliveries as idle. Work that was added or resent since the claim makes it due again. */
export const MARK_IDLE = statement(
  'mark_idle',
  `
  update lane set fence = fence + 1, is_claimed = false, next_run_at = case when tail > $4 or resent_from is not null then greatest(now(), ambiguous_until) end
  where session_id = $1 and destination = $2 and fence = $3`,
);

/** Undoes claims that failed, including the heads that they took, as if the lanes had not been claimed. */
export const RELEASE_CLAIMED = statement(
  'release_claimed',
  `
  with mine as materialized (
    select l.session_id, claimed.head_id from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as claimed (session_id, fence, head_id)
    join lane l on l.session_id = claimed.session_id and l.destination = $4 and l.fence = claimed.fence order by l.session_id for no key update of l
  ), heads as materialized (
    select id from delivery where id in (select head_id from mine) order by id for no key update
  ), untried as (
    update delivery d set attempts = d.attempts - 1 from heads where d.id = heads.id
  )
  update lane l set fence = l.fence + 1, is_claimed = false, next_run_at = now() from mine where l.session_id = mine.session_id and l.destination = $4`,
);

// If the runtime collected the delivery meanwhile, it is done, whatever the result of the push.
export const COMPLETE = statement(
  'complete_delivery',
  `
  with held as (
    update lane set fence = fence + 1, is_claimed = false, failures = 0, head = $4::bigint + 1,
      next_run_at = case when tail > $4 or resent_from is not null then greatest(now(), ambiguous_until) end
    where session_id = $1 and destination = $2 and fence = $3 returning 1
  ), head as (
    update delivery set state = 'DONE', done_at = $5 where id = $4 and state = 'WAITING' and exists (select from held)
  )
  select from held`,
);

/** The same, and the claim is kept under a new fence where the next one is due. */
const IS_NEXT_DUE = 'tail > $4 and resent_from is null and (ambiguous_until is null or ambiguous_until <= now())';
export const COMPLETE_AND_KEEP = statement(
  'complete_and_keep',
  `
  with held as (
    update lane set fence = fence + 1, failures = 0, head = $4::bigint + 1, is_claimed = ${IS_NEXT_DUE},
      next_run_at = case when ${IS_NEXT_DUE} then now() + $6 * interval '1 ms' when tail > $4 or resent_from is not null then greatest(now(), ambiguous_until) end
    where session_id = $1 and destination = $2 and fence = $3 returning fence, tail, is_claimed as "isKept"
  ), head as (
    update delivery set state = 'DONE', done_at = $5 where id = $4 and state = 'WAITING' and exists (select from held)
  )
  select fence, tail, "isKept" from held`,
);

// A delivery that was resent in the meantime runs first; then this one is the head again.
export const RETRY = statement(
  'retry_delivery',
  `
  with held as (
    update lane set fence = fence + 1, is_claimed = false, failures = failures + 1,
      next_run_at = case when resent_from < $4 then greatest(now(), ${ambiguousUntilSql('$9')}) else now() + $5 * interval '1 ms' end, ambiguous_until = ${ambiguousUntilSql('$9')}
    where session_id = $1 and destination = $2 and fence = $3 returning resent_from
  ), head as (
    update delivery set last_error_code = case when last_error_code = 'OUTCOME_UNKNOWN' and $8::text is distinct from 'NOT_DELIVERED' then last_error_code else $6 end,
      first_failed_at = case when held.resent_from < $4 then null else coalesce(first_failed_at, $7) end, ${outcomeSql('$8')}
    from held where id = $4
  )
  select from held`,
);

export const RELEASE = statement(
  'release_lane',
  `
  with held as (
    update lane set fence = fence + 1, is_claimed = false, next_run_at = now() where session_id = $1 and destination = $2 and fence = $3 returning 1
  ), head as (
    update delivery set attempts = case when $5 then attempts else attempts - 1 end, attempts_reported = case when $5 and attempts_reported = attempts - 1 then attempts else attempts_reported end
    where id = $4 and exists (select from held)
  )
  select from held`,
);

export const RENEW = statement(
  'renew_lane',
  `
  update lane set next_run_at = now() + $4 * interval '1 ms' where session_id = $1 and destination = $2 and fence = $3 returning 1`,
);
export const RENEW_ALL = statement(
  'renew_lanes',
  `
  with mine as materialized (
    select l.session_id, l.destination, l.fence from unnest($1::uuid[], $2::text[], $3::bigint[]) as claimed (session_id, destination, fence)
    join lane l on l.session_id = claimed.session_id and l.destination = claimed.destination and l.fence = claimed.fence
    order by l.session_id, l.destination for no key update of l
  )
  update lane l set next_run_at = now() + $4 * interval '1 ms' from mine where l.session_id = mine.session_id and l.destination = mine.destination and l.fence = mine.fence
  returning l.fence || l.destination || l.session_id::text as claim`,
);
export const POSTPONE = statement(
  'postpone',
  `
  with held as (
    update lane set fence = fence + 1, is_claimed = false, ambiguous_until = ${ambiguousUntilSql('$5')}, next_run_at = ${ambiguousUntilSql('$5')}
    where session_id = $1 and destination = $2 and fence = $3 returning 1
  ), head as (
    update delivery set attempts = attempts - 1 where id = $4 and exists (select from held)
  )
  select from held`,
);

export const CLAIMERS = statement(
  'claimers',
  'select distinct claimed_by as claimer from lane where is_claimed and claimed_by is not null',
);
export const END_LEASES_OF = statement(
  'end_leases_of',
  `
  with theirs as materialized (
    select session_id, destination from lane where is_claimed and claimed_by = any($1::text[]) and next_run_at > now() order by session_id, destination for no key update
  )
  update lane l set next_run_at = now() from theirs where l.session_id = theirs.session_id and l.destination = theirs.destination returning 1`,
);

// `least` ignores nulls: the next regular sync or the request that arrived meanwhile, whichever is earlier.
export const FINISH_SYNC = statement(
  'finish_sync',
  `
  update lane set fence = fence + 1, is_claimed = false, requested_at = null,
    failures = case when $5 then failures + 1 else 0 end,
    next_run_at = least(now() + $4 * interval '1 ms', requested_at), is_timer = case when requested_at <= now() then false else coalesce($6, is_timer) end
  where session_id = $1 and destination = $2 and fence = $3 returning 1`,
);

export const REQUEST_TIMER_SYNCS_OF_LIVE = requestSyncs('request_timer_syncs_of_live', {
  waits: false,
  of: 's.live_handoff_id is not null',
  hint: `sync_hint = ${widenedHint("'CHECK'")}, ${countedHint('true')}`,
  at: "now() + random() * $2 * interval '1 ms'",
});
