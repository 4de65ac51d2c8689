import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

const START_LIMIT_MS = 290_000;
const ROOT = path.join(__dirname, '..', '..');

/** One process of the service, as it runs in production: its own memory, its own pool, its own worker. */
export interface Replica {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** All that it wrote so far. */
  log(): string;
  /** As a broken machine would end it: no goodbye, no last word to the database. */
  killHard(): Promise<void>;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => { for (const child of running) child.kill('SIGKILL'); });

export interface ReplicaOptions {
  readonly databaseUrl: string;
  /** Settings as in docs/settings.md. What replicas must share (SUPPORT_SECRET_KEY) has to be the same in all. */
  readonly env?: Readonly<Record<string, string>>;
  /** The same port again, for a service that comes back under its old address. */
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
  running.add(child);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { log += chunk.toString(); });
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => { running.delete(child); resolve(code); }));
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
