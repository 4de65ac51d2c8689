import { randomUUID } from 'node:crypto';
import type { EventBody } from '../../../src/core/event';
import type { RetentionCursor } from '../../../src/core/ports/retention-store';
import type { SessionTransaction } from '../../../src/core/ports/session-transaction';
import { begin, createStoreWorld, FOREIGN, gate, ORG, said, type StoreWorld } from './store-world';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());
beforeEach(async () => {
  await world.sql(
    'truncate lane, delivery, handoff, message, event, agent_initiated_conversation, session, feed_floor, idempotency_key',
  );
  await world.sql("update maintenance_lease set next_run_at = now() - interval '1 s'");
});

const OLD = '2026-01-01T00:00:00.000Z';
const CUTOFF = '2026-06-01T00:00:00.000Z';
const NEW = '2026-11-01T00:00:00.000Z';
const BOUND = 100;
const retention = () => world.stores.retention;
const sessions = () => world.stores.sessions;

/** Runs to the end, as the timer does. */
async function walk(
  step: (after: RetentionCursor) => Promise<{ readonly count: number; readonly next: RetentionCursor }>,
): Promise<number> {
  let count = 0;
  for (let after: RetentionCursor = null; ; ) {
    const removed = await step(after);
    count += removed.count;
    if (removed.next === null) return count;
    after = removed.next;
  }
}
const removeEvents = (limit = BOUND) => walk(after => retention().removeEvents(CUTOFF, after, limit));
const removeSessions = () => walk(after => retention().removeSessions(CUTOFF, after, BOUND));
const removeMessages = (limit = BOUND) =>
  walk(async after => {
    const { sessionIds, next } = await retention().findExpiredMessages(CUTOFF, after, limit);
    return { count: await retention().removeMessages(CUTOFF, sessionIds, limit), next };
  });

const note = (name: string): EventBody => ({ type: 'MESSAGE_STATE_CHANGED', messageId: name, state: 'READ' });
/** A Session whose first event is old. */
async function opened(): Promise<string> {
  const { id } = await world.open();
  await world.sql('update event set at = $2 where session_id = $1', [id, OLD]);
  return id;
}
const act = (id: string, work: (tx: SessionTransaction) => Promise<unknown>) =>
  sessions().transact(ORG, id, async tx => void (await work(tx)));
const seqs = async (id: string) =>
  (await world.stores.events.listBySession(ORG, id, null, 1_000)).map(({ seq }) => seq);
const texts = async (id: string) =>
  (await world.stores.messages.page(ORG, id, { first: 50, after: null })).edges.map(({ node }) => node.text);
const say = (tx: SessionTransaction, text: string, createdAt: string, more = {}) =>
  tx.insertMessage(said({ text, createdAt, ...more }));

