import { statement } from '../postgres/sql';

/**
 * Statements that park and resend the deliveries of one session, in a transaction that holds the session's lock. As
 * everywhere, a lane is locked before its deliveries; deliveries read before that may be outdated.
 */

/**
 * Sets the outcome after a failed attempt. The parameter is UNKNOWN, NOT_DELIVERED, or null for no information. If an
 * earlier attempt reported nothing, its process died, perhaps after its write.
 */
export const outcomeSql = (said: string) => `
  outcome_unknown = case ${said}::text when 'UNKNOWN' then true when 'NOT_DELIVERED' then false else outcome_unknown or attempts - 1 > attempts_reported end,
  attempts_reported = attempts`;

/**
 * Sets how long nothing of a lane may begin, because its last write cannot be looked up yet: `ms` from now, 0 for no
 * wait.
 */
export const ambiguousUntilSql = (ms: string) =>
  `case when ${ms}::bigint > 0 then greatest(ambiguous_until, now() + ${ms}::bigint * interval '1 ms') else ambiguous_until end`;

export const PARK_HEAD = statement(
  'tx_park',
  `
  with held as (
    update lane set fence = fence + 1, is_claimed = false, failures = 0, head = $4::bigint + 1, blocked_by = case when $7 then $4::bigint end,
      ambiguous_until = ${ambiguousUntilSql('$9')}, next_run_at = case when $7 then null when tail > $4 or resent_from is not null then greatest(now(), ${ambiguousUntilSql('$9')}) end
    where session_id = $1 and destination = $2 and fence = $3 returning 1
  ), head as (
    update delivery set state = 'PARKED', parked_at = $5, last_error_code = $6, ${outcomeSql('$8')} where id = $4 and state = 'WAITING' and exists (select from held)
    returning outcome_unknown
  )
  select case when head.outcome_unknown then 'UNKNOWN' else 'NOT_DELIVERED' end as outcome from held left join head on true`,
);

/** Discards the head without asking an operator. Also sets parked_at, so that it is listed with dead letters. */
export const DISCARD_HEAD = statement(
  'tx_discard_head',
  `
  with held as (
    update lane set fence = fence + 1, is_claimed = false, failures = 0, head = $4::bigint + 1,
      next_run_at = case when tail > $4 or resent_from is not null then greatest(now(), ambiguous_until) end
    where session_id = $1 and destination = $2 and fence = $3 returning 1
  ), head as (
    update delivery set state = 'DISCARDED', parked_at = $5, done_at = $5, last_error_code = $6, discard_reason = $7, ${outcomeSql('$8')} where id = $4 and state = 'WAITING' and exists (select from held)
  )
  select from held`,
);

// The last attempt of a DONE delivery has completed or dropped it; an earlier one without a report may have posted it.
// A message whose file damaged a conversation is not posted again. Text alone cannot cause damage.
export const UNFINISHED_POSTS = statement(
  'tx_unfinished_posts',
  `
  select d.id, d.state, d.payload as work, d.conversation_id as "conversationId",
    d.outcome_unknown or case d.kind when 'POST_MESSAGE' then d.state = 'DONE' or (d.state = 'WAITING' and d.attempts > 0)
      else (d.state = 'WAITING' and d.attempts > d.attempts_reported) or (d.state = 'DONE' and d.attempts - 1 > d.attempts_reported) end as "isUnknown", d.attempts_before_resend > 0 as "wasResent", l.session_id is not null as "isBlockingLane",
    d.state in ('PARKED', 'DISCARDED') and ((d.outcome_unknown and (d.state = 'DISCARDED' or d.last_error_code in ('OUTCOME_UNKNOWN', 'PROVIDER_DAMAGED'))) or (d.last_error_code = 'PROVIDER_DAMAGED' and coalesce((
      select jsonb_array_length(m.attachments) > 0 from message m where m.session_id = d.session_id and m.id = (d.payload ->> 'messageId')::uuid), false))) as "isLeftToOperator"
  from delivery d
  left join lane l on l.session_id = d.session_id and l.destination = d.destination and l.blocked_by = d.id
  where d.session_id = $1 and d.destination = 'PROVIDER' and d.kind in ('POST_MESSAGE', 'POST_TRANSCRIPT')
    and (d.state in ('WAITING', 'PARKED') or d.state = 'DISCARDED' and (d.outcome_unknown or d.last_error_code = 'PROVIDER_DAMAGED')
      or d.state = 'DONE' and (d.kind = 'POST_TRANSCRIPT' or d.outcome_unknown or d.attempts > 1))
  order by d.id`,
);

/**
 * Withdraws the waiting steps of an opening; their lane is locked. A worker that is executing one of them finds it done.
 * An attempt without a report may have written, because its process died. The attempt that withdraws its own delivery
 * ($3) has not, and without a conversation ($4) nothing was written.
 */
