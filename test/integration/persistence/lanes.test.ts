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
// Claims run over all Sessions, so each test starts with empty lanes.
beforeEach(() => world.sql('truncate lane, delivery, handoff, message, event, agent_initiated_conversation, session'));

const LEASE = 60_000;
const lanes = (): Stores['lanes'] => world.stores.lanes;

async function enqueue(sessionId: string, ...texts: string[]): Promise<string[]> {
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

describe('the provider lane', () => {
  it('gives out one delivery at a time, in the order of enqueueing', async () => {
    const { id } = await world.open();
    const ids = [...(await enqueue(id, 'one', 'two')), ...(await enqueue(id, 'three'))];
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

  it('contains what a worker needs', async () => {
    const { id } = await world.open();
    const [messageId] = await enqueue(id, 'one');
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

  it('lets nothing pass a head that waits for a retry', async () => {
    const { id } = await world.open();
    const [one, two] = await enqueue(id, 'one', 'two');
    const first = (await claimOne())!;
    expect(await lanes().retry(first, 60_000, 'PROVIDER_UNAVAILABLE')).toBe(true);
    await enqueue(id, 'three');
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

  it('continues after a dead letter, which is kept', async () => {
    const { id } = await world.open();
    const [one, two] = await enqueue(id, 'one', 'two');
    expect(await lanes().park((await claimOne())!, 'PROVIDER_REFUSED')).toBe('NOT_DELIVERED');
    const next = (await claimOne())!;
    expect(messageOf(next)).toBe(two);
    await lanes().complete(next);
    expect(await claimOne()).toBeUndefined();
    // The runtime is notified of it.
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

  it('never has two holders, however many replicas claim, and keeps its order', async () => {
    const sessionIds = (await Promise.all(Array.from({ length: 12 }, () => world.open()))).map(({ id }) => id);
    const expected = new Map(
      await Promise.all(
        sessionIds.map(
          async (id): Promise<[string, string[]]> => [id, await enqueue(id, 'one', 'two', 'three', 'four')],
        ),
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

  it('is claimed by one of many concurrent callers', async () => {
    const replicas = [world.stores, world.replica(), world.replica(), world.replica()];
    for (let round = 0; round < 15; round++) {
      const { id } = await world.open();
      await enqueue(id, 'one');
      const claims = await Promise.all(
        Array.from({ length: 12 }, (_, i) => replicas[i % 4]!.lanes.claimDeliveries('PROVIDER', 1, LEASE)),
      );
      expect(claims.flat().map(({ sessionId }) => sessionId)).toEqual([id]);
    }
  });

  it('is skipped while its Session is locked by a transaction, without delaying others', async () => {
    const [busy, other] = [await world.open(), await world.open()];
    await enqueue(busy.id, 'one');
    const hasEnqueued = gate();
    const mayCommit = gate();
    const owing = world.stores.sessions.transact(ORG, busy.id, async tx => {
      await tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', handoffId: null, how: 'RETURN_TO_BOT' });
      await tx.findMessageByCallerId('all is sent');
      hasEnqueued.open();
      await mayCommit.opened;
    });
    await hasEnqueued.opened;
    await enqueue(other.id, 'one');
    expect((await lanes().claimDeliveries('PROVIDER', 10, LEASE)).map(({ sessionId }) => sessionId)).toEqual([
      other.id,
    ]);
    mayCommit.open();
    await owing;
    expect((await lanes().claimDeliveries('PROVIDER', 10, LEASE)).map(({ sessionId }) => sessionId)).toEqual([busy.id]);
  });

  it('loses nothing that is enqueued while the head is being completed', async () => {
    const { id } = await world.open();
    const expected: string[] = [];
    const seen: string[] = [];
    const owing = (async () => {
      for (let i = 0; i < 40; i++) expected.push(...(await enqueue(id, `${i}`)));
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

  it('is not missed when a delivery is enqueued in a transaction that the completion waited for', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one');
    const lane = (await claimOne())!;
    const hasEnqueued = gate();
    const mayCommit = gate();
    const owing = world.stores.sessions.transact(ORG, id, async tx => {
      const message = await tx.insertMessage(said({ text: 'two' }));
      await tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: message.id });
      await tx.findMessage(message.id);
      hasEnqueued.open();
      await mayCommit.opened;
      return message.id;
    });
    await hasEnqueued.opened;
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

  it('is claimed again when its holder dies, and the old holder can do nothing more', async () => {
    const { id } = await world.open();
    const [one] = await enqueue(id, 'one', 'two');
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
    await enqueue(id, 'one');
    const [lane] = await lanes().claimDeliveries('PROVIDER', 1, 1);
    expect(await lanes().renew(lane!, LEASE)).toBe(true);
    await until(
      async () => (await world.sql("select from lane where next_run_at > now() + interval '30 s'")).length === 1,
    );
    expect(await claimOne()).toBeUndefined();
    expect(await lanes().complete(lane!)).toBe(true);
  });

  it('is claimed in batches of the requested size, the longest due first', async () => {
    const sessionIds: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { id } = await world.open();
      await enqueue(id, 'one');
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

  it('leaves every remote its share, whatever the backlog of another', async () => {
    const busy = randomUUID();
    for (let i = 0; i < 5; i++) await enqueue((await world.open()).id, 'one');
    await world.sql("update lane set remote_id = $1, next_run_at = now() - interval '1 h'", [busy]);
    const { id: other } = await world.open();
    await enqueue(other, 'one');
    const remotesOf = (claimed: readonly ClaimedLane[]) =>
      claimed.map(({ remoteId }) => (remoteId === busy ? 'busy' : 'other')).sort();
    expect(
      remotesOf(await lanes().claimDeliveries('PROVIDER', 3, LEASE, { perRemote: 2, exceptions: new Map() })),
    ).toEqual(['busy', 'busy', 'other']);
    await endLeases();
    expect(
      remotesOf(
        await lanes().claimDeliveries('PROVIDER', 9, LEASE, { perRemote: 9, exceptions: new Map([[busy, 0]]) }),
      ),
    ).toEqual(['other']);
    await endLeases();
    expect(
      remotesOf(
        await lanes().claimDeliveries('PROVIDER', 9, LEASE, { perRemote: 9, exceptions: new Map([[busy, 1]]) }),
      ),
    ).toEqual(['busy', 'other']);
  });

  it('becomes idle when nothing is pending after all', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one');
    await world.sql("update delivery set state = 'DONE'");
    expect(await claimOne()).toBeUndefined();
    expect(await world.sql('select next_run_at from lane')).toEqual([{ next_run_at: null }]);
    const [two] = await enqueue(id, 'two');
    expect(messageOf((await claimOne())!)).toBe(two);
  });
});

describe('syncs of a conversation', () => {
  const want = (id: string, at = '2026-11-22T20:52:20.557Z') =>
    world.stores.sessions.transact(ORG, id, tx => tx.requestSync(at));
  const claim = async () => (await lanes().claimSyncs('HINT', 10, LEASE)).map(sync => sync);

  it('are claimed once one is requested, and stop when none is to follow', async () => {
    const { id } = await world.open();
    expect(await claim()).toEqual([]);
    await want(id);
    await want(id);
    const [sync, ...others] = await claim();
    expect(others).toEqual([]);
    expect(sync).toEqual({
      organizationId: ORG,
      sessionId: id,
      remoteId: world.account.id,
      fence: expect.any(String),
      failures: 0,
    });
    expect(await lanes().finishSync(sync!, null, false)).toBe(true);
    expect(await lanes().finishSync(sync!, null, false)).toBe(false);
    expect(await claim()).toEqual([]);
  });

  it('run no later than the earliest request', async () => {
    const { id } = await world.open();
    await want(id, '2026-11-22T21:52:20.557Z');
    expect(await claim()).toEqual([]);
    await want(id);
    await want(id, '2026-11-22T22:52:20.557Z');
    expect(await claim()).toHaveLength(1);
  });

  it('run once at a time despite a request, which is not lost', async () => {
    const { id } = await world.open();
    await want(id);
    const [sync] = await claim();
    await want(id);
    expect(await claim()).toEqual([]);
    expect(await lanes().finishSync(sync!, null, false)).toBe(true);
    const [again] = await claim();
    expect(again).toMatchObject({ sessionId: id });
    await lanes().finishSync(again!, null, false);
    expect(await claim()).toEqual([]);
  });

  it('follow at the earlier of the regular time and the request', async () => {
    const { id } = await world.open();
    await want(id);
    const [sync] = await claim();
    await want(id);
    await lanes().finishSync(sync!, 3_600_000, false);
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
      const [sync] = await claim();
      failures.push(sync!.failures);
      await lanes().finishSync(sync!, 0, failed);
    }
    expect(failures).toEqual([0, 1, 2, 0]);
  });

  it('are taken over when their worker dies', async () => {
    const { id } = await world.open();
    await want(id);
    const [slow] = await claim();
    await endLeases();
    const [other] = await claim();
    expect(other).toMatchObject({ sessionId: id });
    expect(await lanes().finishSync(slow!, null, false)).toBe(false);
    expect(await lanes().finishSync(other!, null, false)).toBe(true);
  });

  it('that timers request never precede those of hints', async () => {
    const [timed, hinted, both] = [await world.open(), await world.open(), await world.open()];
    for (const { id } of [timed, both])
      await world.stores.sessions.transact(ORG, id, tx => tx.requestSync('2026-11-22T19:52:20.557Z', 'TIMER'));
    for (const { id } of [hinted, both]) await want(id);
    const [first, second, ...others] = await claim();
    expect(others).toEqual([]);
    expect([first, second].map(one => one!.sessionId).sort()).toEqual([hinted.id, both.id].sort());
    expect((await lanes().claimSyncs('TIMER', 10, LEASE)).map(({ sessionId }) => sessionId)).toEqual([timed.id]);
    // A later sync is requested by a timer, unless a hint arrived meanwhile.
    await want(hinted.id);
    for (const one of [first!, second!]) await lanes().finishSync(one, 0, false, 'TIMER');
    expect((await claim()).map(({ sessionId }) => sessionId)).toEqual([hinted.id]);
    expect((await lanes().claimSyncs('TIMER', 10, LEASE)).map(({ sessionId }) => sessionId)).toEqual([both.id]);
  });

  it('are requested for every live handoff of an account that cannot be scanned', async () => {
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

  it('are requested for a live handoff whose Session is locked, without delaying the others', async () => {
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

  it('do not affect deliveries of the same Session', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one');
    await want(id);
    const lane = (await claimOne())!;
    const [sync] = await claim();
    expect(await lanes().finishSync(sync!, null, false)).toBe(true);
    expect(await lanes().complete(lane)).toBe(true);
  });

  it('are renewed independently of deliveries of the same Session, also with the same fence', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one');
    await want(id);
    const lane = (await claimOne())!;
    const [sync] = await claim();
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
    const [delivering, syncing] = [hold(lane), hold({ ...sync!, destination: 'SYNC' })];
    // Another process has the deliveries now, and not the sync.
    await world.sql("update lane set fence = 8 where destination = 'PROVIDER'");
    time.ms = LEASE / 2;
    await beats.beat();
    expect([delivering.lease().isTaken, syncing.lease().isTaken]).toEqual([true, false]);
    end();
    await Promise.all([delivering.done, syncing.done]);
  });
});
