import { FileRefusedError } from '../../errors';
import { limitsFor, reasonOf } from '../../files';
import type { Attachment, MessageRecord } from '../../message';
import type { PostedFile } from '../../ports/support-provider';
import { timeLimit } from '../../time-limit';
import type { FlowDeps } from '../deps';
import type { FileKeeper } from '../archive-file';

/** The files that are posted with a message, and the lines that replace the others. */
export interface FilesToPost {
  readonly files: readonly PostedFile[];
  /**
   * One line for each file that is not posted: its name and the reason. Never a link, because links of channels expire
   * and may contain secrets.
   */
  readonly lines: readonly string[];
  /** The positions of files that are posted later, once they are archived. */
  readonly follow: readonly number[];
}

export const NO_FILES: FilesToPost = { files: [], lines: [], follow: [] };

/** The share of a post's time that its files may take to arrive; their upload has the rest. */
const SHARE_OF_TIME = 1 / 3;

type State = 'kept' | 'late' | 'nowhere' | string;

/** Resolves after a share of a post's time. Called once for all files of a post. */
export const whenLate = (timeMs: number): Promise<State> => new Promise(resolve => {
  timeLimit(Math.ceil(timeMs * SHARE_OF_TIME)).addEventListener('abort', () => resolve('late'), { once: true });
});

/**
 * Returns the state of one file before `late` resolves. A file's errors are never thrown, because text never waits for
 * a file.
 */
export async function stateOf(files: FileKeeper, message: MessageRecord, index: number, late: Promise<State>): Promise<State> {
  const keeping = files.keep({ organizationId: message.organizationId, messageId: message.id, index }).then(
    (kept): State => (kept === 'kept' ? 'kept' : 'nowhere'),
    // A missing file may still appear, as long as there is a link to it.
    (error: unknown): State => (error instanceof FileRefusedError && (error.code !== 'FILE_MISSING' || message.attachments[index]?.url === '') ? error.code : 'late'),
  );
  return Promise.race([keeping, late]);
}

/**
 * Collects the files that are posted with a message, from our archive. Called right before each post. Waits for files
 * that are still being fetched, for a third of `timeMs` (milliseconds). Throws the stores' errors.
 */
export async function filesToPost(deps: FlowDeps, message: MessageRecord, showsFiles: boolean, timeMs: number): Promise<FilesToPost> {
  if (message.attachments.length === 0) return NO_FILES;
  const { files } = deps;
  if (files === undefined || !showsFiles) return { ...NO_FILES, lines: message.attachments.map(({ name }) => `[${name}] cannot be shown here.`) };
  const late = whenLate(timeMs);
  const states = await Promise.all(message.attachments.map(async ({ refused }, index) => refused ?? stateOf(files, message, index, late)));
  // With the types and sizes that were detected since.
  const current = (await deps.stores.messages.get(message.organizationId, message.id))?.attachments ?? message.attachments;
  return sorted(files, message, current, states);
}

async function sorted(keeper: FileKeeper, { id: messageId, author }: MessageRecord, attachments: readonly Attachment[], states: readonly State[]): Promise<FilesToPost> {
  const result = { files: [] as PostedFile[], lines: [] as string[], follow: [] as number[] };
  let room = limitsFor(author, keeper.rules).maxBytes;
  for (const [index, state] of states.entries()) {
    const file = attachments[index]!;
    const posted = state === 'kept' ? await keeper.posted({ messageId, index }, file) : null;
    if (posted !== null && posted.sizeBytes <= room) {
      room -= posted.sizeBytes;
      result.files.push(posted);
    } else if (posted !== null || state === 'late') {
      result.follow.push(index);
      result.lines.push(posted !== null ? `[${file.name}] follows.` : `[${file.name}] could not be fetched yet; it follows as soon as it can be.`);
    } else {
      result.lines.push(`[${file.name}] is not shown here: ${reasonOf(state)}.`);
    }
  }
  return result;
}
