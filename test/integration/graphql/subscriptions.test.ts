import { type Following, overSse, overSseByGet, overWebSocket } from './following';
import { caller, createFlowWorld, type FlowWorld, type GraphqlApi, startGraphqlApi } from './room';
import { until } from '../../support/until';

const STATUS = `subscription ($sessionId: ID!, $after: Int) { conversationStatus(sessionId: $sessionId, after: $after) {
  seq isSnapshot control epoch mayReply isClosed handoffState cause handoff { id state } session { id } } }`;
const EVENTS = `subscription ($sessionId: ID!, $after: Int) { supportSessionEvents(sessionId: $sessionId, after: $after) {
  seq snapshot { id control epoch lastEventSeq liveHandoff { state } }
  event { __typename seq ... on SupportControlChanged { control epoch } ... on SupportHandoffChanged { from to handoff { id } } ... on SupportMessageRecorded { message { text author } } } } }`;
const CHANGES = `subscription ($filter: HandoffFilterInput, $after: String) { handoffChanges(filter: $filter, after: $after) {
  cursor snapshot { isComplete handoffs { id state } } change { from to seq handoff { id session { externalId } } } } }`;
const DELIVERIES = `subscription ($chatbotId: ID!) { supportRuntimeDeliveries(chatbotId: $chatbotId) {
  id notice { __typename ... on SupportMessageNotice { message { text author } } ... on HandoffStateNotice { state } ... on HandoffOutcomeNotice { outcome { state reason resumeTarget agent { name } } } } } }`;

let world: FlowWorld;
let api: GraphqlApi;
/** Another replica: its own GraphQL component over the same database. */
let replica: GraphqlApi;
const open: Following[] = [];

beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
  replica = await startGraphqlApi(world);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.leave()));
});
afterAll(async () => {
  await api?.stop();
  await replica?.stop();
  await world?.close();
});

const follow = (following: Following): Following => {
  open.push(following);
  return following;
};
const transports = { 'graphql-transport-ws': overWebSocket, 'SSE by POST': overSse, 'SSE by GET': overSseByGet };

/** The whole story of one handoff: requested, taken, answered, resolved, collected. */
async function wholeHandoff(sessionId: string): Promise<string> {
  const { handoff } = await world.ask(sessionId, { resumeTarget: 'menu' });
  await world.deliverAll();
  world.provider.set({ agent: 'alice' });
  await world.read(sessionId);
  world.provider.agentSays('I am Alice');
  world.provider.set({ status: 'RESOLVED' });
  await world.read(sessionId);
  await world.acknowledgeAll(sessionId);
  await world.finishEndings();
  return handoff.id;
}
const tupleOf = ({ control, epoch, mayReply, handoffState }: any): string =>
  `${control} ${epoch} ${mayReply} ${handoffState}`;
const last = (results: any[], field: string): any => results.at(-1)?.data[field];

