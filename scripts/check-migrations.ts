import { Client } from 'pg';
import { startEmbedded } from '../src/persistence';
import { migrate, revertAll, schemaDrift } from '../src/persistence/migrate';

/**
 * Checks that entities equal migrations, and that every migration can be reverted and run again. Reverting deletes
 * everything, so it runs on a temporary Postgres of its own, or on the empty database that CHECK_DATABASE_URL names;
 * never on DATABASE_URL.
 */
async function main(): Promise<void> {
  const given = process.env.CHECK_DATABASE_URL;
  const server = given ? null : await startEmbedded();
  const url = given ?? server!.url;
  try {
    if (await hasTables(url))
      throw new Error(
        'CHECK_DATABASE_URL names a database that has tables; this check would drop them. Name an empty one.',
      );
    await migrate(url);
    const drift = await schemaDrift(url);
    await revertAll(url);
    await migrate(url);
    const driftAfterwards = await schemaDrift(url);
    for (const sql of drift) console.error(`Entities differ from migrations; TypeORM would still run: ${sql}`);
    if (drift.length === 0)
      for (const sql of driftAfterwards)
        console.error(`After all down() and up() again, TypeORM would still run: ${sql}`);
    if (drift.length + driftAfterwards.length > 0) process.exitCode = 1;
    else console.log('Entities equal migrations, down and up again.');
  } finally {
    await server?.stop();
  }
}

async function hasTables(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (
      (await client.query("select from pg_tables where schemaname not in ('pg_catalog', 'information_schema') limit 1"))
        .rows.length > 0
    );
  } finally {
    await client.end();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
