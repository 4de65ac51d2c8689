import { randomUUID } from 'node:crypto';
import type { OpenSessionRow } from '../../../src/core/ports/session-store';
import {
  createStoreWorld,
  FOREIGN,
  gate,
  NOBODY_KNOWN,
  ORG,
  begin,
  requested,
  said,
  type StoreWorld,
} from './store-world';
import { until } from '../../support/until';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());

let key: string;
let visitor: string;
beforeEach(() => {
  key = randomUUID();
  visitor = randomUUID();
  world.woken.length = 0;
});

const sessions = () => world.stores.sessions;
const keyed = (requestDigest = 'digest') => ({ organizationId: ORG, operation: 'say', key, requestDigest });

describe('opening a Session', () => {
  const row = (given: Partial<OpenSessionRow> = {}): OpenSessionRow => ({
    id: randomUUID(),
    organizationId: ORG,
    chatbotId: 'bot-1',
    inboxId: world.inbox.id,
    channel: 'web',
    externalId: visitor,
    endUser: NOBODY_KNOWN,
    at: '2026-11-22T20:52:20.557Z',
    ...given,
  });

  it('creates one Session per runtime key, however many callers open it at once', async () => {
    const replicas = [world.stores, world.replica(), world.replica()];
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => replicas[i % 3]!.sessions.open(row())));
    expect(new Set(answers.map(({ session }) => session.id)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(await world.sql('select seq from event where session_id = $1', [answers[0]!.session.id])).toEqual([
      { seq: 1 },
    ]);
  });

  it('starts with the bot in control at epoch 1, and with the event that it was opened', async () => {
    const { session } = await sessions().open(row());
    expect(session).toMatchObject({
      control: 'BOT',
      epoch: 1,
      lastMessageSeq: 0,
      lastEventSeq: 1,
      liveHandoffId: null,
      openedAt: '2026-11-22T20:52:20.557Z',
      closedAt: null,
    });
    expect(await world.stores.events.listBySession(ORG, session.id, 0, 10)).toMatchObject([
      { seq: 1, body: { type: 'SESSION_OPENED' }, at: '2026-11-22T20:52:20.557Z' },
    ]);
  });

  it('does not change the end-user of an existing one', async () => {
    await sessions().open(row({ endUser: { ...NOBODY_KNOWN, name: 'Jane' } }));
    const { session, created } = await sessions().open(row({ endUser: { ...NOBODY_KNOWN, name: 'Jane Roe' } }));
    expect([created, session.endUser.name]).toEqual([false, 'Jane']);
  });

  it('returns a closed Session as closed', async () => {
    const { session } = await sessions().open(row());
    await sessions().transact(ORG, session.id, tx => tx.updateSession({ closedAt: '2026-11-22T21:00:00.000Z' }));
    expect(await sessions().open(row())).toMatchObject({
      created: false,
      session: { id: session.id, closedAt: '2026-11-22T21:00:00.000Z' },
    });
  });

  it('accepts any text that JSON can represent', async () => {
    const odd = 'null \u0000 half \ud83d whole 😀 escaped \\u0000';
    const { session } = await sessions().open(row({ endUser: { ...NOBODY_KNOWN, name: odd, attributes: { odd } } }));
    const kept = 'null  half \ufffd whole 😀 escaped \\u0000';
    expect(session.endUser).toMatchObject({ name: kept, attributes: { odd: kept } });
  });

  it('refuses an inbox of another organization', async () => {
    await expect(sessions().open(row({ organizationId: FOREIGN }))).rejects.toMatchObject({ code: 'INBOX_NOT_FOUND' });
  });
});

