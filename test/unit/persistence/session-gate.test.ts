import { OverloadedError } from '../../../src/core/errors';
import { SessionGate } from '../../../src/persistence/session-gate';

const turns = () => new Promise(setImmediate);

/** Work that the test ends, and who began in which order. */
function crowd(gate: SessionGate) {
  const began: string[] = [];
  const ends: Record<string, () => void> = {};
  const come = (name: string, session = 's') => gate.during(session, () => new Promise<string>((resolve) => { began.push(name); ends[name] = () => resolve(name); }));
  return { began, ends, come };
}

it('lets two into a Session, the others in the order in which they came, and everybody into another one', async () => {
  const gate = new SessionGate(60_000);
  const { began, ends, come } = crowd(gate);
  const calls = ['a', 'b', 'c', 'd'].map((name) => come(name));
  const other = come('x', 'another');
  await turns();
  expect(began).toEqual(['a', 'b', 'x']);
  ends['b']!();
  await turns();
  expect(began).toEqual(['a', 'b', 'x', 'c']);
  ends['a']!();
  await turns();
  for (const name of ['c', 'd', 'x']) ends[name]!();
  expect(await Promise.all([...calls, other])).toEqual(['a', 'b', 'c', 'd', 'x']);
  expect(gate.size).toBe(0);
});

it('gives up on who waits too long with what a full pool says, and remembers nobody', async () => {
  const gate = new SessionGate(1);
  const { began, ends, come } = crowd(gate);
  const inside = [come('a'), come('b')];
  await expect(come('late')).rejects.toBeInstanceOf(OverloadedError);
  ends['a']!();
  ends['b']!();
  await Promise.all(inside);
  expect([began, gate.size]).toEqual([['a', 'b'], 0]);
});

it('is left by work that fails', async () => {
  const gate = new SessionGate(60_000);
  for (let i = 0; i < 3; i += 1) await expect(gate.during('s', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(gate.size).toBe(0);
});
