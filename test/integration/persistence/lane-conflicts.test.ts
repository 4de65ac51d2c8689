import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { createStoreWorld, ORG, said, type StoreWorld } from './store-world';
import { until } from '../../support/until';

let world: StoreWorld;
let other: PoolClient;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());
beforeEach(async () => {
  await world.sql(
    'truncate lane, delivery, handoff, message, event, agent_initiated_conversation, session, runtime_endpoint',
  );
  const { id } = await world.stores.endpoints.insert({
    id: randomUUID(),
    organizationId: ORG,
    chatbotId: null,
    url: 'https://bot.example.com/hook',
    state: 'UNVERIFIED',
    disabledReason: null,
    disabledAt: null,
    firstFailureAt: null,
    lastFailureAt: null,
    lastFailureCode: null,
    lastFailureStatus: null,
    verifiedAt: null,
    previousSecretExpiresAt: null,
    createdAt: AT,
    secret: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
    previousSecrets: [],
  });
  await world.stores.endpoints.activate(ORG, id, AT);
  while (!(await world.stores.endpoints.rerouteLanes()));
  other = await world.pool.connect();
});
afterEach(async () => {
  await other.query('rollback');
  other.release();
});

const AT = '2026-11-22T20:53:00.000Z';
const claim = () => world.stores.lanes.claimDeliveries('RUNTIME', 10, 60_000);
const waiting = (count: number) =>
  until(
    async () =>
      (await world.sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))
        .length === count,
  );

/** One delivery in each of two Sessions; the second's lane has been due for longer. */
async function two(): Promise<readonly [string, string]> {
  const ids: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { id } = await world.open();
    await world.stores.sessions.transact(ORG, id, async tx =>
      tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: (await tx.insertMessage(said({ author: 'AGENT' }))).id }),
    );
    await world.sql("update lane set next_run_at = now() - $2 * interval '1 minute' where session_id = $1", [
      id,
      i + 1,
    ]);
    ids.push((await world.sql<{ id: string }>('select id from delivery where session_id = $1', [id]))[0]!.id);
  }
  return ids as [string, string];
}

/**
 * Another transaction that has locked the higher one, and will need the lower one. The deadlock's victim must be the
 * other side.
 */
async function inTheWay([low, high]: readonly [string, string]) {
  await other.query("begin; set local deadlock_timeout = '10min'");
  await other.query('select from delivery where id = $1 for update', [high]);
  return {
    goOn: async () => {
      await other.query('select from delivery where id = $1 for update', [low]);
      await other.query('commit');
    },
  };
}

describe('claims and acknowledgements of the same deliveries', () => {
  it('lock them in one order, whatever has been due longer', async () => {
    const [low, high] = await two();
    await other.query('begin');
    await other.query('select from delivery where id = $1 for update', [low]);
    const claimed = claim();
    await waiting(1);
    expect(await world.sql('select id from delivery where id = $1 for no key update skip locked', [high])).toEqual([
      { id: high },
    ]);
    await other.query('commit');
    expect((await claimed).map(({ delivery }) => delivery.id).sort()).toEqual([low, high].sort());
  });

  it('are retried when a deadlock aborts them', async () => {
    const both = await two();
    const first = await inTheWay(both);
    const claimed = claim();
    await waiting(1);
    await first.goOn();
    expect((await claimed).map(({ delivery }) => delivery.previousAttempts)).toEqual([0, 0]);

    const second = await inTheWay(both);
    const acknowledged = world.stores.deliveries.acknowledge(ORG, both, AT);
    await waiting(1);
    await second.goOn();
    expect(await acknowledged).toMatchObject({ acknowledged: both, unknown: [] });
  });
});

describe('a claim that fails', () => {
  const failing = async (on: string, when: string) => {
    await world.sql(
      "create or replace function fail() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$",
    );
    await world.sql(
      `create trigger failing before update on ${on} for each row when (${when}) execute function fail()`,
    );
    return () => world.sql(`drop trigger failing on ${on}`);
  };

  it('releases its lanes at once, also when it could take nothing of them', async () => {
    await two();
    const mended = await failing('delivery', 'new.attempts > old.attempts');
    await expect(claim()).rejects.toThrow('broken');
    await mended();
    expect((await claim()).map(({ delivery }) => delivery.previousAttempts)).toEqual([0, 0]);
  });

  it('returns what it had already taken, as if it had not been attempted', async () => {
    const [low, high] = await two();
    await world.sql("update delivery set state = 'DONE' where id = $1", [high]);
    const mended = await failing('lane', 'old.is_claimed and new.next_run_at is null');
    await expect(claim()).rejects.toThrow('broken');
    await mended();
    expect((await claim()).map(({ delivery }) => [delivery.id, delivery.previousAttempts])).toEqual([[low, 0]]);
  });
});
