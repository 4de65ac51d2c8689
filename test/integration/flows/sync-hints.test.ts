import { nextSyncCause, syncConversation } from '../../../src/core/flows/from-provider/sync-conversation';
import { recordHint } from '../../../src/core/flows/from-provider/record-hint';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';

let world: FlowWorld;
let sessionId: string;
let accountId: string;
let conversationId: string;

beforeAll(async () => {
  world = await createFlowWorld({ lines: { queued: null, ended: null } });
  // With scans, the state counts as known for a minute.
  Object.assign(world.provider, { listChangedConversations: async () => ({ conversationIds: [], hasMore: false }) });
  accountId = (await world.pool.query<{ id: string }>('select id from support_account')).rows[0]!.id;
  ({ id: sessionId } = await world.open());
  await world.user(sessionId, 'help');
  await world.ask(sessionId);
  await world.deliverAll();
  world.provider.set({ agent: 'alice' });
  conversationId = (await world.session(sessionId)).conversationId!;
});
afterAll(() => world.close());
beforeEach(async () => {
  while ((await sync()) !== null) {
    /* until nothing requests one */
  }
  await world.read(sessionId);
  await world.read(sessionId);
});

const stateReads = () => world.provider.calls.filter(verb => verb === 'readConversation').length;
/** Syncs as the worker does. Returns whether the state was read; null: no sync was due. */
async function sync(): Promise<boolean | null> {
  const before = stateReads();
  for (const cause of ['HINT', 'TIMER'] as const) {
    const [claim] = await world.stores.lanes.claimSyncs(cause, 1, 60_000);
    if (claim === undefined) continue;
    try {
      const nextMs = await syncConversation(world.deps, ORG, sessionId, cause);
      await world.stores.lanes.finishSync(claim, nextMs, false, nextSyncCause(nextMs) ?? undefined);
    } catch {
      await world.stores.lanes.finishSync(claim, 0, true);
    }
    return stateReads() > before;
  }
  return null;
}
const dueNow = () => world.pool.query("update lane set next_run_at = now() where destination = 'SYNC'");

type Hint = 'WORDS' | 'STATE' | 'SCAN';
const HINTS: readonly Hint[] = ['WORDS', 'STATE', 'SCAN'];
const hint = async (kind: Hint): Promise<unknown> =>
  kind === 'SCAN'
    ? world.stores.scans.requestTimerSyncs(accountId, [conversationId], 0)
    : recordHint(world.deps, accountId, { conversationId, ...(kind === 'WORDS' && { about: 'MESSAGES' as const }) });
const hintAll = async (kinds: readonly Hint[]): Promise<void> => {
  for (const kind of kinds) await hint(kind);
};

const orders = (count: number): readonly (readonly Hint[])[] =>
  count === 0 ? [[]] : orders(count - 1).flatMap(order => HINTS.map(kind => [...order, kind]));
/** Every order of this many hints, and every place of a sync's start and end among them. */
const around = (count: number) =>
  orders(count).flatMap(order =>
    Array.from({ length: count + 1 }, (_, begin) => begin).flatMap(begin =>
      Array.from({ length: count + 1 - begin }, (_, n) => begin + n).map(end => ({
        before: order.slice(0, begin),
        during: order.slice(begin, end),
        after: order.slice(end),
      })),
    ),
  );

describe.each([2, 3])('%i hints around a sync', count => {
  it.each(
    around(count).map(
      places =>
        [
          Object.entries(places)
            .map(([place, kinds]) => `${place}: ${kinds.join(', ') || 'none'}`)
            .join('; '),
          places,
        ] as const,
    ),
  )('%s', async (_name, { before, during, after }) => {
    await hintAll(before);
    if (before.length === 0) await dueNow();
    world.provider.hooks.set('listMessages', () => hintAll(during));
    expect(await sync()).toBe(before.length === 0 || before.some(kind => kind !== 'WORDS'));
    await hintAll(after);
    // Everything that arrived after the first sync started is read; the state only if a hint was about it.
    const later = [...during, ...after];
    expect(await sync()).toBe(later.length === 0 ? null : later.some(kind => kind !== 'WORDS'));
    expect(await sync()).toBeNull();
  });
});

