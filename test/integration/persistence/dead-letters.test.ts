import { randomUUID } from 'node:crypto';
import type { DeadLetterFilter } from '../../../src/core/ports/dead-letter-store';
import type { ClaimedLane } from '../../../src/core/ports/lane-store';
import type { Stores } from '../../../src/core/ports/stores';
import { DEFAULT_POLICY } from '../../../src/core/setup';
import { createStoreWorld, FOREIGN, ORG, said, type StoreWorld } from './store-world';
import { until } from '../../support/until';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());
beforeEach(async () => {
  await world.sql('truncate lane, delivery, handoff, message, event, agent_initiated_conversation, session');
  world.time.ms = Date.parse('2026-11-22T20:52:20.557Z');
  await policy('CONTINUE');
});

const LEASE = 60_000;
const policy = (onDeadLetter: 'CONTINUE' | 'BLOCK') =>
  world.stores.setup.updateInbox(world.inbox.id, { policy: { ...DEFAULT_POLICY, onDeadLetter } });
const claim = async (stores: Stores = world.stores): Promise<ClaimedLane | undefined> =>
  (await stores.lanes.claimDeliveries('PROVIDER', 1, LEASE))[0];
const textOf = async ({ delivery: { work } }: ClaimedLane) =>
  (await world.stores.messages.get(ORG, (work as { messageId: string }).messageId))!.text;

/** Enqueues one post per text and returns the ids of the deliveries. */
async function enqueue(sessionId: string, ...texts: string[]): Promise<string[]> {
  await world.stores.sessions.transact(ORG, sessionId, async tx => {
    for (const text of texts)
      await tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: (await tx.insertMessage(said({ text }))).id });
  });
  const rows = await world.sql<{ id: string }>(
    'select id from delivery where session_id = $1 order by id desc limit $2',
    [sessionId, texts.length],
  );
  return rows.map(({ id }) => id).reverse();
}
const parkNext = async (code = 'PROVIDER_REFUSED') => {
  const lane = (await claim())!;
  expect(await world.stores.lanes.park(lane, code)).not.toBeNull();
  return lane.delivery.id;
};
/** Completes everything that the lane gives out now, one by one. */
async function work(): Promise<string[]> {
  const texts: string[] = [];
  for (let lane = await claim(); lane; lane = await claim()) {
    texts.push(await textOf(lane));
    await world.stores.lanes.complete(lane);
  }
  return texts;
}
const again = (sessionId: string, ...ids: string[]) =>
  world.stores.sessions.transact(ORG, sessionId, tx => tx.resend(ids));
const discard = (sessionId: string, ...ids: string[]) =>
  world.stores.sessions.transact(ORG, sessionId, tx => tx.discard(ids, 'not wanted'));
const ANY: DeadLetterFilter = {
  accountId: null,
  chatbotId: null,
  sessionId: null,
  destination: null,
  kind: null,
  code: null,
  parkedBefore: null,
  parkedAfter: null,
};

describe('a lane with the policy BLOCK', () => {
  beforeEach(() => policy('BLOCK'));

  it('waits behind its dead letter, also when more is enqueued, and continues in order once that is sent again', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one', 'two');
    const deadLetterId = await parkNext();
    await enqueue(id, 'three');
    expect(await claim()).toBeUndefined();
    expect(await world.sql('select next_run_at from lane')).toEqual([{ next_run_at: null }]);
    expect(await world.stores.deadLetters.findBlockedLanes(ORG, id)).toEqual([
      {
        destination: 'PROVIDER',
        deliveryId: deadLetterId,
        kind: 'POST_MESSAGE',
        code: 'PROVIDER_REFUSED',
        outcome: 'NOT_DELIVERED',
        parkedAt: '2026-11-22T20:52:20.557Z',
      },
    ]);
    await again(id, deadLetterId);
    expect(await world.stores.deadLetters.findBlockedLanes(ORG, id)).toEqual([]);
    expect(await work()).toEqual(['one', 'two', 'three']);
  });

  it('continues without the dead letter once it is discarded', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one', 'two');
    const deadLetterId = await parkNext();
    await enqueue(id, 'three');
    await discard(id, deadLetterId);
    expect(await work()).toEqual(['two', 'three']);
  });

  it('stays blocked while another dead letter is resolved, which then comes in its original place', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one', 'two', 'three');
    await policy('CONTINUE');
    const first = await parkNext();
    await policy('BLOCK');
    const second = await parkNext();
    await again(id, first);
    expect(await claim()).toBeUndefined();
    await discard(id, second);
    expect(await work()).toEqual(['one', 'three']);
  });

  it('blocks again when a resent delivery is refused again', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one', 'two');
    const deadLetterId = await parkNext();
    await again(id, deadLetterId);
    expect(await parkNext()).toBe(deadLetterId);
    expect(await claim()).toBeUndefined();
    expect(await world.stores.deadLetters.findBlockedLanes(ORG, id)).toMatchObject([{ deliveryId: deadLetterId }]);
  });

  it('delays no other lane', async () => {
    const [blocked, other] = [await world.open(), await world.open()];
    await enqueue(blocked.id, 'one', 'two');
    await parkNext();
    await enqueue(other.id, 'elsewhere');
    expect(await work()).toEqual(['elsewhere']);
  });
});

