import {
  EndpointError,
  OutcomeUnknownError,
  OverloadedError,
  ProviderAuthError,
  ProviderDamagedError,
  ProviderRefusedError,
  ProviderUnavailableError,
  UnsupportedByProviderError,
} from '../../../src/core/errors';
import type { Clock } from '../../../src/core/ports/clock';
import {
  reachabilityAfter,
  backoffMs,
  PARK_AFTER_MS,
  outcomeAfter,
  attemptHistoryOf,
  verdictFor,
} from '../../../src/delivery/retry-policy';

const tried = (previousAttempts: number, failingMs: number, random: number, lastErrorCode: string | null = null) => ({
  previousAttempts,
  failingMs,
  random,
  lastErrorCode,
});

describe('the retry policy', () => {
  const away = new ProviderUnavailableError('away');

  it('retries transient failures for at least 72 hours, then parks', () => {
    expect(PARK_AFTER_MS).toBeGreaterThanOrEqual(72 * 3_600_000);
    expect(verdictFor(away, tried(1_000, PARK_AFTER_MS - 1, 0.5)).kind).toBe('retry');
    expect(verdictFor(away, tried(0, PARK_AFTER_MS + 1, 0.5))).toEqual({ kind: 'park', code: 'PROVIDER_UNAVAILABLE' });
  });

  it.each([
    ['our own pace', new ProviderUnavailableError('not yet', { retryAfterMs: 1, isOwnRateLimit: true })],
    ['a limit of the provider', new ProviderUnavailableError('slow down', { retryAfterMs: 1, isRateLimited: true })],
  ])('does not count %s as an attempt', (_, error) => {
    expect(verdictFor(error, tried(1_000, PARK_AFTER_MS + 1, 0))).toEqual({
      kind: 'retry',
      afterMs: 1,
      code: 'PROVIDER_UNAVAILABLE',
      isNotCounted: true,
    });
  });

  it('counts an outage whose response names a wait like any other outage', () => {
    const late = new ProviderUnavailableError('away', { retryAfterMs: 1 });
    expect(verdictFor(late, tried(1, 0, 0))).not.toHaveProperty('isNotCounted');
    expect(verdictFor(late, tried(1_000, PARK_AFTER_MS + 1, 0)).kind).toBe('park');
  });

  it('parks what fails while the rest of its account works, after two attempts in a row and a quarter of an hour, and never for some codes', () => {
    const alone = new ProviderUnavailableError('only here', { delivered: 'no', isConversationOnly: true });
    const code = 'PROVIDER_DAMAGED';
    expect(verdictFor(alone, tried(9, 15 * 60_000 + 1, 0, code))).toEqual({ kind: 'park', code });
    expect(verdictFor(alone, tried(9, 15 * 60_000, 0, code))).toMatchObject({ kind: 'retry', code });
    expect(verdictFor(alone, tried(9, 15 * 60_000 + 1, 0, 'PROVIDER_UNAVAILABLE'))).toMatchObject({
      kind: 'retry',
      code,
    });
    expect(reachabilityAfter(alone)).toBe('yes');
  });

  it('parks at once a message that was stored and cannot be displayed', () => {
    const damaged = new ProviderDamagedError('stored');
    expect(verdictFor(damaged, tried(0, 0, 0))).toEqual({ kind: 'park', code: 'PROVIDER_DAMAGED' });
    expect([reachabilityAfter(damaged), outcomeAfter(damaged)]).toEqual(['yes', 'UNKNOWN']);
  });

  it('treats a post as possibly written when our own database had no connection to record it', () => {
    const full = new OverloadedError(1_000, 'All database connections of this process are in use.');
    expect(verdictFor(full, tried(0, 0, 0))).toMatchObject({ kind: 'retry', code: 'OVERLOADED' });
    expect([reachabilityAfter(full), outcomeAfter(full)]).toEqual(['unknown', 'UNKNOWN']);
  });

  it('measures how long a delivery has failed, not how long it has been pending', () => {
    const clock = { now: () => Date.parse('2026-11-22T20:00:00.000Z'), random: () => 0.5 } as Clock;
    const of = (failingSince: string | null) =>
      attemptHistoryOf({ clock }, { previousAttempts: 7, failingSince, lastErrorCode: null }).failingMs;
    expect([of(null), of('2026-11-22T19:00:00.000Z')]).toEqual([0, 3_600_000]);
  });

  it('waits at least as long as the provider asked', () => {
    const verdict = verdictFor(new ProviderUnavailableError('slow down', { retryAfterMs: 20_000 }), tried(0, 0, 0));
    expect(verdict).toMatchObject({ kind: 'retry' });
    expect((verdict as { afterMs: number }).afterMs).toBeGreaterThanOrEqual(20_000);
  });

  it('does not retry while an earlier write may still take effect', () => {
    const cut = new ProviderUnavailableError('cut', { delivered: 'unknown', ambiguousForMs: 12_000 });
    expect(verdictFor(cut, tried(0, 0, 1))).toMatchObject({ afterMs: 12_000 });
    expect(verdictFor(cut, tried(60, 0, 1))).toMatchObject({ afterMs: 60_000 });
  });

  it('grows with each attempt up to a minute, with jitter over nearly the whole range', () => {
    expect(backoffMs(away, 0, 1)).toBe(500);
    expect(backoffMs(away, 3, 1)).toBe(4_000);
    expect(backoffMs(away, 60, 1)).toBe(60_000);
    expect(backoffMs(away, 3, 0)).toBe(400);
  });

  it('retries rarely while credentials are invalid', () => {
    const verdict = verdictFor(new ProviderAuthError('BotAgent1 is not an administrator any more.'), tried(0, 0, 1));
    expect(verdict).toEqual({ kind: 'retry', afterMs: 5_000, code: 'PROVIDER_AUTH' });
    expect(verdictFor(new ProviderAuthError('Still not.'), tried(60, 0, 1))).toMatchObject({ afterMs: 600_000 });
  });

  it('parks at once a write whose outcome stays unknown although the remote responded', () => {
    const cannotTell = new OutcomeUnknownError('It may be what was deleted.');
    expect(verdictFor(cannotTell, tried(1, 0, 0.5))).toEqual({ kind: 'park', code: 'OUTCOME_UNKNOWN' });
    expect(reachabilityAfter(cannotTell)).toBe('yes');
  });

  it('parks at once what no retry can fix', () => {
    expect(verdictFor(new ProviderRefusedError('no'), tried(0, 0, 0))).toEqual({
      kind: 'park',
      code: 'PROVIDER_REFUSED',
    });
    expect(verdictFor(new UnsupportedByProviderError('no'), tried(0, 0, 0))).toEqual({
      kind: 'park',
      code: 'UNSUPPORTED_BY_PROVIDER',
    });
  });

  it('recreates a deleted conversation, a limited number of times', () => {
    const gone = new ProviderRefusedError('gone', { gone: true });
    expect(verdictFor(gone, tried(0, 0, 0)).kind).toBe('recreate');
    expect(verdictFor(gone, tried(50, 0, 0, 'PROVIDER_REFUSED')).kind).toBe('park');
    // A preceding outage proves nothing about the conversation.
    expect(verdictFor(gone, tried(50, 0, 0, 'PROVIDER_UNAVAILABLE')).kind).toBe('recreate');
  });

  it('retries our own errors without quoting them', () => {
    expect(verdictFor(new Error('hello, my card is 4111'), tried(0, 0, 0))).toMatchObject({
      kind: 'retry',
      code: 'INTERNAL',
    });
  });
});

