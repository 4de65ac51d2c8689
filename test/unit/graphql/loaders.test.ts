import type { Stores } from '../../../src/core/ports/stores';
import { ConcurrencyLimiter } from '../../../src/graphql/operation/concurrency-limiter';
import { createLoaders, loadAll } from '../../../src/graphql/operation/loaders';

/** Sessions by id; each call waits until the test releases it. */
function heldSessions() {
  const calls: { readonly ids: readonly string[]; finish(): void; fail(error: Error): void }[] = [];
  const getMany = (_organization: string, ids: readonly string[]) =>
    new Promise((resolve, reject) => {
      calls.push({ ids, finish: () => resolve(ids.map(id => ({ id }))), fail: reject });
    });
  return { calls, loaders: createLoaders({ sessions: { getMany } } as unknown as Stores, 'org-1') };
}
const settled = () =>
  new Promise<void>(resolve => {
    setImmediate(resolve);
  });
const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `id-${i}`);

describe('the loaders of an operation', () => {
  it('collect all keys of one tick, and request no key twice', async () => {
    const { calls, loaders } = heldSessions();
    const both = Promise.all([loaders.session.load('a'), loaders.session.load('b'), loaders.session.load('a')]);
    await settled();
    expect(calls.map(call => call.ids)).toEqual([['a', 'b']]);
    calls[0]!.finish();
    expect(await both).toEqual([{ id: 'a' }, { id: 'b' }, { id: 'a' }]);
    expect(await loaders.session.load('b')).toEqual({ id: 'b' });
    expect(calls).toHaveLength(1);
  });

  it('put at most 500 keys into one statement, and run at most two statements at a time', async () => {
    const { calls, loaders } = heldSessions();
    const all = loadAll(loaders.session, ids(1_700));
    const alone = loaders.readOnce(['field'], async () => 'read alone');
    await settled();
    expect(calls.map(call => call.ids.length)).toEqual([500, 500]);
    calls[0]!.finish();
    await settled();
    expect(calls.map(call => call.ids.length)).toEqual([500, 500, 500]);
    for (let i = 1; i < 4; i += 1) {
      calls[i]!.finish();
      await settled();
    }
    expect(calls.map(call => call.ids.length)).toEqual([500, 500, 500, 200]);
    expect(await all).toHaveLength(1_700);
    expect(await alone).toBe('read alone');
  });

  it('pass the error of a statement to each of its keys only', async () => {
    const { calls, loaders } = heldSessions();
    const first = loaders.session.load('a');
    await settled();
    calls[0]!.fail(new Error('database gone'));
    await expect(first).rejects.toThrow('database gone');
    const second = loaders.session.load('b');
    await settled();
    calls[1]!.finish();
    expect(await second).toEqual({ id: 'b' });
  });
});

describe('a concurrency limit', () => {
  it('starts waiting jobs in their order of arrival, also after one that fails', async () => {
    const limit = new ConcurrencyLimiter(1);
    const started: string[] = [];
    const run = (name: string, fails = false) =>
      limit.run(async () => {
        started.push(name);
        await settled();
        if (fails) throw new Error(name);
        return name;
      });
    const all = Promise.allSettled([run('a', true), run('b'), run('c')]);
    await settled();
    expect(started[0]).toBe('a');
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(started).toEqual(['a', 'b', 'c']);
  });
});

describe('the loaders of an execution', () => {
  const paced = (pace: { isStopped: boolean; whenIdle(dispatch: () => void): void }) => {
    const calls: (readonly string[])[] = [];
    const getMany = async (_organization: string, ids: readonly string[]) => {
      calls.push(ids);
      return ids.map(() => null);
    };
    return { calls, loaders: createLoaders({ sessions: { getMany } } as unknown as Stores, 'org-1', pace) };
  };

  it('start their statement once the whole level has asked', async () => {
    let dispatch: (() => void) | undefined;
    const { calls, loaders } = paced({
      isStopped: false,
      whenIdle: work => {
        dispatch = work;
      },
    });
    const first = loaders.session.load('a');
    for (let i = 0; i < 3; i += 1) await new Promise(setImmediate);
    const second = loaders.session.load('b');
    expect(calls).toEqual([]);
    dispatch!();
    await Promise.all([first, second]);
    expect(calls).toEqual([['a', 'b']]);
  });

  it('start no statement once the execution is stopped', async () => {
    const pace = { isStopped: false, whenIdle: (work: () => void) => setImmediate(work) };
    const { calls, loaders } = paced(pace);
    void loaders.session.load('a');
    void loaders.readOnce(['handoffs'], async () => calls.push(['alone']));
    pace.isStopped = true;
    void loaders.readOnce(['more'], async () => calls.push(['more']));
    for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
    expect(calls).toEqual([['alone']]);
  });
});
