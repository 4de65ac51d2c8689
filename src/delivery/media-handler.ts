import { setTimeout } from 'node:timers/promises';
import { FileRefusedError, MediaStoreError } from '../core/file-errors';
import { SupportDisabledError } from '../core/errors';
import type { Lease } from '../core/flows/lease';
import type { StoreDeps } from '../core/flows/deps';
import { enqueueFilePost, recordFileRefusal, notifyAgentsOfMissingFile } from '../core/flows/to-runtime/file-refusal';
import { ARCHIVE_TIMES } from '../core/flows/archive-file';
import type { FileArchive } from '../core/ports/file-archive';
import { hasProviderFiles } from '../core/message';
import type { LaneHandler } from './lane-runner';
import type { WorkerOptions } from './options';
import { backoffMs, codeOf, attemptHistoryOf, verdictFor, type AttemptHistory, type Verdict } from './retry-policy';

/** Files are large and nobody waits for them, so they get a small share of the workers and of each remote. */
const CONCURRENCY = 8;
const CONCURRENCY_PER_REMOTE = 3;

export const mediaOptions = (options: WorkerOptions): WorkerOptions => ({
  ...options,
  concurrency: Math.min(options.concurrency, CONCURRENCY),
  concurrencyPerRemote: Math.min(options.concurrencyPerRemote, CONCURRENCY_PER_REMOTE),
});

/** Creates the handler of work on archived files. */
export const createMediaHandler = (deps: StoreDeps, files: FileArchive, leaseMs: number): LaneHandler<'MEDIA'> => ({
  destination: 'MEDIA',

  async deliver({ organizationId, delivery }, lease) {
    const { work } = delivery;
    if (work.kind === 'DELETE_FILES') return files.remove(organizationId, work.messageId);
    await lease.ensureHeld();
    const keeping = await renewDuring(
      files.archive({ organizationId, messageId: work.messageId, index: work.index }),
      lease,
      leaseMs / 4,
    );
    if (work.kind === 'FETCH_FILE_TO_POST' && keeping === 'archived') await enqueueFilePost(deps, delivery, work);
  },

  async handleFailure({ delivery }, error) {
    if (error instanceof SupportDisabledError) return { kind: 'obsolete' };
    const { work } = delivery;
    if (work.kind === 'DELETE_FILES') return verdictFor(error, attemptHistoryOf(deps, delivery));
    if (work.kind === 'FETCH_FILE_TO_POST') {
      // The file was attempted for the full time before this delivery, so only our own store is worth waiting for.
      if (error instanceof MediaStoreError) return verdictFor(error, attemptHistoryOf(deps, delivery));
      await notifyAgentsOfMissingFile(deps, delivery, work, codeOf(error));
      return { kind: 'obsolete' };
    }
    const message = await deps.stores.messages.get(delivery.organizationId, work.messageId);
    const from = message != null && hasProviderFiles(message) ? 'AGENT' : 'CHANNEL';
    const verdict = verdictForFile(error, attemptHistoryOf(deps, delivery), from);
    if (verdict.kind !== 'park') return verdict;
    await recordFileRefusal(deps, delivery, work, verdict.code);
    // An operator cannot repair a channel's dead link, and a parked delivery would keep the session from being removed.
    return from === 'AGENT'
      ? verdict
      : { kind: 'discard', code: verdict.code, reason: 'The file cannot be fetched. The runtime was notified.' };
  },

  // Files may be on a separate server, whose failure must not pause messages.
  ignoresReachability: true,
});

/**
 * Returns the verdict for a file that could not be archived. `from`: AGENT, or CHANNEL for a file of an end-user or a
 * bot, whose link expires soon.
 */
export function verdictForFile(error: unknown, history: AttemptHistory, from: 'AGENT' | 'CHANNEL' = 'AGENT'): Verdict {
  const { previousAttempts, failingMs, random } = history;
  if (error instanceof FileRefusedError) {
    const { code } = error;
    return code === 'FILE_MISSING' && failingMs < ARCHIVE_TIMES.appearsWithinMs
      ? { kind: 'retry', afterMs: backoffMs(error, previousAttempts, random), code }
      : { kind: 'park', code };
  }
  if (from === 'CHANNEL' && failingMs >= ARCHIVE_TIMES.linkRetryMs && !(error instanceof MediaStoreError))
    return { kind: 'park', code: codeOf(error) };
  return verdictFor(error, history);
}

/**
 * Renews the lease while `work` runs, because a large file takes longer than a lease. If the lease is lost, another
 * replica continues; the result of this one does no harm.
 */
async function renewDuring<T>(work: Promise<T>, lease: Lease, everyMs: number): Promise<T> {
  const over = new AbortController();
  const ended = work.then(
    () => true,
    () => true,
  );
  try {
    while (!(await Promise.race([ended, setTimeout(everyMs, false, { signal: over.signal }).catch(() => true)])))
      await lease.ensureHeld();
  } finally {
    over.abort();
  }
  return work;
}