describe.each(Object.entries(transports))('conversationStatus over %s', (_name, over) => {
  it('starts with the current state and returns each change of control and handoff, in order, until the bot has control again', async () => {
    const session = await world.open();
    await world.user(session.id, 'hello');
    const following = follow(over(api.url, caller('ui'))(STATUS, { sessionId: session.id }));
    await following.until(results => results.length === 1);
    expect(following.results[0]).toEqual({
      data: {
        conversationStatus: {
          seq: 2,
          isSnapshot: true,
          control: 'BOT',
          epoch: 1,
          mayReply: true,
          isClosed: false,
          handoffState: null,
          cause: null,
          handoff: null,
          session: { id: session.id },
        },
      },
    });

    const handoff = await wholeHandoff(session.id);
    const results = await following.until(
      seen => last(seen, 'conversationStatus').epoch === 4 && last(seen, 'conversationStatus').control === 'BOT',
    );
    const notified = results.slice(1).map(({ data }) => data.conversationStatus);
    expect([...new Set(notified.map(status => status.handoffState))]).toEqual([
      'REQUESTED',
      'QUEUED',
      'ASSIGNED',
      'ACTIVE',
      'ENDING',
      'ENDED',
    ]);
    // One item for each transaction that changed anything: no state between the events of one.
    expect(notified.map(tupleOf)).toEqual([
      'NONE 2 false REQUESTED',
      'NONE 2 false QUEUED',
      'HUMAN 3 false ASSIGNED',
      'HUMAN 3 false ACTIVE',
      'HUMAN 3 false ENDING',
      'BOT 4 true ENDED',
    ]);
    expect(notified.map(status => status.seq)).toEqual(
      [...new Set(notified.map(status => status.seq))].sort((a, b) => a - b),
    );
    expect(new Set(notified.map(status => status.handoff?.id))).toEqual(new Set([handoff]));
    // Read again for each item, not once for the subscription.
    expect(notified.at(-1).handoff.state).toBe('ENDED');

    // A new subscriber gets the same state of the same event.
    const late = follow(over(replica.url, caller('ui'))(STATUS, { sessionId: session.id }));
    const [
      {
        data: { conversationStatus: snapshot },
      },
    ] = (await late.until(seen => seen.length === 1)) as [any];
    expect({ ...snapshot, cause: null }).toEqual({ ...notified.at(-1), isSnapshot: true, cause: null });
  });

  it('resumes within a transaction with its final state', async () => {
    const session = await world.open();
    await world.ask(session.id);
    const [, requested, control] = await world.events(session.id);
    expect([requested!.body.type, control!.body.type, control!.position]).toEqual([
      'HANDOFF_CHANGED',
      'CONTROL_CHANGED',
      requested!.position,
    ]);
    const following = follow(over(api.url, caller('ui'))(STATUS, { sessionId: session.id, after: requested!.seq }));
    const [item] = await following.until(results => results.length === 1);
    expect(item.data.conversationStatus).toMatchObject({
      seq: control!.seq,
      isSnapshot: false,
      control: 'NONE',
      epoch: 2,
      handoffState: 'REQUESTED',
    });
  });

  it('resumes after the last seq without a gap, on another replica', async () => {
    const session = await world.open();
    const first = follow(over(api.url, caller('ui'))(STATUS, { sessionId: session.id }));
    await first.until(results => results.length === 1);
    await world.ask(session.id);
    await first.until(results => results.length === 2);
    const { seq } = last(first.results, 'conversationStatus');
    await first.leave();
    await world.deliverAll();
    await world.flows.closeSession(
      { organizationId: 'org-1' },
      { sessionId: session.id, idempotencyKey: world.nextKey() },
    );
    await world.read(session.id);

    const second = follow(over(replica.url, caller('ui'))(STATUS, { sessionId: session.id, after: seq }));
    const results = await second.until(seen => seen.length === 3);
    const later = results.map(({ data }) => data.conversationStatus);
    expect(later.map(status => `${tupleOf(status)} ${status.isClosed}`)).toEqual([
      'NONE 2 false QUEUED false',
      'NONE 2 false ENDING true',
      'BOT 3 false ENDED true',
    ]);
    expect(later[0].seq).toBeGreaterThan(seq);
    expect(later.some(status => status.isSnapshot)).toBe(false);
    expect(later[2].seq).toBe((await world.session(session.id)).lastEventSeq);
  });

  it('returns the same error for an unknown and a foreign session, and nothing else', async () => {
    const { id } = await world.open();
    for (const [as, sessionId] of [
      [caller('ui'), '00000000-0000-4000-8000-000000000000'],
      [caller('ui', 'org-2'), id],
      [caller('ui'), 'x'],
    ] as const) {
      const following = follow(over(api.url, as)(STATUS, { sessionId }));
      await following.until(results => results.length === 1);
      await following.ended;
      expect(following.results).toHaveLength(1);
      expect(following.results[0].data).toBeUndefined();
      expect(following.results[0].errors).toHaveLength(1);
      expect(following.results[0].errors[0].extensions).toEqual({
        code: 'SESSION_NOT_FOUND',
        requestId: expect.any(String),
        retryable: false,
      });
    }
  });

  it('frees everything when its subscriber leaves', async () => {
    const session = await world.open();
    const before = api.graphql.subscriptionCount();
    const following = over(api.url, caller('ui'))(STATUS, { sessionId: session.id });
    await following.until(results => results.length === 1);
    expect(api.graphql.subscriptionCount()).toBe(before + 1);
    await following.leave();
    await until(() => api.graphql.subscriptionCount() === before);
  });
});