export const WITHDRAW_OPENING = statement(
  'tx_withdraw_opening',
  `
  update delivery set state = 'DONE', done_at = $2,
    outcome_unknown = $4 and (outcome_unknown or attempts - case when id = $3::bigint then 1 else 0 end > attempts_reported)
  where session_id = $1 and destination = 'PROVIDER' and state = 'WAITING'
    and (kind in ('POST_MESSAGE', 'RETURN_TO_BOT', 'POST_TRANSCRIPT', 'POST_CONTEXT_NOTE', 'OPEN_HANDOFF', 'OPEN_TAKEOVER') or (kind = 'POST_NOTE' and payload ->> 'noteId' = $5))`,
);

/** Withdraws waiting returns of the conversation, except those that a message waits after. */
export const WITHDRAW_RETURNS = statement(
  'tx_withdraw_returns',
  `
  update delivery d set state = 'DONE', done_at = $2
  where d.session_id = $1 and d.destination = 'PROVIDER' and d.state = 'WAITING' and d.kind = 'RETURN_CONVERSATION'
    and not exists (select from delivery later where later.session_id = $1 and later.destination = 'PROVIDER' and later.state = 'WAITING' and later.kind = 'POST_MESSAGE' and later.id > d.id)
  returning d.id, d.payload as work`,
);

export const FORGET_OUTCOME = statement(
  'tx_forget_outcome',
  `
  update delivery set outcome_unknown = false, attempts_reported = attempts where session_id = $1 and id = $2`,
);

// Under the session's lock nobody else changes its dead letters.
export const CLEAR_UNKNOWN_OUTCOMES = statement(
  'tx_forget_outcomes',
  `
  update delivery set outcome_unknown = false
  where session_id = $1 and destination = 'PROVIDER' and state in ('PARKED', 'DISCARDED', 'DONE') and outcome_unknown`,
);

export const LOCK_LANES = statement(
  'tx_lock_lanes',
  'select from lane where session_id = $1 order by destination for no key update',
);

const DELIVERY_REFERENCE = `id, kind, coalesce((payload ->> 'handoffId')::uuid, drains_handoff_id) as "handoffId"`;

// One attempt stays counted, so that the next one begins with a lookup, unless the operator has checked. A runtime
// delivery gets a new position, because a runtime that reads its inbox by cursor has passed the old one.
export const RESEND = statement(
  'tx_resend',
  `
  update delivery set state = 'WAITING', parked_at = null, first_failed_at = null,
    attempts_before_resend = attempts_before_resend + greatest(attempts - case when $4 then 0 else 1 end, 0), attempts = case when $4 then 0 else 1 end,
    attempts_reported = case when $4 then 0 else 1 end, outcome_unknown = outcome_unknown and not $4,
    last_error_code = case when $4 then null when outcome_unknown then 'OUTCOME_UNKNOWN' else last_error_code end,
    position = case destination when 'RUNTIME' then $3 else position end
  where session_id = $1 and id = any($2::bigint[]) and state = 'PARKED' returning ${DELIVERY_REFERENCE}`,
);

/** The endpoint may have changed, and the lane of the earlier one may have been cleared. */
export const ROUTE_RESENT = statement(
  'tx_route_resent',
  `
  insert into lane (session_id, destination, organization_id, remote_id, head, tail)
  select $1, 'RUNTIME', $2, $3, 0, 0 where exists (select from delivery where session_id = $1 and id = any($4::bigint[]) and destination = 'RUNTIME')
  on conflict on constraint pk_lane do update set remote_id = excluded.remote_id`,
);

/**
 * Deliveries after the resent ones become the head of their lane again only after those, so their failures no longer
 * count.
 */
export const WAIT_BEHIND_RESENT = statement(
  'tx_wait_behind',
  `
  with sent as materialized (
    select destination, min(id) as lowest from delivery where session_id = $1 and id = any($2::bigint[]) group by destination
  )
  update delivery d set first_failed_at = null from sent
  where d.session_id = $1 and d.destination = sent.destination and d.state = 'WAITING' and d.id > sent.lowest and d.first_failed_at is not null`,
);

/** Makes the lanes begin again at the lowest resent delivery. A running lease is left to its end. */
export const MAKE_RESENT_DUE = statement(
  'tx_make_resent_due',
  `
  with sent as materialized (
    select destination, min(id) as lowest, max(id) as highest from delivery where session_id = $1 and id = any($2::bigint[]) group by destination
  )
  update lane l set resent_from = least(l.resent_from, sent.lowest), tail = greatest(l.tail, sent.highest),
    blocked_by = case when l.blocked_by = any($2::bigint[]) then null else l.blocked_by end,
    next_run_at = case
      when l.blocked_by is not null and l.blocked_by <> all($2::bigint[]) then null
      when l.is_claimed then coalesce(l.next_run_at, now())
      else greatest(now(), l.ambiguous_until) end
  from sent where l.session_id = $1 and l.destination = sent.destination`,
);

export const DISCARD = statement(
  'tx_discard',
  `
  update delivery set state = 'DISCARDED', done_at = $3, discard_reason = $4
  where session_id = $1 and id = any($2::bigint[]) and state = 'PARKED' returning ${DELIVERY_REFERENCE}`,
);

export const UNBLOCK = statement(
  'tx_unblock',
  `
  update lane set blocked_by = null, next_run_at = greatest(now(), ambiguous_until) where session_id = $1 and blocked_by = any($2::bigint[])`,
);
