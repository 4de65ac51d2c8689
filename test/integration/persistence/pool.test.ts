import { SeededRandom } from '../../../scripts/torture/seeded-random';
import { FaultPlan } from '../../../scripts/torture/faults';
import { TcpFaultProxy } from '../../../scripts/torture/tcp-proxy';
import { createPool } from '../../../src/persistence';
import { instantOfRow } from '../../../src/persistence/postgres/pool';
import { rollBack, inTransaction } from '../../../src/persistence/postgres/sql';
import { createEmptyDatabase, type TestDatabase } from '../../../src/testing/database';
import { until } from '../../support/until';

let database: TestDatabase;
beforeAll(async () => {
  database = await createEmptyDatabase();
});
afterAll(() => database.drop());

describe('the connection pool', () => {
  it('returns times as RFC 3339 with milliseconds in UTC, and bigints as text', async () => {
    const pool = createPool(database.url);
    const { rows } =
      await pool.query(`select '2026-11-22 23:52:20.5+03'::timestamptz(3) as half, '2026-11-22 20:52:20Z'::timestamptz as whole,
      '2026-11-22 20:52:20.557999Z'::timestamptz as micro, null::timestamptz as none, 9223372036854775807 as big, 7::integer as small, '{"a":[1]}'::jsonb as json`);
    expect(rows).toEqual([
      {
        half: '2026-11-22T20:52:20.500Z',
        whole: '2026-11-22T20:52:20.000Z',
        micro: '2026-11-22T20:52:20.557Z',
        none: null,
        big: '9223372036854775807',
        small: 7,
        json: { a: [1] },
      },
    ]);
    await pool.end();
  });

  it('reads times of any time zone of the session', () => {
    expect(
      ['2026-11-22 23:52:20.5+03', '2026-11-23 02:22:20.5+05:30', '2026-11-22 20:52:20.5+00'].map(instantOfRow),
    ).toEqual(Array(3).fill('2026-11-22T20:52:20.500Z'));
  });

  it('does not change how other pools of the process read', async () => {
    const { Pool } = await import('pg');
    const pool = new Pool({ connectionString: database.url });
    expect((await pool.query('select now() as at')).rows[0].at).toBeInstanceOf(Date);
    await pool.end();
  });

  it('limits the time of statements and idle transactions', async () => {
    const pool = createPool(database.url, { applicationName: 'of the test' });
    const { rows } = await pool.query('select name, setting from pg_settings where name = any($1) order by name', [
      [
        'statement_timeout',
        'idle_in_transaction_session_timeout',
        'random_page_cost',
        'application_name',
        'TimeZone',
        'DateStyle',
        'jit',
      ],
    ]);
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      statement_timeout: '15000',
      idle_in_transaction_session_timeout: '30000',
      random_page_cost: '1.1',
      application_name: 'of the test',
      TimeZone: 'UTC',
      DateStyle: 'ISO, MDY',
      jit: 'off',
    });
    await pool.end();
  });

  it('drops a connection that falls silent, and uses another one', async () => {
    const plan = new FaultPlan('database', new SeededRandom(1), {});
    const proxy = await TcpFaultProxy.start(plan);
    proxy.lead(Number(new URL(database.url).port));
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const pool = createPool(url.href, { max: 1, silenceMs: 300 });
    const client = await pool.connect();
    await client.query('begin');
    proxy.silence();
    // Queries that are sent after the first fail with it, and do not wait.
    const lost = await Promise.allSettled([client.query('select 1'), client.query('select 2')]);
    expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await rollBack(client);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
    await proxy.stop();
  });

  it('survives the loss of its connections', async () => {
    const errors: Error[] = [];
    const pool = createPool(database.url, { onError: error => errors.push(error), applicationName: 'lost' });
    const admin = createPool(database.url);
    await pool.query('select 1');
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lost'");
    await until(() => errors.length > 0);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await Promise.all([pool.end(), admin.end()]);
  });

  it('drops a connection to a read-only server: the next transaction has a new connection', async () => {
    const pool = createPool(database.url, { max: 1 });
    const write = () =>
      inTransaction(pool, client => client.query('create temporary table written on commit drop as select 1'));
    await pool.query('set session characteristics as transaction read only');
    await expect(write()).rejects.toMatchObject({ code: '25006' });
    await write();
    await pool.end();
  });
});
