import { OverloadedError } from '../../../src/core/errors';
import { SessionLimiter } from '../../../src/persistence/sessions/session-limiter';

const turns = () => new Promise(setImmediate);
const gateOf = (limits: Partial<ConstructorParameters<typeof SessionLimiter>[0]> = {}) =>
  new SessionLimiter({ waitMs: 60_000, maxWaitingPerSession: 100, maxWaiting: 1_000, ...limits });

/** Work that the test ends, who began in which order, and who has the row. */
function crowd(gate: SessionLimiter) {
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

it('lets one into a Session, the next when that one has the row, the others in the order in which they came, and everybody into another one', async () => {
  const gate = gateOf();
  const { began, come, end, hasRow } = crowd(gate);
  const calls = ['a', 'b', 'c', 'd'].map(name => come(name));
  const other = come('x', 'another');
  await turns();
  expect(began).toEqual(['a', 'x']);
  hasRow('a');
  await turns();
  expect(began).toEqual(['a', 'x', 'b']);
  hasRow('b');
  await turns();
  expect(began).toEqual(['a', 'x', 'b']);
  end('a');
  await turns();
  expect(began).toEqual(['a', 'x', 'b', 'c']);
  for (const name of ['b', 'c', 'd', 'x']) {
    end(name);
    await turns();
  }
  expect(await Promise.all([...calls, other])).toEqual(['a', 'b', 'c', 'd', 'x']);
  expect(gate.size).toBe(0);
});

it('gives up on who waits too long with what a full pool says, and remembers nobody', async () => {
  const gate = gateOf({ waitMs: 1 });
  const { began, come, end } = crowd(gate);
  const inside = come('a');
  await expect(come('late')).rejects.toBeInstanceOf(OverloadedError);
  end('a');
  await inside;
  expect([began, gate.size]).toEqual([['a'], 0]);
});

it('refuses at once who is one too many in a Session, and takes the next when one has gone in', async () => {
  const gate = gateOf({ maxWaitingPerSession: 2 });
  const { began, come, end } = crowd(gate);
  const calls = ['a', 'b', 'c'].map(name => come(name));
  await expect(come('too many')).rejects.toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_000 });
  const other = come('x', 'another');
  end('a');
  await turns();
  calls.push(come('d'), other);
  for (const name of ['b', 'c', 'd', 'x']) {
    end(name);
    await turns();
  }
  await Promise.all(calls);
  expect([began, gate.size]).toEqual([['a', 'x', 'b', 'c', 'd'], 0]);
});

it('bounds what waits in all Sessions together', async () => {
  const gate = gateOf({ maxWaiting: 2 });
  const { come, end } = crowd(gate);
  const calls = ['a', 'b'].flatMap(session => [come(`1 ${session}`, session), come(`2 ${session}`, session)]);
  await expect(come('too many', 'a')).rejects.toMatchObject({ code: 'OVERLOADED' });
  calls.push(come('free', 'c'));
  for (const name of ['1 a', '1 b', '2 a', '2 b', 'free']) {
    await turns();
    end(name);
  }
  await Promise.all(calls);
  expect(gate.size).toBe(0);
});

it('is left by work that fails', async () => {
  const gate = gateOf();
  for (let i = 0; i < 3; i += 1)
    await expect(gate.run('s', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(gate.size).toBe(0);
});
