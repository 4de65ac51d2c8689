import type { SessionId } from '../ids';

/**
 * Notifies every replica of committed work or events. Called after each commit, outside the transaction. Never throws.
 * It only saves time: a lost call delays the work until the next poll.
 */
export interface Wake {
  /** Lanes of these sessions may have become due, and the sessions may have new events. */
  committed(sessionIds: readonly SessionId[]): void;
}
