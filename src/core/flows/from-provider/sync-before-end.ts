import { ProviderUnavailableError } from '../../errors';
import { isOpen, type HandoffRecord } from '../../handoff';
import { createTimeLimit } from '../../time-limit';
import type { FlowDeps } from '../deps';
import { syncConversation } from './sync-conversation';

/** The number of conversations that are synced at the same time; the connections belong to all sessions. */
const CONCURRENCY = 4;
/** The wait before a provider that has failed is called again. */
const AGAIN_MS = 200;

/** Returns whether this handoff is ENDING and still awaits a sync of its conversation. */
export const awaitsSync = ({ state, syncBy }: Pick<HandoffRecord, 'state' | 'syncBy'>, now: number): boolean =>
  state === 'ENDING' && syncBy !== null && Date.parse(syncBy) > now;

/**
 * Syncs the conversations of handoffs that are about to end without a sync of their own, so that agents' messages are
 * delivered before the outcome. Called once before support is disabled. Returns when all are synced or `endSyncMs` has
 * passed. A conversation that cannot be synced is skipped, and its handoff ends anyway. Throws nothing.
 */
export async function syncBeforeEnd(deps: FlowDeps, live: AsyncIterable<HandoffRecord>): Promise<void> {
  const signal = createTimeLimit(deps.limits.endSyncMs);
  const handoffs = live[Symbol.asyncIterator]();
  const syncOneByOne = async (): Promise<void> => {
    while (!signal.aborted) {
      const next = await handoffs.next();
      if (next.done === true) return;
      if (isOpen(next.value.state) || awaitsSync(next.value, deps.clock.now()))
        await readToEnd(deps, next.value, signal).catch(() => undefined);
    }
  };
  await untilOver(signal, Promise.all(Array.from({ length: CONCURRENCY }, syncOneByOne)));
}

/**
 * Syncs the conversation of a handoff that awaits its sync and must end now. Called when another handoff is requested
 * in its place. Retries a provider that fails. Returns when the conversation is synced, no later attempt can succeed,
 * or the handoff no longer awaits its sync. Throws nothing.
 */
export async function syncEnding(deps: FlowDeps, ending: HandoffRecord): Promise<void> {
  const leftMs = Date.parse(ending.syncBy!) - deps.clock.now();
  const signal = createTimeLimit(Math.max(0, Math.min(leftMs, deps.limits.endSyncMs)));
  const readUntilDone = async (): Promise<void> => {
    while (!(await isRead(deps, ending, signal)) && !signal.aborted) await untilOver(createTimeLimit(AGAIN_MS));
  };
  await untilOver(signal, readUntilDone());
}

/** Runs one attempt. False: a later attempt may succeed. @throws an error that no later attempt changes */
const isRead = (deps: FlowDeps, ending: HandoffRecord, signal: AbortSignal): Promise<boolean> =>
  readToEnd(deps, ending, signal).then(
    () => true,
    (error: unknown) => {
      if (error instanceof ProviderUnavailableError) return false;
      throw error;
    },
  );

/**
 * Syncs to the end of the conversation. One sync reads a limited number of pages, so a long conversation takes several.
 */
async function readToEnd(
  deps: FlowDeps,
  { organizationId, sessionId }: HandoffRecord,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && (await syncConversation(deps, organizationId, sessionId)) === 0);
}

/** Returns when the signal aborts, or when the work has ended or failed. */
async function untilOver(signal: AbortSignal, work: Promise<unknown> = new Promise(() => undefined)): Promise<void> {
  const timeIsUp = new Promise<void>(resolve => {
    if (signal.aborted) resolve();
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
  await Promise.race([work.catch(() => undefined), timeIsUp]);
}
