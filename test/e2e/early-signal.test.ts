import { spawn } from 'node:child_process';
import path from 'node:path';
import { Client } from 'pg';
import { killWithParent } from '../../scripts/kill-with-parent';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';
import { until } from '../support/until';

const ROOT = path.join(__dirname, '..', '..');
let database: TestDatabase;
let holder: Client;
/** Within a transaction Postgres shows the activity as of its start. */
let onlooker: Client;
beforeAll(async () => {
  database = await createTestDatabase();
  holder = new Client({ connectionString: database.url });
  onlooker = new Client({ connectionString: database.url });
  await Promise.all([holder.connect(), onlooker.connect()]);
});
afterAll(async () => {
  await Promise.all([holder.end(), onlooker.end()]);
  await database.drop();
});

it('the service serves before its background work runs, is not ready yet, and a SIGTERM then is an ordinary stop', async () => {
  // Only the worker's start uses this table.
  await holder.query('begin');
  await holder.query('lock table lane in access exclusive mode');
  const child = spawn(
    process.execPath,
    ['-r', path.join(ROOT, 'test', 'support', 'run-typescript.cjs'), path.join(ROOT, 'src', 'main.ts')],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: '0',
        DATABASE_URL: database.url,
        SUPPORT_EXAMPLE: 'off',
        SUPPORT_STOP_GRACE_SECONDS: '0',
        SUPPORT_SECRET_KEY: 'ab'.repeat(32),
      },
    },
  );
  killWithParent(child);
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
  const gone = new Promise<unknown[]>(resolve => child.once('exit', (code, signal) => resolve([code, signal])));
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`It ended early:\n${log}`);
      return (
        (
          await onlooker.query(
            "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
          )
        ).rowCount === 1
      );
    });
    await until(async () => /"msg":"listening"/.test(log));
    const ready = await fetch(`http://127.0.0.1:${/"port":(\d+),"msg":"listening"/.exec(log)![1]}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      expect.objectContaining({
        checks: expect.objectContaining({ database: { ok: true }, start: { ok: false, reason: expect.any(String) } }),
      }),
    ]);
    child.kill('SIGTERM');
    await until(async () => log.includes('"stopping"') || child.signalCode !== null);
    await holder.query('rollback');
    expect(await gone).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
    await holder.query('rollback');
    await gone;
  }
});
