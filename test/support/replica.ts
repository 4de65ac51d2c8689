import { spawn } from 'node:child_process';
import path from 'node:path';
import { killWithParent } from '../../scripts/kill-with-parent';
import { until } from './until';

/** A line of the service's log, at level `info`. */
const LISTENING_LINE = /"port":(\d+),"msg":"listening"/;
const ROOT = path.join(__dirname, '..', '..');

/** One process of the service, as it runs in production, with its own memory, pool and worker. */
export interface Replica {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Its log so far. */
  log(): string;
  /** Kills the process as a broken machine would, without any shutdown. */
  kill(): Promise<void>;
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

/**
 * Starts the service from its sources and waits until it is ready. The process chooses a free port and prints it:
 * another process could take a port that a test chose, and its responses would be mistaken for the service's.
 */
export async function startReplica({ databaseUrl, env = {}, port }: ReplicaOptions): Promise<Replica> {
  const child = spawn(
    process.execPath,
    ['-r', path.join(__dirname, 'run-typescript.cjs'), path.join(ROOT, 'src', 'main.ts')],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: String(port ?? 0), DATABASE_URL: databaseUrl, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  killWithParent(child);
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
  const gone = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  try {
    const isRunning = (): boolean => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`The service ended before it was ready:\n${log}`);
      return true;
    };
    await until(() => isRunning() && LISTENING_LINE.test(log));
    const servedPort = Number(LISTENING_LINE.exec(log)![1]);
    const url = `http://127.0.0.1:${servedPort}`;
    await until(
      () =>
        isRunning() &&
        fetch(`${url}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
    );
    return {
      url,
      port: servedPort,
      pid: child.pid!,
      log: () => log,
      kill,
      async stop() {
        child.kill('SIGTERM');
        return gone;
      },
    };
  } catch (error) {
    await kill();
    throw error;
  }
}
