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

  it('retries what may work later, for at least 72 hours, then parks', () => {
    expect(PARK_AFTER_MS).toBeGreaterThanOrEqual(72 * 3_600_000);
    expect(verdictFor(away, tried(1_000, PARK_AFTER_MS - 1, 0.5)).kind).toBe('retry');
    expect(verdictFor(away, tried(0, PARK_AFTER_MS + 1, 0.5))).toEqual({ kind: 'park', code: 'PROVIDER_UNAVAILABLE' });
  });

  it.each([
    ['our own pace', new ProviderUnavailableError('not yet', { retryAfterMs: 1, isOwnRateLimit: true })],
    ['a limit of the provider', new ProviderUnavailableError('slow down', { retryAfterMs: 1, isRateLimited: true })],
  ])('gives up nothing for %s, which counts as no try', (_, error) => {
    expect(verdictFor(error, tried(1_000, PARK_AFTER_MS + 1, 0))).toEqual({
      kind: 'retry',
      afterMs: 1,
      code: 'PROVIDER_UNAVAILABLE',
      isNotCounted: true,
    });
  });

  it('counts an outage with a wait in its answer like any other', () => {
    const late = new ProviderUnavailableError('away', { retryAfterMs: 1 });
    expect(verdictFor(late, tried(1, 0, 0))).not.toHaveProperty('isNotCounted');
    expect(verdictFor(late, tried(1_000, PARK_AFTER_MS + 1, 0)).kind).toBe('park');
  });

  it('parks what fails alone of its account, at two tries in a row and for a quarter of an hour, and never for one of these', () => {
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

  it('parks what was stored and cannot be shown at once', () => {
    const damaged = new ProviderDamagedError('stored');
    expect(verdictFor(damaged, tried(0, 0, 0))).toEqual({ kind: 'park', code: 'PROVIDER_DAMAGED' });
    expect([reachabilityAfter(damaged), outcomeAfter(damaged)]).toEqual(['yes', 'UNKNOWN']);
  });

  it('takes a post for possible when our own database had no connection to record it with', () => {
    const full = new OverloadedError(1_000, 'All database connections of this process are in use.');
    expect(verdictFor(full, tried(0, 0, 0))).toMatchObject({ kind: 'retry', code: 'OVERLOADED' });
    expect([reachabilityAfter(full), outcomeAfter(full)]).toEqual(['unknown', 'UNKNOWN']);
  });

  it('looks at how long it has failed, however long it was owed', () => {
    const clock = { now: () => Date.parse('2026-11-22T20:00:00.000Z'), random: () => 0.5 } as Clock;
    const of = (failingSince: string | null) =>
      attemptHistoryOf({ clock }, { previousAttempts: 7, failingSince, lastErrorCode: null }).failingMs;
    expect([of(null), of('2026-11-22T19:00:00.000Z')]).toEqual([0, 3_600_000]);
  });

  it('waits at least as long as the provider asked for', () => {
    const verdict = verdictFor(new ProviderUnavailableError('slow down', { retryAfterMs: 20_000 }), tried(0, 0, 0));
    expect(verdict).toMatchObject({ kind: 'retry' });
    expect((verdict as { afterMs: number }).afterMs).toBeGreaterThanOrEqual(20_000);
  });

  it('does not try again while what was sent may still take effect over there', () => {
    const cut = new ProviderUnavailableError('cut', { delivered: 'unknown', ambiguousForMs: 12_000 });
    expect(verdictFor(cut, tried(0, 0, 1))).toMatchObject({ afterMs: 12_000 });
    expect(verdictFor(cut, tried(60, 0, 1))).toMatchObject({ afterMs: 60_000 });
  });

  it('grows with each attempt up to a minute, with jitter over nearly the whole span', () => {
    expect(backoffMs(away, 0, 1)).toBe(500);
    expect(backoffMs(away, 3, 1)).toBe(4_000);
    expect(backoffMs(away, 60, 1)).toBe(60_000);
    expect(backoffMs(away, 3, 0)).toBe(400);
  });

  it('keeps trying while credentials are wrong, but not often', () => {
    const verdict = verdictFor(new ProviderAuthError('BotAgent1 is not an administrator any more.'), tried(0, 0, 1));
    expect(verdict).toEqual({ kind: 'retry', afterMs: 5_000, code: 'PROVIDER_AUTH' });
    expect(verdictFor(new ProviderAuthError('Still not.'), tried(60, 0, 1))).toMatchObject({ afterMs: 600_000 });
  });

  it('parks at once what may be there and nobody can tell, of a far side that did answer', () => {
    const cannotTell = new OutcomeUnknownError('It may be what was deleted.');
    expect(verdictFor(cannotTell, tried(1, 0, 0.5))).toEqual({ kind: 'park', code: 'OUTCOME_UNKNOWN' });
    expect(reachabilityAfter(cannotTell)).toBe('yes');
  });

  it('parks at once what no retry can help', () => {
    expect(verdictFor(new ProviderRefusedError('no'), tried(0, 0, 0))).toEqual({
      kind: 'park',
      code: 'PROVIDER_REFUSED',
    });
    expect(verdictFor(new UnsupportedByProviderError('no'), tried(0, 0, 0))).toEqual({
      kind: 'park',
      code: 'UNSUPPORTED_BY_PROVIDER',
    });
  });

  it('remakes a conversation that is gone, but not for ever', () => {
    const gone = new ProviderRefusedError('gone', { gone: true });
    expect(verdictFor(gone, tried(0, 0, 0)).kind).toBe('recreate');
    expect(verdictFor(gone, tried(50, 0, 0, 'PROVIDER_REFUSED')).kind).toBe('park');
    // An outage before it says nothing of the conversation.
    expect(verdictFor(gone, tried(50, 0, 0, 'PROVIDER_UNAVAILABLE')).kind).toBe('recreate');
  });

  it('retries errors of ours without quoting them', () => {
    expect(verdictFor(new Error('hello, my card is 4111'), tried(0, 0, 0))).toMatchObject({
      kind: 'retry',
      code: 'INTERNAL',
    });
  });
});

