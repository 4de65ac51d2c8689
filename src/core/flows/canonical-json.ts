import type { MessageContent } from '../content';
import { plainTextOf } from '../content/plain-text';

/** Returns JSON with sorted keys, so that equal inputs have equal digests whatever their order. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`)
      .join(',')}}`;
  return JSON.stringify(value) ?? 'null';
}

/** Fields of inputs and contents that contain the address of a file or a page. */
const ADDRESSES: readonly string[] = ['url', 'pictureUrl'];

/**
 * Returns a value with its addresses cut to origin and path. A link that was signed again for a repeat of the same call
 * differs only in its query and leads to the same file, so the calls are equal.
 */
export function withoutUrlSignatures<T>(value: T): T {
  if (Array.isArray(value)) return value.map(one => withoutUrlSignatures(one as unknown)) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      typeof one === 'string' && ADDRESSES.includes(name) ? one.split(/[?#]/)[0] : withoutUrlSignatures(one as unknown),
    ]),
  ) as T;
}

/**
 * Returns the text of a message without the signatures of its links. Two messages with the same text are the same
 * message.
 */
export const comparableContent = ({
  text,
  content,
}: {
  readonly text: string;
  readonly content: MessageContent | null;
}): string => (content === null ? text : plainTextOf(content.caption, withoutUrlSignatures(content)));
