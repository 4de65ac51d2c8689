import { randomUUID } from 'node:crypto';
import type { SessionTransaction } from '../../../src/core/ports/session-transaction';
import { begin, createStoreWorld, FOREIGN, gate, ORG, said, type StoreWorld } from './store-world';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());

const AT = '2026-11-22T20:53:00.000Z';
const events = () => world.stores.events;
const transact = <T>(id: string, work: (tx: SessionTransaction) => Promise<T>) =>
  world.stores.sessions.transact(ORG, id, work);
const changed = (tx: SessionTransaction, cause: string) =>
  tx.appendEvent(
    { type: 'HANDOFF_CHANGED', from: 'QUEUED', to: 'QUEUED', cause, endReason: null, agentName: null },
    null,
    AT,
  );

/** A transaction that has written and waits for the test. */
async function heldOpen(id: string, write: (tx: SessionTransaction) => Promise<unknown>) {
  const wrote = gate();
  const mayEnd = gate();
  const done = transact(id, async tx => {
    await write(tx);
    await tx.findMessageByCallerId('all is sent');
    wrote.open();
    await mayEnd.opened;
  });
  await wrote.opened;
  return {
    commit: () => {
      mayEnd.open();
      return done;
    },
  };
}

describe('handoff changes of all Sessions', () => {
  const causes = async (after: string, limit = 100) => {
    const page = await events().listHandoffChanges(ORG, after, limit);
    return { causes: page.events.map(({ event }) => (event.body as { cause: string }).cause), cursor: page.cursor };
  };

  it('are read from the current position on, in order', async () => {
    const [one, other] = [await world.open(), await world.open()];
    await transact(one.id, tx => changed(tx, 'before'));
    const start = await events().currentCursor();
    await transact(one.id, async tx => {
      await changed(tx, 'first');
      await tx.appendEvent({ type: 'SESSION_CLOSED' }, null, AT);
      await changed(tx, 'second');
    });
    await transact(other.id, tx => changed(tx, 'third'));
    const all = await events().listHandoffChanges(ORG, start, 100);
    expect(all.events.map(({ event }) => [event.sessionId, event.seq])).toEqual([
      [one.id, 3],
      [one.id, 5],
      [other.id, 2],
    ]);
    expect(all.events[0]!.event).toEqual({
      sessionId: one.id,
      seq: 3,
      organizationId: ORG,
      chatbotId: 'bot-1',
      handoffId: null,
      at: AT,
      position: expect.any(String),
      body: { type: 'HANDOFF_CHANGED', from: 'QUEUED', to: 'QUEUED', cause: 'first', endReason: null, agentName: null },
    });
    // From any of its cursors, on another replica too.
    expect(
      (await world.replica().events.listHandoffChanges(ORG, all.events[0]!.cursor, 1)).events.map(
        ({ event }) => event.seq,
      ),
    ).toEqual([5]);
    expect(await causes(all.cursor)).toEqual({ causes: [], cursor: all.cursor });
  });

  it('never skip one that commits later', async () => {
    const [slow, quick] = [await world.open(), await world.open()];
    const start = await events().currentCursor();
    const open = await heldOpen(slow.id, tx => changed(tx, 'slow'));
    await transact(quick.id, tx => changed(tx, 'quick'));
    // The fast one is committed, and must not be returned before the slow one.
    const early = await causes(start);
    expect(early.causes).toEqual([]);
    await open.commit();
    expect((await causes(early.cursor)).causes).toEqual(['slow', 'quick']);
  });

  it('include what precedes an open transaction', async () => {
    const [first, slow, quick] = [await world.open(), await world.open(), await world.open()];
    const start = await events().currentCursor();
    await transact(first.id, tx => changed(tx, 'first'));
    const open = await heldOpen(slow.id, tx => changed(tx, 'slow'));
    await transact(quick.id, tx => changed(tx, 'quick'));
    const early = await causes(start);
    expect(early.causes).toEqual(['first']);
    await open.commit();
    expect((await causes(early.cursor)).causes).toEqual(['slow', 'quick']);
  });

  it('keep a new cursor before open transactions', async () => {
    const [slow, quick] = [await world.open(), await world.open()];
    const open = await heldOpen(slow.id, tx => changed(tx, 'slow'));
    await transact(quick.id, tx => changed(tx, 'quick'));
    const start = await events().currentCursor();
    await open.commit();
    expect((await causes(start)).causes).toContain('slow');
  });

  it("are not delayed by a foreign database's open transaction on the same server", async () => {
    const { id } = await world.open();
    const start = await events().currentCursor();
    const stranger = await world.pool.connect();
    try {
      await stranger.query('begin');
      await stranger.query('select pg_current_xact_id()');
      await stranger.query('select pg_advisory_xact_lock_shared(1)');
      await transact(id, tx => changed(tx, 'prompt'));
      expect((await causes(start)).causes).toEqual(['prompt']);
    } finally {
      await stranger.query('rollback');
      stranger.release();
    }
  });

  it('arrive without the next signal when the transaction before them rolls back silently', async () => {
    const [slow, quick] = [await world.open(), await world.open()];
    const start = await events().currentCursor();
    const open = await heldOpen(slow.id, async tx => {
      await tx.findMessageByCallerId('only reads');
    });
    await transact(quick.id, tx => changed(tx, 'quick'));
    const read = causes(start);
    await open.commit();
    expect((await read).causes).toEqual(['quick']);
  });

  it("arrive completely, once and in each Session's order, while 4 replicas write", async () => {
    const ids = (await Promise.all(Array.from({ length: 8 }, () => world.open()))).map(({ id }) => id);
    let cursor = await events().currentCursor();
    const replicas = [world.stores, world.replica(), world.replica(), world.replica()];
    let isWriting = true;
    const writing = Promise.all(
      replicas.map(async (stores, r) => {
        for (let i = 0; i < 30; i++)
          await stores.sessions.transact(ORG, ids[(i * 5 + r) % 8]!, async tx => {
            await changed(tx, 'x');
            if (i % 3 === 0) await changed(tx, 'y');
          });
      }),
    ).then(() => {
      isWriting = false;
    });
    const seen: string[] = [];
    for (let more = true; more; ) {
      more = isWriting;
      const page = await events().listHandoffChanges(ORG, cursor, 7);
      seen.push(...page.events.map(({ event }) => `${event.sessionId} ${String(event.seq).padStart(4, '0')}`));
      cursor = page.cursor;
      more ||= page.events.length > 0;
    }
    await writing;
    const written = await world.sql<{ line: string }>(
      "select session_id || ' ' || lpad(seq::text, 4, '0') as line from event where type = 'HANDOFF_CHANGED' and session_id = any($1) order by 1",
      [ids],
    );
    expect([...seen].sort()).toEqual(written.map(({ line }) => line));
    for (const id of ids) {
      const own = seen.filter(line => line.startsWith(id));
      expect(own).toEqual([...own].sort());
    }
  });

  it('belong to one organization only', async () => {
    const { id } = await world.open();
    const start = await events().currentCursor();
    await transact(id, tx => changed(tx, 'ours'));
    expect((await events().listHandoffChanges(FOREIGN, start, 10)).events).toEqual([]);
    expect(await events().listBySession(FOREIGN, id, 0, 10)).toEqual([]);
  });

  it('refuse a foreign cursor', async () => {
    const other = Buffer.from(JSON.stringify(['runtimeInbox', '1', 1])).toString('base64url');
    const tooBig = Buffer.from(JSON.stringify(['handoffChanges', '9223372036854775808', 1])).toString('base64url');
    for (const cursor of [
      '',
      'garbage',
      other,
      tooBig,
      Buffer.from('["handoffChanges","1 or 1=1",1]').toString('base64url'),
    ])
      await expect(events().listHandoffChanges(ORG, cursor, 10)).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });
});

