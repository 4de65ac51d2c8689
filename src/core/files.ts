import { FileRefusedError } from './errors';
import type { MessageId, OrganizationId } from './ids';

/** One file of an agent: where it stands among the attachments of its message, from 0. */
export interface FileRef { readonly organizationId: OrganizationId; readonly messageId: MessageId; readonly index: number }

export interface FileLimits {
  readonly maxBytes: number;
  /** In lower case: a MIME type (`image/png`), all of one kind (`image/*`), or the end of a name (`.exe`). */
  readonly refusedTypes: readonly string[];
}

interface FileFacts { readonly name: string; readonly contentType: string | null; readonly sizeBytes: number | null }

/** Under which key the store has it. */
export const keyOfFile = ({ messageId, index }: Pick<FileRef, 'messageId' | 'index'>): string => `${messageId}-${index}`;

/** As far as what is said of a file tells. @throws FileRefusedError */
export function checkFile({ name, contentType, sizeBytes }: FileFacts, { maxBytes, refusedTypes }: FileLimits): void {
  const type = (contentType ?? '').split(';')[0]!.trim().toLowerCase();
  const ending = /\.[^.]+$/.exec(name.trim())?.[0].toLowerCase();
  if (refusedTypes.some(refused => refused === type || refused === ending || refused === `${type.split('/')[0]}/*`))
    throw new FileRefusedError('FILE_TYPE_REFUSED', 'A file of an agent is of a type that SUPPORT_MEDIA_REFUSED_TYPES names.');
  if (sizeBytes !== null && sizeBytes > maxBytes) throw tooLarge(maxBytes);
}

export const tooLarge = (maxBytes: number): FileRefusedError =>
  new FileRefusedError('FILE_TOO_LARGE', `A file of an agent is larger than ${maxBytes} bytes (SUPPORT_MEDIA_MAX_BYTES).`);
