/** How many of the first bytes are needed to detect a file's type. */
export const HEAD_BYTES = 16;
const UNKNOWN = 'application/octet-stream';

interface Magic {
  /** The type that the bytes indicate. */
  readonly type: string;
  /** Other types that begin with the same bytes. A declared type that matches is believed. */
  readonly also?: RegExp;
  matches(head: string): boolean;
}

const starts = (...bytes: readonly string[]) => (head: string) => bytes.some(one => head.startsWith(one));
const riff = (form: string) => (head: string) => head.startsWith('RIFF') && head.slice(8, 12) === form;
/** Matches ISO media files by the brand that follows `ftyp`. */
const brand = (...brands: readonly string[]) => (head: string) => head.slice(4, 8) === 'ftyp' && brands.some(one => head.slice(8).startsWith(one));

const MAGIC: readonly Magic[] = [
  { type: 'image/png', matches: starts('\x89PNG') },
  { type: 'image/jpeg', matches: starts('\xff\xd8\xff'), also: /^image\/(jpg|pjpeg)$/ },
  { type: 'image/gif', matches: starts('GIF8') },
  { type: 'image/webp', matches: riff('WEBP') },
  { type: 'audio/wav', matches: riff('WAVE'), also: /^audio\/(x-wav|wave|vnd\.wave)$/ },
  { type: 'application/pdf', matches: starts('%PDF') },
  { type: 'audio/ogg', matches: starts('OggS'), also: /^((audio|video|application)\/ogg|audio\/opus)$/ },
  { type: 'audio/flac', matches: starts('fLaC'), also: /^audio\/x-flac$/ },
  { type: 'audio/amr', matches: starts('#!AMR'), also: /^audio\/amr-wb$/ },
  { type: 'audio/aac', matches: starts('\xff\xf1', '\xff\xf9'), also: /^audio\/x-aac$/ },
  { type: 'audio/mpeg', matches: starts('ID3', '\xff\xfb', '\xff\xf3', '\xff\xf2'), also: /^audio\/(mp3|x-mpeg|aac)$/ },
  { type: 'video/webm', matches: starts('\x1aE\xdf\xa3'), also: /^(audio|video)\/(webm|x-matroska|matroska)$/ },
  { type: 'audio/mp4', matches: brand('M4A', 'M4B'), also: /^audio\/(x-m4a|m4a|aac)$/ },
  { type: 'video/quicktime', matches: brand('qt  ') },
  { type: 'image/heic', matches: brand('heic', 'heix', 'mif1'), also: /^image\/(heif|heic-sequence|avif)$/ },
  { type: 'image/avif', matches: brand('avif') },
  { type: 'video/mp4', matches: brand(''), also: /^(audio|video)\/(mp4|3gpp2?|x-m4[av]|quicktime)$/ },
];

/** Returns the declared type, or null if it is missing, malformed or generic. */
function specific(said: string | null): string | null {
  const type = (said ?? '').split(';')[0]!.trim().toLowerCase();
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) && !/^(application|binary)\/(octet-stream|force-download|x-download)$/.test(type) ? type : null;
}

/**
 * Returns a file's type, from its declared types (the most trusted first) and its first bytes. Called after a file was
 * fetched. Known bytes overrule a declared type that contradicts them; unknown bytes overrule nothing.
 */
export function fileType(head: Uint8Array, said: readonly (string | null)[]): string {
  const bytes = Buffer.from(head).toString('latin1');
  const known = MAGIC.find(({ matches }) => matches(bytes));
  const word = said.map(specific).find(type => type !== null) ?? null;
  if (known === undefined) return word ?? UNKNOWN;
  return word !== null && known.also?.test(word) ? word : known.type;
}
