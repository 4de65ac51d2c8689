import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { isOver } from '../../../src/core/time-limit';
import { createPool } from '../../../src/persistence';
import { PostgresSetupLocks } from '../../../src/persistence/setup/setup-locks';
import { createTestDatabase, type TestDatabase } from '../../../src/testing/database';

describe('the setup lock', () => {
  let database: TestDatabase;
  let pool: Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool(database.url, {});
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });
  const replica = (times = { leaseMs: 60_000, renewMs: 20_000, askMs: 10 }) =>
    new PostgresSetupLocks(pool, { newId: randomUUID }, times);
  const subject = () => ({ id: randomUUID(), field: 'chatbotId' });
  const rowOf = async (id: string) =>
    (
      await pool.query<{ holder: string; until: string }>('select holder, until from setup_lock where subject = $1', [
        id,
      ])
    ).rows[0];
  const takenBySomebody = (id: string, forMs: number) =>
    pool.query("insert into setup_lock (subject, holder, until) values ($1, $2, now() + $3 * interval '1 ms')", [
      id,
      randomUUID(),
      forMs,
    ]);

  it('has one holder at a time, and each setup has its own', async () => {
    const of = subject();
    let inside = 0;
    const most: number[] = [];
    await Promise.all(
      Array.from({ length: 8 }, () =>
        replica().withLock(of, 60_000, async () => {
          most.push(++inside);
          await pool.query('select 1');
          inside -= 1;
        }),
      ),
    );
    expect(most).toEqual(Array.from({ length: 8 }, () => 1));
    expect(await rowOf(of.id)).toBeUndefined();
  });

  it('makes nobody wait who sets up something else', async () => {
    await replica().withLock(subject(), 0, () => replica().withLock(subject(), 0, async () => undefined));
  });

  it('is released after an error, which the caller gets', async () => {
    const of = subject();
    await expect(
      replica().withLock(of, 0, async () => {
        throw new Error('of the provider');
      }),
    ).rejects.toThrow('of the provider');
    await expect(replica().withLock(of, 0, async () => 'done')).resolves.toBe('done');
  });

  it('of a dead process is free when its lease expires', async () => {
    const of = subject();
    await takenBySomebody(of.id, 300);
    await expect(replica().withLock(of, 60_000, async () => (await rowOf(of.id))!.holder)).resolves.toEqual(
      expect.any(String),
    );
  });

  it('is renewed while the work runs', async () => {
    const of = subject();
    await replica({ leaseMs: 60_000, renewMs: 10, askMs: 10 }).withLock(of, 0, async () => {
      const first = (await rowOf(of.id))!.until;
      while ((await rowOf(of.id))!.until <= first);
    });
  });

  it('stays held until the last call can have no more effect', async () => {
    const of = subject();
    await replica().withLock(of, 0, async lock => lock.keepLockedFor(3_600_000));
    await expect(replica().withLock(of, 0, async () => 'done')).rejects.toMatchObject({
      code: 'SETUP_IN_PROGRESS',
      field: 'chatbotId',
    });
    expect(Date.parse((await rowOf(of.id))!.until)).toBeGreaterThan(Date.now() + 3_000_000);
  });

  it('that is not free in time is reported, and nothing was done', async () => {
    const of = subject();
    await takenBySomebody(of.id, 3_600_000);
    const act = jest.fn();
    await expect(replica().withLock(of, 50, act)).rejects.toMatchObject({ code: 'SETUP_IN_PROGRESS' });
    expect(act).not.toHaveBeenCalled();
  });

  it('outlasts the calls that may still be running, also when its process dies', async () => {
    const of = subject();
    await replica().withLock(of, 0, async lock => {
      await lock.signal(1_000, 3_600_000);
      expect(Date.parse((await rowOf(of.id))!.until)).toBeGreaterThan(Date.now() + 3_600_000);
    });
    expect(await rowOf(of.id)).toBeUndefined();
  });

  it('that another process has taken starts no call, ends running calls, and records nothing', async () => {
    const of = subject();
    await replica({ leaseMs: 60_000, renewMs: 10, askMs: 10 }).withLock(of, 0, async lock => {
      const signal = await lock.signal(60_000, 0);
      lock.ensureHeld();
      expect(isOver(signal)).toBe(false);
      await pool.query('update setup_lock set holder = $2 where subject = $1', [of.id, randomUUID()]);
      while (!signal.aborted) await pool.query('select 1');
      expect(isOver(signal)).toBe(true);
      expect(() => lock.ensureHeld()).toThrow(
        expect.objectContaining({ code: 'SETUP_IN_PROGRESS', field: 'chatbotId' }),
      );
      await expect(lock.signal(60_000, 0)).rejects.toMatchObject({ code: 'SETUP_IN_PROGRESS' });
    });
    // The other process still has it.
    expect(await rowOf(of.id)).toBeDefined();
  });

  it('of a process that paused past its end starts no call', async () => {
    const of = subject();
    await replica({ leaseMs: 2_000, renewMs: 600_000, askMs: 10 }).withLock(of, 0, async lock => {
      const signal = await lock.signal(600_000, 0);
      expect(isOver(signal)).toBe(false);
      // No timer of ours fires meanwhile.
      for (const end = performance.now() + 2_000; performance.now() < end; );
      expect({ isOver: isOver(signal), aborted: signal.aborted }).toEqual({ isOver: true, aborted: false });
      expect(() => lock.ensureHeld()).toThrow(expect.objectContaining({ code: 'SETUP_IN_PROGRESS' }));
    });
  });

  it('lasts as long as it is renewed', async () => {
    await replica({ leaseMs: 2_000, renewMs: 20, askMs: 10 }).withLock(subject(), 0, async lock => {
      const signal = await lock.signal(600_000, 0);
      for (const end = performance.now() + 2_500; performance.now() < end; ) await pool.query('select 1');
      lock.ensureHeld();
      expect(isOver(signal)).toBe(false);
    });
  });
});