describe('a state hint is not narrowed by a later message hint', () => {
  it('while the requested sync fails', async () => {
    await hint('STATE');
    world.provider.failNext('listMessages', 'before');
    await sync();
    await hint('WORDS');
    expect(await sync()).toBe(true);
  });

  it('while the view is ignored because of our own write meanwhile', async () => {
    await hint('STATE');
    world.provider.hooks.set('listMessages', async () => {
      await world.pool.query('update session set status_writes = status_writes + 2');
    });
    expect(await sync()).toBe(true);
    await hint('WORDS');
    expect(await sync()).toBe(true);
    expect((await world.session(sessionId)).syncHint).toBeNull();
  });

  it('while a scan fails, and all live handoffs are to be synced', async () => {
    await world.stores.lanes.requestTimerSyncsOfLive(accountId, 0);
    await hint('WORDS');
    expect(await sync()).toBe(true);
  });

  it('when the scan asks, and the earlier request still stands', async () => {
    const read: (readonly string[])[] = [];
    Object.assign(world.provider, {
      readMessages: async (_conversation: unknown, ids: readonly string[]) => {
        read.push(ids);
        return [];
      },
    });
    await recordHint(world.deps, accountId, { conversationId, about: 'MESSAGES', changedMessageId: '4711' });
    await world.stores.scans.requestSyncs(accountId, [conversationId]);
    await hint('WORDS');
    expect(await sync()).toBe(true);
    expect(read.flat()).toContain('4711');
    Object.assign(world.provider, { readMessages: undefined });
  });
});

it('a message that changes again while it is synced is synced once more', async () => {
  const read: (readonly string[])[] = [];
  const changed = () =>
    recordHint(world.deps, accountId, { conversationId, about: 'MESSAGES', changedMessageId: '4711' });
  Object.assign(world.provider, {
    readMessages: async (_conversation: unknown, ids: readonly string[]) => {
      if (read.push(ids) === 1) await changed();
      return [];
    },
  });
  await changed();
  await sync();
  await sync();
  await sync();
  expect(read).toEqual([['4711'], ['4711']]);
  Object.assign(world.provider, { readMessages: undefined });
});

it('a takeover counts at once when its hint comes during a sync and is followed by a message hint', async () => {
  const { id } = await world.open();
  await world.user(id, 'hello');
  await world.deliverAll();
  const { conversationId: own } = await world.session(id);
  await recordHint(world.deps, accountId, { conversationId: own! });
  const syncOwn = async () => {
    const [claim] = await world.stores.lanes.claimSyncs('HINT', 1, 60_000);
    await world.stores.lanes.finishSync(claim!, await syncConversation(world.deps, ORG, id, 'HINT'), false);
  };
  world.provider.set({ status: 'BOT_HELD', agent: null });
  world.provider.hooks.set('listMessages', async () => {
    world.provider.set({ agent: 'alice' });
    await recordHint(world.deps, accountId, { conversationId: own! });
  });
  await syncOwn();
  await recordHint(world.deps, accountId, { conversationId: own!, about: 'MESSAGES' });
  await syncOwn();
  expect((await world.session(id)).control).toBe('HUMAN');
  await world.flows.endHandoff(scope, {
    sessionId: id,
    handoffId: null,
    reason: 'OPERATOR_ENDED',
    idempotencyKey: world.nextKey(),
  });
});

describe('a hint that arrives while a handoff is being opened', () => {
  const opening = async (
    shows: { status: 'RESOLVED' | 'ON_HOLD' | 'OPEN' | 'BOT_HELD' },
    how: () => void = () => undefined,
  ) => {
    const { id } = await world.open();
    await world.user(id, 'help');
    await world.deliverAll();
    while ((await world.stores.lanes.claimSyncs('HINT', 1, 60_000)).length > 0) {
      /* of the sessions before */
    }
    const { handoff } = await world.ask(id);
    const { conversationId: opened } = await world.session(id);
    world.provider.hooks.set('openForAgents', async () => {
      how();
      await recordHint(world.deps, accountId, {
        conversationId: opened!,
        stateHint: { teamId: null, agentId: null, ...shows },
      });
    });
    expect(await world.deliverAll()).toEqual([]);
    const due = await world.stores.lanes.claimSyncs('HINT', 1, 60_000);
    return { id, handoffId: handoff.id, due: due.map(({ sessionId: ofDue }) => ofDue) };
  };

  it('is synced as soon as the opening is recorded: an agent resolves it at once', async () => {
    const { id, handoffId, due } = await opening({ status: 'RESOLVED' }, () =>
      world.provider.set({ status: 'RESOLVED' }),
    );
    expect(due).toEqual([id]);
    await syncConversation(world.deps, ORG, id, 'HINT');
    expect(await world.handoff(handoffId)).toMatchObject({ endReason: 'AGENT_RESOLVED' });
  });

  it('is synced as soon as the opening is recorded: an agent snoozes it at once', async () => {
    const { id, handoffId, due } = await opening({ status: 'ON_HOLD' }, () =>
      world.provider.set({ status: 'ON_HOLD' }),
    );
    expect(due).toEqual([id]);
    await syncConversation(world.deps, ORG, id, 'HINT');
    expect(await world.handoff(handoffId)).toMatchObject({ state: 'ON_HOLD' });
  });

  it.each(['OPEN', 'BOT_HELD'] as const)('costs no sync if the opening itself shows it: %s', async status => {
    expect((await opening({ status })).due).toEqual([]);
  });
});
