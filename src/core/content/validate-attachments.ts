import { fitFileName } from '../checks/file-name';
import { addressProblem, MAX_FILE_ADDRESS_LENGTH } from '../checks/url';
import { InvalidInputError } from '../errors';
import { markRefused, type FileRules } from '../files';
import type { Attachment } from '../message';

const TYPE = /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/;
const UNKNOWN_TYPE = 'application/octet-stream';

/**
 * Validates the files of a runtime's message and returns them as they are recorded: each with a name that every remote
 * accepts, and a MIME type. Names and types are adapted. Invalid addresses and sizes are refused.
 * @throws InvalidInputError INPUT_INVALID naming the field, e.g. `attachments.0.url` or `attachments.0.sizeBytes`
 */
export function validateAttachments(attachments: readonly Attachment[]): readonly Attachment[] {
  return attachments.map((attachment, at) => {
    const field = `attachments.${at}.url`;
    const problem = addressProblem(attachment.url, 'link', MAX_FILE_ADDRESS_LENGTH);
    if (problem !== null) throw new InvalidInputError('INPUT_INVALID', field, `${field}: ${problem}`);
    checkSize(attachment.sizeBytes, `attachments.${at}.sizeBytes`);
    return fitAttachment(attachment);
  });
}

const isSize = (sizeBytes: number): boolean => Number.isSafeInteger(sizeBytes) && sizeBytes >= 0;

/**
 * Checks a file's size.
 * @throws InvalidInputError INPUT_INVALID unless it is null or a whole number from 0 to 2^53 - 1
 */
function checkSize(sizeBytes: number | null, field: string): void {
  if (sizeBytes !== null && !isSize(sizeBytes))
    throw new InvalidInputError(
      'INPUT_INVALID',
      field,
      `${field} is ${sizeBytes}; give a whole number of bytes from 0 to ${Number.MAX_SAFE_INTEGER}, or omit it.`,
    );
}

/**
 * Adapts a file that a provider reported. Its address is not checked, because only the provider calls it. An invalid
 * size becomes null.
 */
export function fitAttachment({ url, name, contentType, sizeBytes }: Attachment): Attachment {
  const type = contentType.split(';')[0]!.trim().toLowerCase();
  return {
    url,
    name: fitFileName(name, type),
    contentType: TYPE.test(type) ? type : UNKNOWN_TYPE,
    sizeBytes: sizeBytes !== null && isSize(sizeBytes) ? sizeBytes : null,
  };
}

/**
 * Returns the files of a synced message as they are recorded: each with a name that fits, and with `refused` set if it
 * exceeds the limits.
 * @param rules null: files are not archived here, so our limits do not apply
 */
export const fitReceivedFiles = (found: readonly Attachment[], rules: FileRules | null): readonly Attachment[] =>
  found.map(fitAttachment).map(file => (rules === null ? file : markRefused(file, rules.fromAgents)));
