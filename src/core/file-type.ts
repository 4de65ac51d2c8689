/** How many of its first bytes tell a file's type. */
export const HEAD_BYTES = 16;
const UNKNOWN = 'application/octet-stream';

interface Magic {
  /** The type that the bytes stand for by themselves. */
  readonly type: string;
  /** Types that begin with the same bytes: one of these is believed as it is said. */
  readonly also?: RegExp;
  matches(head: string): boolean;
}

const starts = (...bytes: readonly string[]) => (head: string) => bytes.some(one => head.startsWith(one));
const riff = (form: string) => (head: string) => head.startsWith('RIFF') && head.slice(8, 12) === form;
/** ISO media files: the brand behind `ftyp` tells them apart. */
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

/** A type that says something: not left out, malformed, or "some bytes". */
function specific(said: string | null): string | null {
  const type = (said ?? '').split(';')[0]!.trim().toLowerCase();
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) && !/^(application|binary)\/(octet-stream|force-download|x-download)$/.test(type) ? type : null;
}

/**
 * A file's type, from what is said of it (the most trusted word first) and its first bytes. Called once a file was
 * fetched. Bytes that are known overrule a word that contradicts them; unknown bytes overrule nothing.
 */
export function fileType(head: Uint8Array, said: readonly (string | null)[]): string {
  const bytes = Buffer.from(head).toString('latin1');
  const known = MAGIC.find(({ matches }) => matches(bytes));
  const word = said.map(specific).find(type => type !== null) ?? null;
  if (known === undefined) return word ?? UNKNOWN;
  return word !== null && known.also?.test(word) ? word : known.type;
}
