import { statement } from '../postgres/sql';

/* Statements of retention-store.ts. Each works on few rows, which it finds by index, and waits for no lock. */

// The column has milliseconds. Without truncation the time would be rounded up, so that the row is due only in the
// future.
export const CLAIM = statement(
  'claim_retention',
  `
  update maintenance_lease set next_run_at = date_trunc('milliseconds', now()) + $1 * interval '1 ms'
  where name = (select name from maintenance_lease where name = 'retention' and next_run_at <= now() for no key update skip locked) returning next_run_at as until`,
);
/** Each claim ends at a different time, which proves the claim. */
export const RENEW = statement(
  'renew_retention',
  `
  update maintenance_lease set next_run_at = date_trunc('milliseconds', now()) + $2 * interval '1 ms' where name = 'retention' and next_run_at = $1 returning next_run_at as until`,
);

// Arrays instead of joins: with an unknown limit, the planner would join with the whole table.
export const REMOVE_IDEMPOTENCY_KEYS = statement(
  'remove_keys',
  `
  delete from idempotency_key where ctid = any(array(
    select ctid from idempotency_key where created_at < $1 order by created_at limit $2 for update skip locked)) returning 1`,
);

// A discarded post that may have been written, or that damaged a conversation, is kept as long as its message counts as
// not posted, because histories would post it otherwise. (An `exists` would read the whole table.)
export const REMOVE_DELIVERIES = statement(
  'remove_deliveries',
  `
  delete from delivery where id = any(array(
    select d.id from delivery d where d.done_at < $1 and d.done_at is not null and d.state in ('DONE', 'DISCARDED')
      and not ((d.outcome_unknown or d.last_error_code = 'PROVIDER_DAMAGED') and d.state = 'DISCARDED' and d.kind = 'POST_MESSAGE'
        and coalesce((select m.provider_message_id is null from message m where m.session_id = d.session_id and m.id = (d.payload ->> 'messageId')::uuid), false))
    order by d.done_at limit $2 for update skip locked)) returning 1`,
);

const expiredStatement = (table: string, at: string, id: string, and = '') => `
  select ${id} as id, ${at} as at from ${table}
  where ${at} < $1 and (${at}, ${id}) > ($2::timestamptz, $3::uuid)${and} order by ${at}, ${id} limit $4`;
export const EXPIRED_EVENTS = statement('old_events', expiredStatement('event', 'at', 'session_id'));
export const EXPIRED_MESSAGES = statement('old_messages', expiredStatement('message', 'created_at', 'session_id'));
export const EXPIRED_SESSIONS = statement(
  'old_sessions',
  expiredStatement('session', 'closed_at', 'id', ' and closed_at is not null'),
);

const lockStatement = (strength: string) =>
  `select id from session where id = any($1::uuid[]) order by id for ${strength} skip locked`;
export const LOCK_SESSIONS = statement('lock_sessions_to_forget', lockStatement('no key update'));
export const LOCK_SESSIONS_TO_DELETE = statement('lock_sessions_to_remove', lockStatement('update'));

/** Selects sessions without pending deliveries, and how far their beginning has expired: at most $3 rows of each. */
const cutoffSql = (table: string, at: string) => `
  select s.id, s.organization_id, front.until
  from session s
  cross join lateral (
    select coalesce(min(seq) filter (where at >= $2), max(seq) + 1) as until
    from (select seq, ${at} as at from ${table} where session_id = s.id order by seq limit $3) rows
  ) front
  where s.id = any($1::uuid[]) and s.live_handoff_id is null
    and not exists (select from delivery d where d.session_id = s.id and d.state <> 'DONE' and d.state in ('WAITING', 'PARKED'))`;

const REMOVED_HISTORY_AT_OPENING = `'{"eventSeq": 0, "messageSeq": 0, "messagesBefore": null, "control": "BOT", "epoch": 1, "isClosed": false, "handoffId": null, "handoffState": null}'::jsonb`;

/**
 * The state that the removed events led to is stored with the session, because later events only make sense after it.
 */
export const REMOVE_EVENTS = statement(
  'remove_events',
  `
  with cut as materialized (${cutoffSql('event', 'at')}
  ), removed as (
    delete from event e using cut where e.session_id = cut.id and e.seq < cut.until
    returning e.session_id, e.organization_id, e.seq, e.position, e.type, e.handoff_id, e.body
  ), facts as (
    select session_id, max(seq) as seq, bool_or(type = 'SESSION_CLOSED') as is_closed,
      (array_agg(jsonb_build_object('control', body -> 'control', 'epoch', body -> 'epoch') order by seq desc) filter (where type = 'CONTROL_CHANGED'))[1] as control,
      (array_agg(jsonb_build_object('handoffId', handoff_id, 'handoffState', body -> 'to') order by seq desc) filter (where type = 'HANDOFF_CHANGED'))[1] as handoff
    from removed group by session_id
  ), remembered as (
    update session s set removed_history = coalesce(s.removed_history, ${REMOVED_HISTORY_AT_OPENING}) || jsonb_build_object('eventSeq', f.seq)
      || coalesce(f.control, '{}') || coalesce(f.handoff, '{}') || case when f.is_closed then '{"isClosed": true}'::jsonb else '{}' end
    from facts f where s.id = f.session_id
  ), floor as (
    insert into feed_floor (organization_id, position, seq)
    select distinct on (organization_id) organization_id, position, seq from removed where type = 'HANDOFF_CHANGED' order by organization_id, position desc, seq desc
    on conflict on constraint pk_feed_floor do update set position = excluded.position, seq = excluded.seq
      where (excluded.position, excluded.seq) > (feed_floor.position, feed_floor.seq)
  )
  select count(*)::int as count from removed`,
);

export const FILES_OF_EXPIRED = statement(
  'files_of_old_messages',
  `
  with cut as materialized (${cutoffSql('message', 'created_at')}
  )
  select m.id, jsonb_array_length(m.attachments) as files from cut join message m on m.session_id = cut.id and m.seq < cut.until
  where jsonb_array_length(m.attachments) > 0`,
);

export const REMOVE_MESSAGES = statement(
  'remove_messages',
  `
  with cut as materialized (${cutoffSql('message', 'created_at')}
  ), removed as (
    delete from message m using cut where m.session_id = cut.id and m.seq < cut.until returning m.session_id, m.seq
  ), remembered as (
    update session s set removed_history = coalesce(s.removed_history, ${REMOVED_HISTORY_AT_OPENING})
      || jsonb_build_object('messageSeq', r.seq, 'messagesBefore', to_char($2::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    from (select session_id, max(seq) as seq from removed group by session_id) r where s.id = r.session_id
  )
  select count(*)::int as count from removed`,
);

export const EMPTY_SESSIONS = statement(
  'empty_sessions',
  `
  select s.id from session s
  where s.id = any($1::uuid[]) and s.closed_at < $2 and s.live_handoff_id is null
    and not exists (select from event e where e.session_id = s.id)
    and not exists (select from message m where m.session_id = s.id)
    and not exists (select from delivery d where d.session_id = s.id)`,
);

export const DELETE_SESSIONS = statement(
  'delete_sessions',
  `
  with lanes as (
    delete from lane where session_id = any($1::uuid[])
  ), handoffs as (
    delete from handoff where session_id = any($1::uuid[])
  )
  delete from session where id = any($1::uuid[])`,
);
