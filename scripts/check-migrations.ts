import { migrate, revertAll, schemaDrift, startEmbedded } from '../src/persistence';

/**
 * Entities equal migrations, and every migration can be taken back and made again. Needs an empty database: an own
 * throw-away one, unless CHECK_DATABASE_URL names one.
 */
async function main(): Promise<void> {
  const given = process.env.CHECK_DATABASE_URL;
  const server = given ? null : await startEmbedded();
  const url = given ?? server!.url;
  try {
    await migrate(url);
    const drift = await schemaDrift(url);
    await revertAll(url);
    await migrate(url);
    const driftAfterwards = await schemaDrift(url);
    for (const sql of drift) console.error(`Entities differ from migrations; TypeORM would still run: ${sql}`);
    if (drift.length === 0) for (const sql of driftAfterwards) console.error(`After all down() and up() again, TypeORM would still run: ${sql}`);
    if (drift.length + driftAfterwards.length > 0) process.exitCode = 1;
    else console.log('Entities equal migrations, down and up again.');
  } finally {
    await server?.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