describe('the runtime inbox', () => {
  const inbox = (
    filter: { chatbotId?: string; sessionId?: string } = {},
    first = 100,
    after: string | null = null,
    organization = ORG,
  ) =>
    world.stores.deliveries.listRuntimeInbox(
      organization,
      { chatbotId: filter.chatbotId ?? null, sessionId: filter.sessionId ?? null },
      { first, after },
    );
  const tell = (tx: SessionTransaction, state: string) =>
    tx.enqueueForRuntime({ kind: 'HANDOFF_STATE', handoffId: randomUUID(), state });
  const statesOf = async (page: ReturnType<typeof inbox>) =>
    (await page).edges.map(({ node: { notice } }) => (notice.kind === 'HANDOFF_STATE' ? notice.state : notice.kind));
  beforeEach(() => world.sql('truncate delivery'));

  it('lists pending deliveries, oldest first, page by page', async () => {
    const { id } = await world.open();
    for (const state of ['A', 'B', 'C']) await transact(id, tx => tell(tx, state));
    const page = await inbox({}, 2);
    expect(page.hasNextPage).toBe(true);
    expect(page.edges[0]!.node).toEqual({
      id: expect.any(String),
      organizationId: ORG,
      chatbotId: 'bot-1',
      sessionId: id,
      notice: { kind: 'HANDOFF_STATE', handoffId: expect.any(String), state: 'A' },
      position: expect.any(String),
      cursor: page.edges[0]!.cursor,
      createdAt: '2026-11-22T20:52:20.557Z',
      acknowledgedAt: null,
    });
    expect(await statesOf(inbox({}, 2, page.edges[1]!.cursor))).toEqual(['C']);
    expect(await statesOf(inbox({ chatbotId: 'bot-1' }))).toEqual(['A', 'B', 'C']);
    expect(await statesOf(inbox({ chatbotId: 'bot-2' }))).toEqual([]);
    expect(await statesOf(inbox({ sessionId: id, chatbotId: 'bot-1' }))).toEqual(['A', 'B', 'C']);
    expect(await statesOf(inbox({ sessionId: randomUUID() }))).toEqual([]);
    expect(await statesOf(inbox({ sessionId: 'no id' }))).toEqual([]);
    expect(await statesOf(inbox({}, 100, null, FOREIGN))).toEqual([]);
    await expect(inbox({}, 1, 'garbage')).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });

  it('never skips a delivery that commits later', async () => {
    const [slow, quick] = [await world.open(), await world.open()];
    const open = await heldOpen(slow.id, tx => tell(tx, 'slow'));
    await transact(quick.id, tx => tell(tx, 'quick'));
    expect(await statesOf(inbox({ chatbotId: 'bot-1' }))).toEqual([]);
    // Within one Session nothing can appear before what is visible.
    expect(await statesOf(inbox({ sessionId: quick.id }))).toEqual(['quick']);
    await open.commit();
    expect(await statesOf(inbox({ chatbotId: 'bot-1' }))).toEqual(['slow', 'quick']);
  });

  it('loses acknowledged deliveries, however often they are acknowledged', async () => {
    const { id } = await world.open();
    await transact(id, async tx => {
      await tell(tx, 'A');
      await tell(tx, 'B');
    });
    const [a] = (await inbox()).edges.map(({ node }) => node.id);
    const acknowledge = (ids: string[], organization = ORG) =>
      world.stores.deliveries.acknowledge(organization, ids, AT);
    for (let i = 0; i < 2; i++)
      expect(await acknowledge([a!, a!])).toEqual({ acknowledged: [a], unknown: [], sessionIds: [id] });
    expect(await statesOf(inbox())).toEqual(['B']);
    expect(await world.sql("select done_at from delivery where state = 'DONE'")).toEqual([{ done_at: AT }]);
  });

  it('reports unknown, foreign and malformed ids alike, and processes the rest', async () => {
    const { id } = await world.open();
    await transact(id, async tx => {
      await tell(tx, 'A');
      await tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', handoffId: null, how: 'RETURN_TO_BOT' });
    });
    const [a] = (await inbox()).edges.map(({ node }) => node.id);
    const [provider] = await world.sql<{ id: string }>("select id from delivery where destination = 'PROVIDER'");
    const senseless = [
      '',
      '0',
      '-1',
      '1.5',
      '99999999999999999999',
      "1'; drop table delivery",
      randomUUID(),
      String(Number(a) + 1_000),
      provider!.id,
    ];
    expect(await world.stores.deliveries.acknowledge(ORG, [...senseless, a!], AT)).toEqual({
      acknowledged: [a],
      unknown: senseless,
      sessionIds: [id],
    });
    expect(await world.stores.deliveries.acknowledge(FOREIGN, [a!], AT)).toEqual({
      acknowledged: [],
      unknown: [a],
      sessionIds: [],
    });
    expect(await world.sql('select state from delivery where id = $1', [provider!.id])).toEqual([{ state: 'WAITING' }]);
  });

  it('can be acknowledged from both ends at once', async () => {
    const { id } = await world.open();
    await transact(id, async tx => {
      for (let i = 0; i < 60; i++) await tell(tx, String(i));
    });
    const ids = (await inbox()).edges.map(({ node }) => node.id);
    const replica = world.replica();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? world.stores : replica).deliveries.acknowledge(ORG, i % 2 ? ids : [...ids].reverse(), AT),
      ),
    );
    for (const { acknowledged } of answers) expect(acknowledged).toHaveLength(60);
  });
});

