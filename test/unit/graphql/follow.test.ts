import { Bell, follow, type LiveSources, OpenReaders, type WakeListener } from '../../../src/graphql/live/follow';

/** A wake source in the test's hand; the poll never comes by itself. */
function sources() {
  const listeners = new Set<WakeListener>();
  const open = new OpenReaders();
  const made: LiveSources = {
    stores: {} as never, clock: {} as never, pollMs: 1_000_000, open,
    wake: { onWake: (listener) => { listeners.add(listener); return () => { listeners.delete(listener); }; } },
  };
  return { made, open, listeners, wake: (ids: readonly string[] | 'all') => { for (const listener of listeners) listener(ids); } };
}

/** Reads a list that the test fills, as the store readers do. */
function reader(source: LiveSources, facts: readonly number[]) {
  const bell = new Bell(source, (ids) => ids.includes('mine'));
  let reads = 0;
  const items = follow(bell, async () => undefined, async function* () {
    for (let at = 0; !bell.isClosed;) {
      reads += 1;
      const found = facts.slice(at, at + 2);
      yield* found;
      at += found.length;
      if (found.length < 2) await bell.rung();
    }
  });
  return { items, reads: () => reads };
}

describe('following the store', () => {
  it('yields what is there and then what comes with a wake-up', async () => {
    const { made, wake } = sources();
    const facts = [1, 2, 3];
    const items = await reader(made, facts).items;
    for (const expected of [1, 2, 3]) expect(await items.next()).toEqual({ done: false, value: expected });
    const next = items.next();
    facts.push(4);
    wake(['mine']);
    expect(await next).toEqual({ done: false, value: 4 });
    await items.return!();
  });

  it('is not woken by what concerns others, but by a warning that wake-ups were lost', async () => {
    const { made, wake } = sources();
    const facts = [1];
    const { items, reads } = reader(made, facts);
    const iterator = await items;
    await iterator.next();
    const next = iterator.next();
    await Promise.resolve();
    facts.push(2);
    wake(['another']);
    await new Promise(setImmediate);
    expect(reads()).toBe(1);
    wake('all');
    expect(await next).toEqual({ done: false, value: 2 });
    await iterator.return!();
  });

  it('remembers a wake-up that comes while the subscriber is busy', async () => {
    const { made, wake } = sources();
    const facts = [1];
    const items = await reader(made, facts).items;
    await items.next();
    facts.push(2);
    wake(['mine']);
    expect(await items.next()).toEqual({ done: false, value: 2 });
    await items.return!();
  });

  it('hears wake-ups from before its first item on', async () => {
    const { made, listeners } = sources();
    const items = await reader(made, [1]).items;
    expect(listeners.size).toBe(1);
    await items.return!();
  });

  it('reads no further than its subscriber asks', async () => {
    const { made, wake } = sources();
    const { items, reads } = reader(made, Array.from({ length: 1_000 }, (_, i) => i));
    const iterator = await items;
    await iterator.next();
    for (let i = 0; i < 100; i += 1) wake('all');
    await new Promise(setImmediate);
    expect(reads()).toBe(1);
    await iterator.return!();
  });

  it('ends at once when its subscriber leaves while it waits, and leaves nothing behind', async () => {
    const { made, open, listeners } = sources();
    const items = await reader(made, []).items;
    const waiting = items.next();
    await new Promise(setImmediate);
    expect([open.count, listeners.size]).toEqual([1, 1]);
    expect(await items.return!()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect([open.count, listeners.size]).toEqual([0, 0]);
  });

  it('leaves nothing behind when its subscriber never asks', async () => {
    const { made, open, listeners } = sources();
    await (await reader(made, [1]).items).return!();
    expect([open.count, listeners.size]).toEqual([0, 0]);
  });

  it('leaves nothing behind when it is refused, or when a reading fails', async () => {
    const { made, open, listeners } = sources();
    await expect(follow(new Bell(made, () => true), async () => { throw new Error('no such session'); }, async function* () { yield 1; })).rejects.toThrow('no such session');
    const broken = await follow(new Bell(made, () => true), async () => undefined, async function* () { yield 1; throw new Error('database gone'); });
    await broken.next();
    await expect(broken.next()).rejects.toThrow('database gone');
    expect([open.count, listeners.size]).toEqual([0, 0]);
  });

  it('looks by itself after the poll interval, so that a lost wake-up costs only time', async () => {
    const { made } = sources();
    const facts: number[] = [];
    const items = await reader({ ...made, pollMs: 5 }, facts).items;
    const next = items.next();
    facts.push(1);
    expect(await next).toEqual({ done: false, value: 1 });
    await items.return!();
  });
});
