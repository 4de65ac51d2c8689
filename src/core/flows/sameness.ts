import type { MessageContent } from '../content';
import { wordsOf } from '../content/words';

/** JSON with sorted keys, so that equal inputs have equal digests whatever their spelling. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`;
  return JSON.stringify(value) ?? 'null';
}

/** Fields of inputs and contents that hold the address of a file or a page. */
const ADDRESSES: readonly string[] = ['url', 'pictureUrl'];

/**
 * A value with its addresses cut to origin and path. A link that is signed again for a repeat of the same call differs in
 * its query alone: it leads to the same thing, so the call says the same.
 */
export function withoutSignatures<T>(value: T): T {
  if (Array.isArray(value)) return value.map(one => withoutSignatures(one as unknown)) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) =>
    [name, typeof one === 'string' && ADDRESSES.includes(name) ? one.split(/[?#]/)[0] : withoutSignatures(one as unknown)])) as T;
}

/** What a message says, whatever its links are signed with. Two messages with the same are the same turn. */
export const spokenBy = ({ text, content }: { readonly text: string; readonly content: MessageContent | null }): string =>
  (content === null ? text : wordsOf(content.caption, withoutSignatures(content)));
