import { LeaseLostError } from '../../../src/core/errors';
import type { Lease } from '../../../src/core/flows/lease';
import type { LaneStore } from '../../../src/core/ports/lane-store';
import { CircuitBreakers } from '../../../src/delivery/remote-limiter';
import { Heartbeats } from '../../../src/delivery/heartbeats';
import { LaneRunner, type LaneHandler } from '../../../src/delivery/lane-runner';
import { createFlowWorld, type FlowWorld } from '../../support/flow-world';
import { quiet } from '../../support/quiet';

/* A lease that could not be renewed in time, while nobody else has claimed its lane. The lease's clock is the test's. */

const LEASE_MS = 600_000;
const SETTLES_MS = 3_600_000;
let world: FlowWorld;
let id: string;
let clockMs: number;
beforeEach(async () => {
  world = await createFlowWorld();
  ({ id } = await world.open());
  await world.user(id, 'help');
  clockMs = 0;
});
afterEach(() => world.close());

const claim = async () => (await world.stores.lanes.claimDeliveries('PROVIDER', 1, LEASE_MS))[0];
const lane = async () =>
  (
    await world.pool.query<{ isClaimed: boolean; waitsSeconds: number; outcomeUnknown: boolean }>(`
  select l.is_claimed as "isClaimed", extract(epoch from l.next_run_at - now())::float8 as "waitsSeconds", d.outcome_unknown as "outcomeUnknown"
  from lane l join delivery d on d.session_id = l.session_id and d.destination = l.destination and d.state = 'WAITING' where l.destination = 'PROVIDER'`)
  ).rows[0]!;

/** One worker does what is due once; `deliver` is what it does. */
async function run(
  deliver: (lease: Lease, beats: Heartbeats) => Promise<void>,
  more: Partial<LaneHandler<'PROVIDER'>> = {},
  lanes: LaneStore = world.stores.lanes,
): Promise<void> {
  const beats = new Heartbeats(lanes, LEASE_MS, () => clockMs);
  const work: LaneHandler<'PROVIDER'> = {
    destination: 'PROVIDER',
    deliver: (_lane, lease) => deliver(lease, beats),
    handleFailure: async () => ({ kind: 'retry', afterMs: SETTLES_MS, code: 'FAILED' }),
    ambiguousForMs: async () => SETTLES_MS,
    ...more,
  };
  const options = { leaseMs: LEASE_MS, concurrency: 1, concurrencyPerRemote: 1, pollMs: 1 };
  const runner = new LaneRunner(
    lanes,
    work,
    options,
    new CircuitBreakers(
      () => 0,
      () => 0.5,
      () => undefined,
    ),
    quiet,
    () => undefined,
    beats,
  );
  await runner.tick();
  await runner.waitUntilIdle();
}
const beginsNoCall = async (lease: Lease): Promise<void> => {
  clockMs += LEASE_MS + 1;
  lease.signal(1_000);
};
/** The database is away until the lease has ended; the call under way is cut, and answers with the reason. */
const isCut = async (lease: Lease, beats: Heartbeats): Promise<void> => {
  const signal = lease.signal(SETTLES_MS);
  clockMs += LEASE_MS + 1;
  // Renewed after all: the lease lives again, the call does not.
  await beats.beat();
  throw signal.reason;
};

it('a delivery that had begun no call goes on at once, as if it had not been claimed', async () => {
  await run(beginsNoCall);
  expect(await lane()).toMatchObject({ isClaimed: false, outcomeUnknown: false });
  expect(await claim()).toMatchObject({
    abandonedMs: null,
    delivery: { previousAttempts: 0, lastErrorCode: null, failingSince: null },
  });
});

it('one whose call was cut goes on once that can have no effect any more, and looks the write up', async () => {
  await run(isCut);
  const { isClaimed, waitsSeconds, outcomeUnknown } = await lane();
  expect([isClaimed, outcomeUnknown]).toEqual([false, true]);
  expect(waitsSeconds).toBeLessThanOrEqual(SETTLES_MS / 1_000);
  expect(waitsSeconds).toBeGreaterThan(LEASE_MS / 1_000);
  // Nothing of the lane is begun before, whatever is said meanwhile.
  await world.user(id, 'anybody there?');
  expect(await claim()).toBeUndefined();
  await world.pool.query('update lane set next_run_at = now()');
  // It does not wait a second time, and the try is none that failed.
  expect(await claim()).toMatchObject({
    abandonedMs: null,
    delivery: { previousAttempts: 1, lastErrorCode: 'LEASE_LOST', failingSince: null },
  });
});

it('a cut call whose destination needs no such time goes on at once', async () => {
  await run(isCut, { ambiguousForMs: undefined });
  expect(await claim()).toMatchObject({ abandonedMs: null, delivery: { previousAttempts: 1 } });
});

it('nothing is taken from a worker that has claimed the lane since', async () => {
  let taken: Awaited<ReturnType<typeof claim>>;
  await run(async () => {
    await world.pool.query('update lane set next_run_at = now()');
    taken = await claim();
    throw new LeaseLostError('as a transaction finds out');
  });
  expect(await claim()).toBeUndefined();
  expect(await lane()).toMatchObject({ isClaimed: true });
  expect(await world.stores.lanes.complete(taken!)).toBe(true);
});

it.each([
  ['release', beginsNoCall],
  ['retry', isCut],
] as const)('a database that is still away is asked again (%s)', async (step, deliver) => {
  let asked = 0;
  const lanes = Object.assign(Object.create(world.stores.lanes) as LaneStore, {
    [step]: async (...all: unknown[]) => {
      asked += 1;
      if (asked === 1) throw new Error('away');
      return (world.stores.lanes[step] as (...given: unknown[]) => Promise<boolean>).apply(world.stores.lanes, all);
    },
  });
  await run(deliver, {}, lanes);
  expect(asked).toBe(2);
  expect(await lane()).toMatchObject({ isClaimed: false });
});

it("a claim that turns out to be another's while a failure is recorded is left to it, without further tries", async () => {
  let tries = 0;
  const failed = async (): Promise<never> => {
    tries += 1;
    throw new LeaseLostError('as a transaction finds out');
  };
  await run(
    async () => {
      throw new Error('whatever');
    },
    { handleFailure: failed },
  );
  expect(tries).toBe(1);
});
