import { spawn, type ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import path from 'node:path';
import { killWithParent } from '../kill-with-parent';

const ROOT = path.join(__dirname, '..', '..');

export interface Program {
  /** A program of this repository, without its extension: `src/main`. */
  readonly name: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** File to which its output is appended; null: a pipe to this process. */
  readonly logFile: string | null;
  /** Module that lets Node load the sources; null for compiled code. */
  readonly loader: string | null;
}

/** Starts another process of this build. It ends at the latest when this process ends, in whatever way. */
export function start({ name, args = [], env, logFile, loader }: Program): ChildProcess {
  const out = logFile === null ? 'pipe' : openSync(logFile, 'a');
  const child = spawn(
    process.execPath,
    [...(loader === null ? [] : ['-r', loader]), path.join(ROOT, `${name}${path.extname(__filename)}`), ...args],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', out, out],
    },
  );
  return killWithParent(child);
}

export const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

export const ended = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    if (hasEnded(child)) resolve();
    else child.once('exit', () => resolve());
  });
