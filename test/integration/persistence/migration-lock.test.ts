import { Client } from 'pg';
import { migrate } from '../../../src/persistence/migrate';
import { createEmptyDatabase, type TestDatabase } from '../../../src/testing/database';

let database: TestDatabase;
beforeAll(async () => {
  database = await createEmptyDatabase();
});
afterAll(() => database.drop());

it('a start waits a limited time for another replica that migrates, and reports which one', async () => {
  const other = new Client({ connectionString: database.url });
  await other.connect();
  try {
    await other.query('select pg_advisory_lock(7364482011)');
    await expect(migrate(database.url, { connectMs: 10_000, lockMs: 50 })).rejects.toMatchObject({
      cause: { code: '55P03' },
    });
  } finally {
    await other.end();
  }
  await migrate(database.url);
});
