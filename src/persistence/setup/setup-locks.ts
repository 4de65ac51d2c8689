import { setTimeout } from 'node:timers/promises';
import type { Pool } from 'pg';
import { ConflictError } from '../../core/errors';
import type { Clock } from '../../core/ports/clock';
import type { SetupLock, SetupLocks } from '../../core/ports/setup/setup-locks';
import { createTimeLimit } from '../../core/time-limit';
import { TIME_LIMITS } from '../../time-limits';
import { firstOf, rowsOf, statement } from '../postgres/sql';

const ACQUIRE = statement(
  'setup_lock_acquire',
  `
  insert into setup_lock (subject, holder, until, claimed_by) values ($1, $2, now() + $3 * interval '1 ms', $4)
  on conflict on constraint pk_setup_lock do update set holder = excluded.holder, until = excluded.until, claimed_by = excluded.claimed_by, ambiguous_for_ms = 0 where setup_lock.until <= now()
  returning 1`,
);
const RENEW = statement(
  'setup_lock_renew',
  `
  update setup_lock set until = greatest(until, now() + ($3 + $4::integer) * interval '1 ms'), ambiguous_for_ms = $4 where subject = $1 and holder = $2 returning 1`,
);
// The lock stays until then, even if this process dies.
const KEEP_LOCKED = statement(
  'setup_lock_keep_locked',
  "update setup_lock set until = now() + $3 * interval '1 ms', claimed_by = null where subject = $1 and holder = $2",
);
const RELEASE = statement('setup_lock_release', 'delete from setup_lock where subject = $1 and holder = $2');

const CLAIMERS = statement(
  'setup_lock_claimers',
  'select distinct claimed_by as claimer from setup_lock where claimed_by is not null and until > now()',
);
const RELEASE_OF = statement(
  'setup_lock_release_of',
  `
  update setup_lock set until = least(until, now() + ambiguous_for_ms * interval '1 ms'), claimed_by = null where claimed_by = any($1::text[]) and until > now() returning 1`,
);

/** Stores each lock as a row, which is renewed while the run lasts. */
export class PostgresSetupLocks implements SetupLocks {
  constructor(
    private readonly pool: Pool,
    private readonly clock: Pick<Clock, 'newId'>,
    private readonly times: Readonly<Record<keyof typeof TIME_LIMITS.setupLock, number>> = TIME_LIMITS.setupLock,
    private readonly claimer: string | null = null,
  ) {}

  async withLock<T>(
    subject: { readonly id: string; readonly field: string },
    waitMs: number,
    act: (lock: SetupLock) => Promise<T>,
  ): Promise<T> {
    const lock = await this.acquire(subject, waitMs);
    // One failed renewal does no harm, because there are several per lease.
    const renewal = setInterval(() => void lock.renew().catch(() => undefined), this.times.renewMs);
    try {
      return await act(lock);
    } finally {
      clearInterval(renewal);
      // The result counts; a lock that cannot be released expires by itself.
      await lock.release().catch(() => undefined);
    }
  }

  async releaseLocksOfDead(isDead: (claimer: string) => boolean): Promise<number> {
    const dead = (await rowsOf<{ claimer: string }>(this.pool, CLAIMERS)).map(({ claimer }) => claimer).filter(isDead);
    return dead.length === 0 ? 0 : (await rowsOf(this.pool, RELEASE_OF, [dead])).length;
  }

  private async acquire(
    { id, field }: { readonly id: string; readonly field: string },
    waitMs: number,
  ): Promise<HeldLock> {
    const holder = this.clock.newId();
    const { leaseMs, askMs } = this.times;
    for (const until = performance.now() + waitMs; ; await setTimeout(askMs)) {
      const from = performance.now();
      if ((await firstOf(this.pool, ACQUIRE, [id, holder, leaseMs, this.claimer])) !== null)
        return new HeldLock(this.pool, { id, holder, field }, leaseMs, from);
      if (performance.now() >= until)
        throw new ConflictError(
          'SETUP_IN_PROGRESS',
          field,
          'Another call is setting this up now, so nothing was done. Call again in a minute.',
        );
    }
  }
}

class HeldLock implements SetupLock {
  private readonly lost = new AbortController();
  /**
   * Until then a call that begins now cannot overlap another run. Uses a clock that a changed wall time does not move.
   */
  private endsAt: number;
  /** How long a running call may still take effect; a renewal adds it to the lease. */
  private ambiguousCallMs = 0;
  private keepLockedMs = 0;

  constructor(
    private readonly pool: Pool,
    private readonly row: { readonly id: string; readonly holder: string; readonly field: string },
    private readonly leaseMs: number,
    takenAt: number,
  ) {
    this.endsAt = takenAt + leaseMs;
  }

  async signal(ms: number, ambiguousForMs: number): Promise<AbortSignal> {
    if (ambiguousForMs > this.ambiguousCallMs) {
      this.ambiguousCallMs = ambiguousForMs;
      await this.renew();
    }
    this.ensureHeld();
    return createTimeLimit(ms, { signal: this.lost.signal, until: () => this.endsAt });
  }

  ensureHeld(): void {
    if (this.lost.signal.aborted || performance.now() >= this.endsAt)
      throw new ConflictError(
        'SETUP_IN_PROGRESS',
        this.row.field,
        'This call lost its setup lock, and another call may have continued the setup. Call again in a minute.',
      );
  }

  keepLockedFor(ms: number): void {
    this.keepLockedMs = Math.max(this.keepLockedMs, ms);
  }

  async renew(): Promise<void> {
    const from = performance.now();
    const isHeld =
      (await firstOf(this.pool, RENEW, [this.row.id, this.row.holder, this.leaseMs, this.ambiguousCallMs])) !== null;
    if (isHeld) this.endsAt = Math.max(this.endsAt, from + this.leaseMs);
    else this.lost.abort();
  }

  async release(): Promise<void> {
    const { id, holder } = this.row;
    await (this.keepLockedMs > 0
      ? rowsOf(this.pool, KEEP_LOCKED, [id, holder, this.keepLockedMs])
      : rowsOf(this.pool, RELEASE, [id, holder]));
  }
}
