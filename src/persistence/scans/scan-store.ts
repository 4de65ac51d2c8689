import type { Pool } from 'pg';
import { isUuid, type AccountId, type Instant, type ProviderConversationId } from '../../core/ids';
import type {
  ClaimedScan,
  KnownConversation,
  AgentInitiatedConversation,
  ScanStore,
} from '../../core/ports/scan-store';
import type { EndUserReference } from '../../core/ports/provider/webhook';
import { firstOf, rowsOf, statement } from '../postgres/sql';
import { countedHint, requestSyncs, widenedHint } from './sync-requests';

/**
 * The current time with the column's precision, never rounded up, so that a row that is due now is due for the next
 * query.
 */
const NOW = "date_trunc('milliseconds', now())";
// A new account has no changes to find, so its clock starts now.
const ADD_ACCOUNTS = statement(
  'scan_add_accounts',
  `
  insert into account_scan (account_id, full_scanned_at, next_full_scan_at)
  select a.id, now(), ${NOW} from support_account a
  where a.state = 'READY' and not exists (select from account_scan w where w.account_id = a.id)
  on conflict on constraint pk_account_scan do nothing`,
);
const REQUEST_FULL_SCANS = statement('scan_request_full_scans', `update account_scan set next_full_scan_at = ${NOW}`);
const REQUEST_FULL_SCAN = statement(
  'scan_request_full_scan',
  `update account_scan set next_full_scan_at = least(next_full_scan_at, ${NOW}) where account_id = $1`,
);
const CLAIM_FULL_SCAN = statement(
  'scan_claim_full_scan',
  `
  with due as materialized (
    select w.account_id from account_scan w join support_account a on a.id = w.account_id
    where w.next_full_scan_at <= now() and a.state = 'READY' order by w.next_full_scan_at limit 1 for no key update of w skip locked
  )
  update account_scan w set next_full_scan_at = now() + $1 * interval '1 ms', full_scan_started_at = coalesce(w.full_scan_started_at, now()), full_scan_page = coalesce(w.full_scan_page, 1)
  from due join support_account a on a.id = due.account_id
  where w.account_id = due.account_id
  returning a.organization_id as "organizationId", w.account_id as "accountId", w.full_scan_started_at as "startedAt", w.full_scan_page as page,
    (extract(epoch from now() - w.full_scanned_at) * 1000)::float8 as "unscannedMs"`,
);
// If two replicas run one full scan, because a claim has expired, the later one never moves the position back.
const PAUSE_FULL_SCAN = statement(
  'scan_pause_full_scan',
  `
  update account_scan set full_scan_page = greatest(full_scan_page, $3), next_full_scan_at = ${NOW} + $4 * interval '1 ms'
  where account_id = $1 and full_scan_started_at = $2`,
);
const FINISH_FULL_SCAN = statement(
  'scan_finish_full_scan',
  `
  update account_scan set full_scanned_at = greatest(full_scanned_at, $2), full_scan_started_at = null, full_scan_page = null, next_full_scan_at = $2::timestamptz + $3 * interval '1 ms',
    next_scan_at = greatest(next_scan_at, $2::timestamptz + $4 * interval '1 ms')
  where account_id = $1 and full_scan_started_at = $2`,
);

