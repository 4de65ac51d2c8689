import { ProviderUnavailableError } from '../errors';
import { isOpen, type HandoffRecord } from '../handoff';
import { timeLimit } from '../time-limit';
import type { FlowDeps } from './deps';
import { readForward } from './read-forward';

/** Conversations that are read at the same time: the connections are everybody's. */
const WIDTH = 4;
/** Before a provider that has failed is asked again. */
const AGAIN_MS = 200;

/** Whether this handoff ends, and a sync of its conversation is still awaited. */
export const awaitsSync = ({ state, syncBy }: Pick<HandoffRecord, 'state' | 'syncBy'>, now: number): boolean =>
  state === 'ENDING' && syncBy !== null && Date.parse(syncBy) > now;

/**
 * Reads the conversations of handoffs that are about to end without a sync of their own, so that what agents have said is
 * delivered before the outcome. Called once before support is switched off. Returns when all are read or `endSyncMs` has
 * passed; a conversation that cannot be read is skipped, and its handoff ends all the same. Throws nothing.
 */
export async function syncBeforeEnd(deps: FlowDeps, live: AsyncIterable<HandoffRecord>): Promise<void> {
  const signal = timeLimit(deps.limits.endSyncMs);
  const handoffs = live[Symbol.asyncIterator]();
  const readOneByOne = async (): Promise<void> => {
    while (!signal.aborted) {
      const next = await handoffs.next();
      if (next.done === true) return;
      if (isOpen(next.value.state) || awaitsSync(next.value, deps.clock.now())) await readToEnd(deps, next.value, signal).catch(() => undefined);
    }
  };
  await untilOver(signal, Promise.all(Array.from({ length: WIDTH }, readOneByOne)));
}

/**
 * Reads the conversation of a handoff that awaits its sync and is to end now. Called when another handoff is requested in its
 * place. A provider that fails is asked again. Returns when the conversation is read, no later try can read it, or the
 * handoff awaits its sync no longer. Throws nothing.
 */
export async function syncEnding(deps: FlowDeps, ending: HandoffRecord): Promise<void> {
  const leftMs = Date.parse(ending.syncBy!) - deps.clock.now();
  const signal = timeLimit(Math.max(0, Math.min(leftMs, deps.limits.endSyncMs)));
  const readUntilDone = async (): Promise<void> => {
    while (!(await isRead(deps, ending, signal)) && !signal.aborted) await untilOver(timeLimit(AGAIN_MS));
  };
  await untilOver(signal, readUntilDone());
}

/** False: a later try may read it. @throws what no later try changes */
const isRead = (deps: FlowDeps, ending: HandoffRecord, signal: AbortSignal): Promise<boolean> =>
  readToEnd(deps, ending, signal).then(() => true, (error: unknown) => {
    if (error instanceof ProviderUnavailableError) return false;
    throw error;
  });

/** One sync takes some pages; a long conversation takes several syncs. */
async function readToEnd(deps: FlowDeps, { organizationId, sessionId }: HandoffRecord, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && await readForward(deps, organizationId, sessionId) === 0);
}

/** Returns when the signal aborts, or when the work has ended or failed. */
async function untilOver(signal: AbortSignal, work: Promise<unknown> = new Promise(() => undefined)): Promise<void> {
  const timeIsUp = new Promise<void>(resolve => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => { resolve(); }, { once: true });
  });
  await Promise.race([work.catch(() => undefined), timeIsUp]);
}