describe('removing events', () => {
  it('deletes old ones from the front, and numbering continues', async () => {
    const id = await opened();
    await act(id, async tx => {
      for (const at of [OLD, OLD, NEW, NEW]) await tx.appendEvent(note('m'), null, at);
    });
    expect(await removeEvents()).toBe(3);
    expect(await seqs(id)).toEqual([4, 5]);
    expect(await sessions().get(ORG, id)).toMatchObject({
      lastEventSeq: 5,
      removedHistory: { eventSeq: 3, messageSeq: 0 },
    });
    await act(id, tx => tx.appendEvent(note('m'), null, NEW));
    expect(await seqs(id)).toEqual([4, 5, 6]);
    expect(await removeEvents()).toBe(0);
  });

  it('keeps old ones after a newer one, so that there are no gaps', async () => {
    const id = await opened();
    await act(id, async tx => {
      for (const at of [NEW, OLD]) await tx.appendEvent(note('m'), null, at);
    });
    expect(await removeEvents()).toBe(1);
    expect(await seqs(id)).toEqual([2, 3]);
  });

  it.each([1, 2, 7])('deletes all old ones, whatever the batch size: %i', async limit => {
    const ids = [await opened(), await opened()];
    for (const id of ids)
      await act(id, async tx => {
        for (let i = 0; i < 10; i++) await tx.appendEvent(note('m'), null, i < 8 ? OLD : NEW);
      });
    let count = 0;
    for (let round = 0; round < 30 && count < 18; round++) count += await removeEvents(limit);
    expect(count).toBe(18);
    for (const id of ids) expect(await seqs(id)).toEqual([10, 11]);
  });

  it('tells readers that resume before the removed events, and only those', async () => {
    const id = await opened();
    await act(id, async tx => {
      for (const at of [OLD, NEW]) await tx.appendEvent(note('m'), null, at);
    });
    const cursor = (await world.stores.events.listBySession(ORG, id, 1, 1))[0]!;
    await removeEvents();
    for (const after of [0, 1])
      await expect(world.stores.events.listBySession(ORG, id, after, 10)).rejects.toMatchObject({
        code: 'CURSOR_EXPIRED',
      });
    expect((await world.stores.events.listBySession(ORG, id, cursor.seq, 10)).map(({ seq }) => seq)).toEqual([3]);
    expect(await world.stores.events.listBySession(ORG, id, 3, 10)).toEqual([]);
    expect(await world.stores.events.listBySession(FOREIGN, id, 0, 10)).toEqual([]);
  });

  it('keeps the result of removed events in the Session', async () => {
    const id = await opened();
    const handoffs: string[] = [];
    await act(id, async tx => {
      for (const [control, epoch, to] of [
        ['NONE', 2, 'REQUESTED'],
        ['HUMAN', 3, 'ACTIVE'],
      ] as const) {
        handoffs.push(randomUUID());
        await tx.appendEvent(
          { type: 'HANDOFF_CHANGED', from: null, to, cause: 'X', endReason: null, agentName: null },
          handoffs.at(-1)!,
          OLD,
        );
        await tx.appendEvent({ type: 'CONTROL_CHANGED', control, epoch, cause: 'X' }, handoffs.at(-1)!, OLD);
      }
      await tx.appendEvent(note('m'), null, NEW);
    });
    await removeEvents(2);
    expect((await sessions().get(ORG, id))!.removedHistory).toMatchObject({
      control: 'BOT',
      epoch: 1,
      handoffState: 'REQUESTED',
      isClosed: false,
    });
    await removeEvents();
    expect((await sessions().get(ORG, id))!.removedHistory).toEqual({
      eventSeq: 5,
      messageSeq: 0,
      messagesBefore: null,
      control: 'HUMAN',
      epoch: 3,
      isClosed: false,
      handoffId: handoffs[1],
      handoffState: 'ACTIVE',
    });
    await act(id, tx => tx.updateSession({ epoch: 9 }));
    expect(await sessions().get(ORG, id)).toMatchObject({ epoch: 9, removedHistory: { epoch: 3 } });
  });

  it('expires cursors over all Sessions from before the removal, and no later ones', async () => {
    const change = (tx: SessionTransaction, at: string) =>
      tx.appendEvent(
        { type: 'HANDOFF_CHANGED', from: null, to: 'ENDED', cause: 'X', endReason: null, agentName: null },
        null,
        at,
      );
    const start = await world.stores.events.currentCursor();
    const id = await opened();
    await act(id, async tx => {
      await change(tx, OLD);
      await change(tx, OLD);
    });
    const other = await opened();
    await act(other, tx => change(tx, NEW));
    const { events } = await world.stores.events.listHandoffChanges(ORG, start, 10);
    expect(events).toHaveLength(3);
    await removeEvents();
    for (const cursor of [start, events[0]!.cursor])
      await expect(world.stores.events.listHandoffChanges(ORG, cursor, 10)).rejects.toMatchObject({
        code: 'CURSOR_EXPIRED',
      });
    expect(
      (await world.stores.events.listHandoffChanges(ORG, events[1]!.cursor, 10)).events.map(
        ({ event }) => event.sessionId,
      ),
    ).toEqual([other]);
    expect((await world.stores.events.listHandoffChanges(ORG, events[2]!.cursor, 10)).events).toEqual([]);
    expect((await world.stores.events.listHandoffChanges(FOREIGN, start, 10)).events).toEqual([]);
    expect(
      (await world.stores.events.listHandoffChanges(ORG, await world.stores.events.currentCursor(), 10)).events,
    ).toEqual([]);
  });
});

