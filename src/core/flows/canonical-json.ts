import type { MessageContent } from '../content';
import { wordsOf } from '../content/words';

/** Returns JSON with sorted keys, so that equal inputs have equal digests whatever their order. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`;
  return JSON.stringify(value) ?? 'null';
}

/** Fields of inputs and contents that contain the address of a file or a page. */
const ADDRESSES: readonly string[] = ['url', 'pictureUrl'];

/**
 * Returns a value with its addresses cut to origin and path. A link that was signed again for a repeat of the same call
 * differs only in its query and leads to the same file, so the calls are equal.
 */
export function withoutSignatures<T>(value: T): T {
  if (Array.isArray(value)) return value.map(one => withoutSignatures(one as unknown)) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) =>
    [name, typeof one === 'string' && ADDRESSES.includes(name) ? one.split(/[?#]/)[0] : withoutSignatures(one as unknown)])) as T;
}

/**
 * Returns the text of a message without the signatures of its links. Two messages with the same text are the same
 * message.
 */
export const spokenBy = ({ text, content }: { readonly text: string; readonly content: MessageContent | null }): string =>
  (content === null ? text : wordsOf(content.caption, withoutSignatures(content)));
