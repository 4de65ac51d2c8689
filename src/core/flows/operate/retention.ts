import { fileKey } from '../../files';
import { instantOf } from '../../ports/clock';
import type { RetentionCursor } from '../../ports/retention-store';
import type { Retention, StoreDeps } from '../deps';
import type { Lease } from '../lease';

/** The number of rows per batch. */
const BATCH_SIZE = 500;
const WALKED_KINDS = ['events', 'messages', 'sessions'] as const;

/**
 * The progress of a walk over all expired rows. A kind stays FINISHED until all kinds are, so that rows which may not
 * be removed yet are not visited again at once.
 */
export type RetentionProgress = Readonly<Record<(typeof WALKED_KINDS)[number], RetentionCursor | 'FINISHED'>>;
export const NEW_PROGRESS: RetentionProgress = { events: null, messages: null, sessions: null };

export interface RemovedRows {
  readonly keys: number;
  readonly deliveries: number;
  readonly events: number;
  readonly messages: number;
  readonly sessions: number;
}

/**
 * Removes one small batch of each kind. Called with pauses in between, by one replica at a time. It checks `lease`
 * before each step; if that throws, finished steps stay done and the walk continues there. `progress` null: no expired
 * row is left that may be removed now.
 */
export async function removeExpired(
  deps: StoreDeps,
  { keepMs, files }: Retention,
  progress: RetentionProgress,
  lease: Lease,
): Promise<{ readonly removed: RemovedRows; readonly progress: RetentionProgress | null }> {
  const { retention } = deps.stores;
  const cutoffAt = (ms: number) => instantOf(deps.clock.now() - ms);
  const next: Record<keyof RetentionProgress, RetentionCursor | 'FINISHED'> = { ...progress };
  const removed = { keys: 0, deliveries: 0, events: 0, messages: 0, sessions: 0 };

  await lease.ensureHeld();
  removed.keys = await retention.removeIdempotencyKeys(cutoffAt(keepMs.idempotencyKeys), BATCH_SIZE);
  await lease.ensureHeld();
  removed.deliveries = await retention.removeDeliveries(cutoffAt(keepMs.deliveries), BATCH_SIZE);
  if (progress.events !== 'FINISHED') {
    await lease.ensureHeld();
    const events = await retention.removeEvents(cutoffAt(keepMs.events), progress.events, BATCH_SIZE);
    removed.events = events.count;
    next.events = events.next ?? 'FINISHED';
  }
  if (progress.messages !== 'FINISHED') {
    const cutoff = cutoffAt(keepMs.messages);
    await lease.ensureHeld();
    const old = await retention.findExpiredMessages(cutoff, progress.messages, BATCH_SIZE);
    // Files go first. If the message stays after all, its file is fetched again on request.
    for (const message of old.messagesWithFiles)
      for (let index = 0; index < message.files; index++) {
        await lease.ensureHeld();
        await files.remove(fileKey({ messageId: message.id, index }));
      }
    await lease.ensureHeld();
    removed.messages = await retention.removeMessages(cutoff, old.sessionIds, BATCH_SIZE);
    next.messages = old.next ?? 'FINISHED';
  }
  if (progress.sessions !== 'FINISHED') {
    await lease.ensureHeld();
    const sessions = await retention.removeSessions(cutoffAt(keepMs.sessions), progress.sessions, BATCH_SIZE);
    removed.sessions = sessions.count;
    next.sessions = sessions.next ?? 'FINISHED';
  }
  const isOver =
    WALKED_KINDS.every(kind => next[kind] === 'FINISHED') &&
    removed.keys < BATCH_SIZE &&
    removed.deliveries < BATCH_SIZE;
  return { removed, progress: isOver ? null : next };
}
