import { fileKey, limitsFor } from '../../files';
import type { MessageId } from '../../ids';
import type { MessageRecord } from '../../message';
import type { PostedFile } from '../../ports/provider/post-verbs';
import type { FileDeps } from '../deps';
import { archiveBeforeDeadline, startFileDeadline } from './files-to-post';
import { nameInTranscript, type TranscriptNames } from './transcript';

/** The maximum number of files with a transcript. The newest ones are chosen, because agents ask about those. */
export const MAX_TRANSCRIPT_FILES = 20;

export interface TranscriptFiles extends TranscriptNames {
  readonly files: readonly PostedFile[];
  /** Files that were chosen and are not archived yet; they are posted later. */
  readonly pendingFiles: readonly { readonly messageId: MessageId; readonly index: number }[];
}

interface ChosenFile {
  readonly message: MessageRecord;
  readonly index: number;
}

/**
 * Collects the files that are posted with the transcript of a long conversation: the newest 20, in total no larger than
 * one message allows. Called right before the transcript is posted. Waits for files that are still being fetched, for a
 * third of `timeMs` (milliseconds). Pictures come first if there is no room for all. Throws the stores' errors.
 */
export async function collectTranscriptFiles(
  deps: FileDeps,
  early: readonly MessageRecord[],
  showsFiles: boolean,
  timeMs: number,
): Promise<TranscriptFiles> {
  const { files: keeper } = deps;
  if (keeper === undefined || !showsFiles) return { files: [], names: new Set(), pendingFiles: [] };
  const late = startFileDeadline(timeMs);
  const chosen = newestFiles(early);
  const states = await Promise.all(
    chosen.map(({ message, index }) => archiveBeforeDeadline(keeper, message, index, late)),
  );
  const current = new Map(
    (
      await deps.stores.messages.getMany(
        early[0]?.organizationId ?? '',
        chosen.map(({ message }) => message.id),
      )
    ).flatMap(one => (one === null ? [] : [[one.id, one] as const])),
  );
  const result = {
    files: [] as PostedFile[],
    names: new Set<string>(),
    pendingFiles: [] as { messageId: MessageId; index: number }[],
  };
  let room = limitsFor('END_USER', keeper.rules).maxBytes;
  for (const [at, { message, index }] of chosen.entries()) {
    const ref = { messageId: message.id, index };
    if (states[at] === 'pending') result.pendingFiles.push(ref);
    const file = (current.get(message.id) ?? message).attachments[index]!;
    const posted = states[at] === 'archived' ? await keeper.postedFileOf(ref, file) : null;
    if (posted === null || posted.sizeBytes > room) continue;
    room -= posted.sizeBytes;
    result.files.push({ ...posted, name: nameInTranscript(message, posted.name) });
    result.names.add(fileKey(ref));
  }
  // In the order in which they were sent.
  result.files.reverse();
  return result;
}

const isPicture = ({ message, index }: ChosenFile): boolean =>
  message.attachments[index]!.contentType.startsWith('image/');

/** Returns the newest files first; if there are too many, pictures before other files. */
function newestFiles(early: readonly MessageRecord[]): readonly ChosenFile[] {
  const all = [...early]
    .reverse()
    .flatMap(message =>
      message.deletedAt !== null
        ? []
        : message.attachments.flatMap((file, index) => (file.refused ? [] : [{ message, index }])),
    );
  const pictures = all.filter(isPicture).slice(0, MAX_TRANSCRIPT_FILES);
  const others = all.filter(one => !isPicture(one)).slice(0, MAX_TRANSCRIPT_FILES - pictures.length);
  const taken = new Set<ChosenFile>([...pictures, ...others]);
  return all.filter(one => taken.has(one));
}
