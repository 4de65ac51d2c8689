import { ProviderAuthError, ProviderRefusedError, ProviderUnavailableError, SupportError } from '../../core/errors';
import { isOver } from '../../core/time-limit';
import type { AccountAccess } from '../../core/ports/provider/access';
import type { ProviderHost } from '../../core/ports/provider/definition';

export type Database = ProviderHost['database'];
export type Query = Database['query'];

/**
 * Returns whether a text can be an id of the desk: a positive bigint. Any other text is an unknown id and must not
 * reach SQL.
 */
export const isDeskId = (text: string): boolean => /^[1-9]\d{0,17}$/.test(text);

/** Converts a database time to ISO 8601. Depending on the host, the driver returns a `Date` or a string. */
export const instant = (time: Date | string): string => new Date(time).toISOString();
export const instantOrNull = (time: Date | string | null): string | null => (time === null ? null : instant(time));

/** SQLSTATE classes of invalid data, violated constraints and wrong SQL: bugs of this folder, which no retry fixes. */
const PROGRAMMING_ERROR = /^(22|23|42)...$/;

/**
 * Wraps a database so that its errors are the port's error classes. Writes run in a transaction, so after an error at
 * its commit the outcome is unknown.
 */
export function withPortErrors(database: Database): Database {
  const failed =
    (delivered: 'no' | 'unknown') =>
    (cause: unknown): never => {
      if (cause instanceof SupportError || PROGRAMMING_ERROR.test(String((cause as { code?: unknown }).code)))
        throw cause;
      throw new ProviderUnavailableError(
        "The desk's database did not respond. Deliveries are retried; repeat any other call.",
        { delivered, cause },
      );
    };
  return {
    query: (text, values) => database.query(text, values).catch(failed('no')),
    transaction: work => database.transaction(work).catch(failed('unknown')),
  };
}

/** Runs `work` until the call's time limit. After a timeout the work may still take effect. */
export async function withTimeLimit<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (isOver(signal))
    throw new ProviderUnavailableError(
      "The call's time limit had passed before the desk began. Deliveries are retried; repeat any other call.",
      { cause: signal.reason },
    );
  let giveUp = () => {};
  const timeOver = new Promise<never>((_, reject) => {
    giveUp = () =>
      reject(
        new ProviderUnavailableError(
          "The desk did not respond within the call's time limit. Deliveries are retried; repeat any other call.",
          { delivered: 'unknown', cause: signal.reason },
        ),
      );
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([work(), timeOver]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/**
 * Returns the desk's own id of the account of a call.
 * @throws ProviderRefusedError (`gone`) for an unknown account; ProviderAuthError if the BotAgent is not an
 * administrator
 */
export async function requireAccount(query: Query, { accountId, externalId }: AccountAccess): Promise<string> {
  const {
    rows: [account],
  } =
    externalId !== null && isDeskId(externalId)
      ? await query(
          `
        select a.id, b.role from desk_account a left join desk_agent b on b.account_id = a.id and b.kind = 'BOT'
        where a.id = $1 and a.our_id = $2`,
          [externalId, accountId],
        )
      : { rows: [] };
  if (!account)
    throw new ProviderRefusedError('The desk has no such account; enable support for the organization again.', {
      gone: true,
    });
  if (account.role !== 'ADMINISTRATOR')
    throw new ProviderAuthError(
      'The BotAgent of this desk is no longer an administrator; enable support for the organization again.',
    );
  return account.id;
}
