import { fitFileName } from '../checks/file-name';
import { addressProblem, MAX_FILE_ADDRESS_LENGTH } from '../checks/url';
import { InvalidInputError } from '../errors';
import { withRefusal, type FileRules } from '../files';
import type { Attachment } from '../message';

const TYPE = /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/;
const UNKNOWN_TYPE = 'application/octet-stream';

/**
 * The files of a message as they are recorded: each with a name that every remote takes, and a MIME type. Called for what a
 * runtime sends. A name and a type are made to fit; an address that cannot be fetched and a number that is no size are refused.
 * @throws InvalidInputError INPUT_INVALID naming the field, e.g. `attachments.0.url` or `attachments.0.sizeBytes`
 */
export function checkedAttachments(attachments: readonly Attachment[]): readonly Attachment[] {
  return attachments.map((attachment, at) => {
    const field = `attachments.${at}.url`;
    const problem = addressProblem(attachment.url, 'link', MAX_FILE_ADDRESS_LENGTH);
    if (problem !== null) throw new InvalidInputError('INPUT_INVALID', field, `${field}: ${problem}`);
    checkSize(attachment.sizeBytes, `attachments.${at}.sizeBytes`);
    return fitAttachment(attachment);
  });
}

const isSize = (sizeBytes: number): boolean => Number.isSafeInteger(sizeBytes) && sizeBytes >= 0;

/** @throws InvalidInputError INPUT_INVALID unless it is null or a whole number from 0 to 2^53 - 1 */
function checkSize(sizeBytes: number | null, field: string): void {
  if (sizeBytes !== null && !isSize(sizeBytes))
    throw new InvalidInputError('INPUT_INVALID', field, `${field} is ${sizeBytes}; give a whole number of bytes from 0 to ${Number.MAX_SAFE_INTEGER}, or omit it.`);
}

/** The same for what a provider found: its address is asked by the provider alone, and what is no size becomes null. */
export function fitAttachment({ url, name, contentType, sizeBytes }: Attachment): Attachment {
  const type = contentType.split(';')[0]!.trim().toLowerCase();
  return {
    url, name: fitFileName(name, type), contentType: TYPE.test(type) ? type : UNKNOWN_TYPE,
    sizeBytes: sizeBytes !== null && isSize(sizeBytes) ? sizeBytes : null,
  };
}

/**
 * The files of what a sync found, as they are recorded: each with a name that fits, and marked if it is against the limits.
 * @param rules null: files are not kept here, so no limit of ours holds
 */
export const receivedFiles = (found: readonly Attachment[], rules: FileRules | null): readonly Attachment[] =>
  found.map(fitAttachment).map(file => (rules === null ? file : withRefusal(file, rules.fromAgents)));
