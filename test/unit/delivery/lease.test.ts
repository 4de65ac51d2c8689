import { LeaseLostError } from '../../../src/core/errors';
import { ClaimLease, WorkStoppedError } from '../../../src/delivery/lease';

const LEASE_MS = 10_000;

/** `ageMs`: how long ago it was claimed. `renewed`: for how long each time. */
function claimed(ageMs: number, answer = true) {
  const renewed: number[] = [];
  const stop = new AbortController();
  const renew = async (ms: number) => { renewed.push(ms); return answer; };
  return { lease: new ClaimLease(renew, LEASE_MS, performance.now() - ageMs, stop.signal), renewed, stop };
}

describe('a lease before a call', () => {
  it('is used as it is while half of it is ahead', async () => {
    const { lease, renewed } = claimed(4_000);
    await lease.held();
    expect(renewed).toEqual([]);
  });

  it('is renewed when less is ahead, once', async () => {
    const { lease, renewed } = claimed(6_000);
    await lease.held();
    await lease.held();
    expect(renewed).toEqual([LEASE_MS]);
  });

  it('reaches beyond what the call may leave under way, however short it was asked for', async () => {
    const { lease, renewed } = claimed(0);
    lease.outlasts(31_000);
    await lease.held();
    await lease.held();
    expect(renewed).toEqual([36_000]);
  });

  it('is not made shorter by a short call', async () => {
    const { lease, renewed } = claimed(4_000);
    lease.outlasts(1_000);
    await lease.held();
    expect(renewed).toEqual([]);
  });

  it('that was lost stops the work', async () => {
    await expect(claimed(6_000, false).lease.held()).rejects.toThrow(LeaseLostError);
  });

  it('of a process that stops begins nothing any more', async () => {
    const { lease, stop } = claimed(0);
    stop.abort();
    await expect(lease.held()).rejects.toThrow(WorkStoppedError);
  });
});