describe('a dead letter that is sent again', () => {
  it('comes before what was enqueued after it, and counts as attempted', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one', 'two', 'three');
    const [one, two] = [await parkNext(), await parkNext()];
    world.time.ms += 60_000;
    expect((await again(id, two, one)).result.map(deadLetter => deadLetter.id)).toEqual([one, two]);
    const lane = (await claim())!;
    expect(lane.delivery).toMatchObject({ id: one, previousAttempts: 1, failingSince: null });
    await world.stores.lanes.complete(lane);
    expect(await work()).toEqual(['two', 'three']);
  });

  it('is not lost while the lane works on a later delivery', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one', 'two');
    const deadLetterId = await parkNext();
    const busy = (await claim())!;
    await again(id, deadLetterId);
    expect(await claim()).toBeUndefined();
    expect(await world.stores.lanes.complete(busy)).toBe(true);
    expect(await work()).toEqual(['one']);
    expect(await world.sql("select 1 from delivery where state <> 'DONE' and destination = 'PROVIDER'")).toEqual([]);
  });

  it.each(['retry', 'park'] as const)(
    'comes at once, also when the later delivery meets a %s meanwhile',
    async verb => {
      const { id } = await world.open();
      await enqueue(id, 'one', 'two');
      const deadLetterId = await parkNext();
      const busy = (await claim())!;
      await again(id, deadLetterId);
      await (verb === 'retry'
        ? world.stores.lanes.retry(busy, 3_600_000, 'PROVIDER_UNAVAILABLE')
        : world.stores.lanes.park(busy, 'PROVIDER_REFUSED'));
      expect((await claim())!.delivery.id).toBe(deadLetterId);
    },
  );

  it("is not lost when the lane's holder dies", async () => {
    const { id } = await world.open();
    await enqueue(id, 'one', 'two');
    const deadLetterId = await parkNext();
    const dead = (await claim())!;
    await again(id, deadLetterId);
    await world.sql("update lane set next_run_at = now() - interval '1 ms'");
    expect(await work()).toEqual(['one', 'two']);
    expect(await world.stores.lanes.complete(dead)).toBe(false);
  });

  it('wakes a lane that waits for a retry', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one', 'two');
    const deadLetterId = await parkNext();
    expect(await work()).toEqual(['two']);
    await again(id, deadLetterId);
    await enqueue(id, 'three');
    expect(await work()).toEqual(['one', 'three']);
  });

  it('keeps its count of attempts, and restarts its backoff', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one');
    for (let i = 0; i < 3; i++) {
      await world.stores.lanes.retry((await claim())!, 0, 'PROVIDER_UNAVAILABLE');
    }
    const deadLetterId = await parkNext('PROVIDER_UNAVAILABLE');
    expect((await world.stores.deadLetters.findParked(ORG, [deadLetterId]))[0]).toMatchObject({
      attempts: 4,
      code: 'PROVIDER_UNAVAILABLE',
    });
    await again(id, deadLetterId);
    expect((await claim())!.delivery.previousAttempts).toBe(1);
    expect(
      await world.sql(
        "select attempts + attempts_before_resend as attempts from delivery where destination = 'PROVIDER'",
      ),
    ).toEqual([{ attempts: 5 }]);
  });

  describe('has a failing period that starts with', () => {
    const HOUR = 3_600_000;
    const retry = async (hasFailed?: boolean) =>
      world.stores.lanes.retry((await claim())!, 0, 'PROVIDER_UNAVAILABLE', hasFailed);
    /** Of the next attempt. */
    const failingSince = async () => {
      const lane = (await claim())!;
      await world.stores.lanes.release(lane, false);
      return [await textOf(lane), lane.delivery.failingSince];
    };

    it('its first counted attempt, however long it was pending before', async () => {
      const { id } = await world.open();
      await enqueue(id, 'one');
      world.time.ms += 76 * HOUR;
      await retry(false);
      expect(await failingSince()).toEqual(['one', null]);
      await retry();
      world.time.ms += HOUR;
      await retry();
      expect(await failingSince()).toEqual(['one', '2026-11-26T00:52:20.557Z']);
    });

    it('its first attempt after it was sent again', async () => {
      const { id } = await world.open();
      await enqueue(id, 'one');
      await retry();
      world.time.ms += 76 * HOUR;
      const deadLetterId = await parkNext();
      await again(id, deadLetterId);
      expect(await failingSince()).toEqual(['one', null]);
    });

    it.each(['rests', 'is at work'])('its first attempt after the resent one, when its lane %s', async lane => {
      const { id } = await world.open();
      await enqueue(id, 'one', 'two');
      const deadLetterId = await parkNext();
      await retry();
      const busy = lane === 'rests' ? null : (await claim())!;
      await again(id, deadLetterId);
      if (busy !== null) await world.stores.lanes.retry(busy, 0, 'PROVIDER_UNAVAILABLE');
      world.time.ms += 76 * HOUR;
      const first = (await claim())!;
      expect(first.delivery.id).toBe(deadLetterId);
      await world.stores.lanes.complete(first);
      expect(await failingSince()).toEqual(['two', null]);
    });
  });

  it('is sent once, however many callers resend it at the same moment', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one');
    const deadLetterId = await parkNext();
    const replica = world.replica();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        (i % 2 ? replica : world.stores).sessions.transact(ORG, id, tx => tx.resend([deadLetterId])),
      ),
    );
    expect(answers.flatMap(({ result }) => result)).toHaveLength(1);
    expect(await work()).toEqual(['one']);
    expect((await again(id, deadLetterId)).result).toEqual([]);
  });

  it('is unchanged in another Session, and so is a delivery that is not parked', async () => {
    const [mine, other] = [await world.open(), await world.open()];
    await enqueue(other.id, 'theirs');
    const deadLetterId = await parkNext();
    const [waiting] = await enqueue(mine.id, 'mine');
    expect((await again(mine.id, deadLetterId, waiting!)).result).toEqual([]);
    expect((await discard(mine.id, deadLetterId, waiting!)).result).toEqual([]);
    expect(await world.sql("select state from delivery where destination = 'PROVIDER' order by id")).toEqual([
      { state: 'PARKED' },
      { state: 'WAITING' },
    ]);
  });
});

