import { keyOfFile } from '../files';
import { instantOf } from '../ports/clock';
import type { OldRow } from '../ports/retention-store';
import type { FlowDeps, Retention } from './deps';
import type { Lease } from './lease';

/** Rows of one batch. */
const LIMIT = 500;
const KINDS = ['events', 'messages', 'sessions'] as const;

/** How far a walk over everything old has come. OVER until all kinds are: what may not go yet must not be met again at once. */
export type RetentionWalk = Readonly<Record<(typeof KINDS)[number], OldRow | 'OVER'>>;
export const NEW_WALK: RetentionWalk = { events: null, messages: null, sessions: null };

export interface RemovedRows { readonly keys: number; readonly deliveries: number; readonly events: number; readonly messages: number; readonly sessions: number }

/**
 * One small batch of each kind. Called with pauses in between, by one replica at a time; `lease` is asked before each step,
 * and where that throws, what is done is done and the walk goes on there. `walk` null: nothing old is left that may go now.
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
    // Files first: one whose message is left after all is fetched again when somebody asks for it.
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
