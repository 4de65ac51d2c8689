import { spawn, type ChildProcess } from 'node:child_process';

/** Waits until our end of the pipe closes, and ends the process then. In a session of its own: what Ctrl+C sends does not reach it. */
const WATCH = 'cat >/dev/null; kill -9 "$0" 2>/dev/null';

/**
 * Ends a child process with this one, however this one ends: also by `kill -9`, and also when the child stands still (SIGSTOP).
 * Called once for each child, after it was spawned. A handler of 'exit' is not enough: no signal runs it, and Jest has one of its own.
 */
export function leash(child: ChildProcess): ChildProcess {
  if (child.pid === undefined || process.platform === 'win32') return child;
  const watcher = spawn('/bin/sh', ['-c', WATCH, String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Its number may be somebody else's after it has ended.
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
