import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { currentClaimer } from '../claimer';
import { loadSecretKey, type Config } from '../config';
import type { Clock } from '../core/ports/clock';
import type { Logger } from '../logging';
import { createPool, PoolHalves, PostgresWake, SecretBox, startEmbedded, type StoreParts } from '../persistence';
import { migrate } from '../persistence/migrate';
import { TIME_LIMITS } from '../time-limits';

/** Stops one component; `graceMs` is how long calls are still accepted. */
export type StopStep = (graceMs: number) => Promise<unknown>;

export const POLL_MS = 1_000;

export const clock: Clock = {
  now: () => Date.now(),
  newId: () => randomUUID(),
  random: () => Math.random(),
  newSecret: () => randomBytes(32).toString('base64url'),
};

export interface Database {
  readonly secretKey: Buffer;
  /** Serves callers. */
  readonly pool: Pool;
  /** Serves the background work. */
  readonly workPool: Pool;
  readonly splitPool: PoolHalves;
  readonly wake: PostgresWake;
  readonly parts: StoreParts & { readonly wake: PostgresWake };
}

/** Opens the database, brings its schema up to date, and connects. Starts an embedded one if none is configured. */
export async function openDatabase(config: Config, logger: Logger, started: StopStep[]): Promise<Database> {
  const secretKey = await loadSecretKey(config);
  let databaseUrl = config.databaseUrl;
  if (databaseUrl === null) {
    const embedded = await startEmbedded(config.dataDir);
    started.push(() => embedded.stop());
    databaseUrl = embedded.url;
  }
  await migrate(databaseUrl);

  // Two pools: callers never wait for connections of the background work, and vice versa.
  const createPoolHalf = (applicationName: string, size: number): Pool => {
    const made = createPool(databaseUrl, {
      max: size,
      applicationName,
      onError: error => {
        if (!made.ending) logger.warn({ err: error }, 'an idle database connection was lost');
      },
    });
    started.push(() => made.end());
    return made;
  };
  const pool = createPoolHalf('support', Math.ceil(config.poolSize / 2));
  const workPool = createPoolHalf('support-work', Math.floor(config.poolSize / 2));
  const splitPool = new PoolHalves(pool, workPool);
  const wake = new PostgresWake(databaseUrl, {
    pollMs: POLL_MS,
    silenceMs: TIME_LIMITS.database.wakeMs,
    onError: error => logger.warn({ err: error }, 'listening for other replicas failed, will be tried again'),
  });
  const parts = {
    secretBox: new SecretBox(secretKey),
    clock,
    wake,
    claimer: currentClaimer(),
    keys: { keepDays: config.keepDays.idempotencyKeys },
  };
  return { secretKey, pool, workPool, splitPool, wake, parts };
}