describe('supportSessionEvents', () => {
  it('starts with the session and then returns each event, with the object that it is about', async () => {
    const session = await world.open();
    const following = follow(overWebSocket(api.url, caller('ui'))(EVENTS, { sessionId: session.id }));
    await following.until(results => results.length === 1);
    expect(last(following.results, 'supportSessionEvents')).toEqual({
      seq: 1,
      event: null,
      snapshot: { id: session.id, control: 'BOT', epoch: 1, lastEventSeq: 1, liveHandoff: null },
    });
    await world.user(session.id, 'hello');
    const { handoff } = await world.ask(session.id);
    await following.until(results => results.length === 4);
    expect(following.results.slice(1).map(({ data }) => data.supportSessionEvents.event)).toEqual([
      { __typename: 'SupportMessageRecorded', seq: 2, message: { text: 'hello', author: 'END_USER' } },
      { __typename: 'SupportHandoffChanged', seq: 3, from: null, to: 'REQUESTED', handoff: { id: handoff.id } },
      { __typename: 'SupportControlChanged', seq: 4, control: 'NONE', epoch: 2 },
    ]);
  });

  it('returns the same facts as the query with the same number', async () => {
    const session = await world.open();
    for (let i = 0; i < 120; i += 1) await world.user(session.id, `turn ${i}`);
    const following = follow(overSse(api.url, caller('ui'))(EVENTS, { sessionId: session.id, after: 0 }));
    const results = await following.until(seen => seen.length === 121);
    const pushed = results.map(({ data }) => data.supportSessionEvents.event.seq);
    expect(pushed).toEqual(Array.from({ length: 121 }, (_, i) => i + 1));
    const { data } = await api.run(
      'query ($id: ID!) { supportSession(id: $id) { events(after: 21, first: 100) { seq } } }',
      { id: session.id },
    );
    expect(data.supportSession.events.map((event: any) => event.seq)).toEqual(pushed.slice(21));
  });

  it.each([-1, 2, 1_000_000])('refuses the future event number %i', async after => {
    const session = await world.open();
    const following = follow(overWebSocket(api.url, caller('ui'))(EVENTS, { sessionId: session.id, after }));
    await following.until(results => results.length === 1);
    expect(following.results[0].errors[0].extensions.code).toBe('CURSOR_INVALID');
  });
});

