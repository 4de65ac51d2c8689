import { FileRefusedError } from '../../file-errors';
import { limitsFor, refusalReason } from '../../files';
import type { Attachment, MessageRecord } from '../../message';
import type { PostedFile } from '../../ports/provider/post-verbs';
import { createTimeLimit } from '../../time-limit';
import type { FileDeps } from '../deps';
import type { FileArchive } from '../../ports/file-archive';

/** The files that are posted with a message, and the lines that replace the others. */
export interface FilesToPost {
  readonly files: readonly PostedFile[];
  /**
   * One line for each file that is not posted: its name and the reason. Never a link, because links of channels expire
   * and may contain secrets.
   */
  readonly lines: readonly string[];
  /** The positions of files that are posted later, once they are archived. */
  readonly pendingIndexes: readonly number[];
}

export const NO_FILES: FilesToPost = { files: [], lines: [], pendingIndexes: [] };

/** The share of a post's time that its files may take to arrive; their upload has the rest. */
const FETCH_TIME_SHARE = 1 / 3;

type FileState = 'archived' | 'pending' | 'unavailable' | string;

/** Resolves after a share of a post's time. Called once for all files of a post. */
export const startFileDeadline = (timeMs: number): Promise<FileState> =>
  new Promise(resolve => {
    createTimeLimit(Math.ceil(timeMs * FETCH_TIME_SHARE)).addEventListener('abort', () => resolve('pending'), {
      once: true,
    });
  });

/**
 * Returns the state of one file before `late` resolves. A file's errors are never thrown, because text never waits for
 * a file.
 */
export async function archiveBeforeDeadline(
  files: FileArchive,
  message: MessageRecord,
  index: number,
  late: Promise<FileState>,
): Promise<FileState> {
  const keeping = files.archive({ organizationId: message.organizationId, messageId: message.id, index }).then(
    (result): FileState => (result === 'archived' ? 'archived' : 'unavailable'),
    // A missing file may still appear, as long as there is a link to it.
    (error: unknown): FileState =>
      error instanceof FileRefusedError && (error.code !== 'FILE_MISSING' || message.attachments[index]?.url === '')
        ? error.code
        : 'pending',
  );
  return Promise.race([keeping, late]);
}

/**
 * Collects the files that are posted with a message, from our archive. Called right before each post. Waits for files
 * that are still being fetched, for a third of `timeMs` (milliseconds). Throws the stores' errors.
 */
export async function collectFilesToPost(
  deps: FileDeps,
  message: MessageRecord,
  showsFiles: boolean,
  timeMs: number,
): Promise<FilesToPost> {
  if (message.attachments.length === 0) return NO_FILES;
  const { files } = deps;
  if (files === undefined || !showsFiles)
    return { ...NO_FILES, lines: message.attachments.map(({ name }) => `[${name}] cannot be shown here.`) };
  const late = startFileDeadline(timeMs);
  const states = await Promise.all(
    message.attachments.map(
      async ({ refused }, index) => refused ?? archiveBeforeDeadline(files, message, index, late),
    ),
  );
  // With the types and sizes that were detected since.
  const current =
    (await deps.stores.messages.get(message.organizationId, message.id))?.attachments ?? message.attachments;
  return sortFiles(files, message, current, states);
}

async function sortFiles(
  archive: FileArchive,
  { id: messageId, author }: MessageRecord,
  attachments: readonly Attachment[],
  states: readonly FileState[],
): Promise<FilesToPost> {
  const result = { files: [] as PostedFile[], lines: [] as string[], pendingIndexes: [] as number[] };
  let room = limitsFor(author, archive.rules).maxBytes;
  for (const [index, state] of states.entries()) {
    const file = attachments[index]!;
    const posted = state === 'archived' ? await archive.postedFileOf({ messageId, index }, file) : null;
    if (posted !== null && posted.sizeBytes <= room) {
      room -= posted.sizeBytes;
      result.files.push(posted);
    } else if (posted !== null || state === 'pending') {
      result.pendingIndexes.push(index);
      result.lines.push(
        posted !== null
          ? `[${file.name}] follows.`
          : `[${file.name}] could not be fetched yet; it follows as soon as it can be.`,
      );
    } else {
      result.lines.push(`[${file.name}] is not shown here: ${refusalReason(state)}.`);
    }
  }
  return result;
}
