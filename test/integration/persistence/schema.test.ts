import { Client } from 'pg';
import { SeededRandom } from '../../../scripts/torture/seeded-random';
import { FaultPlan } from '../../../scripts/torture/faults';
import { TcpFaultProxy } from '../../../scripts/torture/tcp-proxy';
import { migrate, revertAll, schemaDrift } from '../../../src/persistence/migrate';
import { createEmptyDatabase, type TestDatabase } from '../../../src/testing/database';
import { until } from '../../support/until';

describe('the database schema', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createEmptyDatabase();
  });
  afterEach(() => database.drop());

  const query = async <Row extends object>(sql: string): Promise<Row[]> => {
    const client = new Client(database.url);
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  };

  it('is the same in entities and migrations', async () => {
    await migrate(database.url);
    expect(await schemaDrift(database.url)).toEqual([]);
  });

  it('reports drift when a table differs from its entity', async () => {
    await migrate(database.url);
    await query('alter table team alter column name drop not null; drop index ix_lane_due');
    const drift = await schemaDrift(database.url);
    expect(drift.some(sql => sql.includes('"team"'))).toBe(true);
    expect(drift.some(sql => sql.includes('ix_lane_due'))).toBe(true);
  });

  it('is migrated once when several replicas start at the same moment', async () => {
    await Promise.all([1, 2, 3, 4].map(() => migrate(database.url)));
    const rows = await query<{ name: string }>('select name from support_migration');
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThanOrEqual(2);
  });

  it('makes nobody wait when there is nothing to migrate, whoever holds the lock', async () => {
    await migrate(database.url);
    const holder = new Client(database.url);
    await holder.connect();
    await holder.query('select pg_advisory_lock(7364482011)');
    await migrate(database.url);
    await holder.end();
  });

  it('is not migrated when the connection is lost meanwhile, which is reported as an error', async () => {
    const holder = new Client(database.url);
    await holder.connect();
    await holder.query('select pg_advisory_lock(7364482011)');
    const proxy = await TcpFaultProxy.start(new FaultPlan('database', new SeededRandom(1), {}));
    const url = new URL(database.url);
    proxy.lead(Number(url.port));
    url.port = String(proxy.port);
    const waiting = migrate(url.href);
    waiting.catch(() => undefined);
    await until(
      async () =>
        (
          await query(
            "select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
          )
        ).length > 0,
    );
    await proxy.stop();
    await expect(waiting).rejects.toThrow('terminated');
    await holder.end();
  });

  it('can be reverted completely and created again', async () => {
    await migrate(database.url);
    await revertAll(database.url);
    expect(
      await query("select tablename from pg_tables where schemaname = 'public' and tablename <> 'support_migration'"),
    ).toEqual([]);
    await migrate(database.url);
    expect(await schemaDrift(database.url)).toEqual([]);
  });

  it('names every constraint that code or an operator may meet', async () => {
    await migrate(database.url);
    const rows = await query<{ relname: string }>("select relname from pg_class where relname like 'uq_%'");
    expect(rows.map(({ relname }) => relname)).toEqual(
      expect.arrayContaining([
        'uq_session_runtime_key',
        'uq_handoff_live',
        'uq_message_caller_id',
        'uq_message_provider_id',
        'uq_event_seq',
        'uq_account_provider',
        'uq_inbox_chatbot',
        'uq_team_external',
        'uq_agent_external',
        'uq_idempotency_key',
      ]),
    );
  });
});