describe('handoffChanges', () => {
  it('starts with the live handoffs of the filter and returns each change, also on another replica after a cursor', async () => {
    const [live, other] = [await world.open(), await world.open()];
    const { handoff } = await world.ask(live.id);
    const first = follow(overWebSocket(api.url, caller('operator'))(CHANGES, { filter: { sessionId: live.id } }));
    await first.until(results => results.length === 1);
    expect(last(first.results, 'handoffChanges')).toMatchObject({
      snapshot: { isComplete: true, handoffs: [{ id: handoff.id, state: 'REQUESTED' }] },
      change: null,
    });
    await world.ask(other.id);
    await world.deliverAll();
    const [, queued] = await first.until(results => results.length === 2);
    expect(queued.data.handoffChanges.change).toMatchObject({
      from: 'REQUESTED',
      to: 'QUEUED',
      handoff: { id: handoff.id, session: { externalId: live.externalId } },
    });
    await first.leave();

    await world.flows.endHandoff(
      { organizationId: 'org-1' },
      { handoffId: handoff.id, sessionId: null, reason: 'OPERATOR_ENDED', idempotencyKey: world.nextKey() },
    );
    await world.read(live.id);
    const second = follow(
      overSse(replica.url, caller('operator'))(CHANGES, {
        filter: { sessionId: live.id },
        after: queued.data.handoffChanges.cursor,
      }),
    );
    const results = await second.until(seen => last(seen, 'handoffChanges')?.change?.to === 'ENDED');
    expect(results.map(({ data }) => data.handoffChanges.change?.to ?? 'snapshot')).toEqual(['ENDING', 'ENDED']);
    expect(results.every(({ data }) => data.handoffChanges.snapshot === null)).toBe(true);
  });

  it('reports a handoff that no longer matches the filter', async () => {
    const session = await world.open();
    const following = follow(
      overWebSocket(api.url, caller('operator'))(CHANGES, {
        filter: { states: ['REQUESTED'], sessionId: session.id },
      }),
    );
    await following.until(results => results.length === 1);
    await wholeHandoff(session.id);
    await following.until(results => results.length === 3);
    expect(following.results.slice(1).map(({ data }) => data.handoffChanges.change.to)).toEqual([
      'REQUESTED',
      'QUEUED',
    ]);
  });

  it('shows nothing of another organization', async () => {
    const following = follow(overWebSocket(api.url, caller('operator', 'org-2'))(CHANGES));
    await following.until(results => results.length === 1);
    const session = await world.open();
    await world.ask(session.id);
    const mine = follow(overWebSocket(api.url, caller('operator'))(CHANGES, { filter: { sessionId: session.id } }));
    await mine.until(results => results.length === 1);
    await world.deliverAll();
    await mine.until(results => results.length === 2);
    expect(following.results).toHaveLength(1);
    expect(following.results[0].data.handoffChanges.snapshot.handoffs).toEqual([]);
  });

  it('refuses a foreign cursor', async () => {
    const following = follow(overWebSocket(api.url, caller('operator'))(CHANGES, { after: 'made up' }));
    await following.until(results => results.length === 1);
    expect(following.results[0].errors[0].extensions.code).toBe('CURSOR_INVALID');
  });
});

describe.each(Object.entries(transports))(
  'a subscription that is cut after any item and resumed over %s',
  (_name, over) => {
    /**
     * All items after `after`, by a client that stores the cursor of each item and loses its connection after each one.
     */
    async function cutAfterEach(
      query: string,
      field: string,
      cursorOf: (item: any) => unknown,
      variables: object,
      after: unknown,
      count: number,
    ): Promise<any[]> {
      const items: any[] = [];
      for (let cursor = after; items.length < count; cursor = cursorOf(items.at(-1))) {
        const following = over(items.length % 2 === 0 ? api.url : replica.url, caller('operator'))(query, {
          ...variables,
          after: cursor,
        });
        const [first] = await following.until(results => results.length > 0);
        await following.leave();
        items.push(first.data[field]);
      }
      return items;
    }

    it('misses nothing and receives nothing out of order', async () => {
      const session = await world.open();
      const { cursor } = last(
        await follow(over(api.url, caller('operator'))(CHANGES)).until(results => results.length === 1),
        'handoffChanges',
      );
      const handoff = await wholeHandoff(session.id);
      const facts = await world.events(session.id);

      const events = await cutAfterEach(
        EVENTS,
        'supportSessionEvents',
        ({ seq }) => seq,
        { sessionId: session.id },
        0,
        facts.length,
      );
      expect(events.map(({ snapshot, event, seq }) => [snapshot, event.seq, seq])).toEqual(
        facts.map(({ seq }) => [null, seq, seq]),
      );

      const changes = await cutAfterEach(
        CHANGES,
        'handoffChanges',
        item => item.cursor,
        { filter: { sessionId: session.id } },
        cursor,
        6,
      );
      expect(changes.map(({ snapshot, change }) => `${snapshot} ${change.to} ${change.handoff.id}`)).toEqual(
        ['REQUESTED', 'QUEUED', 'ASSIGNED', 'ACTIVE', 'ENDING', 'ENDED'].map(state => `null ${state} ${handoff}`),
      );

      const states = await cutAfterEach(
        STATUS,
        'conversationStatus',
        ({ seq }) => seq,
        { sessionId: session.id },
        0,
        6,
      );
      expect(states.map(state => `${state.isSnapshot} ${tupleOf(state)}`)).toEqual([
        'false NONE 2 false REQUESTED',
        'false NONE 2 false QUEUED',
        'false HUMAN 3 false ASSIGNED',
        'false HUMAN 3 false ACTIVE',
        'false HUMAN 3 false ENDING',
        'false BOT 4 true ENDED',
      ]);
    });
  },
);

