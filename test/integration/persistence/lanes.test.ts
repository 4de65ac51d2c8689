import { randomUUID } from 'node:crypto';
import type { ClaimedLane } from '../../../src/core/ports/lane-store';
import type { Stores } from '../../../src/core/ports/stores';
import { Heartbeats } from '../../../src/delivery/heartbeats';
import type { ClaimLease } from '../../../src/delivery/claim-lease';
import { begin, createStoreWorld, gate, ORG, said, type StoreWorld } from './store-world';
import { until } from '../../support/until';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());
// Claims run over all Sessions: each test begins with empty lanes.
beforeEach(() => world.sql('truncate lane, delivery, handoff, message, event, agent_initiated_conversation, session'));

const LEASE = 60_000;
const lanes = (): Stores['lanes'] => world.stores.lanes;

async function owe(sessionId: string, ...texts: string[]): Promise<string[]> {
  const { result } = await world.stores.sessions.transact(ORG, sessionId, async tx => {
    const ids: string[] = [];
    for (const text of texts) {
      const { id } = await tx.insertMessage(said({ text }));
      await tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: id });
      ids.push(id);
    }
    return ids;
  });
  return result;
}

const messageOf = ({ delivery: { work } }: ClaimedLane): string =>
  work.kind === 'POST_MESSAGE' ? work.messageId : work.kind;
const claimOne = async (stores: Stores = world.stores): Promise<ClaimedLane | undefined> =>
  (await stores.lanes.claimDeliveries('PROVIDER', 1, LEASE))[0];
const endLeases = () =>
  world.sql("update lane set next_run_at = now() - interval '1 ms' where next_run_at is not null");

