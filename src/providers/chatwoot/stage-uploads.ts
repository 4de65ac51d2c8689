import { createWriteStream, openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SupportError } from '../../core/errors';
import type { PostedFile } from '../../core/ports/provider/post-verbs';
import { throwIfOver } from './client';
import type { FormFile } from './multipart';

export interface Uploads {
  readonly files: readonly FormFile[];
  /** Names of the files that could not be written to this machine's disk. */
  readonly omittedNames: readonly string[];
  /** Call when the files have been used. */
  release(): Promise<void>;
}

/**
 * Copies the files of a post into a temporary folder, so that none is held in memory and the upload's length is known
 * before it begins. Called once per post. A file that cannot be written to disk is omitted.
 * @throws MediaStoreError when an archived file cannot be read
 */
export async function stageUploads(posted: readonly PostedFile[], signal: AbortSignal): Promise<Uploads> {
  if (posted.length === 0) return { files: [], omittedNames: [], release: async () => undefined };
  const folder = await mkdtemp(path.join(tmpdir(), 'support-upload-')).catch(() => null);
  if (folder === null)
    return { files: [], omittedNames: posted.map(({ name }) => name), release: async () => undefined };
  const release = () => rm(folder, { recursive: true, force: true });
  const files: FormFile[] = [];
  const left: string[] = [];
  try {
    for (const [index, file] of posted.entries()) {
      const body = await copyTo(path.join(folder, String(index)), file, signal);
      if (body === null) left.push(file.name);
      else files.push({ name: file.name, contentType: file.contentType, body });
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { files, omittedNames: left, release };
}

async function copyTo(target: string, file: PostedFile, signal: AbortSignal): Promise<Blob | null> {
  const body = await file.open(signal);
  try {
    await pipeline(Readable.from(body, { objectMode: false }), createWriteStream(target, { mode: 0o600 }), { signal });
    return await openAsBlob(target);
  } catch (error) {
    throwIfOver(signal);
    if (error instanceof SupportError) throw error;
    return null;
  }
}
