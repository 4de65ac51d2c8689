import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { MediaStore } from '../core/ports/media-store';

/** One folder of this machine. Replicas without a folder in common each fetch for themselves. */
export class FolderMediaStore implements MediaStore {
  constructor(private readonly folder: string) {}

  async read(key: string) {
    const file = this.fileOf(key);
    const found = await stat(file).catch((error: NodeJS.ErrnoException) => { if (error.code === 'ENOENT') return null; throw error; });
    return found && { body: createReadStream(file), sizeBytes: found.size };
  }

  async write(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    const file = this.fileOf(key);
    await mkdir(path.dirname(file), { recursive: true });
    const unfinished = `${file}.${randomUUID()}.part`;
    try {
      await pipeline(Readable.from(body, { objectMode: false }), createWriteStream(unfinished, { mode: 0o600 }));
      await rename(unfinished, file);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await rm(this.fileOf(key), { force: true });
  }

  private fileOf(key: string): string {
    if (!/^[\w-]{1,200}$/.test(key)) throw new Error('A key of the media store has a character that it may not have.');
    return path.join(this.folder, key.slice(0, 2), key);
  }
}
