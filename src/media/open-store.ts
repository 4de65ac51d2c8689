import type { MediaStore } from '../core/ports/media-store';
import { FolderMediaStore } from './folder-store';
import { S3MediaStore, type S3Options, type StoreLimits } from './s3-store';

/** Opens the store of files that the settings select. */
export async function openMediaStore(
  { folder, s3 }: { readonly folder: string; readonly s3: S3Options | null },
  limits: StoreLimits,
): Promise<{ readonly media: MediaStore; close(): void }> {
  if (s3 === null) return { media: new FolderMediaStore(folder), close: () => undefined };
  const media = await S3MediaStore.open(s3, limits);
  return { media, close: () => media.close() };
}