describe('the lane of deliveries to the provider', () => {
  it('gives out one delivery at a time, in the order in which they were owed', async () => {
    const { id } = await world.open();
    const ids = [...(await owe(id, 'one', 'two')), ...(await owe(id, 'three'))];
    const seen: string[] = [];
    for (let lane = await claimOne(); lane; lane = await claimOne()) {
      expect(await claimOne()).toBeUndefined();
      seen.push(messageOf(lane));
      expect(await lanes().complete(lane)).toBe(true);
    }
    expect(seen).toEqual(ids);
    expect(await world.sql('select state, attempts from delivery')).toEqual(
      [1, 2, 3].map(() => ({ state: 'DONE', attempts: 1 })),
    );
  });

  it('carries what a worker needs', async () => {
    const { id } = await world.open();
    const [messageId] = await owe(id, 'one');
    expect(await claimOne()).toEqual({
      destination: 'PROVIDER',
      organizationId: ORG,
      sessionId: id,
      remoteId: world.account.id,
      fence: expect.any(String),
      abandonedMs: null,
      delivery: {
        id: expect.any(String),
        organizationId: ORG,
        sessionId: id,
        work: { kind: 'POST_MESSAGE', messageId },
        previousAttempts: 0,
        lastErrorCode: null,
        fence: expect.any(String),
        failingSince: null,
        createdAt: '2026-11-22T20:52:20.557Z',
        conversationId: null,
        lookupAfter: null,
      },
    });
  });

  it('lets nothing pass a head that is to be tried again', async () => {
    const { id } = await world.open();
    const [one, two] = await owe(id, 'one', 'two');
    const first = (await claimOne())!;
    expect(await lanes().retry(first, 60_000, 'PROVIDER_UNAVAILABLE')).toBe(true);
    await owe(id, 'three');
    expect(await claimOne()).toBeUndefined();
    expect(await world.stores.deliveries.countPending(ORG, id)).toEqual({
      provider: 3,
      runtime: 0,
      parked: 0,
      parkedUnknown: 0,
      lastErrorCode: 'PROVIDER_UNAVAILABLE',
    });
    await endLeases();
    const again = (await claimOne())!;
    expect([messageOf(again), again.delivery.previousAttempts]).toEqual([one, 1]);
    await lanes().complete(again);
    expect(messageOf((await claimOne())!)).toBe(two);
  });

  it('goes on behind a dead letter, which is kept', async () => {
    const { id } = await world.open();
    const [one, two] = await owe(id, 'one', 'two');
    expect(await lanes().park((await claimOne())!, 'PROVIDER_REFUSED')).toBe('NOT_DELIVERED');
    const next = (await claimOne())!;
    expect(messageOf(next)).toBe(two);
    await lanes().complete(next);
    expect(await claimOne()).toBeUndefined();
    // The runtime is told of it.
    expect(await world.stores.deliveries.countPending(ORG, id)).toEqual({
      provider: 0,
      runtime: 1,
      parked: 1,
      parkedUnknown: 0,
      lastErrorCode: 'PROVIDER_REFUSED',
    });
    expect(
      (
        await world.stores.deliveries.listRuntimeInbox(
          ORG,
          { chatbotId: null, sessionId: id },
          { first: 10, after: null },
        )
      ).edges.map(({ node }) => node.notice),
    ).toEqual([{ kind: 'MESSAGE_UNDELIVERED', messageId: one, code: 'PROVIDER_REFUSED', outcome: 'NOT_DELIVERED' }]);
    expect(await world.sql("select parked_at from delivery where state = 'PARKED'")).toEqual([
      { parked_at: '2026-11-22T20:52:20.557Z' },
    ]);
  });

  it('is never held by two, however many replicas claim, and keeps its order', async () => {
    const sessionIds = (await Promise.all(Array.from({ length: 12 }, () => world.open()))).map(({ id }) => id);
    const expected = new Map(
      await Promise.all(
        sessionIds.map(async (id): Promise<[string, string[]]> => [id, await owe(id, 'one', 'two', 'three', 'four')]),
      ),
    );
    const held = new Set<string>();
    const done = new Map<string, string[]>(sessionIds.map(id => [id, []]));
    const left = () => [...done.values()].reduce((sum, ids) => sum - ids.length, 12 * 4);
    const worker = async (stores: Stores): Promise<void> => {
      while (left() > 0)
        for (const lane of await stores.lanes.claimDeliveries('PROVIDER', 3, LEASE)) {
          if (held.has(lane.sessionId)) throw new Error('two hold one lane');
          held.add(lane.sessionId);
          // Some fail at first.
          const fails = lane.delivery.previousAttempts === 0 && Number(lane.delivery.id) % 5 === 0;
          await stores.messages.get(ORG, messageOf(lane));
          if (!fails) done.get(lane.sessionId)!.push(messageOf(lane));
          held.delete(lane.sessionId);
          expect(
            await (fails ? stores.lanes.retry(lane, 0, 'PROVIDER_UNAVAILABLE') : stores.lanes.complete(lane)),
          ).toBe(true);
        }
    };
    await Promise.all([world.stores, world.replica(), world.replica(), world.replica()].map(worker));
    expect(done).toEqual(expected);
  });

  it('goes to one of many that ask for it at the same moment', async () => {
    const replicas = [world.stores, world.replica(), world.replica(), world.replica()];
    for (let round = 0; round < 15; round++) {
      const { id } = await world.open();
      await owe(id, 'one');
      const claims = await Promise.all(
        Array.from({ length: 12 }, (_, i) => replicas[i % 4]!.lanes.claimDeliveries('PROVIDER', 1, LEASE)),
      );
      expect(claims.flat().map(({ sessionId }) => sessionId)).toEqual([id]);
    }
  });

  it('is passed over while its Session is in the middle of a transaction, and holds up no other', async () => {
    const [busy, other] = [await world.open(), await world.open()];
    await owe(busy.id, 'one');
    const hasOwed = gate();
    const mayCommit = gate();
    const owing = world.stores.sessions.transact(ORG, busy.id, async tx => {
      await tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', handoffId: null, how: 'RETURN_TO_BOT' });
      await tx.findMessageByCallerId('all is sent');
      hasOwed.open();
      await mayCommit.opened;
    });
    await hasOwed.opened;
    await owe(other.id, 'one');
    expect((await lanes().claimDeliveries('PROVIDER', 10, LEASE)).map(({ sessionId }) => sessionId)).toEqual([
      other.id,
    ]);
    mayCommit.open();
    await owing;
    expect((await lanes().claimDeliveries('PROVIDER', 10, LEASE)).map(({ sessionId }) => sessionId)).toEqual([busy.id]);
  });

  it('loses nothing that is owed while the head is being completed', async () => {
    const { id } = await world.open();
    const expected: string[] = [];
    const seen: string[] = [];
    const owing = (async () => {
      for (let i = 0; i < 40; i++) expected.push(...(await owe(id, `${i}`)));
    })();
    await until(async () => {
      const lane = await claimOne();
      if (lane) {
        seen.push(messageOf(lane));
        await lanes().complete(lane);
      }
      return seen.length === 40;
    });
    await owing;
    expect(seen).toEqual(expected);
  });

  it('is not forgotten when one is owed in a transaction that the completion had to wait for', async () => {
    const { id } = await world.open();
    await owe(id, 'one');
    const lane = (await claimOne())!;
    const hasOwed = gate();
    const mayCommit = gate();
    const owing = world.stores.sessions.transact(ORG, id, async tx => {
      const message = await tx.insertMessage(said({ text: 'two' }));
      await tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: message.id });
      await tx.findMessage(message.id);
      hasOwed.open();
      await mayCommit.opened;
      return message.id;
    });
    await hasOwed.opened;
    const completing = lanes().complete(lane);
    await until(
      async () =>
        (
          await world.sql(
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
          )
        ).length > 0,
    );
    mayCommit.open();
    expect(await completing).toBe(true);
    expect(messageOf((await claimOne())!)).toBe((await owing).result);
  });

  it('comes back when its holder dies, and the old holder can do nothing more', async () => {
    const { id } = await world.open();
    const [one] = await owe(id, 'one', 'two');
    const slow = (await claimOne())!;
    await endLeases();
    const other = (await claimOne(world.replica()))!;
    expect([messageOf(other), other.delivery.previousAttempts]).toEqual([one, 1]);
    for (const late of [lanes().renew(slow, LEASE), lanes().complete(slow), lanes().retry(slow, 0, 'X')])
      expect(await late).toBe(false);
    expect(await lanes().park(slow, 'X')).toBeNull();
    expect(await world.sql('select state, last_error_code from delivery order by id')).toEqual([
      { state: 'WAITING', last_error_code: null },
      { state: 'WAITING', last_error_code: null },
    ]);
    expect(await lanes().complete(other)).toBe(true);
    expect(await lanes().complete(other)).toBe(false);
  });

  it('stays with a holder that renews its lease', async () => {
    const { id } = await world.open();
    await owe(id, 'one');
    const [lane] = await lanes().claimDeliveries('PROVIDER', 1, 1);
    expect(await lanes().renew(lane!, LEASE)).toBe(true);
    await until(
      async () => (await world.sql("select from lane where next_run_at > now() + interval '30 s'")).length === 1,
    );
    expect(await claimOne()).toBeUndefined();
    expect(await lanes().complete(lane!)).toBe(true);
  });

  it('claims as many lanes as asked for, the longest due first', async () => {
    const sessionIds: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { id } = await world.open();
      await owe(id, 'one');
      await world.sql(
        "update lane set next_run_at = now() - interval '1 h' + $2 * interval '1 min' where session_id = $1",
        [id, i],
      );
      sessionIds.push(id);
    }
    expect((await lanes().claimDeliveries('PROVIDER', 2, LEASE)).map(({ sessionId }) => sessionId).sort()).toEqual(
      sessionIds.slice(0, 2).sort(),
    );
    expect(await lanes().claimDeliveries('PROVIDER', 10, LEASE)).toHaveLength(3);
    expect(await lanes().claimDeliveries('PROVIDER', 10, LEASE)).toEqual([]);
  });

  it('leaves every far side its share, however much waits behind another', async () => {
    const crowd = randomUUID();
    for (let i = 0; i < 5; i++) await owe((await world.open()).id, 'one');
    await world.sql("update lane set remote_id = $1, next_run_at = now() - interval '1 h'", [crowd]);
    const { id: lonely } = await world.open();
    await owe(lonely, 'one');
    const farSides = (claimed: readonly ClaimedLane[]) =>
      claimed.map(({ remoteId }) => (remoteId === crowd ? 'crowd' : 'lonely')).sort();
    expect(
      farSides(await lanes().claimDeliveries('PROVIDER', 3, LEASE, { perRemote: 2, exceptions: new Map() })),
    ).toEqual(['crowd', 'crowd', 'lonely']);
    await endLeases();
    expect(
      farSides(
        await lanes().claimDeliveries('PROVIDER', 9, LEASE, { perRemote: 9, exceptions: new Map([[crowd, 0]]) }),
      ),
    ).toEqual(['lonely']);
    await endLeases();
    expect(
      farSides(
        await lanes().claimDeliveries('PROVIDER', 9, LEASE, { perRemote: 9, exceptions: new Map([[crowd, 1]]) }),
      ),
    ).toEqual(['crowd', 'lonely']);
  });

  it('rests when nothing waits in it after all', async () => {
    const { id } = await world.open();
    await owe(id, 'one');
    await world.sql("update delivery set state = 'DONE'");
    expect(await claimOne()).toBeUndefined();
    expect(await world.sql('select next_run_at from lane')).toEqual([{ next_run_at: null }]);
    const [two] = await owe(id, 'two');
    expect(messageOf((await claimOne())!)).toBe(two);
  });
});

