import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/*
 * Proves that a process is dead. A lost database connection is no proof: the process may be alive but disconnected, and
 * in the middle of a remote call. The operating system can tell, but only about processes of the same boot of the same
 * machine and the same PID namespace (a container has its own). Source: Linux, proc(5), pid_namespaces(7). Elsewhere
 * there is no proof, and leases expire.
 */

const SEPARATOR = ':';

/** Identifies the boot of the machine and the PID namespace. Null if unknown. */
function processPlace(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return createHash('sha256')
      .update(`${boot} ${readlinkSync('/proc/self/ns/pid')}`)
      .digest('base64url')
      .slice(0, 16);
  } catch {
    return null;
  }
}

/**
 * Returns a process's start time, in the kernel's ticks since boot, and whether it is a zombie; null if it is not
 * visible.
 */
function readProcessStat(pid: number | 'self'): { readonly startedAt: string; readonly isZombie: boolean } | null {
  try {
    // The process name, in parentheses, may contain any character.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\)\s*/s, '')
      .split(' ');
    return fields[19] === undefined
      ? null
      : { startedAt: fields[19], isZombie: fields[0] === 'Z' || fields[0] === 'X' };
  } catch {
    return null;
  }
}

/** Returns the name under which this process claims work. Unique among all processes. */
export function currentClaimer(): string {
  const [place, self] = [processPlace(), readProcessStat('self')];
  return place === null || self === null ? randomUUID() : [place, process.pid, self.startedAt].join(SEPARATOR);
}

/**
 * Returns whether the process with this claimer name is certainly dead: it ran in this boot and PID namespace, and its
 * PID is unused or belongs to a process that started later. False if there is no proof.
 */
export function isProvedDead(claimer: string): boolean {
  const [place, pid, startedAt] = claimer.split(SEPARATOR);
  if (startedAt === undefined || place !== processPlace() || !/^[1-9]\d*$/.test(pid!)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const stat = readProcessStat(Number(pid));
  return stat !== null && (stat.isZombie || stat.startedAt !== startedAt);
}
