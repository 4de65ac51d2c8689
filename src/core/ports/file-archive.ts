import type { FileRef, FileRules } from '../files';
import type { MessageId, OrganizationId } from '../ids';
import type { Attachment } from '../message';
import type { MediaStore } from './media-store';
import type { PostedFile } from './provider/post-verbs';
import type { Stores } from './stores';

/** `public`: everybody may fetch it from its own address. `removed`: its author deleted it, or there never was one. */
export type ArchiveResult = 'archived' | 'public' | 'removed';

/**
 * Fetches the files of messages into our own store. Any number of callers in any number of processes may request the
 * same file: within one process they share one fetch, and two processes write the same bytes.
 */
export interface FileArchive {
  readonly media: MediaStore;
  /** The limits of both directions. */
  readonly rules: FileRules;
  /** Returns the same archive over other stores, e.g. those of the background work. The two share their fetches. */
  withStores(stores: Stores): FileArchive;
  /**
   * Ensures that the file is archived. Called by the worker, before a post, and when a link is opened.
   * @throws FileRefusedError FILE_MISSING if it does not exist (yet), other codes if it exceeds our limits
   * @throws MediaStoreError, FileUnavailableError, and the provider's errors
   */
  archive(file: FileRef): Promise<ArchiveResult>;
  /** Returns an archived file as it is posted; null: it is not archived. @throws MediaStoreError */
  postedFileOf(ref: Pick<FileRef, 'messageId' | 'index'>, file: Attachment): Promise<PostedFile | null>;
  /** Removes the files of a deleted message. Repeatable. */
  remove(organizationId: OrganizationId, messageId: MessageId): Promise<void>;
  /** Removes expired files. Called on a slow timer, by any number of processes. */
  sweep(): Promise<number>;
  /** Aborts running fetches. They are retried by their deliveries or requested again. */
  stop(): void;
}
