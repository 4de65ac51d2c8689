import { EndpointError } from '../../../src/core/errors';
import { PUSH_RETRIES_MS, verdictForPush } from '../../../src/delivery/push-retry-policy';
import { reachabilityAfter } from '../../../src/delivery/retry-policy';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-11-22T12:00:00Z');
const since = (ms: number) => new Date(NOW - ms).toISOString();
const refused = new EndpointError('ENDPOINT_REFUSED', 'no', { status: 500 });
const away = new EndpointError('ENDPOINT_UNREACHABLE', 'away');
const after = (error: unknown, attempts: number, more: { firstFailureAt?: string | null; random?: number } = {}) =>
  verdictForPush(error, { previousAttempts: attempts, firstFailureAt: since(0), now: NOW, random: 0, ...more });

describe('the retries of pushes', () => {
  it('follow the schedule of the Standard Webhooks specification', () => {
    expect(PUSH_RETRIES_MS).toEqual([
      5_000,
      5 * MINUTE,
      30 * MINUTE,
      2 * HOUR,
      5 * HOUR,
      10 * HOUR,
      14 * HOUR,
      20 * HOUR,
      24 * HOUR,
    ]);
    expect(PUSH_RETRIES_MS.map((_, attempts) => after(refused, attempts))).toEqual(
      PUSH_RETRIES_MS.map(afterMs => ({ kind: 'retry', afterMs, code: 'ENDPOINT_REFUSED' })),
    );
  });

  it('are each spread a little later, never earlier', () => {
    expect(after(refused, 1, { random: 0.999 })).toMatchObject({ afterMs: expect.closeTo(5.5 * MINUTE, -3) });
  });

  it('respect Retry-After as an earliest time, and do not start earlier because of it', () => {
    const asking = (retryAfterMs: number) =>
      new EndpointError('ENDPOINT_REFUSED', 'slow down', { status: 429, retryAfterMs });
    expect(after(asking(HOUR), 0)).toMatchObject({ afterMs: HOUR });
    expect(after(asking(0), 3)).toMatchObject({ afterMs: 2 * HOUR });
  });

  it('end after the table, unless the whole endpoint has failed for as long', () => {
    expect(after(refused, 9, { firstFailureAt: since(100 * HOUR) })).toEqual({
      kind: 'park',
      code: 'ENDPOINT_REFUSED',
    });
    expect(after(away, 9, { firstFailureAt: since(HOUR) })).toEqual({ kind: 'park', code: 'ENDPOINT_UNREACHABLE' });
    expect(after(away, 9, { firstFailureAt: null })).toEqual({ kind: 'park', code: 'ENDPOINT_UNREACHABLE' });
    expect(after(away, 20, { firstFailureAt: since(76 * HOUR) })).toEqual({
      kind: 'retry',
      afterMs: 24 * HOUR,
      code: 'ENDPOINT_UNREACHABLE',
    });
    expect(after(new Error('ours'), 9)).toEqual({ kind: 'park', code: 'INTERNAL' });
  });
});

describe("the endpoint's health after a failed push", () => {
  it.each([
    [away, 'no'],
    [refused, 'yes'],
    [new EndpointError('ENDPOINT_REFUSED', 'x', { status: 502 }), 'no'],
    [new EndpointError('ENDPOINT_REFUSED', 'x', { status: 503, retryAfterMs: 1 }), 'unknown'],
    [new EndpointError('ENDPOINT_GONE', 'x', { status: 410 }), 'yes'],
    [new EndpointError('ENDPOINT_ADDRESS_REFUSED', 'x'), 'yes'],
  ])('%#', (error, answered) => {
    expect(reachabilityAfter(error)).toBe(answered);
  });
});
