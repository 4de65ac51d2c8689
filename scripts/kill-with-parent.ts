import { spawn, type ChildProcess } from 'node:child_process';

/**
 * Waits until the pipe to this process closes, then kills the child. Runs in a session of its own, so that Ctrl+C does
 * not reach it.
 */
const WATCH = 'cat >/dev/null; kill -9 "$0" 2>/dev/null';

/**
 * Ends a child process together with this one, however this one ends: also by `kill -9`, and also if the child is
 * stopped (SIGSTOP). Called once per child, after it was spawned. A handler of 'exit' is not enough: signals do not run
 * it, and Jest has one of its own.
 */
export function killWithParent(child: ChildProcess): ChildProcess {
  if (child.pid === undefined || process.platform === 'win32') return child;
  const watcher = spawn('/bin/sh', ['-c', WATCH, String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // After it has ended, its process id may belong to another process.
  child.once('exit', () => watcher.pid !== undefined && endGroup(watcher.pid));
  watcher.once('error', () => undefined);
  watcher.stdin.once('error', () => undefined);
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return child;
}

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
