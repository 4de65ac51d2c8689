import type { PostedFile } from '../../core/ports/provider/post-verbs';
import type { NewAttachment } from './messages';

/**
 * Limit for all files of one message together. The desk stores them in Postgres and holds them in memory meanwhile, so
 * its limit is lower than the host's may be.
 */
export const MAX_POSTED_BYTES = 10 * 1024 * 1024;

/**
 * Reads the files of a post into memory. Called before the transaction that stores them. Files beyond the limit are
 * skipped and named in `left`. Throws what opening a file throws.
 */
export async function readPostedFiles(
  files: readonly PostedFile[],
  signal: AbortSignal,
): Promise<{ readonly attachments: readonly NewAttachment[]; readonly omittedNames: readonly string[] }> {
  const attachments: NewAttachment[] = [];
  const omittedNames: string[] = [];
  let room = MAX_POSTED_BYTES;
  for (const file of files) {
    const content = file.sizeBytes > room ? null : await readUpTo(await file.open(signal), room);
    if (content === null) omittedNames.push(file.name);
    else {
      room -= content.length;
      attachments.push({ name: file.name, content_type: file.contentType, size_bytes: content.length, content });
    }
  }
  return { attachments, omittedNames };
}

/** Returns null if the body is larger than `room` bytes. */
async function readUpTo(body: AsyncIterable<Uint8Array>, room: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > room) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
