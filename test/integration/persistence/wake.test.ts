import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { PostgresWake } from '../../../src/persistence';
import { MAX_NAMED, encodePayloads, PendingNotifications } from '../../../src/persistence/notify/pending-notifications';
import { createEmptyDatabase, type TestDatabase } from '../../../src/testing/database';
import { until } from '../../support/until';

let database: TestDatabase;
let admin: Client;
const wakes: PostgresWake[] = [];
beforeAll(async () => {
  database = await createEmptyDatabase();
  admin = new Client({ connectionString: database.url, application_name: 'test' });
  await admin.connect();
});
afterEach(() => Promise.all(wakes.splice(0).map(wake => wake.stop())));
afterAll(async () => {
  await admin.end();
  await database.drop();
});

/** One replica, and what its listener received. */
async function replica(pollMs = 600_000, start = true) {
  const wake = new PostgresWake(database.url, { pollMs, silenceMs: 10_000 });
  wakes.push(wake);
  const received: (readonly string[] | 'all')[] = [];
  const forget = wake.onWake(ids => {
    received.push(ids);
  });
  if (start) await wake.start();
  return { wake, heard: received, forget, named: () => received.filter(ids => ids !== 'all').flat() };
}

describe('processes on one database', () => {
  it('count each other, and not those that have ended', async () => {
    const one = await replica(5);
    const other = await replica();
    expect(other.wake.replicas).toBe(2);
    await until(() => one.wake.replicas === 2);
    await other.wake.stop();
    await until(() => one.wake.replicas === 1);
  });

  it('count themselves before the first query', () => {
    expect(new PostgresWake('postgres://nowhere', { pollMs: 600_000, silenceMs: 10_000 }).replicas).toBe(1);
  });
});

describe('a wake-up', () => {
  it('reaches this process at once and the others soon, each once', async () => {
    const [one, other] = [await replica(), await replica()];
    const ids = [randomUUID(), randomUUID()];
    one.wake.committed([ids[0]!]);
    one.wake.committed(ids);
    expect(one.named()).toEqual([ids[0], ...ids]);
    await until(() => other.named().length > 0);
    expect([...other.named()].sort()).toEqual([...ids].sort());
    // It does not receive its own: by the time the other's own wake-up is here, its echo would be.
    const last = randomUUID();
    other.wake.committed([last]);
    await until(() => one.named().includes(last));
    expect(one.named()).toEqual([ids[0], ...ids, last]);
  });

  it('reaches the others however many Sessions it names', async () => {
    const [one, other] = [await replica(), await replica()];
    const ids = Array.from({ length: 1_000 }, () => randomUUID());
    one.wake.committed(ids);
    await until(() => other.named().length === 1_000);
    expect(new Set(other.named())).toEqual(new Set(ids));
    other.heard.length = 0;
    one.wake.committed(Array.from({ length: 5_000 }, () => randomUUID()));
    await until(() => other.heard.length > 0);
    expect(other.heard).toEqual(['all']);
  });

  it('for everything comes by polling, without a notification', async () => {
    const { heard: received } = await replica(5);
    await until(() => received.filter(ids => ids === 'all').length >= 3);
  });

  it('for everything comes after a broken connection, and then notifications arrive again', async () => {
    const [one, other] = [await replica(), await replica()];
    other.heard.length = 0;
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'support-wake'",
    );
    await until(() => other.heard.includes('all'));
    const id = randomUUID();
    one.wake.committed([id]);
    await until(() => other.named().includes(id));
  });

  it('that could not be sent is sent after the reconnect', async () => {
    const one = await replica();
    const {
      rows: [mine],
    } = await admin.query<{ pid: number }>(
      "select pid from pg_stat_activity where datname = current_database() and application_name = 'support-wake'",
    );
    const other = await replica();
    const ids: string[] = [];
    const cutting = admin.query('select pg_terminate_backend($1)', [mine!.pid]);
    // Some before the loss is noticed, some after.
    await until(() => {
      ids.push(randomUUID());
      one.wake.committed([ids.at(-1)!]);
      return one.heard.filter(received => received === 'all').length === 2;
    });
    await cutting;
    await until(() => ids.every(id => other.named().includes(id)));
  });

  it('is not sent to those who have unsubscribed, and one failing listener does not affect the others', async () => {
    const { wake, heard: received, forget } = await replica(600_000, false);
    const rest: unknown[] = [];
    wake.onWake(() => {
      throw new Error('a listener broke');
    });
    wake.onWake(ids => rest.push(ids));
    forget();
    wake.committed(['s']);
    expect({ heard: received, rest }).toEqual({ heard: [], rest: [['s']] });
  });

  it('that is still batched when the process stops is sent first', async () => {
    const other = await replica();
    const wake = new PostgresWake(database.url, { pollMs: 600_000, silenceMs: 10_000, debounceMs: 600_000 });
    await wake.start();
    const id = randomUUID();
    wake.committed([id]);
    await wake.stop();
    await until(() => other.named().includes(id));
  });

  it('works when the process starts without a server, as soon as there is one', async () => {
    const errors: Error[] = [];
    const wake = new PostgresWake('postgres://nobody@127.0.0.1:1/nothing', {
      pollMs: 600_000,
      silenceMs: 10_000,
      onError: error => errors.push(error),
    });
    await wake.start();
    await until(() => errors.length >= 2);
    await wake.stop();
  });
});

describe('a wake-up payload', () => {
  it('is never longer than Postgres accepts', () => {
    const ids = [...Array.from({ length: 1_500 }, () => randomUUID()), 'é'.repeat(300)];
    const all = encodePayloads(ids);
    expect(Math.max(...all.map(payload => Buffer.byteLength(payload)))).toBeLessThan(7_900);
    expect(all.flatMap(payload => JSON.parse(payload) as string[])).toEqual(ids);
  });
});

describe('wake-ups that cannot be sent yet', () => {
  it('are stored by name, and beyond a limit as one for everybody', () => {
    const untold = new PendingNotifications();
    for (let i = 0; i < 100_000; i += 1) {
      untold.add([`${i}`]);
      expect(untold.size).toBeLessThanOrEqual(MAX_NAMED);
    }
    const { payloads, putBack } = untold.takePayloads();
    expect([payloads, untold.isEmpty]).toEqual([['[]'], true]);
    untold.add(['later']);
    putBack();
    expect([untold.takePayloads().payloads, untold.isEmpty]).toEqual([['[]'], true]);
  });
});