describe('an ending handoff', () => {
  it('waits for the runtime to collect what the agent said, and for nothing else', async () => {
    const { id } = await world.open();
    const { result: handoffId } = await transact(id, async tx => {
      const handoff = await begin(tx, { state: 'ENDING', drainBy: '2026-11-22T21:00:00.000Z' });
      for (const author of ['AGENT', 'SYSTEM', 'AGENT'] as const) {
        const message = await tx.insertMessage(said({ author, handoffId: handoff.id }));
        await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: message.id });
      }
      await tx.enqueueForRuntime({ kind: 'HANDOFF_STATE', handoffId: handoff.id, state: 'ACTIVE' });
      expect(await tx.countUnacknowledged(handoff.id)).toBe(2);
      return handoff.id;
    });
    // Also for an existing message.
    await transact(id, async tx => {
      const [first] = await tx.findUnpostedMessages(1);
      await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: first!.id });
      expect(await tx.countUnacknowledged(handoffId)).toBe(3);
    });
    const due = async (now: string) =>
      (await world.stores.handoffs.findDueToEnd(now, 1_000)).filter(row => row.handoffId === handoffId);
    expect(await due('2026-11-22T20:59:59.999Z')).toEqual([]);
    expect(await due('2026-11-22T21:00:00.000Z')).toEqual([{ organizationId: ORG, sessionId: id, handoffId }]);
    const waiting = (
      await world.stores.deliveries.listRuntimeInbox(
        ORG,
        { chatbotId: null, sessionId: id },
        { first: 100, after: null },
      )
    ).edges.map(({ node }) => node);
    const agents = await Promise.all(
      waiting.map(async ({ id: deliveryId, notice }) =>
        notice.kind === 'MESSAGE' && (await world.stores.messages.get(ORG, notice.messageId))?.author === 'AGENT'
          ? [deliveryId]
          : [],
      ),
    );
    await world.stores.deliveries.acknowledge(ORG, agents.flat(), AT);
    expect(await due('2026-11-22T20:59:59.999Z')).toEqual([{ organizationId: ORG, sessionId: id, handoffId }]);
    await transact(id, async tx => expect(await tx.countUnacknowledged(handoffId)).toBe(0));
    await transact(id, tx => tx.updateHandoff(handoffId, { state: 'ENDED' }));
    expect(await due('2026-11-22T21:00:00.000Z')).toEqual([]);
  });
});
