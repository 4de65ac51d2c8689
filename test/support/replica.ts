import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { leash } from '../../scripts/leash';

const START_LIMIT_MS = 290_000;
const ROOT = path.join(__dirname, '..', '..');

/** One process of the service, as it runs in production, with its own memory, pool and worker. */
export interface Replica {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Its log so far. */
  log(): string;
  /** Kills the process as a broken machine would, without any shutdown. */
  killHard(): Promise<void>;
  /** Sends SIGTERM and returns the exit code. */
  stop(): Promise<number | null>;
}

export interface ReplicaOptions {
  readonly databaseUrl: string;
  /** Settings as in docs/settings.md. Replicas must share SUPPORT_SECRET_KEY. */
  readonly env?: Readonly<Record<string, string>>;
  /** The previous port, for a service that restarts at its old address. */
  readonly port?: number;
}

/** Starts the service from its sources and waits until it is ready. */
export async function startReplica({ databaseUrl, env = {}, port }: ReplicaOptions): Promise<Replica> {
  const taken = port ?? await freePort();
  const child = spawn(process.execPath, ['-r', path.join(__dirname, 'run-typescript.cjs'), path.join(ROOT, 'src', 'main.ts')], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: String(taken), DATABASE_URL: databaseUrl, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  leash(child);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { log += chunk.toString(); });
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const replica: Replica = {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    pid: child.pid!,
    log: () => log,
    async killHard() { child.kill('SIGKILL'); await gone; },
    async stop() { child.kill('SIGTERM'); return gone; },
  };
  try {
    await ready(replica, child);
  } catch (error) {
    await replica.killHard();
    throw error;
  }
  return replica;
}

async function ready({ url, log }: Replica, child: ChildProcess): Promise<void> {
  for (const until = Date.now() + START_LIMIT_MS; ;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The service ended before it was ready:\n${log()}`);
    if (await fetch(`${url}/readyz`).then((answer) => answer.ok, () => false)) return;
    if (Date.now() > until) throw new Error(`The service was not ready in time:\n${log()}`);
    await setTimeout(50);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
