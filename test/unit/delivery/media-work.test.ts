import { FileRefusedError, MediaStoreError } from '../../../src/core/file-errors';
import { ProviderRefusedError, ProviderUnavailableError } from '../../../src/core/errors';
import { ARCHIVE_TIMES } from '../../../src/core/flows/archive-file';
import { CircuitBreakers } from '../../../src/delivery/remote-limiter';
import { LaneRunner } from '../../../src/delivery/lane-runner';
import { verdictForFile, mediaOptions, createMediaHandler } from '../../../src/delivery/media-handler';
import { PARK_AFTER_MS } from '../../../src/delivery/retry-policy';
import { createLease } from '../../../src/testing/lease';

const missing = new FileRefusedError('FILE_MISSING', '');
const verdict = (error: unknown, failingMs = 0) =>
  verdictForFile(error, { previousAttempts: 3, failingMs, random: 0.5, lastErrorCode: null }).kind;

describe('a file that could not be stored', () => {
  it('is retried while it may still appear, up to the declared time', () => {
    expect([
      verdict(missing),
      verdict(missing, ARCHIVE_TIMES.appearsWithinMs - 1),
      verdict(missing, ARCHIVE_TIMES.appearsWithinMs),
    ]).toEqual(['retry', 'retry', 'park']);
  });

  it.each(['FILE_TOO_LARGE', 'FILE_TYPE_REFUSED'] as const)(
    'is parked at once under its own code when it exceeds our limits: %s',
    code => {
      expect(
        verdictForFile(new FileRefusedError(code, ''), {
          previousAttempts: 0,
          failingMs: 0,
          random: 0.5,
          lastErrorCode: null,
        }),
      ).toEqual({ kind: 'park', code });
    },
  );

  it('is retried like any delivery while the remote or our store is down, and never created again', () => {
    for (const error of [new ProviderUnavailableError(''), new MediaStoreError(''), new Error('unforeseen')])
      expect([verdict(error), verdict(error, PARK_AFTER_MS), verdict(error, PARK_AFTER_MS + 1)]).toEqual([
        'retry',
        'retry',
        'park',
      ]);
    expect(verdict(new ProviderRefusedError(''))).toBe('park');
  });
});

describe('a large file', () => {
  const files = (archive: () => Promise<unknown>) => createMediaHandler({} as never, { archive } as never, 40);
  const delivery = {
    organizationId: 'o',
    sessionId: 's',
    delivery: { work: { kind: 'ARCHIVE_FILE', messageId: 'm', index: 0 } },
  } as never;

  it('renews its lease while the download runs', async () => {
    let asked = 0;
    let come!: () => void;
    const held = async () => {
      if (++asked === 4) come();
    };
    await files(
      () =>
        new Promise<void>(resolve => {
          come = resolve;
        }),
    ).deliver(delivery, createLease(held));
    expect(asked).toBe(4);
  });

  it('is abandoned when another worker holds the lease', async () => {
    const lost = new Error('lost');
    let asked = 0;
    const held = () => (++asked === 1 ? Promise.resolve() : Promise.reject(lost));
    await expect(files(() => new Promise(() => undefined)).deliver(delivery, createLease(held))).rejects.toBe(lost);
  });
});

describe('files that cannot be fetched', () => {
  it.each([
    [true, null],
    [undefined, 0],
  ] as const)(
    'do not open the circuit of the remote as other deliveries do: %s',
    async (saysNothingOfFarSide, allowed) => {
      const circuits = new CircuitBreakers(
        () => 0,
        () => 0.5,
        () => undefined,
      );
      const lanes = {
        claimDeliveries: async () => [{ remoteId: 'side', delivery: { work: { kind: 'ARCHIVE_FILE' } } }],
        retry: async () => true,
      } as never;
      const runner = new LaneRunner(
        lanes,
        {
          destination: 'MEDIA',
          ...(saysNothingOfFarSide && { ignoresReachability: saysNothingOfFarSide }),
          deliver: () => Promise.reject(new ProviderUnavailableError('away')),
          handleFailure: async () => ({ kind: 'retry', afterMs: 1, code: 'x' }),
        },
        { leaseMs: 1, concurrency: 1, concurrencyPerRemote: 1, pollMs: 1 },
        circuits,
        { info: () => undefined, warn: () => undefined, error: () => undefined },
        () => undefined,
      );
      for (let n = 0; n < 6; n++) {
        await runner.tick();
        await runner.waitUntilIdle();
      }
      expect(circuits.concurrencyFor('side')).toBe(allowed);
    },
  );

  it('count as file work', () => {
    expect(createMediaHandler({} as never, {} as never, 1).ignoresReachability).toBe(true);
  });
});

it('file work gets a small share of the job slots', () => {
  const options = { leaseMs: 1, concurrency: 64, concurrencyPerRemote: 8, pollMs: 1 };
  expect(mediaOptions(options)).toEqual({ ...options, concurrency: 8, concurrencyPerRemote: 3 });
  expect(mediaOptions({ ...options, concurrency: 2, concurrencyPerRemote: 1 })).toEqual({
    ...options,
    concurrency: 2,
    concurrencyPerRemote: 1,
  });
});
