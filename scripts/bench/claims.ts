import { Client } from 'pg';
import { median, ms, ratio, table, timed } from './figures';
import { openEnvironment, type BenchEnvironment } from './environment';

const ORG = 'org-claims';
const WAITING = 100_000;
const LANES = 5_000;
const OLD_ROWS = 2_000_000;
const OLD_SESSIONS = 100_000;
const SAMPLES = 400;
const LEASE_MS = 60_000;

/** SQL that inserts Sessions of a chatbot that nothing else uses. */
const sessionsSql = (sessions: number): string => `
  insert into session (id, organization_id, chatbot_id, inbox_id, account_id, channel, external_id, end_user, control, epoch, last_message_seq, last_event_seq, status_writes, opened_at)
  select gen_random_uuid(), '${ORG}', 'backlog', $1, i.account_id, 'bench', 'backlog-' || n, '{}', 'BOT', 1, 0, 1, 0, now() from generate_series(1, ${sessions}) n, inbox i where i.id = $1
  returning id`;

/**
 * SQL that inserts Sessions whose lanes hold 100,000 deliveries together; `nextRunAt` is SQL for when their heads are
 * due.
 */
const waitingSql = (lanes: number, nextRunAt: string): string => `
  with made as (${sessionsSql(lanes)}), pending as (
    insert into delivery (session_id, organization_id, chatbot_id, destination, state, kind, payload, position, created_at)
    select id, '${ORG}', 'backlog', 'PROVIDER', 'WAITING', 'POST_MESSAGE', '{"kind": "POST_MESSAGE", "messageId": "none"}', 0, now()
    from made, generate_series(1, ${WAITING / lanes}) returning id, session_id
  )
  insert into lane (session_id, destination, organization_id, remote_id, head, tail, next_run_at)
  select session_id, 'PROVIDER', '${ORG}', $2, min(id), max(id), ${nextRunAt} from pending group by session_id`;

/** SQL that inserts old data: Sessions without pending deliveries, with their deliveries, messages and events. */
const OLD_ROWS_SQL = `
  with made as (${sessionsSql(OLD_SESSIONS)}), pending as (
    insert into delivery (session_id, organization_id, chatbot_id, destination, state, kind, payload, position, created_at, done_at, attempts)
    select id, '${ORG}', 'backlog', 'PROVIDER', 'DONE', 'POST_MESSAGE', '{"kind": "POST_MESSAGE", "messageId": "none"}', 0, now() - interval '20 d', now() - interval '20 d', 1
    from made, generate_series(1, ${OLD_ROWS / OLD_SESSIONS}) returning id, session_id
  ), said as (
    insert into message (id, organization_id, session_id, seq, author, visibility, text, attachments, created_at)
    select gen_random_uuid(), '${ORG}', id, n, 'END_USER', 'PUBLIC', 'Message ' || n, '[]', now() - interval '20 d' from made, generate_series(1, ${OLD_ROWS / OLD_SESSIONS}) n
  ), written as (
    insert into event (session_id, seq, organization_id, chatbot_id, type, body, at, position)
    select id, n, '${ORG}', 'backlog', 'MESSAGE_RECORDED', '{}', now() - interval '20 d', 0 from made, generate_series(1, ${OLD_ROWS / OLD_SESSIONS}) n
  )
  insert into lane (session_id, destination, organization_id, remote_id, head, tail)
  select session_id, 'PROVIDER', '${ORG}', $2, max(id) + 1, max(id) from pending group by session_id`;

/** Uses a connection without a statement timeout. */
async function fill(databaseUrl: string, remoteId: string, inboxId: string, rows: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(rows, [inboxId, remoteId]);
    await client.query('vacuum analyze lane, delivery, session, message, event');
  } finally {
    await client.end();
  }
}

/** Enqueues one delivery on a free lane and measures its claim: a worker's latency with the backlog. */
async function claimTimes(
  world: BenchEnvironment,
  sessions: readonly string[],
  capacity?: { perRemote: number; exceptions: ReadonlyMap<string, number> },
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    await world.stores.sessions.transact(ORG, sessions[i % sessions.length]!, tx =>
      tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', handoffId: null, how: 'RETURN_TO_BOT' }),
    );
    const [lane] = await timed(times, () => world.stores.lanes.claimDeliveries('PROVIDER', 1, LEASE_MS, capacity));
    if (lane !== undefined) await world.stores.lanes.complete(lane);
  }
  return times;
}

const SOON = "now() + interval '1 h'";
const BACKLOGS = [
  { what: '100,000 after 5,000 heads that wait for a retry', rows: waitingSql(LANES, SOON), isElsewhere: false },
  { what: '100,000 in one lane after such a head', rows: waitingSql(1, SOON), isElsewhere: false },
  { what: '100,000 due, of an account without capacity', rows: waitingSql(LANES, 'now()'), isElsewhere: true },
  { what: '100,000 due in 5,000 lanes', rows: waitingSql(LANES, 'now()'), isElsewhere: false },
  {
    what: 'none, and 2,000,000 completed ones, with as many messages and events, of 100,000 Sessions',
    rows: OLD_ROWS_SQL,
    isElsewhere: false,
  },
] as const;

/** Measures a claim with a backlog, relative to an empty queue in the same run. */
export async function measureClaims(newDatabase: () => Promise<string>): Promise<string> {
  const rows: string[][] = [];
  const worlds: BenchEnvironment[] = [];
  const prepared = async () => {
    const databaseUrl = await newDatabase();
    const world = await openEnvironment(databaseUrl, 4);
    worlds.push(world);
    const { inboxId, accountId, chatbotId } = await world.enable(ORG);
    return { databaseUrl, world, inboxId, accountId, sessions: await world.open(ORG, chatbotId, 50) };
  };
  const empty = await prepared();
  // Not counted: the first claims plan and warm up.
  await claimTimes(empty.world, empty.sessions);
  for (const { what, rows: waits, isElsewhere } of BACKLOGS) {
    const full = await prepared();
    const elsewhere = '00000000-0000-4000-8000-000000000000';
    await fill(full.databaseUrl, isElsewhere ? elsewhere : full.accountId, full.inboxId, waits);
    const room = isElsewhere ? { perRemote: 8, exceptions: new Map([[elsewhere, 0]]) } : undefined;
    await claimTimes(full.world, full.sessions, room);
    // Alternating, so that the machine's other load affects both.
    const none: number[] = [];
    const some: number[] = [];
    for (let round = 0; round < 3; round++) {
      none.push(...(await claimTimes(empty.world, empty.sessions)));
      some.push(...(await claimTimes(full.world, full.sessions, room)));
    }
    rows.push([what, ms(median(none)), ms(median(some)), ratio(median(some), median(none))]);
  }
  for (const world of worlds) await world.end();
  return table(['waiting', 'claim, empty queue', 'claim with it', 'ratio'], rows);
}