describe('removing messages', () => {
  it('deletes old ones from the front, and tells readers of an old page', async () => {
    const id = await opened();
    await act(id, async tx => {
      for (const [i, at] of [OLD, OLD, OLD, NEW, NEW].entries()) await say(tx, `${i + 1}`, at);
    });
    const page = await world.stores.messages.page(ORG, id, { first: 5, after: null });
    expect(await removeMessages()).toBe(3);
    expect(await texts(id)).toEqual(['4', '5']);
    expect(await sessions().get(ORG, id)).toMatchObject({
      lastMessageSeq: 5,
      removedHistory: { eventSeq: 0, messageSeq: 3, messagesBefore: CUTOFF },
    });
    await expect(world.stores.messages.page(ORG, id, { first: 5, after: page.edges[1]!.cursor })).rejects.toMatchObject(
      { code: 'CURSOR_EXPIRED' },
    );
    expect(
      (await world.stores.messages.page(ORG, id, { first: 5, after: page.edges[2]!.cursor })).edges.map(
        ({ node }) => node.seq,
      ),
    ).toEqual([4, 5]);
    expect((await world.stores.messages.page(ORG, id, { first: 5, after: page.edges[4]!.cursor })).edges).toEqual([]);
    await act(id, tx => say(tx, '6', NEW));
    expect(await texts(id)).toEqual(['4', '5', '6']);
  });

  it('lists their files first', async () => {
    const id = await opened();
    const file = { url: 'https://files.example/a.png', name: 'a.png', contentType: 'image/png', sizeBytes: null };
    let withFiles!: string;
    await act(id, async tx => {
      withFiles = (await say(tx, 'two files', OLD, { attachments: [file, file] })).id;
      await say(tx, 'none', OLD);
      await say(tx, 'kept', NEW, { attachments: [file] });
    });
    expect(await retention().findExpiredMessages(CUTOFF, null, BOUND)).toEqual({
      sessionIds: [id],
      messagesWithFiles: [{ id: withFiles, files: 2 }],
      next: null,
    });
  });
});

describe('removal keeps what is still needed, however old it is', () => {
  async function old(): Promise<string> {
    const id = await opened();
    await act(id, async tx => {
      await tx.appendEvent(note('m'), null, OLD);
      await say(tx, 'old', OLD);
    });
    return id;
  }
  const removeAll = async () => [
    await removeEvents(),
    await removeMessages(),
    await retention().removeDeliveries(CUTOFF, BOUND),
    await removeSessions(),
  ];

  it('for a Session with a live handoff', async () => {
    const id = await old();
    await act(id, tx => begin(tx, { requestedAt: OLD }));
    expect(await removeAll()).toEqual([0, 0, 0, 0]);
    await act(id, async tx => {
      await tx.updateHandoff(tx.liveHandoff!.id, { state: 'ENDED' });
      await tx.updateSession({ liveHandoffId: null });
    });
    expect(await removeAll()).toEqual([3, 1, 0, 0]);
  });

  it.each(['WAITING for the provider', 'WAITING for the runtime', 'PARKED'])(
    'for a Session with something %s',
    async what => {
      const id = await old();
      const message = (await world.stores.messages.page(ORG, id, { first: 1, after: null })).edges[0]!.node;
      await act(id, async tx => {
        if (what.endsWith('runtime')) await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: message.id });
        else await tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: message.id });
        await tx.updateSession({ closedAt: OLD });
      });
      if (what === 'PARKED') await world.sql("update delivery set state = 'PARKED', parked_at = created_at");
      await world.sql('update delivery set created_at = $1', [OLD]);
      expect(await removeAll()).toEqual([0, 0, 0, 0]);
      await world.sql("update delivery set state = 'DONE', done_at = $1", [OLD]);
      expect(await removeAll()).toEqual([2, 1, 1, 1]);
    },
  );

  it('for a Session that is locked, whose holder does not wait and finds everything', async () => {
    const [busy, other] = [await old(), await old()];
    const [entered, mayGo] = [gate(), gate()];
    const working = act(busy, async tx => {
      await tx.findMessageByCallerId('x');
      entered.open();
      await mayGo.opened;
      await say(tx, 'new', NEW);
    });
    await entered.opened;
    expect([await removeEvents(), await removeMessages()]).toEqual([2, 1]);
    mayGo.open();
    await working;
    expect([await texts(busy), await texts(other)]).toEqual([['old', 'new'], []]);
  });
});

describe('removing deliveries', () => {
  it('deletes those that were done or discarded long ago', async () => {
    const { id } = await world.open();
    await act(id, async tx => {
      for (let i = 0; i < 6; i++)
        await tx.enqueueForRuntime({ kind: 'HANDOFF_STATE', handoffId: randomUUID(), state: 'QUEUED' });
    });
    const ids = (await world.sql<{ id: string }>('select id from delivery order by id')).map(row => row.id);
    for (const [i, [state, at]] of (
      [
        ['DONE', OLD],
        ['DISCARDED', OLD],
        ['DONE', NEW],
        ['DISCARDED', NEW],
      ] as const
    ).entries())
      await world.sql('update delivery set state = $2, done_at = $3 where id = $1', [ids[i], state, at]);
    await world.sql("update delivery set state = 'PARKED', parked_at = $2 where id = $1", [ids[4], OLD]);
    expect(await retention().removeDeliveries(CUTOFF, 1)).toBe(1);
    expect(await retention().removeDeliveries(CUTOFF, BOUND)).toBe(1);
    expect((await world.sql('select id from delivery order by id')).map(row => row.id)).toEqual(ids.slice(2));
    expect(await world.stores.deliveries.acknowledge(ORG, [ids[0]!, ids[5]!], NEW)).toMatchObject({
      acknowledged: [ids[5]],
      unknown: [ids[0]],
    });
  });
});

