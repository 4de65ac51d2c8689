import { setTimeout } from 'node:timers/promises';
import type { Pool } from 'pg';
import { ConflictError } from '../core/errors';
import type { Clock } from '../core/ports/clock';
import type { SetUpTurn, SetUpTurns } from '../core/ports/set-up-turns';
import { TIME_LIMITS } from '../time-limits';
import { firstOf, rowsOf, statement } from './sql';

const TAKE = statement('take_set_up_turn', `
  insert into set_up_turn (subject, holder, until) values ($1, $2, now() + $3 * interval '1 ms')
  on conflict on constraint pk_set_up_turn do update set holder = excluded.holder, until = excluded.until where set_up_turn.until <= now()
  returning 1`);
const RENEW = statement('renew_set_up_turn', "update set_up_turn set until = greatest(until, now() + $3 * interval '1 ms') where subject = $1 and holder = $2");
const KEEP = statement('keep_set_up_turn', "update set_up_turn set until = now() + $3 * interval '1 ms' where subject = $1 and holder = $2");
const END = statement('end_set_up_turn', 'delete from set_up_turn where subject = $1 and holder = $2');

/** A row for each turn that is taken, renewed while it lasts. */
export class PostgresSetUpTurns implements SetUpTurns {
  constructor(private readonly pool: Pool, private readonly clock: Pick<Clock, 'newId'>, private readonly times: Readonly<Record<keyof typeof TIME_LIMITS.setUpTurn, number>> = TIME_LIMITS.setUpTurn) {}

  async inTurn<T>({ id, field }: { readonly id: string; readonly field: string }, waitMs: number, act: (turn: SetUpTurn) => Promise<T>): Promise<T> {
    const holder = this.clock.newId();
    const { leaseMs, renewMs, askMs } = this.times;
    for (const until = performance.now() + waitMs; (await firstOf(this.pool, TAKE, [id, holder, leaseMs])) === null; await setTimeout(askMs))
      if (performance.now() >= until) throw new ConflictError('SETUP_IN_PROGRESS', field, 'Another call is setting this up at the moment. Nothing was done; call again in a minute.');

    // A renewal that fails is one of several before the turn is over.
    const renewal = setInterval(() => void rowsOf(this.pool, RENEW, [id, holder, leaseMs]).catch(() => undefined), renewMs);
    let settlesMs = 0;
    try {
      return await act({ settlesAfter: (ms) => { settlesMs = Math.max(settlesMs, ms); } });
    } finally {
      clearInterval(renewal);
      // What was done counts; a turn that cannot be ended is over by itself.
      await (settlesMs > 0 ? rowsOf(this.pool, KEEP, [id, holder, settlesMs]) : rowsOf(this.pool, END, [id, holder])).catch(() => undefined);
    }
  }
}