describe('what a failed try says of the outcome', () => {
  const looked = <E extends { hasNoEarlierWrite: boolean }>(error: E): E =>
    Object.assign(error, { hasNoEarlierWrite: true });

  it.each([
    ['a write that was cut off', new ProviderUnavailableError('cut', { delivered: 'unknown' })],
    ['the same behind a look', looked(new ProviderUnavailableError('cut', { delivered: 'unknown' }))],
    ['a look that cannot tell', new OutcomeUnknownError('It may be what was deleted.')],
    ['what we did not foresee', new TypeError('of ours')],
    ['a call whose time was over', new DOMException('over', 'TimeoutError')],
    ['a push without an answer', new EndpointError('ENDPOINT_UNREACHABLE', 'cut')],
    ['a push that a gateway answered', new EndpointError('ENDPOINT_REFUSED', 'gateway', { status: 504 })],
  ])('may have been stored: %s', (_what, error) => {
    expect(outcomeAfter(error)).toBe('UNKNOWN');
  });

  it.each([
    ['a look that found nothing, and a far side that is away', looked(new ProviderUnavailableError('away'))],
    ['a look that found nothing, and a refusal', looked(new ProviderRefusedError('never'))],
    ['a conversation that is gone', new ProviderRefusedError('deleted', { gone: true })],
  ])('is not there: %s', (_what, error) => {
    expect(outcomeAfter(error)).toBe('NOT_DELIVERED');
  });

  it.each([
    ['a far side that is away', new ProviderUnavailableError('away')],
    ['a refusal, which may be of the look', new ProviderRefusedError('never')],
    ['credentials that do not serve', new ProviderAuthError('demoted')],
    ['a runtime that refused it', new EndpointError('ENDPOINT_REFUSED', 'no', { status: 400 })],
  ])('nothing of earlier tries: %s', (_what, error) => {
    expect(outcomeAfter(error)).toBeNull();
  });
});
