import { SupportError } from './errors';

export type FileRefusal = 'FILE_MISSING' | 'FILE_TOO_LARGE' | 'FILE_TYPE_REFUSED';

/** The host of an end-user's or a bot's file cannot be reached now, or reports that it may work later. */
export class FileUnavailableError extends SupportError {
  readonly code = 'FILE_UNAVAILABLE';
}

/** A file is not archived, because it is missing or exceeds our limits. */
export class FileRefusedError extends SupportError {
  constructor(
    readonly code: FileRefusal,
    message: string,
  ) {
    super(message);
  }
}

/** Archived files cannot be read or written now; a later attempt may succeed. */
export class MediaStoreError extends SupportError {
  readonly code = 'MEDIA_STORE_UNAVAILABLE';
}
