import { setTimeout } from 'node:timers/promises';
import { FileRefusedError, MediaStoreError, SupportDisabledError } from '../core/errors';
import type { Lease } from '../core/flows/lease';
import type { FlowDeps } from '../core/flows/deps';
import { fileArrived, fileGivenUp, fileNotComing } from '../core/flows/to-runtime/file-refusal';
import { KEEPING, type FileKeeper } from '../core/flows/archive-file';
import { hasProviderFiles } from '../core/message';
import type { LaneWorkOf } from './lane-runner';
import type { WorkerOptions } from './options';
import { backoffMs, codeOf, triedOf, verdictOn, type Tried, type Verdict } from './retry-policy';

/** Files are large and nobody waits for them, so they get a small share of the workers and of each remote. */
const WIDTH = 8;
const WIDTH_OF_FAR_SIDE = 3;

export const mediaOptions = (options: WorkerOptions): WorkerOptions =>
  ({ ...options, width: Math.min(options.width, WIDTH), widthOfFarSide: Math.min(options.widthOfFarSide, WIDTH_OF_FAR_SIDE) });

/** Creates the handler of work on archived files. */
export const mediaWork = (deps: FlowDeps, files: FileKeeper, leaseMs: number): LaneWorkOf<'MEDIA'> => ({
  to: 'MEDIA',

  async deliver({ organizationId, delivery }, lease) {
    const { work } = delivery;
    if (work.kind === 'REMOVE_FILES') return files.remove(organizationId, work.messageId);
    await lease.held();
    const keeping = await heldDuring(files.keep({ organizationId, messageId: work.messageId, index: work.index }), lease, leaseMs / 4);
    if (work.kind === 'BRING_FILE' && keeping === 'kept') await fileArrived(deps, delivery, work);
  },

  async failed({ delivery }, error) {
    if (error instanceof SupportDisabledError) return { kind: 'nothingOwed' };
    const { work } = delivery;
    if (work.kind === 'REMOVE_FILES') return verdictOn(error, triedOf(deps, delivery));
    if (work.kind === 'BRING_FILE') {
      // The file was attempted for the full time before this delivery, so only our own store is worth waiting for.
      if (error instanceof MediaStoreError) return verdictOn(error, triedOf(deps, delivery));
      await fileNotComing(deps, delivery, work, codeOf(error));
      return { kind: 'nothingOwed' };
    }
    const message = await deps.stores.messages.get(delivery.organizationId, work.messageId);
    const from = message != null && hasProviderFiles(message) ? 'AGENT' : 'CHANNEL';
    const verdict = fileVerdict(error, triedOf(deps, delivery), from);
    if (verdict.kind !== 'park') return verdict;
    await fileGivenUp(deps, delivery, work, verdict.code);
    // An operator cannot repair a channel's dead link, and a parked delivery would keep the session from being removed.
    return from === 'AGENT' ? verdict : { kind: 'givenUp', code: verdict.code, reason: 'The file cannot be fetched. The runtime was notified.' };
  },

  // Files may be on a separate server, whose failure must not pause messages.
  saysNothingOfFarSide: true,
});

/**
 * Returns the verdict for a file that could not be archived. `from`: AGENT, or CHANNEL for a file of an end-user or a
 * bot, whose link expires soon.
 */
export function fileVerdict(error: unknown, tried: Tried, from: 'AGENT' | 'CHANNEL' = 'AGENT'): Verdict {
  const { attempts, failingMs, random } = tried;
  if (error instanceof FileRefusedError) {
    const { code } = error;
    return code === 'FILE_MISSING' && failingMs < KEEPING.appearsWithinMs ? { kind: 'retry', afterMs: backoffMs(error, attempts, random), code } : { kind: 'park', code };
  }
  if (from === 'CHANNEL' && failingMs >= KEEPING.linkTriesMs && !(error instanceof MediaStoreError)) return { kind: 'park', code: codeOf(error) };
  return verdictOn(error, tried);
}

/**
 * Renews the lease while `work` runs, because a large file takes longer than a lease. If the lease is lost, another
 * replica continues; the result of this one does no harm.
 */
async function heldDuring<T>(work: Promise<T>, lease: Lease, everyMs: number): Promise<T> {
  const over = new AbortController();
  const ended = work.then(() => true, () => true);
  try {
    while (!await Promise.race([ended, setTimeout(everyMs, false, { signal: over.signal }).catch(() => true)])) await lease.held();
  } finally {
    over.abort();
  }
  return work;
}
