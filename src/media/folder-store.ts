import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, opendir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { MediaStore } from '../core/ports/media-store';
import { validateKey, isKey } from './validate-key';
import { runStoreStep, writeToStore } from './write-to-store';

/** Suffix of a file while it is written; such files are never read. One older than the limit was left by a crash. */
const UNFINISHED_SUFFIX = '.part';
const UNFINISHED_MS = 24 * 3_600_000;

/** Stores files in a folder of this machine. Replicas without a shared folder fetch each file separately. */
export class FolderMediaStore implements MediaStore {
  constructor(private readonly folder: string) {}

  async sizeOf(key: string): Promise<number | null> {
    return (await this.statOf(this.fileOf(key)))?.size ?? null;
  }

  async read(key: string) {
    const file = this.fileOf(key);
    const found = await this.statOf(file);
    return found && { body: createReadStream(file), sizeBytes: found.size };
  }

  async write(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    const file = this.fileOf(key);
    const unfinished = `${file}.${randomUUID()}${UNFINISHED_SUFFIX}`;
    await writeToStore(body, async watched => {
      try {
        await mkdir(path.dirname(file), { recursive: true });
        // Flushed before the rename: after a power failure the file is either complete or missing.
        await pipeline(
          Readable.from(watched, { objectMode: false }),
          createWriteStream(unfinished, { mode: 0o600, flush: true }),
        );
        await rename(unfinished, file);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    });
  }

  async remove(key: string): Promise<void> {
    const file = this.fileOf(key);
    await runStoreStep('removed', () => rm(file, { force: true }));
  }

  async sweep(before: string | null, signal: AbortSignal): Promise<number> {
    const oldest = before === null ? -Infinity : Date.parse(before);
    const oldestUnfinished = Date.now() - UNFINISHED_MS;
    return runStoreStep('removed', async () => {
      let removed = 0;
      for await (const file of listFiles(this.folder)) {
        if (signal.aborted) break;
        const isUnfinished = file.endsWith(UNFINISHED_SUFFIX);
        if (!isUnfinished && !isKey(path.basename(file))) continue;
        const found = await this.statOf(file);
        if (found === null || found.mtimeMs >= (isUnfinished ? oldestUnfinished : oldest)) continue;
        await rm(file, { force: true });
        removed += 1;
      }
      return removed;
    });
  }

  private statOf(file: string) {
    return runStoreStep('read', () => stat(file).catch(nullIfMissing));
  }

  private fileOf(key: string): string {
    return path.join(this.folder, validateKey(key).slice(0, 2), key);
  }
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

/** Lists the files one at a time, so that their number does not matter. */
async function* listFiles(folder: string): AsyncIterable<string> {
  for await (const { name } of (await opendir(folder).catch(nullIfMissing)) ?? []) {
    if (!/^[0-9a-f]{2}$/.test(name)) continue;
    for await (const entry of (await opendir(path.join(folder, name)).catch(nullIfMissing)) ?? [])
      if (entry.isFile()) yield path.join(folder, name, entry.name);
  }
}