describe('a transaction on one Session', () => {
  it('commits everything together, numbered without gaps', async () => {
    const { id } = await world.open();
    await sessions().transact(ORG, id, async tx => {
      const first = await tx.insertMessage(said({ callerMessageId: 'turn-1' }));
      const second = await tx.insertMessage(said({ author: 'BOT', text: 'hi' }));
      expect([first.seq, second.seq]).toEqual([1, 2]);
      expect(
        await tx.appendEvent(
          { type: 'MESSAGE_RECORDED', messageId: first.id, author: 'END_USER', visibility: 'PUBLIC' },
          null,
          first.createdAt,
        ),
      ).toBe(2);
      expect(await tx.appendEvent({ type: 'SESSION_CLOSED' }, null, first.createdAt)).toBe(3);
      expect(tx.session).toMatchObject({ lastMessageSeq: 2, lastEventSeq: 3 });
      expect(await tx.findMessageByCallerId('turn-1')).toEqual(first);
      expect(await tx.findMessage(second.id)).toEqual(second);
    });
    expect(await sessions().get(ORG, id)).toMatchObject({ lastMessageSeq: 2, lastEventSeq: 3 });
    expect(
      (await world.stores.messages.page(ORG, id, { first: 10, after: null })).edges.map(({ node }) => node.seq),
    ).toEqual([1, 2]);
    expect((await world.stores.events.listBySession(ORG, id, 0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('commits nothing when the work throws, and wakes nobody', async () => {
    const { id } = await world.open();
    world.woken.length = 0;
    await expect(
      sessions().transact(ORG, id, async tx => {
        await tx.insertMessage(said());
        await tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', handoffId: null, how: 'RETURN_TO_BOT' });
        throw new TypeError('the flow broke');
      }),
    ).rejects.toThrow(TypeError);
    expect(await sessions().get(ORG, id)).toMatchObject({ lastMessageSeq: 0 });
    for (const table of ['message', 'delivery', 'lane'])
      expect(await world.sql(`select from ${table} where session_id = $1`, [id])).toEqual([]);
    expect(world.woken).toEqual([]);
  });

  it('commits nothing when one of its writes fails, and says which', async () => {
    const { id } = await world.open();
    await sessions().transact(ORG, id, tx => tx.insertMessage(said({ callerMessageId: 'turn-1' })));
    const again = sessions().transact(ORG, id, async tx => {
      await tx.insertMessage(said({ text: 'before' }));
      await tx.insertMessage(said({ callerMessageId: 'turn-1' }));
      await tx.insertMessage(said({ text: 'behind' }));
      // Fails only because the transaction has already failed, which must not be reported.
      await tx.findMessageByCallerId('turn-2');
    });
    await expect(again).rejects.toMatchObject({ code: '23505', constraint: 'uq_message_caller_id' });
    expect(await sessions().get(ORG, id)).toMatchObject({ lastMessageSeq: 1 });
    expect((await world.stores.messages.page(ORG, id, { first: 10, after: null })).edges).toHaveLength(1);
  });

  it('wakes others once it has committed something, and only then', async () => {
    const { id } = await world.open();
    world.woken.length = 0;
    await sessions().transact(ORG, id, async tx => {
      await tx.insertMessage(said());
      expect(world.woken).toEqual([]);
    });
    expect(world.woken).toEqual([id]);
    await sessions().transact(ORG, id, tx => tx.findMessageByCallerId('turn-1'));
    await sessions().transact(ORG, id, tx => tx.updateSession({ control: 'BOT', lastView: null }));
    expect(world.woken).toEqual([id]);
  });

  it('reads what the previous one committed', async () => {
    const { id } = await world.open();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 ? world.stores : world.replica()).sessions.transact(ORG, id, async tx => {
          const { epoch } = tx.session;
          await tx.findMessageByCallerId('something to wait for');
          await tx.updateSession({ epoch: epoch + 1 });
        }),
      ),
    );
    expect(await sessions().get(ORG, id)).toMatchObject({ epoch: 21 });
  });

  it('reads the handoff as of the lock, not as of the start of the wait', async () => {
    const { id } = await world.open();
    await sessions().transact(ORG, id, tx => begin(tx));
    const entered = gate();
    const mayGo = gate();
    const first = sessions().transact(ORG, id, async tx => {
      entered.open();
      await mayGo.opened;
      await tx.updateHandoff(tx.liveHandoff!.id, {
        state: 'ACTIVE',
        agent: { id: null, externalId: '7', name: 'Ann' },
      });
    });
    await entered.opened;
    const second = sessions().transact(ORG, id, async tx => tx.liveHandoff);
    await until(
      async () =>
        (
          await world.sql(
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
          )
        ).length > 0,
    );
    mayGo.open();
    await first;
    expect((await second).result).toMatchObject({ state: 'ACTIVE', agent: { id: null, externalId: '7', name: 'Ann' } });
  });

  it('returns its own writes from its getters', async () => {
    const { id } = await world.open();
    await sessions().transact(ORG, id, async tx => {
      expect(tx.liveHandoff).toBeNull();
      const { id: handoffId } = await begin(tx);
      expect(tx.liveHandoff).toMatchObject({ id: handoffId, state: 'REQUESTED', sessionId: id, organizationId: ORG });
      await tx.updateHandoff(handoffId, {
        state: 'QUEUED',
        queuedAt: '2026-11-22T20:53:00.000Z',
        openedForAgents: 'MAYBE',
      });
      expect(tx.liveHandoff).toMatchObject({ state: 'QUEUED' });
      expect(await tx.findHandoff(handoffId)).toEqual(tx.liveHandoff);
      await tx.updateSession({ liveHandoffId: null });
      expect(tx.liveHandoff).toBeNull();
      expect(await tx.findHandoff(handoffId)).toMatchObject({ state: 'QUEUED' });
    });
    const [handoff] = (
      await world.stores.handoffs.page(
        ORG,
        { chatbotIds: null, states: null, live: null, teamIds: null, sessionId: id },
        { first: 1, after: null },
      )
    ).edges;
    expect(handoff!.node).toEqual({
      ...requested({ id: handoff!.node.id }),
      organizationId: ORG,
      sessionId: id,
      state: 'QUEUED',
      queuedAt: '2026-11-22T20:53:00.000Z',
      openedForAgents: 'MAYBE',
    });
  });

  it('cannot store two live handoffs, whatever the flow does', async () => {
    const { id } = await world.open();
    await sessions().transact(ORG, id, tx => begin(tx));
    await expect(sessions().transact(ORG, id, tx => begin(tx))).rejects.toMatchObject({
      constraint: 'uq_handoff_live',
    });
    await sessions().transact(ORG, id, async tx => {
      await tx.updateHandoff(tx.liveHandoff!.id, { state: 'ENDED' });
      await begin(tx);
    });
    expect(await world.sql('select state from handoff where session_id = $1 order by state', [id])).toEqual([
      { state: 'ENDED' },
      { state: 'REQUESTED' },
    ]);
  });

  it('lists unposted messages, ascending, up to a limit', async () => {
    const { id } = await world.open();
    await sessions().transact(ORG, id, async tx => {
      const posted = await tx.insertMessage(said({ text: 'one' }));
      for (const text of ['two', 'three', 'four'])
        await tx.insertMessage(said({ text, visibility: text === 'three' ? 'INTERNAL' : 'PUBLIC' }));
      expect(await tx.recordPosts([{ id: posted.id, providerMessageId: '901' }])).toEqual([]);
      expect((await tx.findUnpostedMessages(3)).map(({ text }) => text)).toEqual(['two', 'three']);
      expect(await tx.findMessageByProviderId('901')).toMatchObject({ text: 'one', providerMessageId: '901' });
    });
  });

  it('returns which newly posted messages were reported as undelivered before, once', async () => {
    const [{ id }, other] = [await world.open(), await world.open()];
    await sessions().transact(ORG, id, async tx => {
      const [one, two, three] = [
        await tx.insertMessage(said()),
        await tx.insertMessage(said()),
        await tx.insertMessage(said()),
      ];
      for (const { id: messageId } of [one, three]) await tx.updateMessage(messageId, { isUndelivered: true });
      const posts = [three, two, one].map(message => ({ id: message.id, providerMessageId: String(message.seq) }));
      expect(await tx.recordPosts(posts)).toEqual([one.id, three.id]);
      expect(await tx.recordPosts(posts)).toEqual([]);
    });
    const {
      edges: [first],
    } = await world.stores.messages.page(ORG, id, { first: 1, after: null });
    expect(first!.node).toMatchObject({ providerMessageId: '1', isUndelivered: false });
    // Of this Session only.
    await sessions().transact(ORG, other.id, async tx => {
      expect(await tx.recordPosts([{ id: first!.node.id, providerMessageId: '9' }])).toEqual([]);
    });
    expect(await world.stores.messages.get(ORG, first!.node.id)).toMatchObject({ providerMessageId: '1' });
  });

  it('is refused in the same way for an unknown, a foreign and a malformed id', async () => {
    const { id } = await world.open();
    const work = jest.fn();
    for (const [organization, session] of [
      [ORG, randomUUID()],
      [FOREIGN, id],
      [ORG, "'; drop table session"],
      [ORG, ''],
    ] as const)
      await expect(sessions().transact(organization, session, work)).rejects.toMatchObject({
        code: 'SESSION_NOT_FOUND',
      });
    expect(work).not.toHaveBeenCalled();
  });

  it('is retried after a deadlock', async () => {
    const { id } = await world.open();
    let runs = 0;
    await sessions().transact(ORG, id, async () => {
      runs += 1;
      if (runs < 3) throw Object.assign(new Error('deadlock detected'), { code: runs === 1 ? '40P01' : '40001' });
    });
    expect(runs).toBe(3);
  });

  it('fails when its connection is cut, commits nothing, and does not affect the next', async () => {
    const { id } = await world.open();
    const cut = sessions().transact(ORG, id, async tx => {
      await tx.insertMessage(said({ text: 'lost' }));
      await tx.findMessageByCallerId('all is sent');
      await world.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
      );
      await tx.insertMessage(said({ text: 'lost too' }));
    });
    await expect(cut).rejects.toThrow();
    const { result } = await sessions().transact(ORG, id, tx => tx.insertMessage(said({ text: 'kept' })));
    expect(result.seq).toBe(1);
  });

  it('releases its connection, whatever happens', async () => {
    const { id } = await world.open();
    for (let i = 0; i < 12; i++) {
      await sessions().transact(ORG, id, tx => tx.findMessageByCallerId('x'));
      await sessions()
        .transact(ORG, randomUUID(), async () => undefined)
        .catch(() => undefined);
      await sessions()
        .transact(ORG, id, async tx => {
          await tx.insertMessage(said());
          throw new Error('no');
        })
        .catch(() => undefined);
      await sessions()
        .transact(ORG, id, async tx => void (await tx.insertMessage(said({ id: 'no uuid' }))))
        .catch(() => undefined);
    }
    expect({ idle: world.pool.idleCount, all: world.pool.totalCount }).toEqual({
      idle: world.pool.totalCount,
      all: world.pool.totalCount,
    });
    expect(
      await world.sql(
        "select 1 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
      ),
    ).toEqual([]);
  });
});

describe('a transaction under an idempotency key', () => {
  it('runs once for 20 concurrent callers, and all get the same result', async () => {
    const { id } = await world.open();
    const replicas = [world.stores, world.replica(), world.replica()];
    let runs = 0;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        replicas[i % 3]!.sessions.transact(
          ORG,
          id,
          async tx => {
            runs += 1;
            return { message: await tx.insertMessage(said({ text: `by ${i}` })), session: tx.session };
          },
          keyed(),
        ),
      ),
    );
    expect(runs).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ result }) => JSON.stringify(result))).size).toBe(1);
    expect(await sessions().get(ORG, id)).toMatchObject({ lastMessageSeq: 1 });
  });

  it('returns the first result to a repeat, although the Session has changed since', async () => {
    const { id } = await world.open();
    const say = (text: string) =>
      sessions().transact(
        ORG,
        id,
        async tx => ({ message: await tx.insertMessage(said({ text })), session: tx.session }),
        keyed(),
      );
    const first = await say('first');
    await sessions().transact(ORG, id, tx => tx.insertMessage(said()));
    world.woken.length = 0;
    expect(await say('never said')).toEqual({ result: first.result, replayed: true });
    expect(world.woken).toEqual([]);
  });

  it('refuses the key for another input', async () => {
    const { id } = await world.open();
    await sessions().transact(ORG, id, async () => 'done', keyed('one'));
    await expect(sessions().transact(ORG, id, async () => 'done', keyed('other'))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    const foreign = { ...keyed('other'), organizationId: FOREIGN };
    expect(await sessions().transact(ORG, id, async () => 'done', foreign)).toEqual({
      result: 'done',
      replayed: false,
    });
    expect(await sessions().transact(ORG, id, async () => 'done', { ...keyed('other'), operation: 'other' })).toEqual({
      result: 'done',
      replayed: false,
    });
  });

  const someoneWaits = () =>
    until(
      async () =>
        (
          await world.sql(
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
          )
        ).length > 0,
    );

  it('refuses the second of two Sessions that use one key at the same moment', async () => {
    const [one, other] = [await world.open(), await world.open()];
    const [entered, mayGo] = [gate(), gate()];
    const say = (id: string, before: () => Promise<void>) =>
      sessions().transact(
        ORG,
        id,
        async tx => {
          await before();
          await tx.insertMessage(said());
        },
        keyed(`digest of ${id}`),
      );
    const first = say(one.id, async () => {
      entered.open();
      await mayGo.opened;
    });
    await entered.opened;
    const second = say(other.id, async () => undefined);
    second.catch(() => undefined);
    await someoneWaits();
    mayGo.open();
    await first;
    await expect(second).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await world.sql('select from message where session_id in ($1, $2)', [one.id, other.id])).toHaveLength(1);
  });

  it('tells the caller to retry when the first still runs after a short wait, but not for another key on the Session', async () => {
    const { id } = await world.open();
    // In one process each waits for the call before it; these two come to two processes.
    const [patient, impatient] = [world.replica().sessions, world.replica({ waitMs: 30 }).sessions];
    const [entered, mayGo] = [gate(), gate()];
    const first = sessions().transact(
      ORG,
      id,
      async tx => {
        entered.open();
        await mayGo.opened;
        return (await tx.insertMessage(said())).id;
      },
      keyed(),
    );
    await entered.opened;
    const done: string[] = [];
    const other = patient
      .transact(ORG, id, async () => 'other', { ...keyed(), key: randomUUID() })
      .finally(() => {
        done.push('other');
      });
    const behindOther = patient
      .transact(ORG, id, async () => 'never', keyed())
      .finally(() => {
        done.push('behind other');
      });
    const repeat = () => impatient.transact(ORG, id, async () => 'never', keyed());
    try {
      await someoneWaits();
      for (let i = 0; i < 3; i++)
        await expect(repeat()).rejects.toMatchObject({ code: 'IDEMPOTENCY_IN_PROGRESS', retryAfterMs: 1_000 });
      // The same key of another operation, or of another organization, is another key.
      expect(
        await impatient.transact(ORG, (await world.open()).id, async () => 'else', { ...keyed(), operation: 'else' }),
      ).toEqual({ result: 'else', replayed: false });
      expect(done).toEqual([]);
    } finally {
      mayGo.open();
      await Promise.allSettled([first, other, behindOther]);
    }
    const { result } = await first;
    expect(await other).toEqual({ result: 'other', replayed: false });
    expect(await behindOther).toEqual({ result, replayed: true });
    expect(await repeat()).toEqual({ result, replayed: true });
  });

  it('runs in place of a first call that failed while it waited', async () => {
    const { id } = await world.open();
    const [entered, mayGo] = [gate(), gate()];
    const first = sessions().transact(
      ORG,
      id,
      async () => {
        entered.open();
        await mayGo.opened;
        throw new RangeError('refused');
      },
      keyed(),
    );
    first.catch(() => undefined);
    await entered.opened;
    const second = world.replica().sessions.transact(ORG, id, async () => 'done', keyed());
    await someoneWaits();
    mayGo.open();
    await expect(first).rejects.toThrow(RangeError);
    expect(await second).toEqual({ result: 'done', replayed: false });
  });

  it('runs again after seven days, even before the key is removed, and is then stored for seven more', async () => {
    const { id } = await world.open();
    const age = (days: number) =>
      world.sql("update idempotency_key set created_at = now() - $2 * interval '1 day' where key = $1", [key, days]);
    const call = (answer: string) => sessions().transact(ORG, id, async () => answer, keyed(`digest of ${answer}`));
    await call('first');
    await age(6.9);
    expect(await call('first')).toEqual({ result: 'first', replayed: true });
    await expect(call('second')).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    await age(7.1);
    expect(await call('second')).toEqual({ result: 'second', replayed: false });
    expect(await call('second')).toEqual({ result: 'second', replayed: true });
    const patient = world.replica({ keepDays: 14 }).sessions;
    await age(13);
    expect(await patient.transact(ORG, id, async () => 'third', keyed('digest of second'))).toEqual({
      result: 'second',
      replayed: true,
    });
  });

  it('does not store the key of a refused call', async () => {
    const { id } = await world.open();
    await expect(
      sessions().transact(
        ORG,
        id,
        async () => {
          throw new RangeError('refused');
        },
        keyed(),
      ),
    ).rejects.toThrow(RangeError);
    expect(await sessions().transact(ORG, id, async () => 'done', keyed())).toEqual({
      result: 'done',
      replayed: false,
    });
  });

  it('stores any text in the result', async () => {
    const { id } = await world.open();
    const text = 'null \u0000 half \ud83d back\\slash "quote"';
    const call = () => sessions().transact(ORG, id, async () => ({ text }), keyed());
    await call();
    expect(await call()).toEqual({ result: { text }, replayed: true });
  });
});

