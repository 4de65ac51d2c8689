import { loadConfig } from '../../../src/config';
import { timeUntilDone, timeUntilSetUp, AMBIGUOUS_MS, SITUATIONS } from '../../../scripts/bench/recovery';
import { createTestDatabase, type TestDatabase } from '../../../src/testing/database';

/** What a death may cost beyond the time of an ambiguous write, in seconds. */
const ALLOWED = 15;
/** Whether a starting process can prove that it is dead. */
const ALLOWED_WITH_PROOF = 1;
const { leaseMs } = loadConfig({});

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

describe('after kill -9, in seconds of injected time and with the default settings', () => {
  it.each(SITUATIONS.map(situation => [situation.what, situation] as const))(
    '%s continues in time',
    async (_what, situation) => {
      const settles = situation.mayWrite ? AMBIGUOUS_MS / 1_000 : 0;
      const took = await timeUntilDone(database.url, situation, leaseMs);
      expect(took.injected).toBeLessThanOrEqual(settles + ALLOWED);
      // And not before the last call of the dead process can have no more effect.
      expect(took.all).toBeGreaterThanOrEqual(settles);
    },
  );

  it.each(
    SITUATIONS.filter(({ what }) => !what.startsWith('running a full scan')).map(
      situation => [situation.what, situation] as const,
    ),
  )('%s continues at once where the death is proved', async (_what, situation) => {
    const settles = situation.mayWrite ? AMBIGUOUS_MS / 1_000 : 0;
    const took = await timeUntilDone(database.url, situation, leaseMs, true);
    expect(took.injected).toBeLessThanOrEqual(settles + ALLOWED_WITH_PROOF);
    expect(took.all).toBeGreaterThanOrEqual(settles);
  });

  it.each([
    [true, false],
    [true, true],
    [false, false],
    [false, true],
  ])('a setup continues in time (within a call: %s, death proved: %s)', async (writes, provesDeath) => {
    const took = await timeUntilSetUp(database.url, writes, provesDeath);
    const settles = writes ? AMBIGUOUS_MS / 1_000 : 0;
    expect(took.injected).toBeLessThanOrEqual(settles + (provesDeath ? ALLOWED_WITH_PROOF : ALLOWED));
    expect(took.all).toBeGreaterThanOrEqual(settles);
  });
});