const REQUEST_SCANS = statement(
  'scan_request_scans',
  `update account_scan set next_scan_at = ${NOW}, scan_every_ms = null`,
);
// Changes that a full scan has seen need no scan. If an account had no live handoff when its scan became due, the scan
// waits for the first handoff, and then as long as after a scan. (A handoff with a time in the future, from a process
// whose clock is ahead, does not wait.)
const CLAIM_SCAN = statement(
  'scan_claim_scan',
  `
  with due as materialized (
    select w.account_id from account_scan w join support_account a on a.id = w.account_id
    where w.next_scan_at <= now() and a.state = 'READY' and exists (
      select from session s join handoff h on h.id = s.live_handoff_id where s.account_id = w.account_id
        and (h.requested_at <= w.next_scan_at or h.requested_at <= now() - $2 * interval '1 ms' or h.requested_at > now()))
    order by w.next_scan_at limit 1 for no key update of w skip locked
  )
  update account_scan w set next_scan_at = now() + $1 * interval '1 ms' from due join support_account a on a.id = due.account_id
  where w.account_id = due.account_id
  returning a.organization_id as "organizationId", w.account_id as "accountId", now() as "startedAt", w.scan_every_ms as "everyMs",
    (extract(epoch from now() - greatest(w.scanned_at, w.full_scanned_at)) * 1000)::float8 as "unscannedMs"`,
);
// Measured from now, so that a long scan is not followed by the next at once. A webhook that was missed meanwhile still
// counts.
const FINISH_SCAN = statement(
  'scan_finish_scan',
  `
  update account_scan set scanned_at = greatest(scanned_at, $2), scan_every_ms = $3::integer, next_scan_at = ${NOW} + $3::integer * interval '1 ms' where account_id = $1`,
);
const RECORD_MISSED_WEBHOOK = statement(
  'scan_record_missed_webhook',
  `
  update account_scan set scan_every_ms = null, next_scan_at = least(next_scan_at, greatest(${NOW}, scanned_at + $2::integer * interval '1 ms'))
  where account_id = $1 and scan_every_ms > $2::integer`,
);
const FIND_KNOWN_CONVERSATIONS = statement(
  'scan_find_known_conversations',
  `
  select s.conversation_id as "conversationId", s.last_view as "lastView", s.status_writes as "statusWrites",
    shown.last_id is null or coalesce(s.last_seen_message_id in (shown.last_id, shown.said_id), false)
      or $5 and s.live_handoff_id is null and exists (select from message m where m.session_id = s.id and m.provider_message_id = shown.said_id) as "isLastMessageSynced"
  from unnest($2::text[], $3::text[], $4::text[]) as shown(conversation_id, last_id, said_id) join session s on s.account_id = $1 and s.conversation_id = shown.conversation_id`,
);
const OF_CONVERSATIONS = 's.conversation_id = any($2::text[])';
const REQUEST_TIMER_SYNCS = requestSyncs('scan_request_timer_syncs', {
  waits: true,
  of: OF_CONVERSATIONS,
  hint: `sync_hint = ${widenedHint('$4::text')}, ${countedHint("$4::text = 'CHECK'")}`,
  at: "now() + $3 * interval '1 ms'",
});

const MAX_RECHECKED = 20;
/** End-users answer surveys soon or never. */
const SURVEY_RECHECK_DAYS = 14;
// Messages that a hint requested stay in the list, and come first.
const REQUEST_SYNCS = requestSyncs('scan_request_syncs', {
  waits: true,
  of: OF_CONVERSATIONS,
  hint: `sync_hint = 'ALL', ${countedHint('true')}, recheck_ids = s.recheck_ids || array(
      select id from (
        (select m.provider_message_id as id from message m
          where m.session_id = s.id and m.author = 'AGENT' and m.provider_message_id is not null and m.deleted_at is null order by m.seq desc limit ${MAX_RECHECKED})
        union all
        (select h.survey->>'externalId' from handoff h
          where h.session_id = s.id and h.survey->>'externalId' is not null and h.survey->'answer'->>'comment' is null
            and (h.survey->>'offeredAt')::timestamptz > now() - interval '${SURVEY_RECHECK_DAYS} days'
          order by h.requested_at desc limit ${MAX_RECHECKED})
      ) known where not known.id = any(s.recheck_ids))`,
  at: 'now()',
});
const FIND_FAILING_CONVERSATIONS = statement(
  'scan_find_failing_conversations',
  `
  select s.conversation_id as id from lane l join session s on s.id = l.session_id
  where l.destination = 'SYNC' and l.remote_id = $1 and l.next_run_at is not null and l.failures >= $2 and s.conversation_id is not null order by l.failures desc limit $3`,
);
const FIND_AGENT_INITIATED = statement(
  'scan_find_agent_initiated',
  `
  select s.organization_id as "organizationId", s.id as "sessionId", seen.conversation_id as "conversationId"
  from unnest($2::text[], $3::text[], $4::uuid[]) as seen(conversation_id, inbox_id, session_id)
  join session s on s.id = seen.session_id and s.account_id = $1 and s.conversation_id is distinct from seen.conversation_id
  join inbox i on i.id = s.inbox_id and i.external_id = seen.inbox_id
  where not exists (select from agent_initiated_conversation known where known.session_id = s.id and known.conversation_id = seen.conversation_id)`,
);

