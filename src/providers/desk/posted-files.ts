import type { PostedFile } from '../../core/ports/support-provider';
import type { NewAttachment } from './messages';

/** Of all files of one message together. The desk keeps them in Postgres and holds them in memory on the way: the host's own limit may be far higher. */
export const MAX_POSTED_BYTES = 10 * 1024 * 1024;

/**
 * Reads the files of a post as the desk keeps them. Called before the transaction that stores them. What there is no room
 * for is left out and named in `left`. Throws what opening a file throws.
 */
export async function takePosted(files: readonly PostedFile[], signal: AbortSignal): Promise<{ readonly attachments: readonly NewAttachment[]; readonly left: readonly string[] }> {
  const attachments: NewAttachment[] = [];
  const left: string[] = [];
  let room = MAX_POSTED_BYTES;
  for (const file of files) {
    const content = file.sizeBytes > room ? null : await bytesOf(await file.open(signal), room);
    if (content === null) left.push(file.name);
    else {
      room -= content.length;
      attachments.push({ name: file.name, content_type: file.contentType, size_bytes: content.length, content });
    }
  }
  return { attachments, left };
}

/** Null: more than there is room for. */
async function bytesOf(body: AsyncIterable<Uint8Array>, room: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > room) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
