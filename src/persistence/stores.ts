import type { Pool } from 'pg';
import type { Clock } from '../core/ports/clock';
import type { Stores } from '../core/ports/stores';
import type { Wake } from '../core/ports/wake';
import { PostgresDeadLetterStore } from './deliveries/dead-letter-store';
import { PostgresDeliveryStore } from './deliveries/delivery-store';
import { PostgresEventStore } from './sessions/event-store';
import { PostgresHandoffStore } from './sessions/handoff-store';
import { KEY_RULES, type KeyRules } from './sessions/idempotency';
import { PostgresLaneStore } from './deliveries/lane-store';
import { PostgresMessageStore } from './sessions/message-store';
import { PostgresRetentionStore } from './retention/retention-store';
import { PostgresRuntimeEndpointStore } from './endpoints/runtime-endpoint-store';
import type { SecretBox } from './postgres/secret-box';
import type { SessionLimiterOptions } from './sessions/session-limiter';
import { PostgresSessionStore } from './sessions/session-store';
import { PostgresSetupLocks } from './setup/setup-locks';
import { createSetupStore } from './setup/setup-store';
import { AccountTable } from './setup/account-table';
import { InboxTable } from './setup/inbox-table';
import { PostgresConnectionStore } from './sessions/connection-store';
import { PostgresScanStore } from './scans/scan-store';

export interface StoreOptions {
  /** Seals credentials, and the secrets of webhooks in both directions. */
  readonly secretBox: SecretBox;
  readonly clock: Clock;
  /** Notified after each commit that others may wait for. */
  readonly wake: Wake;
  /**
   * Names this process in its claims, so that a later process can find out whether it is dead. If omitted: none can.
   */
  readonly claimer?: string;
  /** If omitted: a repeat waits up to 5 s, and keys are kept for 7 days. */
  readonly keys?: Partial<KeyRules>;
  /** If omitted: up to 500 calls of one session, and up to 5,000 of all, wait for up to 20 s. */
  readonly sessionLimiter?: Partial<SessionLimiterOptions>;
}

/** Creates the core's stores over one pool. The caller ends the pool. */
export function createStores(
  pool: Pool,
  { secretBox, clock, wake, claimer, keys, sessionLimiter }: StoreOptions,
): Stores {
  const sessions = new PostgresSessionStore(pool, clock, wake, { ...KEY_RULES, ...keys }, sessionLimiter);
  return {
    sessions,
    handoffs: new PostgresHandoffStore(pool),
    messages: new PostgresMessageStore(pool),
    events: new PostgresEventStore(pool),
    deliveries: new PostgresDeliveryStore(pool, clock),
    lanes: new PostgresLaneStore(pool, clock, sessions, claimer),
    deadLetters: new PostgresDeadLetterStore(pool),
    retention: new PostgresRetentionStore(pool),
    endpoints: new PostgresRuntimeEndpointStore(pool, secretBox, clock),
    scans: new PostgresScanStore(pool),
    connections: new PostgresConnectionStore(
      pool,
      new AccountTable(pool, secretBox, clock),
      new InboxTable(pool, secretBox),
    ),
    setup: createSetupStore(pool, secretBox, clock),
    setupLocks: new PostgresSetupLocks(pool, clock, undefined, claimer),
  };
}