describe('readings of the provider', () => {
  const want = (id: string, at = '2026-11-22T20:52:20.557Z') =>
    world.stores.sessions.transact(ORG, id, tx => tx.requestSync(at));
  const claim = async () => (await lanes().claimSyncs('HINT', 10, LEASE)).map(reading => reading);

  it('are claimed once somebody wants one, and rest when none is to follow', async () => {
    const { id } = await world.open();
    expect(await claim()).toEqual([]);
    await want(id);
    await want(id);
    const [reading, ...others] = await claim();
    expect(others).toEqual([]);
    expect(reading).toEqual({
      organizationId: ORG,
      sessionId: id,
      remoteId: world.account.id,
      fence: expect.any(String),
      failures: 0,
    });
    expect(await lanes().finishSync(reading!, null, false)).toBe(true);
    expect(await lanes().finishSync(reading!, null, false)).toBe(false);
    expect(await claim()).toEqual([]);
  });

  it('come no later than the earliest wish', async () => {
    const { id } = await world.open();
    await want(id, '2026-11-22T21:52:20.557Z');
    expect(await claim()).toEqual([]);
    await want(id);
    await want(id, '2026-11-22T22:52:20.557Z');
    expect(await claim()).toHaveLength(1);
  });

  it('are not begun twice at once by a wish, and the wish is not swallowed', async () => {
    const { id } = await world.open();
    await want(id);
    const [reading] = await claim();
    await want(id);
    expect(await claim()).toEqual([]);
    expect(await lanes().finishSync(reading!, null, false)).toBe(true);
    const [again] = await claim();
    expect(again).toMatchObject({ sessionId: id });
    await lanes().finishSync(again!, null, false);
    expect(await claim()).toEqual([]);
  });

  it('follow at the earlier of the next regular one and the wish', async () => {
    const { id } = await world.open();
    await want(id);
    const [reading] = await claim();
    await want(id);
    await lanes().finishSync(reading!, 3_600_000, false);
    const [second] = await claim();
    expect(second).toBeDefined();
    await lanes().finishSync(second!, 3_600_000, false);
    expect(await claim()).toEqual([]);
    expect(
      await world.sql(
        "select from lane where next_run_at between now() + interval '59 min' and now() + interval '61 min'",
      ),
    ).toHaveLength(1);
  });

  it('count failures in a row', async () => {
    const { id } = await world.open();
    await want(id);
    const failures: number[] = [];
    for (const failed of [true, true, false, true]) {
      const [reading] = await claim();
      failures.push(reading!.failures);
      await lanes().finishSync(reading!, 0, failed);
    }
    expect(failures).toEqual([0, 1, 2, 0]);
  });

  it('are taken over when the reader dies', async () => {
    const { id } = await world.open();
    await want(id);
    const [slow] = await claim();
    await endLeases();
    const [other] = await claim();
    expect(other).toMatchObject({ sessionId: id });
    expect(await lanes().finishSync(slow!, null, false)).toBe(false);
    expect(await lanes().finishSync(other!, null, false)).toBe(true);
  });

  it('that timers ask for never stand before those of hints', async () => {
    const [timed, hinted, both] = [await world.open(), await world.open(), await world.open()];
    for (const { id } of [timed, both])
      await world.stores.sessions.transact(ORG, id, tx => tx.requestSync('2026-11-22T19:52:20.557Z', 'TIMER'));
    for (const { id } of [hinted, both]) await want(id);
    const [first, second, ...others] = await claim();
    expect(others).toEqual([]);
    expect([first, second].map(one => one!.sessionId).sort()).toEqual([hinted.id, both.id].sort());
    expect((await lanes().claimSyncs('TIMER', 10, LEASE)).map(({ sessionId }) => sessionId)).toEqual([timed.id]);
    // What comes after a sync is a timer's, unless a hint came meanwhile.
    await want(hinted.id);
    for (const one of [first!, second!]) await lanes().finishSync(one, 0, false, 'TIMER');
    expect((await claim()).map(({ sessionId }) => sessionId)).toEqual([hinted.id]);
    expect((await lanes().claimSyncs('TIMER', 10, LEASE)).map(({ sessionId }) => sessionId)).toEqual([both.id]);
  });

  it('are wanted of every live handoff of an account that cannot be scanned', async () => {
    const live = await world.open();
    const over = await world.open();
    await world.open();
    await world.stores.sessions.transact(ORG, live.id, tx => begin(tx, { state: 'ACTIVE' }));
    await world.stores.sessions.transact(ORG, over.id, async tx => {
      const { id } = await begin(tx);
      await tx.updateHandoff(id, { state: 'ENDED' });
      await tx.updateSession({ liveHandoffId: null });
    });
    expect(await lanes().requestTimerSyncsOfLive(world.account.id, 0)).toBe(1);
    expect(await lanes().requestTimerSyncsOfLive(world.account.id, 0)).toBe(1);
    expect((await lanes().claimSyncs('TIMER', 10, LEASE)).map(({ sessionId }) => sessionId)).toEqual([live.id]);
  });

  it('are wanted of a live handoff whose Session is just being changed, and those of the others do not wait for it', async () => {
    const [busy, idle] = [await world.open(), await world.open()];
    for (const { id } of [busy, idle])
      await world.stores.sessions.transact(ORG, id, tx => begin(tx, { state: 'ACTIVE' }));
    await world.stores.sessions.transact(ORG, busy.id, async () => {
      expect(await lanes().requestTimerSyncsOfLive(world.account.id, 0)).toBe(2);
    });
    const hints = await world.stores.sessions.getMany(ORG, [busy.id, idle.id]);
    expect(hints.map(session => session!.syncHint)).toEqual([null, 'CHECK']);
    expect((await lanes().claimSyncs('TIMER', 10, LEASE)).map(({ sessionId }) => sessionId).sort()).toEqual(
      [busy.id, idle.id].sort(),
    );
  });

  it('do not touch deliveries of the same Session', async () => {
    const { id } = await world.open();
    await owe(id, 'one');
    await want(id);
    const lane = (await claimOne())!;
    const [reading] = await claim();
    expect(await lanes().finishSync(reading!, null, false)).toBe(true);
    expect(await lanes().complete(lane)).toBe(true);
  });

  it('are renewed apart from deliveries of the same Session, also with the same fence', async () => {
    const { id } = await world.open();
    await owe(id, 'one');
    await want(id);
    const lane = (await claimOne())!;
    const [reading] = await claim();
    await world.sql('update lane set fence = 7');
    const beats = new Heartbeats(lanes(), LEASE, () => time.ms);
    const time = { ms: 0 };
    let end!: () => void;
    const ended = new Promise<void>(resolve => {
      end = resolve;
    });
    const hold = (of: Parameters<Heartbeats['runUnderLease']>[0]) => {
      let lease!: ClaimLease;
      return {
        done: beats.runUnderLease(
          { destination: of.destination, sessionId: of.sessionId, fence: '7' },
          0,
          new AbortController().signal,
          given => {
            lease = given;
            return ended;
          },
        ),
        lease: () => lease,
      };
    };
    const [delivering, syncing] = [hold(lane), hold({ ...reading!, destination: 'SYNC' })];
    // Another process has the deliveries now, and not the sync.
    await world.sql("update lane set fence = 8 where destination = 'PROVIDER'");
    time.ms = LEASE / 2;
    await beats.beat();
    expect([delivering.lease().isTaken, syncing.lease().isTaken]).toEqual([true, false]);
    end();
    await Promise.all([delivering.done, syncing.done]);
  });
});
