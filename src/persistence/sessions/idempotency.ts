import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import { ConflictError, InProgressError } from '../../core/errors';
import type { IdempotencyScope } from '../../core/ports/session-store';
import { firstOf, rowsOf, statement, type Statement } from '../postgres/sql';
import { TIME_LIMITS } from '../../time-limits';

export interface KeyRules {
  /** How long a repeat waits for the first call, which still runs. */
  readonly waitMs: number;
  /** After this time a key counts as new. */
  readonly keepDays: number;
}
export const KEY_RULES: KeyRules = { waitMs: TIME_LIMITS.database.keyMs, keepDays: 7 };
const RETRY_AFTER_MS = 1_000;

/**
 * A call with a key holds the key's advisory lock until its transaction ends. A repeat waits for that lock, up to a
 * limit. Every transaction takes it before the session's lock, so two calls cannot deadlock, and waiting for another
 * key's work on the same session is never reported as "in progress".
 */
const ENTER_KEY = statement('enter_key', 'select enter_idempotency_key($1, $2, $3)');
const FIND_RESULT = statement(
  'find_result',
  `
  select request_digest as digest, result, created_at <= now() - $4 * interval '1 day' as "isExpired"
  from idempotency_key where organization_id = $1 and operation = $2 and key = $3`,
);
const DELETE_KEY = statement(
  'forget_key',
  'delete from idempotency_key where organization_id = $1 and operation = $2 and key = $3',
);
const STORE_RESULT = statement(
  'store_result',
  'insert into idempotency_key (organization_id, operation, key, request_digest, result) values ($1, $2, $3, $4, $5)',
);

export interface StoredResult {
  readonly digest: string;
  readonly result: unknown;
  readonly isExpired: boolean;
}

const idOf = ({ organizationId, operation, key }: IdempotencyScope): string[] => [organizationId, operation, key];

/** Takes the key's lock. Must be the first statement after `begin`. @throws InProgressError when the wait is over */
export async function enterKey(client: PoolClient, scope: IdempotencyScope, { waitMs }: KeyRules): Promise<unknown> {
  const digest = createHash('sha256')
    .update(JSON.stringify(idOf(scope)))
    .digest();
  try {
    return await rowsOf(client, ENTER_KEY, [digest.readInt32BE(0), digest.readInt32BE(4), waitMs]);
  } catch (error) {
    // Only for this statement, because an operator may limit the wait for other locks.
    throw (error as { code?: unknown }).code === '55P03' ? keyInProgressError(scope) : error;
  }
}

/** Reads the stored result. Must run after the lock was taken. */
export const findStoredResult = (
  client: PoolClient,
  scope: IdempotencyScope,
  { keepDays }: KeyRules,
): Promise<StoredResult | null> => firstOf<StoredResult>(client, FIND_RESULT, [...idOf(scope), keepDays]);

/** Stores the result together with the data that it reports. */
export function storeResult(
  write: (sql: Statement, values: readonly unknown[]) => void,
  scope: IdempotencyScope,
  stored: StoredResult | null,
  answer: unknown,
): void {
  if (stored !== null) write(DELETE_KEY, idOf(scope));
  write(STORE_RESULT, [...idOf(scope), scope.requestDigest, JSON.stringify(answer) ?? null]);
}

const keyInProgressError = ({ operation, key }: IdempotencyScope): InProgressError =>
  new InProgressError(
    `${operation} with the key ${key} is still running. Call again in a moment with the same key.`,
    RETRY_AFTER_MS,
  );

export const keyReusedError = ({ operation, key }: IdempotencyScope): ConflictError =>
  new ConflictError(
    'IDEMPOTENCY_KEY_REUSED',
    'idempotencyKey',
    `${operation} was already called with the key ${key} and another input. Use a new key for a new call.`,
  );
