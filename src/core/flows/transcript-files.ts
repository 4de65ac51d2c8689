import { keyOfFile, limitsFor } from '../files';
import type { MessageId } from '../ids';
import type { MessageRecord } from '../message';
import type { PostedFile } from '../ports/support-provider';
import type { FlowDeps } from './deps';
import { stateOf, whenLate } from './files-to-post';
import { nameInTranscript, type TranscriptNames } from './transcript';

/** Files that go with a transcript: the newest, since those are what agents ask about. */
export const TRANSCRIPT_FILES = 20;

export interface TranscriptFiles extends TranscriptNames {
  readonly files: readonly PostedFile[];
  /** Those that were chosen and are not kept yet: they follow by themselves. */
  readonly follow: readonly { readonly messageId: MessageId; readonly index: number }[];
}

interface Chosen { readonly message: MessageRecord; readonly index: number }

/**
 * Collects the files that go with the transcript of a long conversation: the newest 20, together no more than one message
 * may have. Called right before the transcript is posted; waits for files that are still coming, for a third of `timeMs`
 * (milliseconds). Pictures come first, where there is no room for all. Throws what the stores throw.
 */
export async function filesOfTranscript(deps: FlowDeps, early: readonly MessageRecord[], showsFiles: boolean, timeMs: number): Promise<TranscriptFiles> {
  const { files: keeper } = deps;
  if (keeper === undefined || !showsFiles) return { files: [], names: new Set(), follow: [] };
  const late = whenLate(timeMs);
  const chosen = newest(early);
  const states = await Promise.all(chosen.map(({ message, index }) => stateOf(keeper, message, index, late)));
  const current = new Map((await deps.stores.messages.getMany(early[0]?.organizationId ?? '', chosen.map(({ message }) => message.id))).flatMap(one => (one === null ? [] : [[one.id, one] as const])));
  const result = { files: [] as PostedFile[], names: new Set<string>(), follow: [] as { messageId: MessageId; index: number }[] };
  let room = limitsFor('END_USER', keeper.rules).maxBytes;
  for (const [at, { message, index }] of chosen.entries()) {
    const ref = { messageId: message.id, index };
    if (states[at] === 'late') result.follow.push(ref);
    const file = (current.get(message.id) ?? message).attachments[index]!;
    const posted = states[at] === 'kept' ? await keeper.posted(ref, file) : null;
    if (posted === null || posted.sizeBytes > room) continue;
    room -= posted.sizeBytes;
    result.files.push({ ...posted, name: nameInTranscript(message, posted.name) });
    result.names.add(keyOfFile(ref));
  }
  // As they were sent.
  result.files.reverse();
  return result;
}

const isPicture = ({ message, index }: Chosen): boolean => message.attachments[index]!.contentType.startsWith('image/');

/** Newest first; of more than fit, pictures before other files. */
function newest(early: readonly MessageRecord[]): readonly Chosen[] {
  const all = [...early].reverse().flatMap(message => (message.deletedAt !== null ? [] : message.attachments.flatMap((file, index) => (file.refused ? [] : [{ message, index }]))));
  const pictures = all.filter(isPicture).slice(0, TRANSCRIPT_FILES);
  const others = all.filter(one => !isPicture(one)).slice(0, TRANSCRIPT_FILES - pictures.length);
  const taken = new Set<Chosen>([...pictures, ...others]);
  return all.filter(one => taken.has(one));
}
