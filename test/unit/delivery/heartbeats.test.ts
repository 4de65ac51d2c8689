import { Heartbeats } from '../../../src/delivery/heartbeats';
import type { ClaimLease } from '../../../src/delivery/claim-lease';

const LEASE_MS = 10_000;
const claimOf = (n: number) => ({ destination: 'PROVIDER' as const, sessionId: `session-${n}`, fence: String(n) });

/** A process with claims whose work lasts until the test ends it. The test controls the time. */
function processOf() {
  const time = { ms: 0 };
  const statements: number[] = [];
  let answer: () => Promise<ReadonlySet<string>> = () => Promise.reject(new Error('not said'));
  const beats = new Heartbeats(
    {
      renew: async () => true,
      renewAll: async claims => {
        statements.push(claims.length);
        return answer();
      },
    },
    LEASE_MS,
    () => time.ms,
  );
  const never = new AbortController().signal;
  const begin = (n: number) => {
    let end!: () => void;
    let lease!: ClaimLease;
    const done = beats.runUnderLease(claimOf(n), time.ms, never, given => {
      lease = given;
      return new Promise<void>(resolve => {
        end = resolve;
      });
    });
    return {
      lease,
      end: () => {
        end();
        return done;
      },
    };
  };
  return {
    time,
    beats,
    statements,
    begin,
    answers: (act: typeof answer) => {
      answer = act;
    },
  };
}
const allOf =
  (...numbers: number[]) =>
  async () =>
    new Set(numbers.map(n => `${n}PROVIDERsession-${n}`));

describe('heartbeats', () => {
  it('cost nothing for work that is shorter than a quarter of its lease', async () => {
    const { time, beats, statements, begin } = processOf();
    const one = begin(1);
    time.ms = 2_400;
    await beats.beat();
    await one.end();
    time.ms = 9_000;
    await beats.beat();
    expect(statements).toEqual([]);
  });

  it('renew all longer work in one statement', async () => {
    const { time, beats, statements, begin, answers } = processOf();
    const [one, two] = [begin(1), begin(2)];
    answers(allOf(1, 2));
    for (const ms of [2_600, 5_200, 7_800, 60_000]) {
      time.ms = ms;
      await beats.beat();
    }
    expect(statements).toEqual([2, 2, 2, 2]);
    expect([one.lease.remainingMs, two.lease.remainingMs]).toEqual([LEASE_MS, LEASE_MS]);
  });

  it('detect claims that another process has taken', async () => {
    const { time, beats, begin, answers } = processOf();
    const [one, two] = [begin(1), begin(2)];
    answers(allOf(2));
    time.ms = 5_000;
    await beats.beat();
    expect([one.lease.isTaken, two.lease.isTaken]).toEqual([true, false]);
    await expect(one.lease.ensureHeld()).rejects.toMatchObject({ code: 'LEASE_LOST' });
  });

  it('end running calls while the database is down when the lease expires, not before', async () => {
    const { time, beats, begin, answers } = processOf();
    const { lease } = begin(1);
    const signal = lease.signal(120_000);
    answers(() => Promise.reject(new Error('away')));
    time.ms = 7_000;
    await expect(beats.beat()).rejects.toThrow('away');
    expect(signal.aborted).toBe(false);
    time.ms = 10_000;
    await expect(beats.beat()).rejects.toThrow('away');
    expect(signal.aborted).toBe(true);
    // The database is back, and nobody has taken the work.
    answers(allOf(1));
    await beats.beat();
    expect(lease.signal(2_000).aborted).toBe(false);
  });
});
