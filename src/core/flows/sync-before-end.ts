import { isOpen, type HandoffRecord } from '../handoff';
import { timeLimit } from '../time-limit';
import type { FlowDeps } from './deps';
import { readForward } from './read-forward';

/** Conversations that are read at the same time: the connections are everybody's. */
const WIDTH = 4;

/**
 * Reads the conversations of handoffs that are about to end without a sync of their own, so that what agents have said is
 * delivered before the outcome. Called once before support is switched off. Returns when all are read or `endSyncMs` has
 * passed; a conversation that cannot be read is skipped, and its handoff ends all the same. Throws nothing.
 */
export async function syncBeforeEnd(deps: FlowDeps, live: AsyncIterable<HandoffRecord>): Promise<void> {
  const signal = timeLimit(deps.limits.endSyncMs);
  const timeIsUp = new Promise<void>(resolve => { signal.addEventListener('abort', () => { resolve(); }, { once: true }); });
  const handoffs = live[Symbol.asyncIterator]();
  const readOneByOne = async (): Promise<void> => {
    while (!signal.aborted) {
      const next = await handoffs.next();
      if (next.done === true) return;
      const { organizationId, sessionId, state } = next.value;
      if (isOpen(state)) await readForward(deps, organizationId, sessionId).catch(() => undefined);
    }
  };
  await Promise.race([Promise.all(Array.from({ length: WIDTH }, readOneByOne)).catch(() => undefined), timeIsUp]);
}
