import { instantOf } from '../ports/clock';
import type { SessionTransaction } from '../ports/stores';
import type { SupportProvider } from '../ports/support-provider';
import type { FlowDeps } from './deps';
import { READ_MARK_WAIT_MS, timerSyncMs } from './scan-account';

/** A person has the Session, and has not been seen to read what the end-user said lately. */
export async function mayBeRead(tx: SessionTransaction, { clock }: Pick<FlowDeps, 'clock'>): Promise<boolean> {
  if (tx.liveHandoff?.agent == null) return false;
  const since = clock.now() - READ_MARK_WAIT_MS;
  return tx.hasEndUserSaidSince(instantOf(Math.max(since, Date.parse(tx.session.agentsReadAt ?? instantOf(since)))));
}

/**
 * Asks for the sync that finds out whether the agent has read what the end-user just said. Called in the transaction that records the
 * post of an end-user's message: the sync before it has set its timer for a conversation in which nothing was unread.
 */
export async function requestReadMark(tx: SessionTransaction, { clock, limits }: Pick<FlowDeps, 'clock' | 'limits'>, provider: SupportProvider): Promise<void> {
  // Where no account can be scanned, every live handoff is synced more often than that.
  if (tx.liveHandoff?.agent == null || provider.changedConversations === undefined) return;
  const afterMs = timerSyncMs({ canBeScanned: true, mayBeRead: true, livePollMs: limits.livePollMs, random: clock.random() });
  await tx.wantReading(instantOf(clock.now() + afterMs), 'TIMER');
}
