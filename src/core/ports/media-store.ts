import type { Instant } from '../ids';

/**
 * Stores the files of messages after they were fetched, under the keys that `fileKey` creates. Any number of processes
 * use it at the same time. Every method throws MediaStoreError when the store cannot be reached.
 */
export interface MediaStore {
  /** Returns the size of the stored file, or null if it is not stored. */
  sizeOf(key: string): Promise<number | null>;
  /** Returns the stored file, or null. The caller must read or destroy `body`. */
  read(key: string): Promise<{ readonly body: AsyncIterable<Uint8Array>; readonly sizeBytes: number } | null>;
  /**
   * Stores all of `body` while reading it. If reading throws, it stores nothing and throws the same error. Repeatable,
   * also concurrently. Readers never see a part of a file.
   */
  write(key: string, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** Removes the file. Repeatable: a missing file is no error. */
  remove(key: string): Promise<void>;
  /**
   * Removes files stored before `before` (null: none) and the unfinished files of a crash. Called on a slow timer.
   * Returns how many files it removed.
   */
  sweep(before: Instant | null, signal: AbortSignal): Promise<number>;
}
