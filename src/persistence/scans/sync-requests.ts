import { statement, type Statement } from '../postgres/sql';

/** Combines a pending hint with one that arrives, as `widened` of core/sync-hint.ts. */
export const widenedHint = (arrived: string): string =>
  `case when s.sync_hint is null or s.sync_hint = ${arrived} then ${arrived} else 'ALL' end`;

/** Counts a hint, so that a running sync does not treat it as one that it has already read. */
export const countedHint = (isOfState: string): string =>
  `hint_count = s.hint_count + 1, state_hint_count = s.state_hint_count + case when ${isOfState} then 1 else 0 end`;

/**
 * Schedules a timer sync of many sessions of the account `$1`; an earlier request wins. Returns a row for each. Locks
 * sessions before their lanes, as every transaction does, and both in order: each part reads the one before it.
 *
 * @param of selects the sessions (`s`)
 * @param hint the assignments in each session that tell its sync what to read
 * @param at when the sync is due at the latest
 * @param waits false: a session that another transaction is changing gets its sync without the hint, so that it does
 * not delay the others
 */
export const requestSyncs = (
  name: string,
  { of, hint, at, waits }: { readonly of: string; readonly hint: string; readonly at: string; readonly waits: boolean },
): Statement =>
  statement(
    name,
    `
  with found as materialized (
    select s.id, s.organization_id from session s where s.account_id = $1 and ${of} order by s.id for no key update ${waits ? '' : 'skip locked'}
  ), hinted as (
    update session s set ${hint} from found where s.id = found.id returning s.id, s.organization_id
  )${waits ? '' : `, every as (select s.id, s.organization_id from session s where s.account_id = $1 and ${of})`}
  insert into lane (session_id, destination, organization_id, remote_id, next_run_at, is_timer)
  select id, 'SYNC', organization_id, $1, ${at}, true from ${waits ? 'hinted' : 'every'} order by id
  on conflict on constraint pk_lane do update set
    next_run_at = case when lane.is_claimed then lane.next_run_at else least(lane.next_run_at, excluded.next_run_at) end,
    requested_at = case when lane.is_claimed then least(lane.requested_at, excluded.next_run_at) else lane.requested_at end
  returning 1`,
  );
