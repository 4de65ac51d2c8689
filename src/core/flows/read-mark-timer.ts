import { instantOf } from '../ports/clock';
import type { HandoffRows, SyncRequests, LockedSession, MessageRows } from '../ports/session-transaction';
import type { FlowDeps } from './deps';
import { READ_MARK_EXPECTED_MS, timerSyncDelayMs } from './from-provider/scan-account';

/** Returns whether an agent has the session and has not been seen to read the end-user's latest messages. */
export async function mayBeRead(
  tx: LockedSession & HandoffRows & MessageRows,
  { clock }: Pick<FlowDeps, 'clock'>,
): Promise<boolean> {
  if (tx.liveHandoff?.agent == null) return false;
  const since = clock.now() - READ_MARK_EXPECTED_MS;
  return tx.hasEndUserMessageSince(instantOf(Math.max(since, Date.parse(tx.session.agentsReadAt ?? instantOf(since)))));
}

/**
 * Schedules the sync that finds out whether the agent has read the end-user's latest message. Called in the transaction
 * that records the post of an end-user's message, because the last sync set its timer for a conversation without unread
 * messages.
 */
export async function requestReadMark(
  tx: HandoffRows & SyncRequests,
  { clock, limits }: Pick<FlowDeps, 'clock' | 'limits'>,
  canBeScanned: boolean,
): Promise<void> {
  // If no account can be scanned, every live handoff is synced more often than that.
  if (tx.liveHandoff?.agent == null || !canBeScanned) return;
  const afterMs = timerSyncDelayMs({
    canBeScanned: true,
    expectsReadMark: true,
    liveScanIntervalMs: limits.liveScanIntervalMs,
    random: clock.random(),
  });
  await tx.requestSync(instantOf(clock.now() + afterMs), 'TIMER');
}
