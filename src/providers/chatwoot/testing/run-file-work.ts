import { createMediaHandler } from '../../../delivery/media-handler';
import type { ChatwootWorld } from './chatwoot-world';
import { createLease } from '../../../testing/lease';

const LEASE_MS = 60_000;
const LATER_MS = 3_600_000;

/**
 * Runs the worker of files by hand: attempts all pending deliveries once more. Returns the result of each attempt, in
 * order.
 */
export async function runFileWork({ stores, pool, deps }: ChatwootWorld, files = deps.files!): Promise<string[]> {
  const work = createMediaHandler(deps, files, LEASE_MS);
  await pool.query("update lane set next_run_at = now() where destination = 'MEDIA' and next_run_at is not null");
  for (const outcomes: string[] = []; ; ) {
    const [lane] = await stores.lanes.claimDeliveries('MEDIA', 1, LEASE_MS);
    if (lane === undefined) return outcomes;
    try {
      await work.deliver(lane, createLease());
      await stores.lanes.complete(lane);
      outcomes.push('done');
    } catch (error) {
      const verdict = await work.handleFailure(lane, error);
      if (verdict.kind === 'obsolete') {
        await stores.lanes.complete(lane);
        outcomes.push('nothing owed');
      } else if (verdict.kind === 'discard') {
        await stores.lanes.discard(lane, verdict.code, verdict.reason);
        outcomes.push(`given up ${verdict.code}`);
      } else if (verdict.kind === 'park') {
        await stores.lanes.park(lane, verdict.code);
        outcomes.push(`parked ${verdict.code}`);
      } else if (verdict.kind !== 'postpone') {
        await stores.lanes.retry(lane, LATER_MS, verdict.code);
        outcomes.push(`again ${verdict.code}`);
      }
    }
  }
}
