import type { Pool } from 'pg';
import type { Clock } from '../core/ports/clock';
import type { Stores } from '../core/ports/stores';
import type { Wake } from '../core/ports/wake';
import { PostgresDeliveryStore } from './delivery-store';
import { PostgresEventStore } from './event-store';
import { PostgresHandoffStore } from './handoff-store';
import { PostgresLaneStore } from './lane-store';
import { PostgresMessageStore } from './message-store';
import { PostgresRuntimeEndpointStore } from './runtime-endpoint-store';
import type { SecretBox } from './secret-box';
import { PostgresSessionStore } from './session-store';
import { createSetupStore } from './setup-store';
import { PostgresWatchStore } from './watch-store';

export interface StoreParts {
  /** Seals credentials, and the secrets of webhooks in both directions. */
  readonly secretBox: SecretBox;
  readonly clock: Clock;
  /** Told after each commit that others may wait for. */
  readonly wake: Wake;
}

/** The core's stores over one pool. The pool stays its maker's: whoever made it ends it. */
export const createStores = (pool: Pool, { secretBox, clock, wake }: StoreParts): Stores => ({
  sessions: new PostgresSessionStore(pool, clock, wake),
  handoffs: new PostgresHandoffStore(pool),
  messages: new PostgresMessageStore(pool),
  events: new PostgresEventStore(pool),
  deliveries: new PostgresDeliveryStore(pool),
  lanes: new PostgresLaneStore(pool, clock),
  endpoints: new PostgresRuntimeEndpointStore(pool, secretBox),
  watches: new PostgresWatchStore(pool),
  setup: createSetupStore(pool, secretBox, clock),
});
