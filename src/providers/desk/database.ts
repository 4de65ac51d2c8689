import { ProviderAuthError, ProviderRefusedError, ProviderUnavailableError, SupportError } from '../../core/errors';
import { isOver } from '../../core/time-limit';
import type { AccountAccess, ProviderHost } from '../../core/ports/support-provider';

export type Database = ProviderHost['database'];
export type Query = Database['query'];

/** Ids of the desk are positive bigints. Anything else is an unknown id, before SQL sees it. */
export const isDeskId = (text: string): boolean => /^[1-9]\d{0,17}$/.test(text);

/** The host decides how its driver reads times. */
export const instant = (time: Date | string): string => new Date(time).toISOString();
export const instantOrNull = (time: Date | string | null): string | null => (time === null ? null : instant(time));

/** Bad values, broken constraints, wrong SQL: mistakes of this folder, which no retry heals. */
const OUR_MISTAKE = /^(22|23|42)...$/;

/** The same database, whose errors are in the port's words. Verbs that write do it in a transaction, whose end may be lost. */
export function inPortWords(database: Database): Database {
  const failed = (delivered: 'no' | 'unknown') => (cause: unknown): never => {
    if (cause instanceof SupportError || OUR_MISTAKE.test(String((cause as { code?: unknown }).code))) throw cause;
    throw new ProviderUnavailableError('The desk\'s database did not answer.', { delivered, cause });
  };
  return {
    query: (text, values) => database.query(text, values).catch(failed('no')),
    transaction: (work) => database.transaction(work).catch(failed('unknown')),
  };
}

/** Ends a verb at its time limit; what it has begun may still happen. */
export async function inTime<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (isOver(signal)) throw new ProviderUnavailableError('The time for this call is over.', { cause: signal.reason });
  let giveUp = () => {};
  const timeOver = new Promise<never>((_, reject) => {
    giveUp = () => reject(new ProviderUnavailableError('The desk did not answer in time.', { delivered: 'unknown', cause: signal.reason }));
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([work(), timeOver]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** The desk's own id of the account that a call is about, once the BotAgent is proven to be what it must be. */
export async function accountOf(query: Query, { accountId, externalId }: AccountAccess): Promise<string> {
  const { rows: [account] } = externalId !== null && isDeskId(externalId)
    ? await query(`
        select a.id, b.role from desk_account a left join desk_agent b on b.account_id = a.id and b.kind = 'BOT'
        where a.id = $1 and a.our_id = $2`, [externalId, accountId])
    : { rows: [] };
  if (!account) throw new ProviderRefusedError('The desk has no such account; enable support for the organization again.', { gone: true });
  if (account.role !== 'ADMINISTRATOR') throw new ProviderAuthError('The BotAgent of this desk is no longer an administrator; enable support for the organization again.');
  return account.id;
}
