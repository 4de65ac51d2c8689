import { randomBytes } from 'node:crypto';
import { fitFileName } from '../core/checks/file-name';

/** Maximum size of one file, in bytes. */
export const MAX_PLAYGROUND_FILE_BYTES = 10 * 1024 * 1024;
/** Maximum size of all files together, in bytes. */
const MAX_TOGETHER_BYTES = 50 * 1024 * 1024;

export interface PlaygroundFile {
  readonly name: string;
  readonly contentType: string;
  readonly content: Buffer;
}

/**
 * Files that the end-user of the example page sent, for the lifetime of this process. They stand for a channel's file
 * storage. The service fetches each by its link when its message is recorded. The oldest are dropped above the size
 * limit.
 */
export class PlaygroundFiles {
  private readonly files = new Map<string, PlaygroundFile>();
  private bytes = 0;

  /** Stores a file. @returns its path */
  add(name: string, contentType: string, content: Buffer): string {
    const file = { name: fitFileName(name, contentType), contentType, content };
    const id = randomBytes(24).toString('base64url');
    this.files.set(id, file);
    this.bytes += content.length;
    for (const [
      oldest,
      {
        content: { length },
      },
    ] of this.files) {
      if (this.bytes <= MAX_TOGETHER_BYTES) break;
      this.files.delete(oldest);
      this.bytes -= length;
    }
    return `/playground/files/${id}/${encodeURIComponent(file.name)}`;
  }

  /** Returns the file at this path; null if there is none, or it was dropped. */
  at(path: string): PlaygroundFile | null {
    const id = /^\/playground\/files\/([\w-]{32})\//.exec(path)?.[1];
    return (id !== undefined && this.files.get(id)) || null;
  }
}
