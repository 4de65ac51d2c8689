import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source';
import { TIME_LIMITS } from '../time-limits';

/** An arbitrary number that nothing else on the same server locks. */
const MIGRATION_LOCK = 7_364_482_011;

/** Limits in milliseconds. */
export interface MigrationLimits {
  readonly connectMs: number;
  /** The wait for another replica that migrates. */
  readonly lockMs: number;
}

const LIMITS: MigrationLimits = {
  connectMs: TIME_LIMITS.database.migrationConnectMs,
  lockMs: TIME_LIMITS.database.migrationLockMs,
};

/**
 * Brings the schema up to date. Safe when several replicas start at once: one migrates and the others wait. If there is
 * nothing to do, it waits for nobody, not even for a replica that holds the lock and whose connection is silent.
 */
export const migrate = (url: string, limits: MigrationLimits = LIMITS): Promise<void> =>
  withDataSource(url, async source => {
    if (!(await isUpToDate(source))) await locked(url, limits, () => source.runMigrations());
  });

async function isUpToDate(source: DataSource): Promise<boolean> {
  const [{ exists }] = await source.query<[{ exists: boolean }]>(
    "select to_regclass('support_migration') is not null as exists",
  );
  if (!exists) return false;
  const done = await source.query<{ name: string }[]>('select name from support_migration');
  return source.migrations.every(migration =>
    done.some(({ name }) => name === (migration.name ?? migration.constructor.name)),
  );
}

async function locked(
  url: string,
  { connectMs, lockMs }: MigrationLimits,
  work: () => Promise<unknown>,
): Promise<void> {
  const lock = new Client({
    connectionString: url,
    application_name: 'support-migrate',
    connectionTimeoutMillis: connectMs,
  });
  // The statements that use this connection report errors themselves. Without a listener, the error would end the
  // process with a stack trace instead of a sentence.
  lock.on('error', () => undefined);
  await lock.connect();
  try {
    await lock.query(`set lock_timeout = ${lockMs}`);
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]).catch((cause: unknown) => {
      if ((cause as { code?: unknown }).code !== '55P03') throw cause;
      throw new Error(
        `Another replica has been migrating the database for more than ${lockMs} ms. Read its log, or end its connection (application_name support-migrate).`,
        { cause },
      );
    });
    await work();
  } finally {
    await lock.end();
  }
}

/**
 * Returns the statements with which TypeORM would change the schema after all migrations. Empty if entities and
 * migrations agree.
 */
export const schemaDrift = (url: string): Promise<string[]> =>
  withDataSource(url, async source =>
    (await source.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query),
  );

/** Reverts every migration, newest first. For checks only: production only goes forward. */
export const revertAll = (url: string): Promise<void> =>
  withDataSource(url, async source => {
    for (let left = source.migrations.length; left > 0; left--) await source.undoLastMigration();
  });

async function withDataSource<T>(url: string, use: (source: DataSource) => Promise<T>): Promise<T> {
  const source = await new DataSource(dataSourceOptions(url)).initialize();
  try {
    return await use(source);
  } finally {
    await source.destroy();
  }
}
