/** Where files of agents are kept once they were fetched. Keys are made by us: letters, digits, `-` and `_`. */
export interface MediaStore {
  /** The kept file, or null. */
  read(key: string): Promise<{ readonly body: AsyncIterable<Uint8Array>; readonly sizeBytes: number } | null>;
  /** Keeps all of `body` or, when it throws, nothing. Repeatable; readers never see half a file. */
  write(key: string, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** Forgets the file. Of one that is not there nothing is said. */
  remove(key: string): Promise<void>;
}