it('parking waits for the Session lock, and then still requires the lease', async () => {
  const { id } = await world.open();
  await enqueue(id, 'one');
  const lane = (await claim())!;
  let parking!: ReturnType<Stores['lanes']['park']>;
  await world.stores.sessions.transact(ORG, id, async tx => {
    parking = world.replica().lanes.park(lane, 'X');
    await until(
      async () =>
        (
          await world.sql(
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
          )
        ).length > 0,
    );
    await world.sql('update lane set fence = fence + 1');
    await tx.insertMessage(said());
  });
  expect(await parking).toBeNull();
  expect((await world.stores.events.listBySession(ORG, id, 0, 10)).map(({ body }) => body.type)).toEqual([
    'SESSION_OPENED',
  ]);
});

describe('the list of dead letters', () => {
  it('describes each one, oldest first, page by page', async () => {
    const { id } = await world.open();
    await world.stores.sessions.transact(ORG, id, async tx => {
      const message = await tx.insertMessage(said({ text: 'hello' }));
      await tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: message.id });
    });
    const handoffId = randomUUID();
    await world.stores.sessions.transact(ORG, id, tx =>
      tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', handoffId, how: 'RETURN_TO_BOT' }),
    );
    const [one, two] = [await parkNext('PROVIDER_REFUSED'), await parkNext('UNSUPPORTED_BY_PROVIDER')];
    const page = await world.stores.deadLetters.page(ORG, 'PARKED', ANY, { first: 1, after: null });
    expect(page.hasNextPage).toBe(true);
    expect(page.edges[0]!.node).toEqual({
      id: one,
      organizationId: ORG,
      chatbotId: 'bot-1',
      sessionId: id,
      destination: 'PROVIDER',
      kind: 'POST_MESSAGE',
      state: 'PARKED',
      code: 'PROVIDER_REFUSED',
      outcome: 'NOT_DELIVERED',
      attempts: 1,
      messageId: expect.any(String),
      handoffId: null,
      createdAt: '2026-11-22T20:52:20.557Z',
      parkedAt: '2026-11-22T20:52:20.557Z',
      isBlockingLane: false,
      discarded: null,
    });
    const rest = await world.stores.deadLetters.page(ORG, 'PARKED', ANY, { first: 5, after: page.edges[0]!.cursor });
    expect(rest).toMatchObject({
      hasNextPage: false,
      edges: [{ node: { id: two, kind: 'RETURN_CONVERSATION', handoffId, messageId: null } }],
    });
    await expect(
      world.stores.deadLetters.page(ORG, 'PARKED', ANY, { first: 1, after: 'nonsense' }),
    ).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });

  it('filters by each condition, and by all of them together', async () => {
    const [first, second] = [await world.open(), await world.open()];
    await enqueue(first.id, 'one');
    const one = await parkNext('PROVIDER_REFUSED');
    world.time.ms += 1_000;
    const between = new Date(world.time.ms - 500).toISOString();
    await enqueue(second.id, 'two');
    const two = await parkNext('INTERNAL');
    const found = async (filter: Partial<DeadLetterFilter>, organizationId = ORG) => {
      const { edges } = await world.stores.deadLetters.page(
        organizationId,
        'PARKED',
        { ...ANY, ...filter },
        { first: 10, after: null },
      );
      expect(await world.stores.deadLetters.count(organizationId, 'PARKED', { ...ANY, ...filter })).toBe(edges.length);
      return edges.map(({ node }) => node.id);
    };
    expect(await found({})).toEqual([one, two]);
    expect(
      await found({ accountId: world.account.id, chatbotId: 'bot-1', destination: 'PROVIDER', kind: 'POST_MESSAGE' }),
    ).toEqual([one, two]);
    for (const [filter, ids] of [
      [{ sessionId: second.id }, [two]],
      [{ code: 'INTERNAL' }, [two]],
      [{ parkedBefore: between }, [one]],
      [{ parkedAfter: between }, [two]],
      [{ code: 'INTERNAL', parkedBefore: between }, []],
      [{ accountId: randomUUID() }, []],
      [{ chatbotId: 'bot-2' }, []],
      [{ destination: 'RUNTIME' }, []],
      [{ kind: 'POST_NOTE' }, []],
      [{ sessionId: 'no uuid' }, []],
    ] as const)
      expect([filter, await found(filter)]).toEqual([filter, ids]);
    expect(await found({}, FOREIGN)).toEqual([]);
    expect(await world.stores.deadLetters.findParked(FOREIGN, [one])).toEqual([]);
    expect((await world.stores.deadLetters.findParked(ORG, [two, 'x', one])).map(({ id }) => id)).toEqual([one, two]);
  });

  it('keeps discarded ones, with the reason', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one');
    const deadLetterId = await parkNext();
    await discard(id, deadLetterId);
    expect(await world.stores.deadLetters.count(ORG, 'PARKED', ANY)).toBe(0);
    expect((await world.stores.deadLetters.page(ORG, 'DISCARDED', ANY, { first: 5, after: null })).edges).toMatchObject(
      [
        {
          node: {
            id: deadLetterId,
            state: 'DISCARDED',
            discarded: { at: '2026-11-22T20:52:20.557Z', reason: 'not wanted' },
          },
        },
      ],
    );
    expect((await again(id, deadLetterId)).result).toEqual([]);
  });
});
