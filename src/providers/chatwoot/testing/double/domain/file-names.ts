import type { Attachment } from '../model';

/** The error of the real server's router when it cannot build the address of a file with a blank name. */
export const UNROUTABLE =
  'No route matches {:action=>"show", :controller=>"active_storage/blobs/redirect", :filename=>#<ActiveStorage::Filename @filename=" ">}, possible unmatched constraints: [:filename]';

const LONGEST = 1_000;

/**
 * Returns the stored name: without its path, and with dashes for characters that a header must not contain. Null: the
 * file is dropped.
 */
export function keptName(given: string): string | null {
  const last = given.split(/[\\/]/).at(-1) ?? '';
  if (last === '' || last.length > LONGEST) return null;
  if (last.trim() === '') return last;
  return last.replace(/[%;\t\r\n\u202e]/g, '-');
}

/**
 * Returns whether a file makes its message unshowable: the message is stored, and rendering it crashes from then on.
 */
export const isUnshowable = ({ blob }: Attachment): boolean => blob.filename.trim() === '';

/** Returns whether a file is stored without a usable address. */
export const isLost = (filename: string): boolean => filename === '.' || filename === '..';
