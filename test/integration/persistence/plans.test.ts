import { Client } from 'pg';
import { createPool } from '../../../src/persistence';
import { PostgresEventStore } from '../../../src/persistence/sessions/event-store';
import { PostgresHandoffStore } from '../../../src/persistence/sessions/handoff-store';
import { PostgresLaneStore } from '../../../src/persistence/deliveries/lane-store';
import { PostgresMessageStore } from '../../../src/persistence/sessions/message-store';
import { PostgresRetentionStore } from '../../../src/persistence/retention/retention-store';
import { createStoreWorld, ORG, said, type StoreWorld } from './store-world';

/**
 * The plans of statements among 200,000 old deliveries and many events, messages and keys. Shapes of plans, no times.
 */
let world: StoreWorld;
let live: string;
beforeAll(async () => {
  world = await createStoreWorld();
  live = (await world.open()).id;
  const filler = new Client({ connectionString: world.database.url });
  await filler.connect();
  // The foreign keys hold by construction, and checking each would take most of the time.
  await filler.query('set session_replication_role = replica');
  const fill = (text: string, values: unknown[] = []) => filler.query(text, values);
  await fill(
    `
    insert into session (id, organization_id, chatbot_id, inbox_id, account_id, channel, external_id, end_user, control, epoch, last_message_seq, last_event_seq, status_writes, opened_at, closed_at)
    select gen_random_uuid(), organization_id, chatbot_id, inbox_id, account_id, channel, 'old-' || n, end_user, control, epoch, 100, 100, 0, opened_at, now() - interval '10 days'
    from session, generate_series(1, 20000) n where id = $1`,
    [live],
  );
  await fill(`
    insert into delivery (organization_id, chatbot_id, session_id, destination, state, kind, payload, position, attempts, created_at, done_at)
    select s.organization_id, s.chatbot_id, s.id, 'PROVIDER', 'DONE', 'POST_MESSAGE', '{}', 0, 1, now() - interval '10 days', now() - interval '10 days' + n * interval '1 ms'
    from session s, generate_series(1, 10) n`);
  await fill(`
    insert into event (session_id, seq, organization_id, chatbot_id, type, body, at, position)
    select s.id, n + 1, s.organization_id, s.chatbot_id, 'SURVEY_OFFERED', '{"type": "SURVEY_OFFERED"}', now() - interval '10 days' + n * interval '1 ms', 0
    from session s, generate_series(1, 2) n`);
  await fill(`
    insert into message (id, organization_id, session_id, seq, author, visibility, text, attachments, created_at)
    select gen_random_uuid(), s.organization_id, s.id, n, 'BOT', 'PUBLIC', 'old', '[]', now() - interval '10 days' + n * interval '1 ms'
    from session s, generate_series(1, 2) n`);
  await fill(`
    insert into handoff (id, organization_id, chatbot_id, session_id, state, origin, fields, history_through_seq, requested_at)
    select gen_random_uuid(), s.organization_id, s.chatbot_id, s.id, 'ENDED', 'REQUESTED', '{}', 0, now() - interval '10 days' + n * interval '1 ms'
    from session s, generate_series(1, 2) n`);
  await fill(`
    insert into idempotency_key (organization_id, operation, key, request_digest, created_at)
    select 'org-1', 'say', n::text, 'x', now() - interval '10 days' from generate_series(1, 20000) n`);
  await fill(
    `insert into lane (session_id, destination, organization_id, remote_id, head, tail, next_run_at)
    select s.id, 'PROVIDER', s.organization_id, s.account_id, 1, 1, null from session s where s.id <> $1`,
    [live],
  );
  await filler.query('analyze');
  await filler.end();
  await world.sql('update session set last_message_seq = 1000, last_event_seq = 1000 where id = $1', [live]);
  await world.stores.sessions.transact(ORG, live, async tx => {
    for (let i = 0; i < 3; i++)
      await tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: (await tx.insertMessage(said())).id });
  });
}, 300_000);
afterAll(() => world.end());

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: Plan[];
}
const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** How each statement of `work` reads its tables: `table: index`, or `table: all of it`. */
async function accesses(
  work: (pool: ReturnType<typeof createPool>) => Promise<unknown>,
  mode: 'force_custom_plan' | 'force_generic_plan',
): Promise<string[]> {
  const pool = createPool(world.database.url, { max: 1 });
  const seen: { text: string; values: unknown[] }[] = [];
  const noting = (client: { query(...args: any[]): any }) => {
    const query = client.query.bind(client);
    client.query = (...args) => {
      if (args[0]?.values) seen.push({ text: args[0].text, values: args[0].values });
      return query(...args);
    };
  };
  try {
    pool.on('connect', noting);
    await pool.query(`set plan_cache_mode = ${mode}`);
    await work(pool);
    const found = new Set<string>();
    for (const { text, values } of [...seen]) {
      await pool.query('deallocate all');
      await pool.query(`prepare asked as ${text}`);
      const literal = (value: unknown): string =>
        value === null
          ? 'null'
          : Array.isArray(value)
            ? `'{${value.join(',')}}'`
            : `'${String(value).replaceAll("'", "''")}'`;
      const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        `explain (format json) execute asked${values.length === 0 ? '' : `(${values.map(literal).join(', ')})`}`,
      );
      for (const node of nodesOf(rows[0]!['QUERY PLAN'][0].Plan)) {
        const table = node['Relation Name'];
        if (node['Node Type'] === 'Seq Scan' && table !== 'maintenance_lease') found.add(`${table}: all of it`);
        if (node['Index Name'] !== undefined) found.add(`${table ?? 'bitmap'}: ${node['Index Name']}`);
      }
    }
    return [...found].sort();
  } finally {
    await pool.end();
  }
}

