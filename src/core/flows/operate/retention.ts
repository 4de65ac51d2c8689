import { keyOfFile } from '../../files';
import { instantOf } from '../../ports/clock';
import type { OldRow } from '../../ports/retention-store';
import type { FlowDeps, Retention } from '../deps';
import type { Lease } from '../lease';

/** The number of rows per batch. */
const LIMIT = 500;
const KINDS = ['events', 'messages', 'sessions'] as const;

/**
 * The progress of a walk over all expired rows. A kind stays FINISHED until all kinds are, so that rows which may not
 * be removed yet are not visited again at once.
 */
export type RetentionWalk = Readonly<Record<(typeof KINDS)[number], OldRow | 'OVER'>>;
export const NEW_WALK: RetentionWalk = { events: null, messages: null, sessions: null };

export interface RemovedRows { readonly keys: number; readonly deliveries: number; readonly events: number; readonly messages: number; readonly sessions: number }

/**
 * Removes one small batch of each kind. Called with pauses in between, by one replica at a time. It checks `lease`
 * before each step; if that throws, finished steps stay done and the walk continues there. `progress` null: no expired
 * row is left that may be removed now.
 */
export async function removeOld(deps: FlowDeps, { keepMs, files }: Retention, walk: RetentionWalk, lease: Lease): Promise<{ readonly removed: RemovedRows; readonly walk: RetentionWalk | null }> {
  const { retention } = deps.stores;
  const before = (ms: number) => instantOf(deps.clock.now() - ms);
  const next: Record<keyof RetentionWalk, OldRow | 'OVER'> = { ...walk };
  const removed = { keys: 0, deliveries: 0, events: 0, messages: 0, sessions: 0 };

  await lease.held();
  removed.keys = await retention.removeKeys(before(keepMs.idempotencyKeys), LIMIT);
  await lease.held();
  removed.deliveries = await retention.removeDeliveries(before(keepMs.deliveries), LIMIT);
  if (walk.events !== 'OVER') {
    await lease.held();
    const events = await retention.removeEvents(before(keepMs.events), walk.events, LIMIT);
    removed.events = events.count;
    next.events = events.next ?? 'OVER';
  }
  if (walk.messages !== 'OVER') {
    const cutoff = before(keepMs.messages);
    await lease.held();
    const old = await retention.oldMessages(cutoff, walk.messages, LIMIT);
    // Files go first. If the message stays after all, its file is fetched again on request.
    for (const message of old.withFiles)
      for (let index = 0; index < message.files; index++) {
        await lease.held();
        await files.remove(keyOfFile({ messageId: message.id, index }));
      }
    await lease.held();
    removed.messages = await retention.removeMessages(cutoff, old.sessionIds, LIMIT);
    next.messages = old.next ?? 'OVER';
  }
  if (walk.sessions !== 'OVER') {
    await lease.held();
    const sessions = await retention.removeSessions(before(keepMs.sessions), walk.sessions, LIMIT);
    removed.sessions = sessions.count;
    next.sessions = sessions.next ?? 'OVER';
  }
  const isOver = KINDS.every(kind => next[kind] === 'OVER') && removed.keys < LIMIT && removed.deliveries < LIMIT;
  return { removed, walk: isOver ? null : next };
}
