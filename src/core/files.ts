import { FileRefusedError, type FileRefusal } from './errors';
import type { MessageId, OrganizationId } from './ids';
import { hasProviderFiles, type Attachment, type MessageAuthor } from './message';

/** One file of a message: its place among the message's attachments, from 0. */
export interface FileRef { readonly organizationId: OrganizationId; readonly messageId: MessageId; readonly index: number }

/** Limits of one direction. */
export interface FileLimits {
  readonly maxBytes: number;
  /** In lower case: a MIME type (`image/png`), all of one kind (`image/*`), or the end of a name (`.exe`). */
  readonly refusedTypes: readonly string[];
}

/** `fromAgents`: what agents and the support system's automatic lines send to end-users. `toAgents`: what end-users and bots send. */
export interface FileRules { readonly fromAgents: FileLimits; readonly toAgents: FileLimits }

/** The limits that hold for files of this author. */
export const limitsFor = (author: MessageAuthor, rules: FileRules): FileLimits => (hasProviderFiles({ author }) ? rules.fromAgents : rules.toAgents);

interface FileFacts { readonly name: string; readonly contentType: string | null; readonly sizeBytes: number | null }

/** Under which key the store has it. */
export const keyOfFile = ({ messageId, index }: Pick<FileRef, 'messageId' | 'index'>): string => `${messageId}-${index}`;

/** Checks what is known of a file against the limits. Called with the sender's word and again with the fetched answer. @throws FileRefusedError */
export function checkFile({ name, contentType, sizeBytes }: FileFacts, { maxBytes, refusedTypes }: FileLimits): void {
  const type = (contentType ?? '').split(';')[0]!.trim().toLowerCase();
  const ending = /\.[^.]+$/.exec(name.trim())?.[0].toLowerCase();
  if (refusedTypes.some(refused => refused === type || refused === ending || refused === `${type.split('/')[0]}/*`))
    throw new FileRefusedError('FILE_TYPE_REFUSED', 'A file is of a type that SUPPORT_MEDIA_REFUSED_TYPES names.');
  if (sizeBytes !== null && sizeBytes > maxBytes) throw tooLarge(maxBytes);
}

export const tooLarge = (maxBytes: number): FileRefusedError =>
  new FileRefusedError('FILE_TOO_LARGE', `A file is larger than ${maxBytes} bytes (SUPPORT_MEDIA_MAX_BYTES_FROM_AGENTS or SUPPORT_MEDIA_MAX_BYTES_TO_AGENTS, by its direction).`);

/** The attachment with `refused` set, if what its sender says of it is against the limits already. */
export function withRefusal(file: Attachment, limits: FileLimits): Attachment {
  try {
    checkFile(file, limits);
    return file;
  } catch (error) {
    if (!(error instanceof FileRefusedError)) throw error;
    return { ...file, refused: error.code };
  }
}

/** The attachments of a message with one of them replaced. */
export const withFile = (attachments: readonly Attachment[], index: number, file: Attachment): readonly Attachment[] =>
  attachments.map((one, at) => (at === index ? file : one));

/** The attachments of a message without the links of its sender. */
export const withoutLinks = (attachments: readonly Attachment[]): readonly Attachment[] => attachments.map(file => ({ ...file, url: '' }));

const BECAUSE: Readonly<Record<FileRefusal, string>> = {
  FILE_MISSING: 'it could not be fetched', FILE_TOO_LARGE: 'it is too large', FILE_TYPE_REFUSED: 'files of its kind are not sent on',
};

/** Why a file was not passed on, for its sender or receiver to read. */
export const reasonOf = (code: string): string => BECAUSE[code as FileRefusal] ?? BECAUSE.FILE_MISSING;