export class PostgresScanStore implements ScanStore {
  constructor(private readonly pool: Pool) {}

  async requestFullScans(): Promise<void> {
    await rowsOf(this.pool, REQUEST_FULL_SCANS);
  }

  async claimFullScan(leaseMs: number) {
    await rowsOf(this.pool, ADD_ACCOUNTS);
    return firstOf<{
      organizationId: string;
      accountId: string;
      unscannedMs: number;
      startedAt: Instant;
      page: number;
    }>(this.pool, CLAIM_FULL_SCAN, [leaseMs]);
  }

  async pauseFullScan(accountId: AccountId, startedAt: Instant, page: number, afterMs: number): Promise<void> {
    await rowsOf(this.pool, PAUSE_FULL_SCAN, [accountId, startedAt, page, Math.round(afterMs)]);
  }

  async finishFullScan(accountId: AccountId, startedAt: Instant, everyMs: number, scanAfterMs = 0): Promise<void> {
    await rowsOf(this.pool, FINISH_FULL_SCAN, [accountId, startedAt, Math.round(everyMs), Math.round(scanAfterMs)]);
  }

  async requestFullScan(accountId: AccountId): Promise<void> {
    await rowsOf(this.pool, REQUEST_FULL_SCAN, [accountId]);
  }

  async requestScans(): Promise<void> {
    await rowsOf(this.pool, REQUEST_SCANS);
  }

  claimScan(leaseMs: number, firstAfterMs = 0) {
    return firstOf<ClaimedScan>(this.pool, CLAIM_SCAN, [leaseMs, firstAfterMs]);
  }

  async finishScan(accountId: AccountId, startedAt: Instant | null, everyMs: number): Promise<void> {
    await rowsOf(this.pool, FINISH_SCAN, [accountId, startedAt, Math.round(everyMs)]);
  }

  async recordMissedWebhook(accountId: AccountId, everyMs: number): Promise<void> {
    await rowsOf(this.pool, RECORD_MISSED_WEBHOOK, [accountId, Math.round(everyMs)]);
  }

  async findKnownConversations(
    accountId: AccountId,
    shown: Parameters<ScanStore['findKnownConversations']>[1],
    trustsOwnPosts: boolean,
  ): Promise<readonly KnownConversation[]> {
    const rows = [...shown.values()];
    return rows.length === 0
      ? []
      : rowsOf<KnownConversation>(this.pool, FIND_KNOWN_CONVERSATIONS, [
          accountId,
          [...shown.keys()],
          rows.map(row => row.lastMessageId),
          rows.map(row => row.lastAuthoredId),
          trustsOwnPosts,
        ]);
  }

  async requestTimerSyncs(
    accountId: AccountId,
    conversationIds: readonly ProviderConversationId[],
    afterMs: number,
    about: 'MESSAGES' | 'CHECK' = 'CHECK',
  ): Promise<number> {
    return conversationIds.length === 0
      ? 0
      : (await rowsOf(this.pool, REQUEST_TIMER_SYNCS, [accountId, conversationIds, afterMs, about])).length;
  }

  async requestSyncs(accountId: AccountId, conversationIds: readonly ProviderConversationId[]): Promise<number> {
    return (await rowsOf(this.pool, REQUEST_SYNCS, [accountId, conversationIds])).length;
  }

  async findFailingConversations(
    accountId: AccountId,
    failures: number,
    limit: number,
  ): Promise<readonly ProviderConversationId[]> {
    return (
      await rowsOf<{ id: ProviderConversationId }>(this.pool, FIND_FAILING_CONVERSATIONS, [accountId, failures, limit])
    ).map(({ id }) => id);
  }

  async findAgentInitiated(
    accountId: AccountId,
    seen: ReadonlyMap<ProviderConversationId, EndUserReference>,
  ): Promise<readonly AgentInitiatedConversation[]> {
    const ours = [...seen].filter(([, { sessionId }]) => isUuid(sessionId));
    if (ours.length === 0) return [];
    return rowsOf<AgentInitiatedConversation>(this.pool, FIND_AGENT_INITIATED, [
      accountId,
      ours.map(([id]) => id),
      ours.map(([, { inboxId }]) => inboxId),
      ours.map(([, { sessionId }]) => sessionId),
    ]);
  }
}
