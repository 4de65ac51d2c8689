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

describe('the circuit of a far side', () => {
  it('rests after five failures in a row, and then one piece of work tries it', () => {
    const { time, changes, made, fail } = circuits();
    fail('a', 4);
    expect(made.concurrencyFor('a')).toBeNull();
    fail('a', 1);
    expect([made.concurrencyFor('a'), made.concurrencyFor('b')]).toEqual([0, null]);
    time.ms = 1_000;
    expect(made.concurrencyFor('a')).toBe(1);
    expect(changes).toEqual(['a resting']);
  });

  it('rests longer each time it is tried in vain, up to thirty seconds', () => {
    const { time, made, fail } = circuits();
    fail('a', 5);
    const rests: number[] = [];
    for (let i = 0; i < 8; i++) {
      const from = time.ms;
      while (made.concurrencyFor('a') === 0) time.ms += 500;
      rests.push(time.ms - from);
      fail('a', 1);
    }
    expect(rests).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('is not made to rest longer by what was under way when it began', () => {
    const { time, made, fail } = circuits();
    fail('a', 5 + 20);
    time.ms = 1_000;
    expect(made.concurrencyFor('a')).toBe(1);
  });

  it('is over with the first answer, whatever it says', () => {
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

  it('is over when the far side says that it has had enough for now', () => {
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

  it('takes a refusal and a wish to wait for an answer, and a wait of our own for none at all', () => {
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

describe('the hands that a far side may take', () => {
  it('are as many as one may have, less what is under way', async () => {
    const sides = new RemoteLimiter(3, circuits().made);
    let end!: () => void;
    const working = sides.run(
      'a',
      () =>
        new Promise(resolve => {
          end = () => resolve('yes');
        }),
    );
    expect(sides.capacity).toEqual({ perRemote: 3, exceptions: new Map([['a', 2]]) });
    end();
    await working;
    expect(sides.capacity).toEqual({ perRemote: 3, exceptions: new Map() });
  });

  it('are none while it rests, and free again after an error of ours', async () => {
    const { made, fail } = circuits();
    const sides = new RemoteLimiter(3, made);
    await expect(sides.run('b', () => Promise.reject(new Error('ours')))).rejects.toThrow('ours');
    fail('a', 5);
    expect(sides.capacity.exceptions).toEqual(new Map([['a', 0]]));
  });
});
