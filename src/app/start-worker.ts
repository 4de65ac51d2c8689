import { isProvedDead } from '../claimer';
import type { Config } from '../config';
import type { FetchingFileArchive } from '../core/flows/archive-file';
import type { FlowDeps } from '../core/flows/deps';
import { Worker } from '../delivery';
import type { Logger } from '../logging';
import { createStores } from '../persistence';
import { POLL_MS, type Database, type StopStep } from './database';

/** The work mostly waits for remotes; its database statements are short. */
const WORK_CONCURRENCY = 64;
const CONCURRENCY_PER_REMOTE = 8;
/** One endpoint receives the pushes of all sessions of a chatbot. */
const PUSH_CONCURRENCY = { concurrency: 32, concurrencyPerRemote: 8 };

/** Starts the background work, on connections of its own. */
export async function startWorker(
  config: Config,
  logger: Logger,
  deps: FlowDeps,
  files: FetchingFileArchive,
  { workPool, splitPool, wake, parts }: Database,
  started: StopStep[],
): Promise<Worker> {
  const workStores = createStores(workPool, parts);
  const worker = new Worker(
    { ...deps, stores: workStores, files: files.withStores(workStores) },
    {
      leaseMs: config.leaseMs,
      concurrency: WORK_CONCURRENCY,
      concurrencyPerRemote: CONCURRENCY_PER_REMOTE,
      pushes: PUSH_CONCURRENCY,
      pollMs: POLL_MS,
      isDead: isProvedDead,
    },
    logger.child({ room: 'delivery' }),
  );
  await wake.start();
  started.push(() => wake.stop());
  wake.onWake(() => worker.wake());
  await splitPool.inBackground(() => worker.start());
  return worker;
}
