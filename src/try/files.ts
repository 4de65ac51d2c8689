import { randomBytes } from 'node:crypto';
import { fitFileName } from '../core/checks/file-name';

/** For one file, in bytes. */
export const MAX_PLAYED_FILE_BYTES = 10 * 1024 * 1024;
/** For all of them together, in bytes. */
const MAX_TOGETHER_BYTES = 50 * 1024 * 1024;

export interface PlayedFile { readonly name: string; readonly contentType: string; readonly content: Buffer }

/**
 * The files that the end-user of the example page has chosen, for this process's life: what a channel's own storage is for a real
 * runtime. The service fetches each by its link as soon as its message is recorded. The oldest go when there are too many bytes.
 */
export class PlayedFiles {
  private readonly files = new Map<string, PlayedFile>();
  private bytes = 0;

  /** @returns the file's path */
  add(name: string, contentType: string, content: Buffer): string {
    const file = { name: fitFileName(name, contentType), contentType, content };
    const id = randomBytes(24).toString('base64url');
    this.files.set(id, file);
    this.bytes += content.length;
    for (const [oldest, { content: { length } }] of this.files) {
      if (this.bytes <= MAX_TOGETHER_BYTES) break;
      this.files.delete(oldest);
      this.bytes -= length;
    }
    return `/try/files/${id}/${encodeURIComponent(file.name)}`;
  }

  /** Null: there is none at this path, or not any more. */
  at(path: string): PlayedFile | null {
    const id = /^\/try\/files\/([\w-]{32})\//.exec(path)?.[1];
    return (id !== undefined && this.files.get(id)) || null;
  }
}
