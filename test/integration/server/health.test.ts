import { Pool } from 'pg';
import { Health } from '../../../src/health';
import { createPool, isWritable } from '../../../src/persistence';
import { createTestDatabase, type TestDatabase } from '../../../src/testing/database';
import { started, startServer, type RunningServer } from './start-server';
import { until } from '../../support/until';

let running: RunningServer;
afterEach(() => running.server.stop());

it('the service is alive while it responds, also when it is not ready', async () => {
  running = await startServer({ health: new Health({ isWritable: () => Promise.reject(new Error('down')) }) });
  const response = await fetch(`${running.url}/livez`);
  expect([response.status, await response.json()]).toEqual([200, { alive: true }]);
  expect((await fetch(`${running.url}/readyz`)).status).toBe(503);
});

it('the probes accept only GET and HEAD', async () => {
  running = await startServer();
  for (const where of ['/livez', '/readyz']) {
    expect((await fetch(running.url + where, { method: 'HEAD' })).status).toBe(200);
    const post = await fetch(running.url + where, { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  }
});

it('the service is not ready before everything has started, and says so', async () => {
  const health = new Health({ isWritable: () => Promise.resolve(true) });
  running = await startServer({ health });
  const response = await fetch(`${running.url}/readyz`);
  expect([response.status, await response.json()]).toEqual([
    503,
    {
      ready: false,
      checks: { database: { ok: true }, start: { ok: false, reason: expect.any(String) }, draining: { ok: true } },
    },
  ]);
  health.markStarted();
  expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
});

it('the service is not ready while the database does not respond within the limit, and checks do not pile up', async () => {
  let questions = 0;
  let answer!: (isWritable: true) => void;
  const answered = new Promise<boolean>(resolve => {
    answer = resolve;
  });
  running = await startServer({
    health: started(
      {
        isWritable: () => {
          questions += 1;
          return answered;
        },
      },
      50,
    ),
  });
  const ask = async () => (await fetch(`${running.url}/readyz`)).status;
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([503, 503, 503]);
  expect(await ask()).toBe(503);
  expect(questions).toBe(1);
  answer(true);
  await until(async () => (await ask()) === 200);
});

describe('with a real database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('is ready while it responds, not while it is unreachable, and reveals no detail', async () => {
    let pool = new Pool({ connectionString: database.url });
    running = await startServer({ health: started({ isWritable: () => isWritable(pool) }) });
    const ready = await fetch(`${running.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { ready: true, checks: { database: { ok: true }, start: { ok: true }, draining: { ok: true } } },
    ]);

    await pool.end();
    pool = new Pool({ connectionString: 'postgres://support:hunter2@127.0.0.1:1/x' });
    const down = await fetch(`${running.url}/readyz`);
    const text = await down.text();
    expect(down.status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ ready: false, checks: { database: { ok: false } } });
    expect(text).not.toContain('hunter2');
    await pool.end();
  });

  it('is not ready while it leads to a read-only server, and ready again as soon as a new connection leads to a writable one', async () => {
    const admin = createPool(database.url, { max: 1 });
    const setReadOnly = (to: string) =>
      admin.query(`do $$ begin execute format('alter database %I ${to}', current_database()); end $$`);
    await admin.query('select 1');
    await setReadOnly('set default_transaction_read_only = on');
    const pool = createPool(database.url, { max: 1 });
    running = await startServer({ health: started({ isWritable: () => isWritable(pool) }) });
    const demoted = await fetch(`${running.url}/readyz`);
    expect([demoted.status, await demoted.json()]).toEqual([
      503,
      expect.objectContaining({
        checks: expect.objectContaining({
          database: { ok: false, reason: expect.stringContaining('accepts no writes') },
        }),
      }),
    ]);

    await setReadOnly('reset default_transaction_read_only');
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    await Promise.all([pool.end(), admin.end()]);
  });
});
