import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunAs } from './binaries';

export const POSTGRES_USER = 'support';

/** The data folder and how the server reaches it. */
export interface DataFolder {
  /** The requested folder, or a temporary one. */
  readonly base: string;
  readonly data: string;
  readonly runAs: RunAs;
  readonly isTemporary: boolean;
}

/** Creates the data folder and finds the user that Postgres can run as on it. */
export function prepareFolder(dir: string | undefined): DataFolder {
  const throwAway = dir === undefined;
  const base = throwAway ? mkdtempSync(path.join(tmpdir(), 'support-pg-')) : path.resolve(dir);
  const data = path.join(base, 'pgdata');
  mkdirSync(base, { recursive: true });
  const runAs = chooseUser(data);
  // The guard shell removes the folder, also after our own death, and runs as this user.
  if (throwAway && runAs.uid !== undefined) chownSync(base, runAs.uid, runAs.gid!);
  return { base, data, runAs, isTemporary: throwAway };
}

/** The user `nobody`, which every system has: initdb needs a user with a name. */
const NOBODY = 65534;

function chooseUser(data: string): RunAs {
  const uid = process.getuid?.();
  if (uid === undefined) return {};
  const owner = existsSync(data) ? statSync(data) : undefined;
  if (uid === 0)
    return owner === undefined || owner.uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid: owner.uid, gid: owner.gid };
  if (owner !== undefined && owner.uid !== uid)
    throw new Error(
      `The data folder ${data} belongs to user id ${owner.uid}, and this process is ${uid}. Start it as that user, give the folder to user id ${uid}, or choose another one.`,
    );
  return {};
}

/**
 * Returns the path by which the server sees a data folder. The server's user may not be allowed through the parent
 * folders (e.g. `/root`). Then the server starts inside the folder and uses the kernel's link to it.
 */
export function serverPath(data: string, runAs: RunAs): string {
  if (runAs.uid === undefined) return data;
  if (spawnSync('/bin/sh', ['-c', 'cd -- "$0"', data], { ...runAs, cwd: '/' }).status === 0) return data;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new Error(
    `Postgres cannot run as root, and user id ${runAs.uid} may not enter ${data}. Open its parent folders (chmod a+x), choose another data folder, or start as another user.`,
  );
}

/** Creates the database cluster if it is missing, and returns its password. A partly created cluster is never used. */
export function ensureCluster({ base, data, runAs, isTemporary }: DataFolder, bin: string): string {
  const password = passwordOf(base);
  if (!existsSync(data)) {
    removeLeftovers(base);
    const fresh = path.join(base, `pgdata.new-${process.pid}`);
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { mode: 0o700 });
    if (runAs.uid !== undefined) chownSync(fresh, runAs.uid, runAs.gid!);
    initdb(bin, fresh, runAs, password, isTemporary);
    try {
      renameSync(fresh, data);
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true });
      if (!existsSync(data)) throw error;
    }
  }
  return password;
}

/** Returns the password of the cluster, creating it if needed. Two concurrent first starts get the same one. */
function passwordOf(base: string): string {
  const file = path.join(base, 'password');
  if (!existsSync(file)) {
    const fresh = `${file}.new-${process.pid}`;
    writeFileSync(fresh, randomBytes(24).toString('base64url'), { mode: 0o600 });
    try {
      linkSync(fresh, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(fresh);
    }
  }
  return readFileSync(file, 'utf8');
}

function initdb(bin: string, data: string, runAs: RunAs, password: string, throwAway: boolean): void {
  const args = [
    '-D',
    serverPath(data, runAs),
    '-U',
    POSTGRES_USER,
    '-E',
    'UTF8',
    '--locale=C',
    '--auth=scram-sha-256',
    '--pwfile=/dev/stdin',
    // The password has 192 random bits, so stretching it would only slow down each connection.
    '-c',
    'scram_iterations=1',
    // The cluster has about a thousand small files; one flush of the disk is faster than one flush per file.
    ...(throwAway ? ['--no-sync'] : process.platform === 'linux' ? ['--sync-method=syncfs'] : []),
  ];
  // Uses the pipe of a shell, because node's own is a socket, which /dev/stdin cannot open.
  const run = spawnSync(
    '/bin/sh',
    ['-c', 'printf "%s\\n" "$NEW_PASSWORD" | "$0" "$@"', path.join(bin, 'initdb'), ...args],
    {
      ...runAs,
      cwd: data,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC', NEW_PASSWORD: password },
    },
  );
  if (run.status === 0) return;
  rmSync(data, { recursive: true, force: true });
  throw new Error(`Postgres could not set up ${data}: ${run.stderr?.trim() || run.error?.message}`);
}

/** Removes the remains of a killed first start. A concurrent first start keeps its own. */
function removeLeftovers(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = /^pgdata\.new-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(path.join(base, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Returns the process id in `postmaster.pid` if it now belongs to another program (after `kill -9` and, in a container,
 * a restart with the same small numbers). Postgres would take that process for a running server.
 */
export function findStaleLockPid(data: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const pid = Number(readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
    return runsPostgres(pid) ? undefined : pid;
  } catch {
    return undefined;
  }
}

/** Returns whether the server that holds the lock is stopping. */
export function isStopping(data: string): boolean {
  try {
    return readFileSync(path.join(data, 'postmaster.pid'), 'utf8').includes('stopping');
  } catch {
    return true;
  }
}

function runsPostgres(pid: number): boolean {
  try {
    return path.basename(readlinkSync(`/proc/${pid}/exe`)).startsWith('postgres');
  } catch {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres');
  }
}
