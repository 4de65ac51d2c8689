import { setTimeout } from 'node:timers/promises';
import type { Pool } from 'pg';
import { ConflictError } from '../core/errors';
import type { Clock } from '../core/ports/clock';
import type { SetUpTurn, SetUpTurns } from '../core/ports/set-up-turns';
import { timeLimit } from '../core/time-limit';
import { TIME_LIMITS } from '../time-limits';
import { firstOf, rowsOf, statement } from './sql';

const TAKE = statement('take_set_up_turn', `
  insert into set_up_turn (subject, holder, until, claimed_by) values ($1, $2, now() + $3 * interval '1 ms', $4)
  on conflict on constraint pk_set_up_turn do update set holder = excluded.holder, until = excluded.until, claimed_by = excluded.claimed_by, settles_ms = 0 where set_up_turn.until <= now()
  returning 1`);
const RENEW = statement('renew_set_up_turn', `
  update set_up_turn set until = greatest(until, now() + ($3 + $4::integer) * interval '1 ms'), settles_ms = $4 where subject = $1 and holder = $2 returning 1`);
// The lock stays until then, even if this process dies.
const KEEP = statement('keep_set_up_turn', "update set_up_turn set until = now() + $3 * interval '1 ms', claimed_by = null where subject = $1 and holder = $2");
const END = statement('end_set_up_turn', 'delete from set_up_turn where subject = $1 and holder = $2');

const CLAIMERS = statement('set_up_turn_claimers', 'select distinct claimed_by as claimer from set_up_turn where claimed_by is not null and until > now()');
const END_OF = statement('end_set_up_turns_of', `
  update set_up_turn set until = least(until, now() + settles_ms * interval '1 ms'), claimed_by = null where claimed_by = any($1::text[]) and until > now() returning 1`);

/** Stores each lock as a row, which is renewed while the run lasts. */
export class PostgresSetUpTurns implements SetUpTurns {
  constructor(private readonly pool: Pool, private readonly clock: Pick<Clock, 'newId'>, private readonly times: Readonly<Record<keyof typeof TIME_LIMITS.setUpTurn, number>> = TIME_LIMITS.setUpTurn, private readonly claimer: string | null = null) {}

  async inTurn<T>(subject: { readonly id: string; readonly field: string }, waitMs: number, act: (turn: SetUpTurn) => Promise<T>): Promise<T> {
    const turn = await this.taken(subject, waitMs);
    // One failed renewal does no harm, because there are several per lease.
    const renewal = setInterval(() => void turn.renew().catch(() => undefined), this.times.renewMs);
    try {
      return await act(turn);
    } finally {
      clearInterval(renewal);
      // The result counts; a lock that cannot be released expires by itself.
      await turn.end().catch(() => undefined);
    }
  }

  async endTurnsOfDead(isDead: (claimer: string) => boolean): Promise<number> {
    const dead = (await rowsOf<{ claimer: string }>(this.pool, CLAIMERS)).map(({ claimer }) => claimer).filter(isDead);
    return dead.length === 0 ? 0 : (await rowsOf(this.pool, END_OF, [dead])).length;
  }

  private async taken({ id, field }: { readonly id: string; readonly field: string }, waitMs: number): Promise<Turn> {
    const holder = this.clock.newId();
    const { leaseMs, askMs } = this.times;
    for (const until = performance.now() + waitMs; ; await setTimeout(askMs)) {
      const from = performance.now();
      if ((await firstOf(this.pool, TAKE, [id, holder, leaseMs, this.claimer])) !== null) return new Turn(this.pool, { id, holder, field }, leaseMs, from);
      if (performance.now() >= until) throw new ConflictError('SETUP_IN_PROGRESS', field, 'Another call is setting this up now, so nothing was done. Call again in a minute.');
    }
  }
}

class Turn implements SetUpTurn {
  private readonly lost = new AbortController();
  /**
   * Until then a call that begins now cannot overlap another run. Uses a clock that a changed wall time does not move.
   */
  private until: number;
  /** How long a running call may still take effect; a renewal adds it to the lease. */
  private behindMs = 0;
  private settlesMs = 0;

  constructor(
    private readonly pool: Pool, private readonly row: { readonly id: string; readonly holder: string; readonly field: string },
    private readonly leaseMs: number, takenAt: number,
  ) {
    this.until = takenAt + leaseMs;
  }

  async signal(ms: number, settlesMs: number): Promise<AbortSignal> {
    if (settlesMs > this.behindMs) {
      this.behindMs = settlesMs;
      await this.renew();
    }
    this.held();
    return timeLimit(ms, { signal: this.lost.signal, until: () => this.until });
  }

  held(): void {
    if (this.lost.signal.aborted || performance.now() >= this.until)
      throw new ConflictError('SETUP_IN_PROGRESS', this.row.field, 'This call lost its setup lock, and another call may have continued the setup. Call again in a minute.');
  }

  settlesAfter(ms: number): void { this.settlesMs = Math.max(this.settlesMs, ms); }

  async renew(): Promise<void> {
    const from = performance.now();
    const isHeld = (await firstOf(this.pool, RENEW, [this.row.id, this.row.holder, this.leaseMs, this.behindMs])) !== null;
    if (isHeld) this.until = Math.max(this.until, from + this.leaseMs);
    else this.lost.abort();
  }

  async end(): Promise<void> {
    const { id, holder } = this.row;
    await (this.settlesMs > 0 ? rowsOf(this.pool, KEEP, [id, holder, this.settlesMs]) : rowsOf(this.pool, END, [id, holder]));
  }
}