describe('the outcome after a failed attempt', () => {
  const afterLookup = <E extends { hasNoEarlierWrite: boolean }>(error: E): E =>
    Object.assign(error, { hasNoEarlierWrite: true });

  it.each([
    ['a write that was cut off', new ProviderUnavailableError('cut', { delivered: 'unknown' })],
    ['the same after a lookup', afterLookup(new ProviderUnavailableError('cut', { delivered: 'unknown' }))],
    ['a lookup that cannot tell', new OutcomeUnknownError('It may be what was deleted.')],
    ['an unexpected error', new TypeError('of ours')],
    ['a call whose time was over', new DOMException('over', 'TimeoutError')],
    ['a push without a response', new EndpointError('ENDPOINT_UNREACHABLE', 'cut')],
    ["a push that got a gateway's response", new EndpointError('ENDPOINT_REFUSED', 'gateway', { status: 504 })],
  ])('is possibly written: %s', (_what, error) => {
    expect(outcomeAfter(error)).toBe('UNKNOWN');
  });

  it.each([
    ['a lookup that found nothing, and a remote that is down', afterLookup(new ProviderUnavailableError('away'))],
    ['a lookup that found nothing, and a refusal', afterLookup(new ProviderRefusedError('never'))],
    ['a conversation that is gone', new ProviderRefusedError('deleted', { gone: true })],
  ])('is not written: %s', (_what, error) => {
    expect(outcomeAfter(error)).toBe('NOT_DELIVERED');
  });

  it.each([
    ['a remote that is down', new ProviderUnavailableError('away')],
    ['a refusal, possibly of the lookup', new ProviderRefusedError('never')],
    ['credentials that do not serve', new ProviderAuthError('demoted')],
    ['a runtime that refused it', new EndpointError('ENDPOINT_REFUSED', 'no', { status: 400 })],
  ])('does not say anything about earlier attempts: %s', (_what, error) => {
    expect(outcomeAfter(error)).toBeNull();
  });
});
