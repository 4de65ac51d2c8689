import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { postgresBinaries } from './binaries';
import {
  ensureCluster,
  isStopping,
  findStaleLockPid,
  POSTGRES_USER,
  prepareFolder,
  serverPath,
  type DataFolder,
} from './data-folder';
import { TIME_LIMITS } from '../../time-limits';

export interface EmbeddedPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

export type ServerSettings = Readonly<Record<string, string>>;

const NOT_DURABLE: ServerSettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/**
 * Starts a private Postgres on a free loopback port. With `dir` it is durable; without, it is temporary (no fsync,
 * removed at the end). It stops with this process, however that ends.
 *
 * @param settings of the server, as in `postgresql.conf`
 * @throws Error with the next step in words: no binaries for this platform, folder in use or out of reach
 */
export async function startEmbedded(dir?: string, settings: ServerSettings = {}): Promise<EmbeddedPostgres> {
  const folder = prepareFolder(dir);
  try {
    const bin = postgresBinaries(folder.runAs);
    const password = ensureCluster(folder, bin);
    const { port, child } = await launch(bin, folder, settings);
    return {
      url: `postgres://${POSTGRES_USER}:${password}@127.0.0.1:${port}/postgres`,
      async stop() {
        await endProcess(child);
        if (folder.isTemporary) rmSync(folder.base, { recursive: true, force: true });
      },
    };
  } catch (error) {
    if (folder.isTemporary) rmSync(folder.base, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Postgres does not notice the death of its parent. This shell holds the other end of our pipe and stops the server
 * when the pipe closes, so a crash or `kill -9` of node leaves no orphan and no lock on the folder.
 */
const GUARD_SCRIPT = `
exec 3<&0
"$0" "$@" </dev/null &
p=$!
trap : INT TERM
(cat <&3 >/dev/null; kill -INT $p 2>/dev/null) &
while kill -0 $p 2>/dev/null; do wait $p; status=$?; done
[ -z "$REMOVE_AFTERWARDS" ] || rm -rf "$REMOVE_AFTERWARDS"
exit $status`;

async function launch(
  bin: string,
  folder: DataFolder,
  settings: ServerSettings,
): Promise<{ port: number; child: ChildProcess }> {
  const startedAt = Date.now();
  for (;;) {
    const port = await freePort();
    const child = spawnServer(bin, folder, port, settings);
    const failure = await waitUntilReady(child);
    if (failure === undefined) return { port, child };
    const waitedMs = Date.now() - startedAt;
    // Another process took the port after we found it free.
    if (failure.includes('could not bind') && waitedMs < TIME_LIMITS.embedded.portMs) continue;
    if (!failure.includes('lock file "postmaster.pid" already exists'))
      throw new Error(`The embedded Postgres did not start on ${folder.base}: ${failure.trim()}`);
    // The server of a process that was just killed still writes its last checkpoint.
    if (waitedMs > (isStopping(folder.data) ? TIME_LIMITS.embedded.stoppingMs : TIME_LIMITS.embedded.lockMs))
      throw new Error(
        `The data folder ${folder.base} is in use by the Postgres of another process. Stop that process, or choose another folder.`,
      );
    await setTimeout(100);
  }
}

function spawnServer(
  bin: string,
  { base, data, runAs, isTemporary }: DataFolder,
  port: number,
  settings: ServerSettings,
): ChildProcess {
  const flags = [
    '-D',
    serverPath(data, runAs),
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'unix_socket_directories=',
    '-c',
    'max_connections=200',
    ...Object.entries({ ...(isTemporary ? NOT_DURABLE : {}), ...settings }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]),
  ];
  const stale = findStaleLockPid(data);
  const env = {
    PATH: process.env.PATH,
    LC_ALL: 'C',
    TZ: 'UTC',
    // Postgres treats a lock of its grandparent as stale, but still checks whether the old server's memory is in use.
    ...(stale === undefined ? {} : { PG_GRANDPARENT_PID: String(stale) }),
    ...(isTemporary ? { REMOVE_AFTERWARDS: base } : {}),
  };
  if (process.platform === 'win32')
    return spawn(path.join(bin, 'postgres.exe'), flags, {
      cwd: data,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  // It has its own process group, so Ctrl-C reaches only this process, which stops the server when its work is done.
  return spawn('/bin/sh', ['-c', GUARD_SCRIPT, path.join(bin, 'postgres'), ...flags], {
    ...runAs,
    cwd: data,
    env,
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
}

/** Waits until the server accepts connections. Returns undefined then, otherwise the server's output. */
function waitUntilReady(child: ChildProcess): Promise<string | undefined> {
  return new Promise(resolve => {
    let log = '';
    child.stderr!.on('data', chunk => {
      log = (log + String(chunk)).slice(-4_000);
      if (log.includes('ready to accept connections')) resolve(undefined);
    });
    child.once('error', error => resolve(error.message));
    child.once('close', () => resolve(log || 'the server exited without output'));
  });
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise(resolve => child.once('exit', resolve));
  if (child.stdin) child.stdin.end();
  else child.kill('SIGINT');
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
  });
}
