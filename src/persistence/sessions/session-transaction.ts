import type { EndpointId, Instant, ProviderConversationId } from '../../core/ids';
import type { SessionTransaction } from '../../core/ports/session-transaction';
import type { EndpointDisabledReason } from '../../core/runtime-endpoint';
import { widened, type SyncHint } from '../../core/sync-hint';
import { statement } from '../postgres/sql';
import { DeliveryTransaction } from './delivery-transaction';

const DISABLE_ENDPOINT = statement(
  'tx_disable_endpoint',
  `
  update runtime_endpoint set state = 'DISABLED', disabled_reason = $3, disabled_at = $5
  where organization_id = $1 and id = $2 and state = 'ACTIVE' and first_failure_at is not distinct from $4 returning 1`,
);
const REQUEST_SYNC = statement(
  'tx_request_sync',
  `
  insert into lane (session_id, destination, organization_id, remote_id, next_run_at, is_timer) values ($1, 'SYNC', $2, $4, now() + $3 * interval '1 ms', $5)
  on conflict on constraint pk_lane do update set
    is_timer = case when lane.is_claimed then lane.is_timer when lane.next_run_at is null then excluded.is_timer else lane.is_timer and excluded.is_timer end,
    next_run_at = case when lane.is_claimed then lane.next_run_at else least(lane.next_run_at, excluded.next_run_at) end,
    requested_at = case when lane.is_claimed then least(lane.requested_at, excluded.next_run_at) else lane.requested_at end`,
);
// Two syncs of one session may overlap; each detects a view that another one has overtaken.
const REQUEST_SYNC_NOW = statement(
  'tx_request_sync_now',
  `
  insert into lane (session_id, destination, organization_id, remote_id, next_run_at, is_timer) values ($1, 'SYNC', $2, $3, now(), false)
  on conflict on constraint pk_lane do update set
    fence = lane.fence + 1, is_claimed = false, is_timer = false, requested_at = null, next_run_at = excluded.next_run_at`,
);
const REQUEST_ANOTHER_SYNC = statement(
  'tx_request_another_sync',
  `
  update lane set requested_at = least(requested_at, now()) where session_id = $1 and destination = 'SYNC' and is_claimed returning 1`,
);
const ADD_AGENT_INITIATED = statement(
  'tx_add_agent_initiated',
  `
  insert into agent_initiated_conversation (session_id, conversation_id) values ($1, $2) on conflict on constraint pk_agent_initiated_conversation do nothing returning 1`,
);
const REMOVE_AGENT_INITIATED = statement(
  'tx_remove_agent_initiated',
  'delete from agent_initiated_conversation where session_id = $1 and conversation_id = $2',
);

/** The whole of a session's transaction: its deliveries, and the syncs that it requests. */
export class PostgresSessionTransaction extends DeliveryTransaction implements SessionTransaction {
  async disableEndpoint(
    id: EndpointId,
    reason: EndpointDisabledReason,
    failingSince: Instant | null,
    at: Instant,
  ): Promise<boolean> {
    return (
      (await this.change(DISABLE_ENDPOINT, [this.current.organizationId, id, reason, failingSince, at])).length > 0
    );
  }

  async requestSync(at: Instant, about: 'MESSAGES' | 'ALL' | 'TIMER' = 'ALL'): Promise<void> {
    if (about !== 'TIMER') await this.addHint(about);
    // Passed as a delay, so that the database's clock decides what is due, on all replicas.
    this.write(REQUEST_SYNC, [
      this.current.id,
      this.current.organizationId,
      Date.parse(at) - this.clock.now(),
      this.inbox.accountId,
      about === 'TIMER',
    ]);
  }

  async requestSyncNow(): Promise<void> {
    await this.updateSession({ syncHint: this.current.syncHint === 'ALL' ? 'ALL' : 'MESSAGES' });
    this.write(REQUEST_SYNC_NOW, [this.current.id, this.current.organizationId, this.inbox.accountId]);
  }

  async requestAnotherSync(): Promise<void> {
    if ((await this.change(REQUEST_ANOTHER_SYNC, [this.current.id])).length > 0) await this.addHint('ALL');
  }

  addHint(arrived: SyncHint): Promise<void> {
    const { syncHint, hintCount, stateHintCount } = this.current;
    return this.updateSession({
      syncHint: widened(syncHint, arrived),
      hintCount: hintCount + 1,
      stateHintCount: stateHintCount + (arrived === 'MESSAGES' ? 0 : 1),
    });
  }

  async addAgentInitiated(conversationId: ProviderConversationId): Promise<boolean> {
    return (await this.change(ADD_AGENT_INITIATED, [this.current.id, conversationId])).length > 0;
  }

  async removeAgentInitiated(conversationId: ProviderConversationId): Promise<void> {
    this.write(REMOVE_AGENT_INITIATED, [this.current.id, conversationId]);
  }
}
