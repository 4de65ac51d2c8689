import { median, ms, ratio, table, timed } from './figures';
import { openWorld, type BenchWorld } from './world';

const ORG = 'org-claims';
const WAITING = 100_000;
const LANES = 5_000;
const SAMPLES = 400;
const LEASE_MS = 60_000;

/** Sessions whose lanes hold `rows` deliveries, all at once; `nextRunAt` in SQL says when their heads are due. */
async function fill({ pool }: BenchWorld, farSideId: string, inboxId: string, lanes: number, rows: number, nextRunAt: string): Promise<void> {
  await pool.query({ text: 'set statement_timeout = 0' });
  await pool.query(`
    with made as (
      insert into session (id, organization_id, chatbot_id, inbox_id, account_id, channel, external_id, end_user, control, epoch, last_message_seq, last_event_seq, status_writes, opened_at)
      select gen_random_uuid(), '${ORG}', 'crowd', $1, i.account_id, 'bench', 'crowd-' || n, '{}', 'BOT', 1, 0, 1, 0, now() from generate_series(1, $3::int) n, inbox i where i.id = $1
      returning id
    ), owed as (
      insert into delivery (session_id, organization_id, chatbot_id, destination, state, kind, payload, position, created_at)
      select id, '${ORG}', 'crowd', 'PROVIDER', 'WAITING', 'POST_MESSAGE', '{"kind": "POST_MESSAGE", "messageId": "none"}', 0, now()
      from made, generate_series(1, $4::int) returning id, session_id
    )
    insert into lane (session_id, destination, organization_id, far_side_id, head, tail, next_run_at)
    select session_id, 'PROVIDER', '${ORG}', $2, min(id), max(id), ${nextRunAt} from owed group by session_id`, [inboxId, farSideId, lanes, rows / lanes]);
  await pool.query('vacuum analyze lane, delivery, session');
}

/** One row is owed on a lane that is free, and claimed again: what a worker feels beside the backlog. */
async function claimTimes(world: BenchWorld, sessions: readonly string[], room?: { each: number; but: ReadonlyMap<string, number> }): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    await world.stores.sessions.transact(ORG, sessions[i % sessions.length]!, (tx) => tx.oweProvider({ kind: 'RETURN_CONVERSATION', handoffId: null, how: 'HOLD' }));
    const [lane] = await timed(times, () => world.stores.lanes.claimDeliveries('PROVIDER', 1, LEASE_MS, room));
    if (lane !== undefined) await world.stores.lanes.complete(lane);
  }
  return times;
}

const BACKLOGS = [
  { what: '100,000 behind 5,000 heads that wait for a retry', lanes: LANES, nextRunAt: "now() + interval '1 h'", isElsewhere: false },
  { what: '100,000 in one lane behind such a head', lanes: 1, nextRunAt: "now() + interval '1 h'", isElsewhere: false },
  { what: '100,000 due, of an account that rests', lanes: LANES, nextRunAt: 'now()', isElsewhere: true },
  { what: '100,000 due in 5,000 lanes', lanes: LANES, nextRunAt: 'now()', isElsewhere: false },
] as const;

/** What a claim costs beside a backlog, against an empty queue in the same run. */
export async function claims(newDatabase: () => Promise<string>): Promise<string> {
  const rows: string[][] = [];
  const worlds: BenchWorld[] = [];
  const prepared = async () => {
    const world = await openWorld(await newDatabase(), 4);
    worlds.push(world);
    const { inboxId, accountId, chatbotId } = await world.enable(ORG);
    return { world, inboxId, accountId, sessions: await world.open(ORG, chatbotId, 50) };
  };
  const empty = await prepared();
  // The first claims plan and warm up.
  await claimTimes(empty.world, empty.sessions);
  for (const { what, lanes, nextRunAt, isElsewhere } of BACKLOGS) {
    const full = await prepared();
    const elsewhere = '00000000-0000-4000-8000-000000000000';
    await fill(full.world, isElsewhere ? elsewhere : full.accountId, full.inboxId, lanes, WAITING, nextRunAt);
    const room = isElsewhere ? { each: 8, but: new Map([[elsewhere, 0]]) } : undefined;
    await claimTimes(full.world, full.sessions, room);
    // In turns, so that what else the machine does falls on both.
    const none: number[] = [];
    const some: number[] = [];
    for (let round = 0; round < 3; round++) {
      none.push(...await claimTimes(empty.world, empty.sessions));
      some.push(...await claimTimes(full.world, full.sessions, room));
    }
    rows.push([what, ms(median(none)), ms(median(some)), ratio(median(some), median(none))]);
  }
  for (const world of worlds) await world.end();
  return table(['waiting', 'claim, empty queue', 'claim beside it', 'ratio'], rows);
}
