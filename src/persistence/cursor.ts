import { InvalidInputError } from '../core/errors';

type Part = string | number;

/** A place in a list, as callers carry it: opaque to them, and checked when it comes back. `list` keeps lists apart. */
export const encodeCursor = (list: string, ...parts: readonly Part[]): string =>
  Buffer.from(JSON.stringify([list, ...parts])).toString('base64url');

/** @throws InvalidInputError CURSOR_INVALID unless it is this list's and each part passes its check */
export function decodeCursor<Parts extends readonly Part[]>(list: string, cursor: string, checks: { readonly [K in keyof Parts]: (part: unknown) => part is Parts[K] }, field = 'after'): Parts {
  const parts = parse(cursor);
  if (Array.isArray(parts) && parts[0] === list && parts.length === checks.length + 1 && checks.every((check, i) => check(parts[i + 1])))
    return parts.slice(1) as unknown as Parts;
  throw new InvalidInputError('CURSOR_INVALID', field, 'This cursor is not one of this list; use a cursor exactly as it was given, or none to begin at the start.');
}

export const expiredCursor = (): InvalidInputError =>
  new InvalidInputError('CURSOR_EXPIRED', 'after', 'What follows this cursor was removed, because it was older than it is kept; start without one, and the snapshot or the first page tells what is there.');

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

export const isCount = (part: unknown): part is number => Number.isInteger(part) && (part as number) >= 0 && (part as number) <= 2_147_483_647;

/** A bigint's text, within what Postgres takes. */
export const isBigint = (part: unknown): part is string =>
  typeof part === 'string' && /^(0|[1-9]\d{0,18})$/.test(part) && BigInt(part) <= 9_223_372_036_854_775_807n;

export const isText = (part: unknown): part is string => typeof part === 'string';

export const isInstant = (part: unknown): part is string =>
  typeof part === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(part) && !Number.isNaN(Date.parse(part));
