import type { DeadLetterStore } from './dead-letter-store';
import type { RetentionStore } from './retention-store';
import type { RuntimeEndpointStore } from './runtime-endpoint-store';
import type { SetupLocks } from './setup/setup-locks';
import type { SessionStore } from './session-store';
import type { HandoffStore } from './handoff-store';
import type { MessageStore } from './message-store';
import type { EventStore } from './event-store';
import type { DeliveryStore } from './delivery-store';
import type { LaneStore } from './lane-store';
import type { ScanStore } from './scan-store';
import type { ConnectionStore } from './connection-store';
import type { AccountStore, AccountHealthStore } from './setup/account-store';
import type { InboxStore } from './setup/inbox-store';
import type { AgentStore } from './setup/agent-store';
import type { TeamStore } from './setup/team-store';

export interface Stores {
  readonly sessions: SessionStore;
  readonly handoffs: HandoffStore;
  readonly messages: MessageStore;
  readonly events: EventStore;
  readonly deliveries: DeliveryStore;
  readonly lanes: LaneStore;
  readonly deadLetters: DeadLetterStore;
  readonly retention: RetentionStore;
  readonly endpoints: RuntimeEndpointStore;
  readonly scans: ScanStore;
  readonly connections: ConnectionStore;
  readonly setup: SetupStore;
  readonly setupLocks: SetupLocks;
}

/** Stores everything that setup records. */
export interface SetupStore extends AccountStore, AccountHealthStore, InboxStore, AgentStore, TeamStore {}
