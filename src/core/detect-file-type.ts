/** How many of the first bytes are needed to detect a file's type. */
export const HEAD_BYTES = 16;
const UNKNOWN = 'application/octet-stream';

interface FileSignature {
  /** The type that the bytes indicate. */
  readonly type: string;
  /** Other types that begin with the same bytes. A declared type that matches is believed. */
  readonly relatedTypes?: RegExp;
  matches(head: string): boolean;
}

const startsWithBytes =
  (...bytes: readonly string[]) =>
  (head: string) =>
    bytes.some(one => head.startsWith(one));
const isRiffForm = (form: string) => (head: string) => head.startsWith('RIFF') && head.slice(8, 12) === form;
/** Matches ISO media files by the brand that follows `ftyp`. */
const hasBrand =
  (...brands: readonly string[]) =>
  (head: string) =>
    head.slice(4, 8) === 'ftyp' && brands.some(one => head.slice(8).startsWith(one));

const FILE_SIGNATURES: readonly FileSignature[] = [
  { type: 'image/png', matches: startsWithBytes('\x89PNG') },
  { type: 'image/jpeg', matches: startsWithBytes('\xff\xd8\xff'), relatedTypes: /^image\/(jpg|pjpeg)$/ },
  { type: 'image/gif', matches: startsWithBytes('GIF8') },
  { type: 'image/webp', matches: isRiffForm('WEBP') },
  { type: 'audio/wav', matches: isRiffForm('WAVE'), relatedTypes: /^audio\/(x-wav|wave|vnd\.wave)$/ },
  { type: 'application/pdf', matches: startsWithBytes('%PDF') },
  {
    type: 'audio/ogg',
    matches: startsWithBytes('OggS'),
    relatedTypes: /^((audio|video|application)\/ogg|audio\/opus)$/,
  },
  { type: 'audio/flac', matches: startsWithBytes('fLaC'), relatedTypes: /^audio\/x-flac$/ },
  { type: 'audio/amr', matches: startsWithBytes('#!AMR'), relatedTypes: /^audio\/amr-wb$/ },
  { type: 'audio/aac', matches: startsWithBytes('\xff\xf1', '\xff\xf9'), relatedTypes: /^audio\/x-aac$/ },
  {
    type: 'audio/mpeg',
    matches: startsWithBytes('ID3', '\xff\xfb', '\xff\xf3', '\xff\xf2'),
    relatedTypes: /^audio\/(mp3|x-mpeg|aac)$/,
  },
  {
    type: 'video/webm',
    matches: startsWithBytes('\x1aE\xdf\xa3'),
    relatedTypes: /^(audio|video)\/(webm|x-matroska|matroska)$/,
  },
  { type: 'audio/mp4', matches: hasBrand('M4A', 'M4B'), relatedTypes: /^audio\/(x-m4a|m4a|aac)$/ },
  { type: 'video/quicktime', matches: hasBrand('qt  ') },
  { type: 'image/heic', matches: hasBrand('heic', 'heix', 'mif1'), relatedTypes: /^image\/(heif|heic-sequence|avif)$/ },
  { type: 'image/avif', matches: hasBrand('avif') },
  { type: 'video/mp4', matches: hasBrand(''), relatedTypes: /^(audio|video)\/(mp4|3gpp2?|x-m4[av]|quicktime)$/ },
];

/** Returns the declared type, or null if it is missing, malformed or generic. */
function specificType(said: string | null): string | null {
  const type = (said ?? '').split(';')[0]!.trim().toLowerCase();
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) &&
    !/^(application|binary)\/(octet-stream|force-download|x-download)$/.test(type)
    ? type
    : null;
}

/**
 * Returns a file's type, from its declared types (the most trusted first) and its first bytes. Called after a file was
 * fetched. Known bytes overrule a declared type that contradicts them; unknown bytes overrule nothing.
 */
export function detectFileType(head: Uint8Array, said: readonly (string | null)[]): string {
  const bytes = Buffer.from(head).toString('latin1');
  const known = FILE_SIGNATURES.find(({ matches }) => matches(bytes));
  const word = said.map(specificType).find(type => type !== null) ?? null;
  if (known === undefined) return word ?? UNKNOWN;
  return word !== null && known.relatedTypes?.test(word) ? word : known.type;
}
