import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { isOver } from '../../../src/core/time-limit';
import { createPool } from '../../../src/persistence';
import { PostgresSetupLocks } from '../../../src/persistence/setup/setup-locks';
import { createTestDatabase, type TestDatabase } from '../../support/database';

describe('the turn of a set-up', () => {
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

  it("is one replica's at a time, and each has its own", async () => {
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

  it('keeps nobody waiting who sets up something else', async () => {
    await replica().withLock(subject(), 0, () => replica().withLock(subject(), 0, async () => undefined));
  });

  it("is over after an error, and the error is the caller's", async () => {
    const of = subject();
    await expect(
      replica().withLock(of, 0, async () => {
        throw new Error('of the provider');
      }),
    ).rejects.toThrow('of the provider');
    await expect(replica().withLock(of, 0, async () => 'done')).resolves.toBe('done');
  });

  it('of a process that died is over with its lease', async () => {
    const of = subject();
    await takenBySomebody(of.id, 300);
    await expect(replica().withLock(of, 60_000, async () => (await rowOf(of.id))!.holder)).resolves.toEqual(
      expect.any(String),
    );
  });

  it('is renewed while it lasts', async () => {
    const of = subject();
    await replica({ leaseMs: 60_000, renewMs: 10, askMs: 10 }).withLock(of, 0, async () => {
      const first = (await rowOf(of.id))!.until;
      while ((await rowOf(of.id))!.until <= first);
    });
  });

  it('stays taken until what was asked for last has settled', async () => {
    const of = subject();
    await replica().withLock(of, 0, async turn => turn.keepLockedFor(3_600_000));
    await expect(replica().withLock(of, 0, async () => 'done')).rejects.toMatchObject({
      code: 'SETUP_IN_PROGRESS',
      field: 'chatbotId',
    });
    expect(Date.parse((await rowOf(of.id))!.until)).toBeGreaterThan(Date.now() + 3_000_000);
  });

  it('that does not come is told, and nothing was done', async () => {
    const of = subject();
    await takenBySomebody(of.id, 3_600_000);
    const act = jest.fn();
    await expect(replica().withLock(of, 50, act)).rejects.toMatchObject({ code: 'SETUP_IN_PROGRESS' });
    expect(act).not.toHaveBeenCalled();
  });

  it('outlasts what a call may leave under way, also when its process dies', async () => {
    const of = subject();
    await replica().withLock(of, 0, async turn => {
      await turn.signal(1_000, 3_600_000);
      expect(Date.parse((await rowOf(of.id))!.until)).toBeGreaterThan(Date.now() + 3_600_000);
    });
    expect(await rowOf(of.id)).toBeUndefined();
  });

  it('that somebody else has taken lets no call begin, ends those under way, and records nothing', async () => {
    const of = subject();
    await replica({ leaseMs: 60_000, renewMs: 10, askMs: 10 }).withLock(of, 0, async turn => {
      const signal = await turn.signal(60_000, 0);
      turn.ensureHeld();
      expect(isOver(signal)).toBe(false);
      await pool.query('update setup_lock set holder = $2 where subject = $1', [of.id, randomUUID()]);
      while (!signal.aborted) await pool.query('select 1');
      expect(isOver(signal)).toBe(true);
      expect(() => turn.ensureHeld()).toThrow(
        expect.objectContaining({ code: 'SETUP_IN_PROGRESS', field: 'chatbotId' }),
      );
      await expect(turn.signal(60_000, 0)).rejects.toMatchObject({ code: 'SETUP_IN_PROGRESS' });
    });
    // It is the other's still.
    expect(await rowOf(of.id)).toBeDefined();
  });

  it('lets a process that stood still past its end begin no call', async () => {
    const of = subject();
    await replica({ leaseMs: 2_000, renewMs: 600_000, askMs: 10 }).withLock(of, 0, async turn => {
      const signal = await turn.signal(600_000, 0);
      expect(isOver(signal)).toBe(false);
      // No timer of ours rings meanwhile.
      for (const end = performance.now() + 2_000; performance.now() < end; );
      expect({ isOver: isOver(signal), aborted: signal.aborted }).toEqual({ isOver: true, aborted: false });
      expect(() => turn.ensureHeld()).toThrow(expect.objectContaining({ code: 'SETUP_IN_PROGRESS' }));
    });
  });

  it('goes on for as long as it is renewed', async () => {
    await replica({ leaseMs: 2_000, renewMs: 20, askMs: 10 }).withLock(subject(), 0, async turn => {
      const signal = await turn.signal(600_000, 0);
      for (const end = performance.now() + 2_500; performance.now() < end; ) await pool.query('select 1');
      turn.ensureHeld();
      expect(isOver(signal)).toBe(false);
    });
  });
});
