import type { Attachment } from '../model';

/** What the real server's router says when it cannot make the address of a file whose name is blank. */
export const UNROUTABLE = 'No route matches {:action=>"show", :controller=>"active_storage/blobs/redirect", :filename=>#<ActiveStorage::Filename @filename=" ">}, possible unmatched constraints: [:filename]';

const LONGEST = 1_000;

/** The name as it is kept: without its path, with dashes for what may not stand in a header. Null: the file is dropped. */
export function keptName(given: string): string | null {
  const last = given.split(/[\\/]/).at(-1) ?? '';
  if (last === '' || last.length > LONGEST) return null;
  if (last.trim() === '') return last;
  return last.replace(/[%;\t\r\n\u202e]/g, '-');
}

/** A message with such a file is stored, and whatever would show it is a crash from then on. */
export const isUnshowable = ({ blob }: Attachment): boolean => blob.filename.trim() === '';

/** Stored, and without an address that could be opened. */
export const isLost = (filename: string): boolean => filename === '.' || filename === '..';
