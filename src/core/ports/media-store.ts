import type { Instant } from '../ids';

/**
 * Where files of messages are kept once they were fetched, under the keys that `keyOfFile` makes. Used by any number of processes at once. Every method throws MediaStoreError when the store cannot be reached.
 */
export interface MediaStore {
  /** How large the kept file is; null: it is not kept. */
  sizeOf(key: string): Promise<number | null>;
  /** The kept file, or null. `body` must be read or destroyed. */
  read(key: string): Promise<{ readonly body: AsyncIterable<Uint8Array>; readonly sizeBytes: number } | null>;
  /**
   * Keeps all of `body`, read as it comes, or, when reading it throws, nothing and throws that. Repeatable, also at the
   * same time; readers never see half a file.
   */
  write(key: string, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** Forgets the file. Repeatable: of one that is not there nothing is said. */
  remove(key: string): Promise<void>;
  /**
   * Removes what was kept before `before` (null: nothing), and what a crash left unfinished. Called on a slow timer.
   * Returns how many files were removed.
   */
  sweep(before: Instant | null, signal: AbortSignal): Promise<number>;
}
