import { ExecutionBudget } from '../../../src/graphql/operation/operation-execution';

const limits = { maxCost: 100, maxResultBytes: 1_000, operationMs: 1_000_000, providerOperationMs: 2_000_000 };
const never = (): Promise<never> => new Promise<never>(() => undefined);
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

describe('the work limits of one execution', () => {
  it('return the result when no limit is exceeded', async () => {
    await expect(new ExecutionBudget(limits).begin().run(async () => 'result')).resolves.toBe('result');
  });

  it('stop it at its limit of objects, even while it waits', async () => {
    const work = new ExecutionBudget(limits).begin();
    const running = codeOf(work.run(never));
    work.countObjects(100);
    expect(work.isStopped).toBe(false);
    work.countObjects(1);
    expect(await running).toBe('RESULT_TOO_LARGE');
    expect(work.signal.aborted).toBe(true);
  });

  it('stop it at its limit of bytes', async () => {
    const work = new ExecutionBudget(limits).begin();
    const running = codeOf(work.run(never));
    work.countBytes(1_001);
    expect(await running).toBe('RESULT_TOO_LARGE');
  });

  it('refuse it beside eight of the largest, until one of those was sent', async () => {
    const budget = new ExecutionBudget(limits);
    const largest = Array.from({ length: 8 }, () => {
      const work = budget.begin();
      let end: () => void = () => undefined;
      const over = work.run(
        () =>
          new Promise<void>(resolve => {
            end = resolve;
          }),
      );
      work.countBytes(1_000);
      return { over, end: () => end(), sent: () => work.release() };
    });
    const refused = budget.begin();
    const running = codeOf(refused.run(never));
    refused.countBytes(1);
    expect(await running).toBe('OVERLOADED');
    largest[0]!.end();
    await largest[0]!.over;
    const waiting = budget.begin();
    waiting.countBytes(1);
    // Its result is still to be sent.
    expect(waiting.isStopped).toBe(true);
    largest[0]!.sent();
    const taken = budget.begin();
    taken.countBytes(1_000);
    expect(taken.isStopped).toBe(false);
    for (const { end } of largest) end();
  });

  it('release what it used, and count nothing after its end', async () => {
    const budget = new ExecutionBudget({ ...limits, maxResultBytes: 10 });
    for (let i = 0; i < 100; i += 1) {
      const work = budget.begin();
      await work.run(() => work.countBytes(10));
      work.release();
      work.countBytes(10);
    }
    const last = budget.begin();
    last.countBytes(10);
    expect(last.isStopped).toBe(false);
  });

  it('stop it at its deadline, and when the caller leaves', async () => {
    expect(await codeOf(new ExecutionBudget({ ...limits, operationMs: 1 }).begin().run(never))).toBe(
      'OPERATION_TIMED_OUT',
    );
    const gone = new AbortController();
    const work = new ExecutionBudget(limits).begin();
    work.stopWith(gone.signal);
    const running = codeOf(work.run(never));
    gone.abort();
    expect(await running).toBe('OPERATION_TIMED_OUT');
    const late = new ExecutionBudget(limits).begin();
    late.stopWith(gone.signal);
    expect(await codeOf(late.run(never))).toBe('OPERATION_TIMED_OUT');
  });

  it("allow the provider's time once, however many fields wait for a provider", async () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    const timers = jest.spyOn(globalThis, 'setTimeout');
    try {
      const work = new ExecutionBudget({ ...limits, operationMs: 1_000, providerOperationMs: 90_000 }).begin();
      now.mockReturnValue(500);
      work.waitForProvider();
      now.mockReturnValue(80_000);
      work.waitForProvider();
      expect(timers.mock.calls.map(([, ms]) => ms).filter(ms => ms !== undefined && ms >= 1_000)).toEqual([
        1_000, 89_500,
      ]);
      await work.run(async () => 'done');
    } finally {
      now.mockRestore();
      timers.mockRestore();
    }
  });

  it("allow the provider's time once a field waits for a provider", async () => {
    const work = new ExecutionBudget({ ...limits, operationMs: 1, providerOperationMs: 1_000_000 }).begin();
    work.waitForProvider();
    await expect(
      work.run(async () => {
        for (let i = 0; i < 3; i += 1) await new Promise(resolve => setTimeout(resolve, 2));
        return 'done';
      }),
    ).resolves.toBe('done');
  });
});
