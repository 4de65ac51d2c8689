import { extension } from 'mime-types';

/** The maximum length of a name in bytes of UTF-8: the limit of common file systems. */
export const MAX_NAME_BYTES = 255;

/** Control and format characters, line separators and invisible letters. They hide or reorder the visible text. */
const INVISIBLE =
  /(?![\u200c\u200d\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/** Characters that some common file system refuses. */
const FORBIDDEN = /[<>:"|?*%]/g;
/** Device names on Windows, with any extension. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
const VISIBLE = /[\p{L}\p{N}\p{S}]/u;
const EXTENSION = /\.[a-z0-9]{1,16}$/i;
/** Types whose first extension in mime-types is unknown to many programs. */
const USUAL_EXTENSIONS: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/ogg': 'ogg',
  'audio/webm': 'webm',
  'video/quicktime': 'mov',
};
const UNKNOWN_TYPE = 'application/octet-stream';

/**
 * Returns a file name that every remote, file system and header accepts. Called for each file that this service records
 * or sends. The result is never empty, has no directory, hides no characters and has an extension. Applying it twice
 * changes nothing.
 *
 * A blank name can be worse than a refusal: one support system then fails at every list of the account.
 * @param contentType MIME type; gives an extension to a name without one
 */
export function fitFileName(name: string, contentType: string): string {
  const last =
    name
      .normalize('NFC')
      .split(/[/\\]/)
      .map(visiblePart)
      .filter(part => VISIBLE.test(part))
      .at(-1) ?? 'file';
  const ending = EXTENSION.exec(last)?.[0] ?? '';
  const stem = ending === '' ? last : last.slice(0, -ending.length);
  const known = ending === '' ? extensionFor(contentType) : ending;
  const safe = RESERVED.test(`${stem}${known}`) ? `_${stem}` : stem;
  return `${cutToBytes(safe, MAX_NAME_BYTES - Buffer.byteLength(known))}${known}`;
}

/** Returns the visible text of one part of a path. Leading dots hide a file, and Windows drops trailing ones. */
const visiblePart = (part: string): string =>
  part
    .replace(/\s+/gu, ' ')
    .replace(INVISIBLE, '')
    .replace(FORBIDDEN, '-')
    .replace(/\s+/gu, ' ')
    .replace(/^[\s.]+|[\s.]+$/gu, '');

function extensionFor(contentType: string): string {
  const type = contentType.split(';')[0]!.trim().toLowerCase();
  const ending = type === UNKNOWN_TYPE ? false : (USUAL_EXTENSIONS[type] ?? extension(type));
  return ending ? `.${ending}` : '';
}

function cutToBytes(text: string, max: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > max) return text.slice(0, end).replace(/[\s.\u200c\u200d]+$/u, '');
    end += character.length;
  }
  return text;
}