describe('supportRuntimeDeliveries', () => {
  it('returns pending deliveries, then each new one, and unacknowledged ones again', async () => {
    const { stores } = world;
    const waiting = await stores.deliveries.listRuntimeInbox(
      'org-1',
      { chatbotId: 'bot-1', sessionId: null },
      { first: 100, after: null },
    );
    await world.flows.acknowledge(
      { organizationId: 'org-1' },
      waiting.edges.map(edge => edge.node.id),
    );
    const session = await world.open();
    await world.ask(session.id);
    await world.deliverAll();
    const first = follow(overWebSocket(api.url, caller('bot'))(DELIVERIES, { chatbotId: 'bot-1' }));
    await first.until(results => results.length === 2);
    world.provider.set({ agent: 'alice' });
    world.provider.agentSays('I am Alice');
    await world.read(session.id);
    await first.until(results =>
      results.some(({ data }) => data.supportRuntimeDeliveries.notice.message?.author === 'AGENT'),
    );
    const seen = first.results.map(({ data }) => data.supportRuntimeDeliveries);
    await first.leave();

    await api.run('mutation ($ids: [ID!]!) { acknowledgeRuntimeDeliveries(input: { ids: $ids }) { acknowledged } }', {
      ids: [seen[0].id],
    });
    const again = follow(overSse(replica.url, caller('bot'))(DELIVERIES, { chatbotId: 'bot-1' }));
    await again.until(results => results.length === seen.length - 1);
    expect(again.results.map(({ data }) => data.supportRuntimeDeliveries)).toEqual(seen.slice(1));
  });

  it('returns the same error for an unknown and a foreign chatbot', async () => {
    for (const [as, chatbotId] of [
      [caller('bot'), 'bot-unknown'],
      [caller('bot', 'org-2'), 'bot-1'],
    ] as const) {
      const following = follow(overWebSocket(api.url, as)(DELIVERIES, { chatbotId }));
      await following.until(results => results.length === 1);
      expect(following.results[0].errors[0].extensions.code).toBe('CHATBOT_NOT_ENABLED');
    }
  });
});

