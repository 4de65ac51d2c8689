import { Client } from 'pg';
import { openTestPool, type TestPool } from '../../../src/testing/test-pool';

/** As one test leaves it, and as the next test finds it. */
async function nextAfter(
  use: (opened: TestPool) => Promise<unknown>,
): Promise<TestPool & { readonly isReused: boolean }> {
  const first = await openTestPool();
  await use(first);
  const url = first.database.url;
  await first.close();
  const next = await openTestPool();
  return { ...next, isReused: next.database.url === url };
}

describe('a database that is reused by the next test', () => {
  it('is empty except for rows of the migrations, and numbering restarts', async () => {
    const counter = "select nextval('delivery_id_seq') as id";
    const migrated = 'select name from support_migration order by 1';
    let before: unknown[] = [];
    const next = await nextAfter(async ({ pool }) => {
      before = (await pool.query(migrated)).rows;
      await pool.query('delete from support_migration; delete from maintenance_lease');
      await pool.query(
        "set session_replication_role = replica; insert into idempotency_key (organization_id, operation, key, request_digest, created_at) values ('o', 'say', 'k', 'x', now())",
      );
      await pool.query(counter);
    });
    expect(next.isReused).toBe(true);
    expect(before.length).toBeGreaterThan(0);
    expect((await next.pool.query(migrated)).rows).toEqual(before);
    expect((await next.pool.query('select name from maintenance_lease')).rows).toEqual([{ name: 'retention' }]);
    expect((await next.pool.query('select from idempotency_key')).rows).toEqual([]);
    expect((await next.pool.query(counter)).rows).toEqual([{ id: '1' }]);
    expect((await next.pool.query('show session_replication_role')).rows).toEqual([
      { session_replication_role: 'origin' },
    ]);
    await next.close();
  });

  it.each([
    ['a changed column', 'alter table team alter column name drop not null'],
    ['an index less', 'drop index ix_lane_due'],
    ['a table more', 'create table more (id int)'],
    ['a trigger that is off', 'alter table session disable trigger all'],
    ['a function', "create function one() returns int language sql as 'select 1'"],
    [
      'statistics',
      "insert into idempotency_key (organization_id, operation, key, request_digest, created_at) values ('o', 'say', 'k', 'x', now()); analyze idempotency_key",
    ],
  ])('is not reused with %s', async (_, change) => {
    const next = await nextAfter(({ pool }) => pool.query(change));
    expect(next.isReused).toBe(false);
    await next.close();
  });

  it('has none of the changes that a test made to its pool', async () => {
    const next = await nextAfter(async ({ pool }) => {
      pool.on('acquire', () => undefined);
      jest.spyOn(pool, 'query');
    });
    expect(next.pool.listenerCount('acquire')).toBe(0);
    expect(jest.isMockFunction(next.pool.query)).toBe(false);
    await next.close();
  });

  it('accepts no statement of a test that has ended', async () => {
    const first = await openTestPool();
    await first.close();
    await expect(first.pool.query('select 1')).rejects.toThrow('after calling end');
  });
});

it('a connection that a test did not close is named', async () => {
  const opened = await openTestPool({ max: 2 }, 0);
  const forgotten = new Client({ connectionString: opened.database.url, application_name: 'forgotten' });
  // The server ends it.
  forgotten.on('error', () => undefined);
  await forgotten.connect();
  await expect(opened.close()).rejects.toThrow(/left open:.*forgotten \(idle\)/);
});
