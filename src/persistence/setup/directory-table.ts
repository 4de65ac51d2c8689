import type { Pool } from 'pg';
import { isUuid } from '../../core/ids';
import type { Clock } from '../../core/ports/clock';
import { instantOf } from '../../core/ports/clock';
import type { AccountRecord } from '../../core/setup';
import { findManyById } from '../postgres/records';
import {
  column,
  columns,
  firstOf,
  inTransaction,
  rowsOf,
  selectList,
  statement,
  type Statement,
} from '../postgres/sql';

const LOCK_ACCOUNT = statement('lock_account', 'select id from support_account where id = $1 for no key update');

interface DirectoryRow {
  readonly id: string;
  readonly organizationId: string;
  readonly accountId: string;
  readonly externalId: string;
}

/**
 * Mirrors a list that the provider owns: teams or agents. Missing rows are marked as gone and keep their ids. They are
 * found only by id, so that old handoffs still name them.
 */
export class DirectoryTable<Row extends DirectoryRow, Given extends { readonly externalId: string }> {
  private readonly sync: Statement;
  private readonly all: Statement;
  private readonly ofAccounts: Statement;
  private readonly ids: Statement;
  private readonly one: Statement;
  private readonly byIdInAccount: Statement;

  /** @param fields all fields of the record @param mirrored the fields that the provider owns, besides its id */
  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
    private readonly table: 'team' | 'agent',
    fields: readonly string[],
    private readonly mirrored: readonly (keyof Given & string)[],
  ) {
    const row = selectList('t', fields);
    const given = ['externalId', ...mirrored];
    this.all = statement(
      `${table}s_of`,
      `
      select ${row} from ${table} t where t.organization_id = $1 and t.gone_at is null and ($2::uuid is null or t.account_id = $2) order by t.name, t.id`,
    );
    this.ofAccounts = statement(
      `${table}s_of_accounts`,
      `
      select ${row} from ${table} t where t.organization_id = $1 and t.gone_at is null and t.account_id = any($2::uuid[]) order by t.name, t.id`,
    );
    this.ids = statement(
      `${table}s`,
      `select ${row} from ${table} t where t.organization_id = $1 and t.id = any($2::uuid[])`,
    );
    this.one = statement(
      `find_${table}`,
      `select ${row} from ${table} t where t.account_id = $1 and t.gone_at is null and t.external_id = $2`,
    );
    this.byIdInAccount = statement(
      `find_${table}_by_id`,
      `
      select ${row} from ${table} t where t.account_id = $1 and t.gone_at is null and (t.id = $2::uuid or t.external_id = $3) order by t.id = $2::uuid desc limit 1`,
    );
    this.sync = statement(
      `sync_${table}s`,
      `
      with listed as (
        insert into ${table} as t (id, organization_id, account_id, ${columns(given)})
        select g.id, $2, $1, ${given.map(field => `g.${column(field)}`).join(', ')}
        from unnest($4::uuid[], ${given.map((_, i) => `$${i + 5}::text[]`).join(', ')}) as g (id, ${columns(given)})
        on conflict (account_id, external_id) do update set gone_at = null, ${mirrored.map(field => `${column(field)} = excluded.${column(field)}`).join(', ')}
        where t.gone_at is not null or ${mirrored.map(field => `t.${column(field)} is distinct from excluded.${column(field)}`).join(' or ')}
      )
      update ${table} t set gone_at = $3
      where t.account_id = $1 and t.gone_at is null and t.external_id <> all ($5::text[])`,
    );
  }

  async mirror(account: AccountRecord, given: readonly Given[]): Promise<readonly Row[]> {
    const listed = [...new Map(given.map(item => [item.externalId, item])).values()];
    await inTransaction(this.pool, async client => {
      // Only one mirroring runs at a time, because two would lock the list's rows in different orders.
      await rowsOf(client, LOCK_ACCOUNT, [account.id]);
      await rowsOf(client, this.sync, [
        account.id,
        account.organizationId,
        instantOf(this.clock.now()),
        listed.map(() => this.clock.newId()),
        listed.map(item => item.externalId),
        ...this.mirrored.map(field => listed.map(item => item[field])),
      ]);
    });
    return this.listByOrganization(account.organizationId, account.id);
  }

  async listByOrganization(organizationId: string, accountId: string | null): Promise<readonly Row[]> {
    return accountId !== null && !isUuid(accountId)
      ? []
      : rowsOf<Row>(this.pool, this.all, [organizationId, accountId]);
  }

  async listByAccounts(organizationId: string, accountIds: readonly string[]): Promise<readonly Row[]> {
    const known = accountIds.filter(isUuid);
    return known.length === 0 ? [] : rowsOf<Row>(this.pool, this.ofAccounts, [organizationId, known]);
  }

  findByIds(organizationId: string, ids: readonly string[]): Promise<readonly (Row | null)[]> {
    return findManyById<Row>(this.pool, this.ids, organizationId, ids);
  }

  /** Finds a row by our id or the provider's; ours wins. */
  async find(accountId: string, id: string): Promise<Row | null> {
    if (!isUuid(accountId)) return null;
    return isUuid(id)
      ? firstOf<Row>(this.pool, this.byIdInAccount, [accountId, id, id])
      : firstOf<Row>(this.pool, this.one, [accountId, id]);
  }
}
