import { OverloadedError } from '../../../src/core/errors';
import { SessionLimiter } from '../../../src/persistence/sessions/session-limiter';

const eventLoopTurn = () => new Promise(setImmediate);
const gateOf = (limits: Partial<ConstructorParameters<typeof SessionLimiter>[0]> = {}) =>
  new SessionLimiter({ waitMs: 60_000, maxWaitingPerSession: 100, maxWaiting: 1_000, ...limits });

/** Work that the test ends, the order in which it started, and which caller has the row. */
function queueOf(gate: SessionLimiter) {
  const began: string[] = [];
  const [ends, rows]: Record<string, () => void>[] = [{}, {}];
  const come = (name: string, session = 's') =>
    gate.run(
      session,
      hasRow =>
        new Promise<string>(resolve => {
          began.push(name);
          ends![name] = () => resolve(name);
          rows![name] = hasRow;
        }),
    );
  return { began, come, end: (name: string) => ends![name]!(), hasRow: (name: string) => rows![name]!() };
}

it('admits one transaction into a Session, the next once that one has the row lock, in order of arrival; other Sessions are independent', async () => {
  const gate = gateOf();
  const { began, come, end, hasRow } = queueOf(gate);
  const calls = ['a', 'b', 'c', 'd'].map(name => come(name));
  const other = come('x', 'another');
  await eventLoopTurn();
  expect(began).toEqual(['a', 'x']);
  hasRow('a');
  await eventLoopTurn();
  expect(began).toEqual(['a', 'x', 'b']);
  hasRow('b');
  await eventLoopTurn();
  expect(began).toEqual(['a', 'x', 'b']);
  end('a');
  await eventLoopTurn();
  expect(began).toEqual(['a', 'x', 'b', 'c']);
  for (const name of ['b', 'c', 'd', 'x']) {
    end(name);
    await eventLoopTurn();
  }
  expect(await Promise.all([...calls, other])).toEqual(['a', 'b', 'c', 'd', 'x']);
  expect(gate.size).toBe(0);
});

it('fails after the wait limit with the error of a full pool, and forgets the caller', async () => {
  const gate = gateOf({ waitMs: 1 });
  const { began, come, end } = queueOf(gate);
  const inside = come('a');
  await expect(come('late')).rejects.toBeInstanceOf(OverloadedError);
  end('a');
  await inside;
  expect([began, gate.size]).toEqual([['a'], 0]);
});

it('refuses the caller beyond the limit of a Session at once, and accepts the next when one has entered', async () => {
  const gate = gateOf({ maxWaitingPerSession: 2 });
  const { began, come, end } = queueOf(gate);
  const calls = ['a', 'b', 'c'].map(name => come(name));
  await expect(come('too many')).rejects.toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_000 });
  const other = come('x', 'another');
  end('a');
  await eventLoopTurn();
  calls.push(come('d'), other);
  for (const name of ['b', 'c', 'd', 'x']) {
    end(name);
    await eventLoopTurn();
  }
  await Promise.all(calls);
  expect([began, gate.size]).toEqual([['a', 'x', 'b', 'c', 'd'], 0]);
});

it('limits the waiting callers of all Sessions together', async () => {
  const gate = gateOf({ maxWaiting: 2 });
  const { come, end } = queueOf(gate);
  const calls = ['a', 'b'].flatMap(session => [come(`1 ${session}`, session), come(`2 ${session}`, session)]);
  await expect(come('too many', 'a')).rejects.toMatchObject({ code: 'OVERLOADED' });
  calls.push(come('free', 'c'));
  for (const name of ['1 a', '1 b', '2 a', '2 b', 'free']) {
    await eventLoopTurn();
    end(name);
  }
  await Promise.all(calls);
  expect(gate.size).toBe(0);
});

it('is released by work that fails', async () => {
  const gate = gateOf();
  for (let i = 0; i < 3; i += 1)
    await expect(gate.run('s', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(gate.size).toBe(0);
});
