import { createHash, randomBytes } from 'node:crypto';
import type { UploadedFile } from '../http/parameters';
import type { Blob } from '../model';
import type { World } from '../world';

const TYPES_BY_EXTENSION: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  txt: 'text/plain',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  webm: 'video/webm',
};

const ANALYSIS_DELAY_MS = 50;

export function storeBlob(world: World, file: Pick<UploadedFile, 'filename' | 'contentType' | 'bytes'>): Blob {
  const id = world.store.blobs.nextId();
  const payload = Buffer.from(JSON.stringify({ _rails: { message: id, exp: null, pur: 'blob_id' } })).toString(
    'base64url',
  );
  const digest = createHash('sha1').update(randomBytes(20)).digest('hex');
  const extension = /\.([^.]+)$/.exec(file.filename)?.[1]?.toLowerCase() ?? '';
  const contentType = file.contentType || TYPES_BY_EXTENSION[extension] || 'application/octet-stream';
  const blob: Blob = {
    id,
    signedId: `${payload}--${digest}`,
    filename: file.filename,
    contentType,
    bytes: file.bytes,
    size: null,
  };
  world.jobs.enqueue(() => {
    blob.size = sizeOf(blob);
  }, ANALYSIS_DELAY_MS);
  return world.store.blobs.insert(id, blob);
}

/** Returns an image's size. Only PNG and GIF are analyzed, which have it at a fixed place. */
function sizeOf({ contentType, bytes }: Blob): Blob['size'] {
  if (contentType === 'image/png' && bytes.length >= 24)
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (contentType === 'image/gif' && bytes.length >= 10)
    return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  return null;
}
