import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/*
 * Proof that a process is dead. A lost database connection is none: its process may live on, cut off, and be within a remote
 * call. The operating system knows, but only of processes of the same place: the same boot of the same machine, and there the same
 * numbering of processes (a container has its own). Source: Linux, proc(5), pid_namespaces(7). Elsewhere there is no proof, and
 * leases end by themselves.
 */

const SEPARATOR = ':';

/** Which boot of which machine, and which numbering of processes. Null: cannot be told here. */
function placeOf(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return createHash('sha256').update(`${boot} ${readlinkSync('/proc/self/ns/pid')}`).digest('base64url').slice(0, 16);
  } catch {
    return null;
  }
}

/** When a process started, in the kernel's ticks since boot, and whether it can run no more; null: not to be seen. */
function statOf(pid: number | 'self'): { readonly startedAt: string; readonly isZombie: boolean } | null {
  try {
    // The name, in parentheses, may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)\s*/s, '').split(' ');
    return fields[19] === undefined ? null : { startedAt: fields[19], isZombie: fields[0] === 'Z' || fields[0] === 'X' };
  } catch {
    return null;
  }
}

/** Names this process in what it claims. Two processes never have the same name. */
export function claimerOfThisProcess(): string {
  const [place, self] = [placeOf(), statOf('self')];
  return place === null || self === null ? randomUUID() : [place, process.pid, self.startedAt].join(SEPARATOR);
}

/**
 * Whether the process that claimed under this name is proved to be dead: it ran at this place, and its number is nobody's any
 * more, or that of a process which started later. False where there is no proof.
 */
export function isProvedDead(claimer: string): boolean {
  const [place, pid, startedAt] = claimer.split(SEPARATOR);
  if (startedAt === undefined || place !== placeOf() || !/^[1-9]\d*$/.test(pid!)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // EPERM: it is there, and another user's.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const stat = statOf(Number(pid));
  return stat !== null && (stat.isZombie || stat.startedAt !== startedAt);
}
