import { spawn, type ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import path from 'node:path';
import { leash } from '../leash';

const ROOT = path.join(__dirname, '..', '..');

export interface Program {
  /** One of ours, without its extension: `src/main`. */
  readonly name: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What it writes goes there, behind what is there; null: to us. */
  readonly logFile: string | null;
  /** Lets Node read the sources, when it is they that run. */
  readonly loader: string | null;
}

/** Another process of this very build. It ends with us at the latest, however we end. */
export function start({ name, args = [], env, logFile, loader }: Program): ChildProcess {
  const out = logFile === null ? 'pipe' : openSync(logFile, 'a');
  const child = spawn(process.execPath, [...(loader === null ? [] : ['-r', loader]), path.join(ROOT, `${name}${path.extname(__filename)}`), ...args], {
    cwd: ROOT, env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', out, out],
  });
  return leash(child);
}

export const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

export const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => { if (hasEnded(child)) resolve(); else child.once('exit', () => resolve()); });
