import type { Pool } from 'pg';
import type { Clock } from '../core/ports/clock';
import type { Stores } from '../core/ports/stores';
import type { Wake } from '../core/ports/wake';
import { PostgresDeadLetterStore } from './dead-letter-store';
import { PostgresDeliveryStore } from './delivery-store';
import { PostgresEventStore } from './event-store';
import { PostgresHandoffStore } from './handoff-store';
import { KEY_RULES, type KeyRules } from './idempotency';
import { PostgresLaneStore } from './lane-store';
import { PostgresMessageStore } from './message-store';
import { PostgresRetentionStore } from './retention-store';
import { PostgresRuntimeEndpointStore } from './runtime-endpoint-store';
import type { SecretBox } from './secret-box';
import type { SessionGateLimits } from './session-gate';
import { PostgresSessionStore } from './session-store';
import { PostgresSetUpTurns } from './set-up-turns';
import { createSetupStore } from './setup-store';
import { PostgresWatchStore } from './watch-store';

export interface StoreParts {
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
  readonly sessionGate?: Partial<SessionGateLimits>;
}

/** Creates the core's stores over one pool. The caller ends the pool. */
export function createStores(pool: Pool, { secretBox, clock, wake, claimer, keys, sessionGate }: StoreParts): Stores {
  const sessions = new PostgresSessionStore(pool, clock, wake, { ...KEY_RULES, ...keys }, sessionGate);
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
    watches: new PostgresWatchStore(pool),
    setup: createSetupStore(pool, secretBox, clock),
    setUpTurns: new PostgresSetUpTurns(pool, clock, undefined, claimer),
  };
}
