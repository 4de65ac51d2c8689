import { InvalidInputError } from '../../core/errors';

type Part = string | number;

/** Encodes a position in a list as an opaque text for callers. `list` keeps the cursors of different lists apart. */
export const encodeCursor = (list: string, ...parts: readonly Part[]): string =>
  Buffer.from(JSON.stringify([list, ...parts])).toString('base64url');

/**
 * Decodes and checks a cursor.
 * @throws InvalidInputError CURSOR_INVALID unless it is of this list and each part passes its check
 */
export function decodeCursor<Parts extends readonly Part[]>(
  list: string,
  cursor: string,
  checks: { readonly [K in keyof Parts]: (part: unknown) => part is Parts[K] },
  field = 'after',
): Parts {
  const parts = parse(cursor);
  if (
    Array.isArray(parts) &&
    parts[0] === list &&
    parts.length === checks.length + 1 &&
    checks.every((check, i) => check(parts[i + 1]))
  )
    return parts.slice(1) as unknown as Parts;
  throw new InvalidInputError(
    'CURSOR_INVALID',
    field,
    'This cursor does not belong to this list. Use a cursor exactly as it was returned, or none to begin at the start.',
  );
}

export const cursorExpiredError = (): InvalidInputError =>
  new InvalidInputError(
    'CURSOR_EXPIRED',
    'after',
    'Entries after this cursor were removed by retention. Start without a cursor; the snapshot or the first page contains the remaining entries.',
  );

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

export const isCount = (part: unknown): part is number =>
  Number.isInteger(part) && (part as number) >= 0 && (part as number) <= 2_147_483_647;

/** Returns whether the value is a bigint as text, within the range of Postgres. */
export const isBigint = (part: unknown): part is string =>
  typeof part === 'string' && /^(0|[1-9]\d{0,18})$/.test(part) && BigInt(part) <= 9_223_372_036_854_775_807n;

export const isText = (part: unknown): part is string => typeof part === 'string';

export const isInstant = (part: unknown): part is string =>
  typeof part === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(part) && !Number.isNaN(Date.parse(part));
