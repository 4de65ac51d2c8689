import {
  type WakeSignal,
  createFeedSignal,
  createIterator,
  OpenSubscriptions,
  type WakeListener,
} from '../../../src/graphql/live/wake-signal';
import type { LiveSources } from '../../../src/graphql/live/live-sources';
import { type ReadPosition, SessionPoller } from '../../../src/graphql/live/session-poller';

const NEVER_MS = 1_000_000;

/** A wake source that the test controls; the poll never runs by itself. */
function wakeSource() {
  const listeners = new Set<WakeListener>();
  return {
    listeners,
    onWake: (listener: WakeListener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    wake: (ids: readonly string[] | 'all') => {
      for (const listener of listeners) listener(ids);
    },
  };
}

function sources(pollMs = NEVER_MS) {
  const source = wakeSource();
  const open = new OpenSubscriptions();
  const made = { wake: source, pollMs, openSubscriptions: open } as unknown as LiveSources;
  return { made, open, ...source };
}

/** Reads a list that the test fills, as the store readers do. */
function reader(signal: WakeSignal, facts: readonly number[]) {
  let reads = 0;
  const items = createIterator(
    signal,
    async () => undefined,
    async function* () {
      for (let at = 0; !signal.isClosed; ) {
        reads += 1;
        const found = facts.slice(at, at + 2);
        yield* found;
        at += found.length;
        if (found.length < 2) await signal.wait();
      }
    },
  );
  return { items, reads: () => reads };
}

describe('the store iterator', () => {
  it('yields existing items and then new ones after each wake-up', async () => {
    const { made, wake } = sources();
    const facts = [1, 2, 3];
    const items = await reader(createFeedSignal(made), facts).items;
    for (const expected of [1, 2, 3]) expect(await items.next()).toEqual({ done: false, value: expected });
    const next = items.next();
    facts.push(4);
    wake(['mine']);
    expect(await next).toEqual({ done: false, value: 4 });
    await items.return!();
  });

  it('remembers a wake-up that comes while the subscriber is busy', async () => {
    const { made, wake } = sources();
    const facts = [1];
    const items = await reader(createFeedSignal(made), facts).items;
    await items.next();
    facts.push(2);
    wake(['mine']);
    expect(await items.next()).toEqual({ done: false, value: 2 });
    await items.return!();
  });

  it('receives wake-ups from before its first item on', async () => {
    const { made, listeners } = sources();
    const items = await reader(createFeedSignal(made), [1]).items;
    expect(listeners.size).toBe(1);
    await items.return!();
  });

  it('reads no further than its subscriber asks', async () => {
    const { made, wake } = sources();
    const { items, reads } = reader(
      createFeedSignal(made),
      Array.from({ length: 1_000 }, (_, i) => i),
    );
    const iterator = await items;
    await iterator.next();
    for (let i = 0; i < 100; i += 1) wake('all');
    await new Promise(setImmediate);
    expect(reads()).toBe(1);
    await iterator.return!();
  });

  it('ends at once when its subscriber leaves while it waits, and frees everything', async () => {
    const { made, open, listeners } = sources();
    const items = await reader(createFeedSignal(made), []).items;
    const waiting = items.next();
    await new Promise(setImmediate);
    expect([open.count, listeners.size]).toEqual([1, 1]);
    expect(await items.return!()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect([open.count, listeners.size]).toEqual([0, 0]);
  });

  it('frees everything when its subscriber never asks', async () => {
    const { made, open, listeners } = sources();
    await (await reader(createFeedSignal(made), [1]).items).return!();
    expect([open.count, listeners.size]).toEqual([0, 0]);
  });

  it('frees everything when it is refused, or when a read fails', async () => {
    const { made, open, listeners } = sources();
    await expect(
      createIterator(
        createFeedSignal(made),
        async () => {
          throw new Error('no such session');
        },
        async function* () {
          yield 1;
        },
      ),
    ).rejects.toThrow('no such session');
    const broken = await createIterator(
      createFeedSignal(made),
      async () => undefined,
      async function* () {
        yield 1;
        throw new Error('database gone');
      },
    );
    await broken.next();
    await expect(broken.next()).rejects.toThrow('database gone');
    expect([open.count, listeners.size]).toEqual([0, 0]);
  });

  it('polls after the interval, so that a lost wake-up costs only time', async () => {
    const { made } = sources(5);
    const facts: number[] = [];
    const items = await reader(createFeedSignal(made), facts).items;
    const next = items.next();
    facts.push(1);
    expect(await next).toEqual({ done: false, value: 1 });
    await items.return!();
  });
});

describe('the signals of single sessions', () => {
  /** A session store that knows the newest number of each session, and counts its statements. */
  function rounds(lastEventSeq: Record<string, number>, pollMs = NEVER_MS) {
    const source = wakeSource();
    const open = new OpenSubscriptions();
    const asked: { organizationId: string; ids: readonly string[] }[] = [];
    const sessions = {
      getMany: async (organizationId: string, ids: readonly string[]) => {
        asked.push({ organizationId, ids });
        return ids.map(id => (id in lastEventSeq ? { lastEventSeq: lastEventSeq[id] } : null));
      },
    };
    const made = new SessionPoller({ sessions } as never, source, pollMs, open);
    const signalFor = (sessionId: string, reading: ReadPosition, organizationId = 'org-1') =>
      made.createSignal({ organizationId }, sessionId, reading);
    return { ...source, open, asked, bell: signalFor };
  }
  const hasRung = async (signal: WakeSignal): Promise<boolean> => {
    let rang = false;
    void signal.wait().then(() => {
      rang = true;
    });
    await new Promise(setImmediate);
    return rang;
  };

  it('fire for wake-ups of their own session only', async () => {
    const { bell: signalFor, wake, asked } = rounds({});
    const [a, b] = [signalFor('a', { seq: 1 }), signalFor('b', { seq: 1 })];
    wake(['a', 'c']);
    expect([await hasRung(a), await hasRung(b)]).toEqual([true, false]);
    expect(asked).toEqual([]);
  });

  it('fire after lost wake-ups where there is more to read, with one statement per organization', async () => {
    const { bell: signalFor, wake, asked } = rounds({ a: 5, b: 5, c: 9 });
    const signals = [
      signalFor('a', { seq: 5 }),
      signalFor('b', { seq: 4 }),
      signalFor('c', { seq: 9 }, 'org-2'),
      signalFor('gone', { seq: 1 }),
    ];
    wake('all');
    await new Promise(setImmediate);
    expect(asked).toEqual([
      { organizationId: 'org-1', ids: ['a', 'b', 'gone'] },
      { organizationId: 'org-2', ids: ['c'] },
    ]);
    expect(await Promise.all(signals.map(hasRung))).toEqual([false, true, false, true]);
  });

  it('poll by themselves after the interval', async () => {
    const { bell: signalFor } = rounds({ a: 2 }, 5);
    await signalFor('a', { seq: 1 }).wait();
  });

  it('survive a poll that fails', async () => {
    const lastEventSeq: Record<string, number> = {};
    const { bell: signalFor, wake, asked } = rounds(lastEventSeq);
    Object.defineProperty(lastEventSeq, 'a', {
      configurable: true,
      get: () => {
        throw new Error('database gone');
      },
    });
    const one = signalFor('a', { seq: 1 });
    wake('all');
    await new Promise(setImmediate);
    Object.defineProperty(lastEventSeq, 'a', { value: 2 });
    wake('all');
    await new Promise(setImmediate);
    expect(asked).toHaveLength(2);
    expect(await hasRung(one)).toBe(true);
  });

  it('start exactly one more poll for a warning that comes during one', async () => {
    const { bell: signalFor, wake, asked } = rounds({ a: 1 });
    signalFor('a', { seq: 1 });
    for (let i = 0; i < 10; i += 1) wake('all');
    await new Promise(setImmediate);
    expect(asked).toHaveLength(2);
  });

  it('listen only while a signal is registered', () => {
    const { bell: signalFor, listeners, open } = rounds({});
    const [a, again, b] = [signalFor('a', { seq: 1 }), signalFor('a', { seq: 1 }), signalFor('b', { seq: 1 })];
    expect([listeners.size, open.count]).toEqual([1, 3]);
    for (const one of [a, again, b, b]) one.close();
    expect([listeners.size, open.count]).toEqual([0, 0]);
  });
});
