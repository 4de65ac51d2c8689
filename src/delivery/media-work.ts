import { setTimeout } from 'node:timers/promises';
import { FileRefusedError, SupportDisabledError } from '../core/errors';
import type { Lease } from '../core/flows/lease';
import type { FlowDeps } from '../core/flows/deps';
import { fileGivenUp, KEEPING, type FileKeeper } from '../core/flows/keep-file';
import type { LaneWorkOf } from './lane-runner';
import type { WorkerOptions } from './options';
import { backoffMs, triedOf, verdictOn, type Tried, type Verdict } from './retry-policy';

/** Files are large and nobody waits for them: a small share of the hands, and of each far side. */
const WIDTH = 8;
const WIDTH_OF_FAR_SIDE = 3;

export const mediaOptions = (options: WorkerOptions): WorkerOptions =>
  ({ ...options, width: Math.min(options.width, WIDTH), widthOfFarSide: Math.min(options.widthOfFarSide, WIDTH_OF_FAR_SIDE) });

/** What we owe to our own store of files. */
export const mediaWork = (deps: FlowDeps, files: FileKeeper, leaseMs: number): LaneWorkOf<'MEDIA'> => ({
  to: 'MEDIA',

  async deliver({ organizationId, delivery: { work } }, lease) {
    if (work.kind === 'REMOVE_FILES') return files.remove(organizationId, work.messageId);
    await lease.held();
    await heldDuring(files.keep({ organizationId, messageId: work.messageId, index: work.index }), lease, leaseMs / 4);
  },

  async failed({ delivery }, error) {
    if (error instanceof SupportDisabledError) return { kind: 'nothingOwed' };
    const verdict = fileVerdict(error, triedOf(deps, delivery));
    if (verdict.kind === 'park') await fileGivenUp(deps, delivery, verdict.code);
    return verdict;
  },

  // Files may lie at a server of their own, whose absence must not rest the talk.
  saysNothingOfFarSide: true,
});

export function fileVerdict(error: unknown, tried: Tried): Verdict {
  if (!(error instanceof FileRefusedError)) return verdictOn(error, tried);
  const { attempts, failingMs, random } = tried;
  const { code } = error;
  return code === 'FILE_MISSING' && failingMs < KEEPING.appearsWithinMs ? { kind: 'retry', afterMs: backoffMs(error, attempts, random), code } : { kind: 'park', code };
}

/** A large file outlasts a lease: it is renewed meanwhile. When it is lost, another replica goes on; what comes here does no harm. */
async function heldDuring(work: Promise<unknown>, lease: Lease, everyMs: number): Promise<void> {
  const over = new AbortController();
  const ended = work.then(() => true, () => true);
  try {
    while (!await Promise.race([ended, setTimeout(everyMs, false, { signal: over.signal }).catch(() => true)])) await lease.held();
  } finally {
    over.abort();
  }
  await work;
}
