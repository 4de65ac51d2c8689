import type { Clock } from '../../core/ports/clock';
import type { Stores } from '../../core/ports/stores';
import type { SessionPoller } from './session-poller';
import type { OpenSubscriptions, TypingSource, WakeSource } from './wake-signal';

/** The sources of all subscriptions. */
export interface LiveSources {
  readonly stores: Stores;
  readonly wake: WakeSource;
  readonly typing: TypingSource;
  readonly clock: Clock;
  readonly pollMs: number;
  readonly openSubscriptions: OpenSubscriptions;
  readonly sessionPoller: SessionPoller;
}
