import { FileRefusedError, type FileRefusal } from './file-errors';
import type { MessageId, OrganizationId } from './ids';
import { hasProviderFiles, type Attachment, type MessageAuthor } from './message';

/** One file of a message. `index` is its position among the message's attachments, from 0. */
export interface FileRef {
  readonly organizationId: OrganizationId;
  readonly messageId: MessageId;
  readonly index: number;
}

/** The limits of one direction. */
export interface FileLimits {
  readonly maxBytes: number;
  /** In lower case: a MIME type (`image/png`), all types of one kind (`image/*`), or the end of a name (`.exe`). */
  readonly refusedTypes: readonly string[];
}

/**
 * `fromAgents`: files of agents and of the support system's automatic messages for end-users. `toAgents`: files of
 * end-users and bots.
 */
export interface FileRules {
  readonly fromAgents: FileLimits;
  readonly toAgents: FileLimits;
}

/** Returns the limits for files of this author. */
export const limitsFor = (author: MessageAuthor, rules: FileRules): FileLimits =>
  hasProviderFiles({ author }) ? rules.fromAgents : rules.toAgents;

interface FileDescription {
  readonly name: string;
  readonly contentType: string | null;
  readonly sizeBytes: number | null;
}

/** Returns the key of a file in the media store. */
export const fileKey = ({ messageId, index }: Pick<FileRef, 'messageId' | 'index'>): string => `${messageId}-${index}`;

/**
 * Checks a file's known properties against the limits. Called with the sender's declaration, and again with the fetched
 * file.
 * @throws FileRefusedError
 */
export function checkFile(
  { name, contentType, sizeBytes }: FileDescription,
  { maxBytes, refusedTypes }: FileLimits,
): void {
  const type = (contentType ?? '').split(';')[0]!.trim().toLowerCase();
  const ending = /\.[^.]+$/.exec(name.trim())?.[0].toLowerCase();
  if (refusedTypes.some(refused => refused === type || refused === ending || refused === `${type.split('/')[0]}/*`))
    throw new FileRefusedError(
      'FILE_TYPE_REFUSED',
      'The type of the file is refused by SUPPORT_MEDIA_REFUSED_TYPES. ' +
        'Send a file of another type, or change that setting.',
    );
  if (sizeBytes !== null && sizeBytes > maxBytes) throw fileTooLargeError(maxBytes);
}

export const fileTooLargeError = (maxBytes: number): FileRefusedError =>
  new FileRefusedError(
    'FILE_TOO_LARGE',
    `The file is larger than ${maxBytes} bytes. Send a smaller file, or raise ` +
      'SUPPORT_MEDIA_MAX_BYTES_FROM_AGENTS or SUPPORT_MEDIA_MAX_BYTES_TO_AGENTS, by its direction.',
  );

/** Returns the attachment, with `refused` set if its declared properties exceed the limits. */
export function markRefused(file: Attachment, limits: FileLimits): Attachment {
  try {
    checkFile(file, limits);
    return file;
  } catch (error) {
    if (!(error instanceof FileRefusedError)) throw error;
    return { ...file, refused: error.code };
  }
}

/** Returns the attachments with one of them replaced. */
export const replaceFile = (
  attachments: readonly Attachment[],
  index: number,
  file: Attachment,
): readonly Attachment[] => attachments.map((one, at) => (at === index ? file : one));

/** Returns the attachments without the links of their sender. */
export const withoutLinks = (attachments: readonly Attachment[]): readonly Attachment[] =>
  attachments.map(file => ({ ...file, url: '' }));

const REFUSAL_REASONS: Readonly<Record<FileRefusal, string>> = {
  FILE_MISSING: 'it could not be fetched',
  FILE_TOO_LARGE: 'it is too large',
  FILE_TYPE_REFUSED: 'files of its kind are not sent on',
};

/** Returns why a file was not forwarded, as a text for its sender or receiver. */
export const refusalReason = (code: string): string =>
  REFUSAL_REASONS[code as FileRefusal] ?? REFUSAL_REASONS.FILE_MISSING;
