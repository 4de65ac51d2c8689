import type { LaneDestination } from '../../core/delivery';
import { statement } from '../postgres/sql';

/* Statements that enqueue deliveries, in a transaction that holds the session's lock. */

const DELIVERY_COLUMNS =
  'session_id, organization_id, chatbot_id, destination, state, kind, payload, position, drains_handoff_id, created_at';
const INSERT_DELIVERY = `insert into delivery (${DELIVERY_COLUMNS}) values ($1, $2, $3, $4, 'WAITING', $5, $6, $7, $8, $9)`;
export const ENQUEUE_FOR_RUNTIME = statement('tx_enqueue_for_runtime', INSERT_DELIVERY);
const INSERT_IN_CONVERSATION = `
  insert into delivery (${DELIVERY_COLUMNS}, conversation_id, lookup_after) values ($1, $2, $3, $4, 'WAITING', $5, $6, $7, $8, $9, $11, $12)`;
// Reads only the lane's own row, because a concurrent completion has its own snapshot of the deliveries.
const inLane = (name: string, to: LaneDestination, enqueued: string) =>
  statement(
    name,
    `
  with ${enqueued}
  insert into lane (session_id, destination, organization_id, remote_id, head, tail, next_run_at)
  select $1, '${to}', $2, $10, min(id), max(id), now() from enqueued
  on conflict on constraint pk_lane do update set
    remote_id = excluded.remote_id,
    head = case when lane.next_run_at is null and lane.blocked_by is null then excluded.head else lane.head end,
    tail = excluded.tail,
    next_run_at = case when lane.blocked_by is null then coalesce(lane.next_run_at, greatest(excluded.next_run_at, lane.ambiguous_until)) end`,
  );
export const ENQUEUE_FOR_PROVIDER = inLane(
  'tx_enqueue_for_provider',
  'PROVIDER',
  `enqueued as (${INSERT_IN_CONVERSATION} returning id)`,
);
// Ids follow the order of the rows. A delivery that replaces an earlier one starts with a lookup, like a resent one. An
// earlier one that still waits stays as it is: its lane is not locked here, and drops it anyway.
export const ENQUEUE_ALL_FOR_PROVIDER = inLane(
  'tx_enqueue_all_for_provider',
  'PROVIDER',
  `given as materialized (
    select * from unnest($5::text[], $6::jsonb[], $13::bigint[]) with ordinality as given (kind, payload, instead, at)
  ), replaced as (
    update delivery d set state = 'DONE', done_at = $9::timestamptz from given where d.id = given.instead and d.session_id = $1::uuid and d.state in ('PARKED', 'DONE')
    returning d.id, d.attempts_before_resend + greatest(d.attempts - 1, 0) as attempts_before_resend, d.outcome_unknown, d.conversation_id, d.lookup_after,
      case when d.outcome_unknown then 'OUTCOME_UNKNOWN' else d.last_error_code end as last_error_code
  ), earlier as (
    select * from replaced
    union all
    select d.id, d.attempts_before_resend + greatest(d.attempts - 1, 0), d.outcome_unknown, d.conversation_id, d.lookup_after,
      case when d.outcome_unknown then 'OUTCOME_UNKNOWN' else d.last_error_code end
    from given join delivery d on d.id = given.instead where d.session_id = $1::uuid and d.state = 'WAITING'
  ), enqueued as (
    insert into delivery (${DELIVERY_COLUMNS}, conversation_id, lookup_after, attempts, attempts_reported, attempts_before_resend, outcome_unknown, last_error_code)
    select $1::uuid, $2::text, $3::text, $4::text, 'WAITING', given.kind, given.payload, $7::bigint, $8::uuid, $9::timestamptz,
      case when r.id is null then $11::text else r.conversation_id end, case when r.id is null then $12::text else r.lookup_after end,
      case when r.id is null then 0 else 1 end, case when r.id is null then 0 else 1 end, coalesce(r.attempts_before_resend, 0), coalesce(r.outcome_unknown, false), r.last_error_code
    from given left join earlier r on r.id = given.instead order by given.at
    returning id
  )`,
);
export const ENQUEUE_FILE_WORK = inLane(
  'tx_enqueue_file_work',
  'MEDIA',
  `enqueued as (${INSERT_IN_CONVERSATION} returning id)`,
);
export const ENQUEUE_PUSH = inLane('tx_enqueue_push', 'RUNTIME', `enqueued as (${INSERT_DELIVERY} returning id)`);
