import { ProviderAuthError, ProviderRefusedError, ProviderUnavailableError } from '../../../src/core/errors';
import { CircuitBreakers, RemoteLimiter } from '../../../src/delivery/remote-limiter';
import { reachabilityAfter } from '../../../src/delivery/retry-policy';

function circuits() {
  const time = { ms: 0 };
  const changes: string[] = [];
  const made = new CircuitBreakers(
    () => time.ms,
    () => 1,
    (remoteId, state) => changes.push(`${remoteId} ${state}`),
  );
  return {
    time,
    changes,
    made,
    fail: (id: string, times: number) => {
      for (let i = 0; i < times; i++) made.report(id, 'no');
    },
  };
}

describe('the circuit of a remote', () => {
  it('opens after five failures in a row, then lets one job try', () => {
    const { time, changes, made, fail } = circuits();
    fail('a', 4);
    expect(made.concurrencyFor('a')).toBeNull();
    fail('a', 1);
    expect([made.concurrencyFor('a'), made.concurrencyFor('b')]).toEqual([0, null]);
    time.ms = 1_000;
    expect(made.concurrencyFor('a')).toBe(1);
    expect(changes).toEqual(['a resting']);
  });

  it('stays open longer after each failed try, up to thirty seconds', () => {
    const { time, made, fail } = circuits();
    fail('a', 5);
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const from = time.ms;
      while (made.concurrencyFor('a') === 0) time.ms += 500;
      waits.push(time.ms - from);
      fail('a', 1);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('is not prolonged by jobs that were running when it opened', () => {
    const { time, made, fail } = circuits();
    fail('a', 5 + 20);
    time.ms = 1_000;
    expect(made.concurrencyFor('a')).toBe(1);
  });

  it('closes after the first response, whatever it says', () => {
    const { changes, made, fail } = circuits();
    fail('a', 5);
    made.report('a', 'unknown');
    expect(made.concurrencyFor('a')).toBe(0);
    made.report('a', 'yes');
    expect(made.concurrencyFor('a')).toBeNull();
    expect(changes).toEqual(['a resting', 'a back']);
    fail('a', 4);
    expect(made.concurrencyFor('a')).toBeNull();
  });

  it('is closed when the remote responds with a rate limit', () => {
    const { time, made, fail } = circuits();
    fail('a', 5);
    time.ms = 1_000;
    made.report('a', reachabilityAfter(new ProviderUnavailableError('our own pace', { retryAfterMs: 1 })));
    expect(made.concurrencyFor('a')).toBe(1);
    made.report(
      'a',
      reachabilityAfter(new ProviderUnavailableError('slow down', { retryAfterMs: 1, isRateLimited: true })),
    );
    expect(made.concurrencyFor('a')).toBeNull();
  });

  it('counts a refusal and a rate limit as responses, and our own wait as none', () => {
    expect(
      [
        new ProviderUnavailableError('away'),
        new DOMException('too long', 'TimeoutError'),
        new ProviderUnavailableError('our own pace', { retryAfterMs: 1 }),
        new ProviderUnavailableError('slow down', { retryAfterMs: 1, isRateLimited: true }),
        new ProviderRefusedError('no'),
        new ProviderAuthError('who'),
        new Error('our own'),
      ].map(reachabilityAfter),
    ).toEqual(['no', 'no', 'unknown', 'yes', 'yes', 'yes', 'unknown']);
  });
});

describe('the free job slots of a remote', () => {
  it('are its limit minus the jobs that are running', async () => {
    const limiter = new RemoteLimiter(3, circuits().made);
    let end!: () => void;
    const working = limiter.run(
      'a',
      () =>
        new Promise(resolve => {
          end = () => resolve('yes');
        }),
    );
    expect(limiter.capacity).toEqual({ perRemote: 3, exceptions: new Map([['a', 2]]) });
    end();
    await working;
    expect(limiter.capacity).toEqual({ perRemote: 3, exceptions: new Map() });
  });

  it('are none while the circuit is open, and free again after one of our own errors', async () => {
    const { made, fail } = circuits();
    const limiter = new RemoteLimiter(3, made);
    await expect(limiter.run('b', () => Promise.reject(new Error('ours')))).rejects.toThrow('ours');
    fail('a', 5);
    expect(limiter.capacity.exceptions).toEqual(new Map([['a', 0]]));
  });
});