describe('removing idempotency keys', () => {
  it('deletes old ones', async () => {
    const { id } = await world.open();
    for (const key of ['old', 'new'])
      await sessions().transact(ORG, id, async () => key, {
        organizationId: ORG,
        operation: 'say',
        key,
        requestDigest: 'x',
      });
    await world.sql("update idempotency_key set created_at = $1 where key = 'old'", [OLD]);
    expect(await retention().removeIdempotencyKeys(CUTOFF, BOUND)).toBe(1);
    expect(await world.sql('select key from idempotency_key')).toEqual([{ key: 'new' }]);
  });
});

describe('removing Sessions', () => {
  async function closed(at = OLD): Promise<{ id: string; externalId: string }> {
    const session = await world.open();
    await world.sql('delete from event where session_id = $1', [session.id]);
    await act(session.id, tx => tx.updateSession({ closedAt: at }));
    return session;
  }

  it('deletes those that were closed long ago and are empty, with lanes and handoffs, and frees their key', async () => {
    const { id, externalId } = await closed();
    await act(id, async tx => {
      const handoff = await begin(tx, { state: 'ENDED' });
      await tx.updateSession({ liveHandoffId: null });
      await tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', handoffId: handoff.id, how: 'RETURN_TO_BOT' });
      await tx.requestSync(OLD);
      await tx.addAgentInitiated('77');
    });
    expect(await removeSessions()).toBe(0);
    await world.sql('delete from event');
    await world.sql('delete from delivery');
    expect(await removeSessions()).toBe(1);
    for (const table of ['session', 'lane', 'handoff', 'agent_initiated_conversation'])
      expect(await world.sql(`select from ${table}`)).toEqual([]);
    const again = await world.open(externalId);
    expect(again.id).not.toBe(id);
    expect(again).toMatchObject({ closedAt: null, control: 'BOT', epoch: 1, lastEventSeq: 1, removedHistory: null });
  });

  it('keeps those that are open, were closed lately, or have a message', async () => {
    await world.open();
    await closed(NEW);
    const { id } = await closed();
    await act(id, tx => say(tx, 'new', NEW));
    expect(await removeSessions()).toBe(0);
    expect(await world.sql('select from session')).toHaveLength(3);
  });

  it('deletes those that a sync still claims, and the sync ends without an error', async () => {
    const { id } = await closed();
    await act(id, tx => tx.requestSync(OLD));
    const [sync] = await world.stores.lanes.claimSyncs('HINT', 1, 60_000);
    expect(await removeSessions()).toBe(1);
    expect(await world.stores.lanes.finishSync(sync!, null, false)).toBe(false);
  });
});

it('one replica removes at a time, and the next one when that has died', async () => {
  const replicas = [retention(), world.replica().retention, world.replica().retention];
  const claims = (await Promise.all(replicas.map(one => one.claim(60_000)))).filter(claim => claim !== null);
  expect(claims).toHaveLength(1);
  await world.sql("update maintenance_lease set next_run_at = now() - interval '1 ms'");
  const second = await replicas[1]!.claim(60_000);
  expect(second).not.toBeNull();
  // The previous holder, paused past the end of its lease, has no effect any more.
  await replicas[0]!.release(claims[0]!, 0);
  expect(await replicas[0]!.renew(claims[0]!, 60_000)).toBeNull();
  expect(await replicas[0]!.claim(60_000)).toBeNull();
  const longer = await replicas[1]!.renew(second!, 3_600_000);
  expect(Date.parse(longer!)).toBeGreaterThan(Date.parse(second!));
  await replicas[1]!.release(longer!, 3_600_000);
  expect(await replicas[0]!.claim(60_000)).toBeNull();
  await world.sql("update maintenance_lease set next_run_at = now() - interval '1 s'");
  const third = await replicas[1]!.claim(60_000);
  await replicas[1]!.release(third!, 0);
  expect(await replicas[2]!.claim(60_000)).not.toBeNull();
});