it('a Session can be written again, without a restart, as soon as a new connection leads to a writable server', async () => {
  const { id } = await world.open();
  const stores = world.replica();
  const say = () => stores.sessions.transact(ORG, id, tx => tx.insertMessage(said()));
  const setReadOnly = (to: string) =>
    world.sql(`do $$ begin execute format('alter database %I ${to}', current_database()); end $$`);
  try {
    await setReadOnly('set default_transaction_read_only = on');
    await expect(say()).rejects.toMatchObject({ code: '25006' });
  } finally {
    await setReadOnly('reset default_transaction_read_only');
  }
  await expect(say()).resolves.toMatchObject({ replayed: false });
});

describe('many calls for one Session', () => {
  /** Five connections, as many as a pool of the tests has, and a Session whose row is locked. */
  async function whileHeld(
    work: (say: (key?: string) => Promise<unknown>, stores: StoreWorld['stores']) => Promise<void>,
  ): Promise<void> {
    const { id } = await world.open();
    const stores = world.replica();
    const free = gate();
    const locked = gate();
    const holder = sessions().transact(ORG, id, async () => {
      locked.open();
      await free.opened;
    });
    await locked.opened;
    const calls: Promise<unknown>[] = [];
    const say = (of: string = randomUUID()) => {
      const call = stores.sessions.transact(ORG, id, async tx => (await tx.insertMessage(said({ text: of }))).seq, {
        ...keyed(),
        key: of,
      });
      calls.push(call);
      return call;
    };
    try {
      await work(say, stores);
    } finally {
      free.open();
      await holder;
      await Promise.all(calls);
    }
  }

  it.each([
    ['of one key', () => 'the same'],
    ['of many keys', () => randomUUID()],
  ])('%s wait with one connection: other Sessions continue', async (_what, nextKey) => {
    const waiting = () =>
      world.sql("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()");
    await whileHeld(async (say, stores) => {
      for (let i = 0; i < 12; i += 1) void say(nextKey());
      await until(async () => (await waiting()).length > 0);
      const other = await world.open();
      for (let i = 0; i < 5; i += 1) await stores.sessions.transact(ORG, other.id, tx => tx.insertMessage(said()));
      expect(await waiting()).toHaveLength(1);
    });
  });
});
