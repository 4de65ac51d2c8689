import { LeaseLostError } from '../../../src/core/errors';
import { isOver } from '../../../src/core/time-limit';
import { ClaimLease, WorkStoppedError } from '../../../src/delivery/claim-lease';

const LEASE_MS = 10_000;

/** `ageMs`: how long ago it was claimed. `renewed`: the duration of each renewal. */
function claimed(ageMs: number, answer = true) {
  const renewed: number[] = [];
  const stop = new AbortController();
  const renew = async (ms: number) => {
    renewed.push(ms);
    return answer;
  };
  return { lease: new ClaimLease(renew, LEASE_MS, performance.now() - ageMs, stop.signal), renewed, stop };
}

describe('a lease before a call', () => {
  it('is used unchanged while half of its time remains', async () => {
    const { lease, renewed } = claimed(4_000);
    await lease.ensureHeld();
    expect(renewed).toEqual([]);
  });

  it('is renewed once when less remains', async () => {
    const { lease, renewed } = claimed(6_000);
    await lease.ensureHeld();
    await lease.ensureHeld();
    expect(renewed).toEqual([LEASE_MS]);
  });

  it('stops the work when it was lost', async () => {
    await expect(claimed(6_000, false).lease.ensureHeld()).rejects.toThrow(LeaseLostError);
  });

  it('starts no call in a process that is stopping', async () => {
    const { lease, stop } = claimed(0);
    stop.abort();
    await expect(lease.ensureHeld()).rejects.toThrow(WorkStoppedError);
  });
});

describe('the abort signal of a call under a lease', () => {
  let aheadMs = 0;
  beforeEach(() => {
    aheadMs = 0;
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Whether it has ended now, and after this many milliseconds in which no timer fires. */
  const over = (signal: AbortSignal, afterMs: number) => {
    const before = isOver(signal);
    aheadMs += afterMs;
    return [before, isOver(signal)];
  };

  it('fires after the time limit of the call', () => {
    expect(over(claimed(0).lease.signal(2_000), 2_500)).toEqual([false, true]);
  });

  it('fires when the lease expires first', () => {
    expect(over(claimed(9_000).lease.signal(5_000), 1_500)).toEqual([false, true]);
  });

  it('is not given after a pause beyond the lease', async () => {
    const { lease } = claimed(0);
    await lease.ensureHeld();
    aheadMs += LEASE_MS;
    expect(() => lease.signal(2_000)).toThrow(LeaseLostError);
  });

  it('stays open with a lease that is renewed meanwhile', () => {
    const { lease } = claimed(9_000);
    const signal = lease.signal(20_000);
    lease.markRenewed(performance.now());
    expect(over(signal, 8_000)).toEqual([false, false]);
  });

  it('fires at once when another claim has taken the work', () => {
    const { lease } = claimed(0);
    const signal = lease.signal(2_000);
    lease.markLost();
    expect(signal.aborted).toBe(true);
    expect(() => lease.signal(2_000)).toThrow(LeaseLostError);
  });

  it('fires when the lease could not be renewed in time; after a renewal a new signal is open', () => {
    const { lease } = claimed(0);
    const signal = lease.signal(2_000);
    lease.abortCalls();
    expect(signal.aborted).toBe(true);
    expect(lease.signal(2_000).aborted).toBe(false);
  });
});
