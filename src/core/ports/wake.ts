import type { SessionId } from '../ids';

/**
 * Tells every replica that committed work or facts are there. A hint for speed only: a lost call delays the work
 * until the next poll and changes nothing else. Called after each commit, outside the transaction; never throws.
 */
export interface Wake {
  /** Lanes of these Sessions may have become due, and they may have new events. */
  committed(sessionIds: readonly SessionId[]): void;
}
