import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { startEmbedded } from '../src/persistence/embedded/embedded-postgres';
import { measureIsolation } from './bench/isolation';
import { measureClaims } from './bench/claims';
import { measureCost } from './bench/cost';
import { measureHangingBodies } from './bench/hanging-bodies';
import { measureLatency } from './bench/latency';
import { measureLiveHandoffs } from './bench/live-handoffs';
import { compareQueues } from './bench/queues';
import { measureRecovery } from './bench/recovery';
import { measureMessages } from './bench/messages';

const PARTS = {
  claims: measureClaims,
  queues: compareQueues,
  messages: measureMessages,
  isolation: measureIsolation,
  latency: measureLatency,
  cost: measureCost,
  'hanging-bodies': measureHangingBodies,
  recovery: measureRecovery,
  'live-handoffs': measureLiveHandoffs,
} as const;
const USAGE = `Measures the service, and prints tables with ratios.

  npm run bench                    all of it (some ten minutes)
  npm run bench -- claims messages only these; there are: ${Object.keys(PARTS).join(', ')}

Uses its own Postgres with fsync on, in a temporary folder. BENCH_DATABASE_URL names another server, on which databases
bench_… are created and removed.
`;

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter(name => !(name in PARTS));
  if (unknown.length > 0) {
    console.error(USAGE);
    return 64;
  }
  const folder = process.env.BENCH_DATABASE_URL ? null : mkdtempSync(path.join(tmpdir(), 'support-bench-'));
  const server = folder === null ? null : await startEmbedded(folder);
  const url = new URL(server?.url ?? process.env.BENCH_DATABASE_URL!);
  const made: string[] = [];
  const onServer = async (text: string): Promise<void> => {
    const client = new Client({ connectionString: url.href });
    await client.connect();
    await client.query(text).finally(() => client.end());
  };
  const newDatabase = async (): Promise<string> => {
    const name = `bench_${randomBytes(6).toString('hex')}`;
    await onServer(`create database ${name} template template0`);
    made.push(name);
    return Object.assign(new URL(url.href), { pathname: `/${name}` }).href;
  };
  console.log(
    `Node ${process.version}, ${cpus().length} cores. Ratios are within one run; single figures depend on the machine's other load.`,
  );
  try {
    for (const [name, part] of Object.entries(PARTS))
      if (names.length === 0 || names.includes(name)) console.log(`\n## ${name}\n\n${await part(newDatabase)}`);
  } finally {
    for (const name of made) await onServer(`drop database if exists ${name} with (force)`).catch(() => undefined);
    await server?.stop();
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

main(process.argv.slice(2)).then(
  code => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.stack : error);
    process.exitCode = 1;
  },
);