describe('a change that becomes visible late', () => {
  /** A transaction over one session that has written a change and a delivery, and is kept open. */
  async function held(sessionId: string) {
    let release: () => void = () => undefined;
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    let written: () => void = () => undefined;
    const isWritten = new Promise<void>(resolve => {
      written = resolve;
    });
    const { handoff } = await world.ask(sessionId);
    const done = world.stores.sessions.transact('org-1', sessionId, async tx => {
      await tx.appendEvent(
        {
          type: 'HANDOFF_CHANGED',
          from: 'REQUESTED',
          to: 'QUEUED',
          cause: 'PROVIDER_ACCEPTED',
          endReason: null,
          agentName: null,
        },
        handoff.id,
        new Date(0).toISOString(),
      );
      await tx.enqueueForRuntime({ kind: 'HANDOFF_STATE', handoffId: handoff.id, state: 'QUEUED' });
      written();
      await released;
    });
    await isWritten;
    return {
      handoffId: handoff.id,
      commit: async () => {
        release();
        await done;
      },
    };
  }

  it('is returned, although later changes were visible before', async () => {
    const [late, early] = [await world.open(), await world.open()];
    const changes = follow(overWebSocket(api.url, caller('operator'))(CHANGES, { filter: { chatbotIds: ['bot-1'] } }));
    const deliveries = follow(
      overWebSocket(
        api.url,
        caller('bot'),
      )(
        'subscription { supportRuntimeDeliveries(chatbotId: "bot-1") { notice { ... on HandoffStateNotice { handoff { id } } } } }',
      ),
    );
    await changes.until(results => results.length === 1);
    const { handoffId, commit } = await held(late.id);
    const { handoff } = await world.ask(early.id);
    await world.stores.sessions.transact('org-1', early.id, tx =>
      tx.enqueueForRuntime({ kind: 'HANDOFF_STATE', handoffId: handoff.id, state: 'REQUESTED' }),
    );
    // Both subscribers get chances to skip what is not visible yet.
    await waitForReads(3, 'events', 'listHandoffChanges');
    await waitForReads(3, 'deliveries', 'listRuntimeInbox');
    await commit();
    const told = (results: any[]): string[] =>
      results.map(({ data }) => `${data.handoffChanges.change?.to} ${data.handoffChanges.change?.handoff.id}`);
    await changes.until(results =>
      [`REQUESTED ${handoffId}`, `QUEUED ${handoffId}`, `REQUESTED ${handoff.id}`].every(one =>
        told(results).includes(one),
      ),
    );
    await deliveries.until(results =>
      [handoffId, handoff.id].every(id =>
        results.some(({ data }) => data.supportRuntimeDeliveries.notice.handoff?.id === id),
      ),
    );
    expect(new Set(told(changes.results)).size).toBe(changes.results.length);
  });
});

describe('a subscription that cannot continue', () => {
  it('returns a masked error as its last result and ends', async () => {
    const session = await world.open();
    const following = follow(overWebSocket(api.url, caller('ui'))(EVENTS, { sessionId: session.id }));
    await following.until(results => results.length === 1);
    const { events } = world.stores as unknown as { events: { listBySession: unknown } };
    const listBySession = events.listBySession;
    events.listBySession = () =>
      Promise.reject(Object.assign(new Error('terminating connection of jane@example.org'), { code: '57P01' }));
    try {
      await world.user(session.id, 'hello');
      await following.ended;
    } finally {
      events.listBySession = listBySession;
    }
    expect(following.results.at(-1)).toEqual({
      errors: [
        {
          message: 'Internal error',
          extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String), retryable: true },
        },
      ],
    });
    expect(api.log.at(-1)?.message).toBe('operation failed');
  });

  it('tells the client to reconnect when the service stops', async () => {
    const own = await startGraphqlApi(world);
    const session = await world.open();
    const socket = overWebSocket(own.url, caller('ui'))(STATUS, { sessionId: session.id });
    const stream = overSse(own.url, caller('ui'))(STATUS, { sessionId: session.id });
    await socket.until(results => results.length === 1);
    await stream.until(results => results.length === 1);
    await own.stop();
    expect(await socket.ended).toMatchObject({ code: 1001 });
    expect(await stream.ended).toBeUndefined();
    expect(own.graphql.subscriptionCount()).toBe(0);
  });
});

/** Resolves when a store's feed was read that many more times. */
async function waitForReads(count: number, store: 'events' | 'deliveries', feed: string): Promise<void> {
  const target = world.stores[store] as unknown as Record<string, (...args: unknown[]) => unknown>;
  const read = target[feed]!;
  let reads = 0;
  target[feed] = function (...args: unknown[]) {
    reads += 1;
    return read.apply(this, args);
  };
  await until(() => reads >= count).finally(() => {
    target[feed] = read;
  });
}