describe.each(['force_custom_plan', 'force_generic_plan'] as const)('with a plan made by %s', mode => {
  it('a claim reads the due lanes and the pending deliveries, and no completed ones', async () => {
    const claim = async (pool: ReturnType<typeof createPool>) => {
      const lanes = new PostgresLaneStore(pool, { now: Date.now } as never, world.stores.sessions);
      const claimed = await lanes.claimDeliveries('PROVIDER', 10, 60_000);
      expect(claimed.map(({ sessionId }) => sessionId)).toEqual([live]);
      await lanes.complete(claimed[0]!);
    };
    const found = await accesses(claim, mode);
    expect(found.filter(access => access.endsWith('all of it'))).toEqual([]);
    expect(found.filter(access => access.startsWith('delivery'))).toEqual([
      'delivery: ix_delivery_lane',
      'delivery: pk_delivery',
    ]);
    expect(found).toContain('lane: ix_lane_due');
  });

  it('removal reads the old rows by index, and scans no table', async () => {
    const before = new Date(Date.now() - 5 * 86_400_000).toISOString();
    const remove = async (pool: ReturnType<typeof createPool>) => {
      const retention = new PostgresRetentionStore(pool);
      expect(await retention.removeIdempotencyKeys(before, 100)).toBe(100);
      expect(await retention.removeDeliveries(before, 100)).toBe(100);
      expect((await retention.removeEvents(before, null, 100)).count).toBeGreaterThan(0);
      const { sessionIds } = await retention.findExpiredMessages(before, null, 100);
      expect(await retention.removeMessages(before, sessionIds, 100)).toBeGreaterThan(0);
      await retention.removeSessions(before, null, 100);
    };
    const found = await accesses(remove, mode);
    expect(found.filter(access => access.endsWith('all of it'))).toEqual([]);
    expect(found).toEqual(
      expect.arrayContaining([
        'delivery: ix_delivery_done',
        'event: ix_event_at',
        'idempotency_key: ix_idempotency_key_created',
        'message: ix_message_created',
        'session: ix_session_closed',
      ]),
    );
  });

  it('lists of many sessions read by index no more rows per session than requested', async () => {
    const ids = (await world.sql<{ id: string }>('select id from session limit 100')).map(({ id }) => id);
    const read = async (pool: ReturnType<typeof createPool>) => {
      await new PostgresMessageStore(pool).listPagesBySessions(
        ORG,
        ids.map(sessionId => ({ sessionId, first: 50, after: null })),
      );
      await new PostgresEventStore(pool).listBySessions(
        ORG,
        ids.map(sessionId => ({ sessionId, afterSeq: null, limit: 50 })),
      );
      await new PostgresHandoffStore(pool).findLastOfSessions(ORG, ids);
    };
    const found = await accesses(read, mode);
    expect(found.filter(access => access.endsWith('all of it'))).toEqual([]);
    expect(found).toEqual(
      expect.arrayContaining(['event: uq_event_seq', 'handoff: ix_handoff_session', 'message: uq_message_seq']),
    );
  });
});
