import { Logger, run, runMigrations, type Runner } from 'graphile-worker';
import { Pool } from 'pg';
import { table } from './figures';
import { openEnvironment } from './environment';

const ORG = 'org-queues';
const KEYS = 1_000;
const JOBS = 10_000;
const WIDTH = 8;
const LEASE_MS = 60_000;

/** Measures our lanes: claims of 16, no work, each completed. */
async function lanes(databaseUrl: string): Promise<number> {
  const world = await openEnvironment(databaseUrl, WIDTH);
  const { chatbotId } = await world.enable(ORG);
  const sessions = await world.open(ORG, chatbotId, KEYS);
  for (const sessionId of sessions)
    await world.stores.sessions.transact(ORG, sessionId, async tx => {
      for (let i = 0; i < JOBS / KEYS; i++)
        await tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', handoffId: null, how: 'RETURN_TO_BOT' });
    });
  const from = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: WIDTH }, async () => {
      while (done < JOBS)
        for (const lane of await world.stores.lanes.claimDeliveries('PROVIDER', 16, LEASE_MS)) {
          await world.stores.lanes.complete(lane);
          done += 1;
        }
    }),
  );
  const seconds = (performance.now() - from) / 1_000;
  await world.end();
  return JOBS / seconds;
}

/** Measures graphile-worker with a named queue per key: in order within it, but a failed job lets the next one pass. */
async function graphile(databaseUrl: string): Promise<number> {
  const pool = new Pool({ connectionString: databaseUrl, max: WIDTH + 2 });
  await runMigrations({ pgPool: pool });
  await pool.query(
    "select graphile_worker.add_job('nothing', queue_name := 'key-' || (n % $1)) from generate_series(1, $2::int) n",
    [KEYS, JOBS],
  );
  const from = performance.now();
  let done = 0;
  let runner: Runner | undefined;
  await new Promise<void>((resolve, reject) => {
    run({
      pgPool: pool,
      concurrency: WIDTH,
      noHandleSignals: true,
      pollInterval: 50,
      logger: new Logger(() => () => undefined),
      taskList: {
        nothing: async () => {
          if (++done === JOBS) resolve();
        },
      },
    }).then(started => {
      runner = started;
    }, reject);
  });
  const seconds = (performance.now() - from) / 1_000;
  await runner?.stop();
  await pool.end();
  return JOBS / seconds;
}

/** Shows why lanes are used instead of a library: strict order per key in both, without failures. */
export async function compareQueues(newDatabase: () => Promise<string>): Promise<string> {
  const ours = await lanes(await newDatabase());
  const theirs = await graphile(await newDatabase());
  return table(
    ['10,000 waiting in 1,000 keys, 8 at once', 'done per second', 'ratio'],
    [
      ['lane table (strict order, also across retries)', ours.toFixed(0), '1'],
      [
        'graphile-worker 0.16.6, a queue for each key (a failed job is passed by the next)',
        theirs.toFixed(0),
        (theirs / ours).toFixed(2),
      ],
    ],
  );
}
