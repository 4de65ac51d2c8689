import { LeaseLostError } from '../../../src/core/errors';
import type { Lease } from '../../../src/core/flows/lease';
import type { LaneStore } from '../../../src/core/ports/lane-store';
import { CircuitBreakers } from '../../../src/delivery/remote-limiter';
import { Heartbeats } from '../../../src/delivery/heartbeats';
import { LaneRunner, type LaneHandler } from '../../../src/delivery/lane-runner';
import { createFlowWorld, type FlowWorld } from '../../../src/testing/flow-world';
import { quiet } from '../../support/quiet';

/*
 * A lease that could not be renewed in time, while nobody else has claimed its lane. The test controls the lease's
 * clock.
 */

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

/** One worker that runs due work once; `deliver` is that work. */
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
/** The database is down until the lease has expired; the running call is cut, and fails with the reason. */
const isCut = async (lease: Lease, beats: Heartbeats): Promise<void> => {
  const signal = lease.signal(SETTLES_MS);
  clockMs += LEASE_MS + 1;
  // Renewed after all: the lease is valid again, the call stays cut.
  await beats.beat();
  throw signal.reason;
};

it('a delivery without a started call continues at once, as if it had not been claimed', async () => {
  await run(beginsNoCall);
  expect(await lane()).toMatchObject({ isClaimed: false, outcomeUnknown: false });
  expect(await claim()).toMatchObject({
    abandonedMs: null,
    delivery: { previousAttempts: 0, lastErrorCode: null, failingSince: null },
  });
});

it('a delivery whose call was cut continues once the call can have no more effect, and looks up the write', async () => {
  await run(isCut);
  const { isClaimed, waitsSeconds, outcomeUnknown } = await lane();
  expect([isClaimed, outcomeUnknown]).toEqual([false, true]);
  expect(waitsSeconds).toBeLessThanOrEqual(SETTLES_MS / 1_000);
  expect(waitsSeconds).toBeGreaterThan(LEASE_MS / 1_000);
  // Nothing of the lane starts before that, whatever is enqueued meanwhile.
  await world.user(id, 'anybody there?');
  expect(await claim()).toBeUndefined();
  await world.pool.query('update lane set next_run_at = now()');
  // It does not wait a second time, and the attempt does not count as failed.
  expect(await claim()).toMatchObject({
    abandonedMs: null,
    delivery: { previousAttempts: 1, lastErrorCode: 'LEASE_LOST', failingSince: null },
  });
});

it('a cut call to a destination without such a time continues at once', async () => {
  await run(isCut, { ambiguousForMs: undefined });
  expect(await claim()).toMatchObject({ abandonedMs: null, delivery: { previousAttempts: 1 } });
});

it('a worker keeps a lane that it has claimed since', async () => {
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
] as const)('a database that is still down is asked again (%s)', async (step, deliver) => {
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

it('a claim that another worker took while a failure is recorded is abandoned without retries', async () => {
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
