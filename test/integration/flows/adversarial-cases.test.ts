import { deliver } from '../../../src/core/flows/to-provider/deliver';
import { syncConversation } from '../../../src/core/flows/from-provider/sync-conversation';
import type { PostMessage } from '../../../src/core/ports/provider/post-verbs';
import { Worker } from '../../../src/delivery';
import { LeaseLostError } from '../../../src/core/errors';
import { codeOf, createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { createLease } from '../../../src/testing/lease';
import { quiet } from '../../support/quiet';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

const end = (sessionId: string, reason: 'BOT_CANCELLED' | 'USER_ENDED' | 'OPERATOR_ENDED' = 'BOT_CANCELLED') =>
  world.flows.endHandoff(scope, { sessionId, handoffId: null, reason, idempotencyKey: world.nextKey() });
const handoffsOf = async (sessionId: string) =>
  (
    await world.stores.handoffs.page(
      ORG,
      { chatbotIds: null, states: null, live: null, teamIds: null, sessionId },
      { first: 20, after: null },
    )
  ).edges.map(edge => edge.node);
const liveOf = async (sessionId: string) => world.handoff((await world.session(sessionId)).liveHandoffId!);

/** One delivery, whose completion is lost when `complete` is false, so that it is retried. */
async function deliverOne(complete = true): Promise<void> {
  const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  await deliver(world.deps, lane!.delivery, createLease());
  await (complete ? world.stores.lanes.complete(lane!) : world.stores.lanes.retry(lane!, 0, 'CRASH'));
}
async function mirrored() {
  const session = await world.open();
  await world.user(session.id, 'one');
  expect(await world.deliverAll()).toEqual([]);
  await world.read(session.id);
  return session;
}
/** Delivers as the worker does, and parks dead letters. */
async function work(until: () => Promise<boolean>): Promise<void> {
  const worker = new Worker(
    world.deps,
    { leaseMs: 60_000, concurrency: 2, concurrencyPerRemote: 2, pollMs: 20 },
    quiet,
  );
  await worker.start();
  try {
    while (!(await until())) await new Promise(resolve => setTimeout(resolve, 20));
  } finally {
    await worker.stop();
  }
}

describe('an opening whose completion was lost', () => {
  it('is not repeated: no second promise to the end-user, no reopening', async () => {
    const session = await mirrored();
    const { handoff } = await world.ask(session.id, { reason: 'help', target: { team: '47', agent: null } });
    // Its note.
    await deliverOne();
    await deliverOne(false);
    world.provider.set({ agent: 'alice', teamId: '48' });
    await deliverOne();
    expect(await world.collected(session.id)).toEqual(['QUEUED', 'SYSTEM: A colleague will be with you shortly.']);
    expect(world.provider.onlyConversation.view).toEqual({ status: 'OPEN', agent: 'alice', teamId: '48' });
    expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
    expect((await world.session(session.id)).statusWrites % 2).toBe(0);
  });

  describe('that another replica performed meanwhile, under a later lease', () => {
    const QUEUED = ['QUEUED', 'SYSTEM: A colleague will be with you shortly.'];
    async function openedTwice(meanwhile: (sessionId: string) => Promise<void>): Promise<string> {
      const session = await mirrored();
      await world.ask(session.id, { reason: 'help', target: { team: '47', agent: null } });
      await deliverOne();
      const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
      world.provider.hooks.set('openForAgents', async () => {
        await deliver(world.deps, { ...lane!.delivery, previousAttempts: 1 }, createLease());
        await meanwhile(session.id);
      });
      await deliver(world.deps, lane!.delivery, createLease());
      return session.id;
    }

    it('posts the promise of a colleague once', async () => {
      const id = await openedTwice(async () => undefined);
      expect(await world.collected(id)).toEqual(QUEUED);
      expect((await world.session(id)).statusWrites % 2).toBe(0);
    });

    it('keeps what was learned of agents since', async () => {
      const id = await openedTwice(async sessionId => {
        world.provider.set({ agent: 'alice' });
        await world.read(sessionId);
      });
      expect(await world.collected(id)).toEqual([...QUEUED, 'ASSIGNED']);
      expect((await world.session(id)).lastView).toMatchObject({ agent: { externalId: 'alice' } });
    });
  });

  it('does not write its note again when a sync has already read it', async () => {
    const session = await mirrored();
    await world.ask(session.id, { reason: 'help' });
    world.provider.hooks.set('postNote', async () => {
      await world.read(session.id);
    });
    world.provider.failNext('postNote', 'after');
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    expect(world.provider.shown().filter(line => line.startsWith('NOTE'))).toHaveLength(1);
    expect((await world.handoff((await world.session(session.id)).liveHandoffId!)).state).toBe('QUEUED');
  });
});

describe('an agent who answers before the conversation was opened', () => {
  async function answeredEarly() {
    const session = await mirrored();
    const { handoff } = await world.ask(session.id, { target: { team: '47', agent: null } });
    world.provider.agentSays('I saw you');
    await world.read(session.id);
    await world.read(session.id);
    return { session, handoff };
  }

  it('has not returned it to the bot by answering early', async () => {
    const { session, handoff } = await answeredEarly();
    expect((await world.handoff(handoff.id)).state).toBe('ACTIVE');
    await world.deliverAll();
    await world.read(session.id);
    expect((await world.handoff(handoff.id)).state).toBe('ACTIVE');
    expect(world.provider.onlyConversation.view.status).toBe('OPEN');
    world.provider.set({ status: 'RESOLVED' });
    await world.read(session.id);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDING', endReason: 'AGENT_RESOLVED' });
  });

  it('keeps it when the requested target is refused', async () => {
    const { session, handoff } = await answeredEarly();
    world.provider.failNext('openForAgents', 'refused');
    await work(async () => world.provider.onlyConversation.view.status === 'OPEN');
    await world.read(session.id);
    expect((await world.handoff(handoff.id)).state).toBe('ACTIVE');
    expect(world.provider.onlyConversation.view).toMatchObject({ status: 'OPEN', agent: 'alice' });
  });

  it('loses it with a named error when the conversation cannot be opened for them either', async () => {
    const { session, handoff } = await answeredEarly();
    // For the team, for the agent, for everybody; then the same for a conversation that was taken over.
    for (let n = 0; n < 5; n++) world.provider.failNext('openForAgents', 'refused');
    await work(async () => (await world.handoff(handoff.id)).state === 'ENDING');
    expect((await world.handoff(handoff.id)).endReason).toBe('PROVIDER_LOST');
    expect((await world.session(session.id)).statusWrites % 2).toBe(0);
  });
});

describe('an agent who takes over while an earlier handoff is still being returned', () => {
  it('keeps the conversation; the sync does not read a return', async () => {
    const session = await mirrored();
    await world.ask(session.id);
    await world.deliverAll();
    await world.read(session.id);
    await end(session.id);
    await world.read(session.id);
    // Long after the end: nothing has told this agent that it was one.
    world.time.ms += 61_000;
    world.provider.agentSays('hello?', 'alice', new Date(world.time.ms).toISOString());
    await world.read(session.id);
    const { id } = await liveOf(session.id);
    await deliverOne();
    await world.read(session.id);
    await world.deliverAll();
    await world.read(session.id);
    expect(await world.handoff(id)).toMatchObject({ origin: 'AGENT_TAKEOVER', state: 'ACTIVE' });
    expect(world.provider.onlyConversation.view.status).toBe('OPEN');
    expect(world.provider.calls).not.toContain('returnToBot');
    expect((await world.session(session.id)).statusWrites % 2).toBe(0);
  });

  it('is not read as having returned it either when the return was already running', async () => {
    const session = await mirrored();
    await world.ask(session.id);
    await world.deliverAll();
    await end(session.id);
    await world.read(session.id);
    world.provider.hooks.set('returnToBot', async () => {
      world.provider.agentSays('hello?');
      await world.read(session.id);
    });
    await deliverOne();
    await world.read(session.id);
    expect((await liveOf(session.id)).state).toBe('ACTIVE');
    // Reads the view before the opening, and decides after it.
    world.provider.hooks.set('listMessages', async () => {
      await world.deliverAll();
    });
    await world.read(session.id);
    expect((await liveOf(session.id)).state).toBe('ACTIVE');
    expect(world.provider.onlyConversation.view).toMatchObject({ status: 'OPEN', agent: 'alice' });
  });

  it('while the last handoff drains, takes over once the drain ends', async () => {
    const session = await mirrored();
    const { handoff } = await world.ask(session.id);
    await world.deliverAll();
    world.provider.set({ agent: 'alice' });
    world.provider.agentSays('bye');
    await world.read(session.id);
    world.provider.set({ status: 'BOT_HELD' });
    await world.read(session.id);
    world.provider.set({ agent: 'bob' });
    expect(await world.read(session.id)).not.toBeNull();
    expect((await world.handoff(handoff.id)).state).toBe('ENDING');
    await world.acknowledgeAll(session.id);
    await world.read(session.id);
    expect(await liveOf(session.id)).toMatchObject({
      origin: 'AGENT_TAKEOVER',
      state: 'ASSIGNED',
      agent: { externalId: 'bob' },
    });
  });
});

it('an assignee first seen after the end-user ended the handoff is stale and takes nothing over', async () => {
  const session = await mirrored();
  await world.ask(session.id);
  await world.deliverAll();
  await world.read(session.id);
  world.provider.hooks.set('resolve', async () => world.provider.set({ agent: 'alice' }));
  await end(session.id, 'USER_ENDED');
  await world.user(session.id, 'me again');
  await world.deliverAll();
  world.provider.set({ status: 'BOT_HELD' });
  await world.read(session.id);
  expect((await world.session(session.id)).control).toBe('BOT');
  world.provider.set({ agent: 'bob' });
  await world.read(session.id);
  expect((await world.session(session.id)).control).toBe('HUMAN');
});

it('a conversation that was put on hold out of the queue returns to the queue', async () => {
  const session = await mirrored();
  const { handoff } = await world.ask(session.id);
  await world.deliverAll();
  const stateAt = async (status: 'ON_HOLD' | 'OPEN') => {
    world.provider.set({ status });
    await world.read(session.id);
    return (await world.handoff(handoff.id)).state;
  };
  expect(await stateAt('ON_HOLD')).toBe('ON_HOLD');
  expect(await stateAt('OPEN')).toBe('QUEUED');
  expect((await world.session(session.id)).control).toBe('NONE');
});

describe('history that is posted only at the handoff', () => {
  async function unmirrored() {
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    const session = await world.open();
    for (const text of ['one', 'two', 'three']) await world.user(session.id, text);
    return session;
  }
  const shown = (...texts: string[]) => texts.map(text => `END_USER: ${text}`);

  it('stays in order without duplicates when a cancel and a lost response interrupt it', async () => {
    const session = await unmirrored();
    await world.ask(session.id);
    await world.user(session.id, 'four');
    // The second message arrives, its response does not, and the handoff ends before any lookup.
    let posts = 0;
    const { postMessage } = world.provider;
    world.provider.postMessage = async request => {
      if (++posts !== 2) return postMessage(request);
      world.provider.failNext('postMessage', 'after');
      world.provider.hooks.set('postMessage', async () => {
        await end(session.id);
      });
      return postMessage(request);
    };
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    await world.user(session.id, 'five');
    await world.ask(session.id);
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(shown('one', 'two', 'three', 'four', 'five'));
    expect(world.provider.onlyConversation.view.status).toBe('OPEN');
  });

  it('is posted once when its handoff is cancelled before the response arrives; the next handoff posts it', async () => {
    const session = await unmirrored();
    await world.ask(session.id);
    world.provider.failNext('postMessage', 'after');
    world.provider.hooks.set('postMessage', async () => {
      await end(session.id);
    });
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    expect(world.provider.shown()).toEqual(shown('one'));
    await world.ask(session.id);
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(shown('one', 'two', 'three'));
  });

  it('continues where it was when the lease is lost halfway', async () => {
    const session = await unmirrored();
    await world.ask(session.id);
    await deliverOne();
    const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
    const lost = deliver(
      world.deps,
      lane!.delivery,
      createLease(async () => {
        if (world.provider.calls.includes('postMessage')) throw new LeaseLostError('lost');
      }),
    );
    await expect(lost).rejects.toThrow(LeaseLostError);
    expect(world.provider.shown()).toEqual(shown('one'));
    await world.stores.lanes.retry(lane!, 0, 'LEASE_LOST');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(shown('one', 'two', 'three'));
    expect((await world.session(session.id)).statusWrites % 2).toBe(0);
  });

  it('skips what the provider refuses for good, reports it, and posts the rest', async () => {
    const session = await unmirrored();
    const { handoff } = await world.ask(session.id);
    world.provider.failNext('postMessage', 'refused');
    await work(async () => (await world.handoff(handoff.id)).state === 'QUEUED');
    expect(world.provider.shown()).toEqual(shown('two', 'three'));
    expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
    expect((await world.events(session.id)).map(event => event.body)).toContainEqual({
      type: 'DELIVERY_PARKED',
      deliveryId: expect.any(String),
      kind: 'POST_MESSAGE',
      code: 'PROVIDER_REFUSED',
      outcome: 'NOT_DELIVERED',
    });
  });

  it('is posted for an agent who takes over, too', async () => {
    const session = await unmirrored();
    await world.ask(session.id);
    await world.deliverAll();
    await end(session.id);
    await world.read(session.id);
    await world.user(session.id, 'four');
    await world.bot(session.id, 'five');
    await world.deliverAll();
    world.provider.agentSays('wait');
    await world.read(session.id);
    await world.user(session.id, 'six');
    await world.deliverAll();
    expect(world.provider.shown()).toEqual([...shown('one', 'two', 'three', 'four'), 'BOT: five', ...shown('six')]);
  });

  it('is posted before the first message that is mirrored after the policy changed', async () => {
    const session = await unmirrored();
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ALWAYS' });
    await world.user(session.id, 'four');
    await world.deliverAll();
    expect(world.provider.shown()).toEqual(shown('one', 'two', 'three', 'four'));
  });
});

it('a message that was parked as a dead letter does not fail the next handoff', async () => {
  const session = await mirrored();
  const { postMessage } = world.provider;
  world.provider.postMessage = async request => {
    if (request.message.text === 'poison') world.provider.failNext('postMessage', 'refused');
    return postMessage(request);
  };
  await world.user(session.id, 'poison');
  await world.user(session.id, 'three');
  const { handoff } = await world.ask(session.id);
  await work(async () => (await world.handoff(handoff.id)).state !== 'REQUESTED');
  expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
  expect(world.provider.shown()).toEqual(['END_USER: one', 'END_USER: three']);
});

it('a conversation whose creation was confirmed only after the handoff was cancelled is found, not created twice', async () => {
  const session = await world.open();
  await world.ask(session.id);
  world.provider.hooks.set('openConversation', async () => {
    await end(session.id);
  });
  world.provider.failNext('openConversation', 'after');
  await world.deliverAll();
  await world.user(session.id, 'hello');
  await world.deliverAll();
  expect(world.provider.conversations).toHaveLength(1);
});

it('looks up an earlier post from the sync position of the moment when its outcome was still unknown', async () => {
  const session = await world.open();
  await world.user(session.id, 'one');
  world.provider.failNext('postMessage', 'after');
  const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  await expect(deliver(world.deps, lane!.delivery, createLease())).rejects.toThrow();
  await world.stores.lanes.retry(lane!, 0, 'PROVIDER_UNAVAILABLE');

  // A sync on another replica finds the post just after the lookup of our own record failed.
  const { messages } = world.stores;
  const deps = {
    ...world.deps,
    stores: {
      ...world.stores,
      messages: Object.assign(Object.create(messages) as typeof messages, {
        get: async (...all: Parameters<typeof messages.get>) => {
          const message = await messages.get(...all);
          await syncConversation(world.deps, ORG, session.id);
          return message;
        },
      }),
    },
  };
  const asked: PostMessage[] = [];
  const { postMessage } = world.provider;
  world.provider.postMessage = async request => {
    asked.push(request);
    return postMessage(request);
  };
  const [again] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  await deliver(deps, again!.delivery, createLease());
  expect((await world.session(session.id)).syncCursor).not.toBeNull();
  expect(asked.map(({ mayExist, lookupAfter }) => ({ mayExist, lookupAfter: lookupAfter }))).toEqual([
    { mayExist: true, lookupAfter: null },
  ]);
});

it("an older view than another replica's is ignored", async () => {
  const session = await mirrored();
  const { handoff } = await world.ask(session.id);
  await world.deliverAll();
  await world.read(session.id);
  world.provider.set({ status: 'RESOLVED' });
  world.provider.hooks.set('readConversation', async () => {
    world.provider.set({ status: 'OPEN', agent: 'bob' });
    await world.read(session.id);
  });
  await world.read(session.id);
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ASSIGNED', agent: { externalId: 'bob' } });
});

describe("the caller's ids", () => {
  it('one id for a message of the end-user and one of the bot is refused, and neither message is lost silently', async () => {
    const { id } = await world.open();
    const turn = { sessionId: id, attachments: [], messageId: 'turn-1' };
    await world.flows.recordEndUserMessage(scope, { ...turn, text: 'hi', idempotencyKey: 'a' });
    expect(
      await codeOf(
        world.flows.sendBotMessage(scope, {
          ...turn,
          text: 'hello',
          epoch: 1,
          onControlLost: 'REJECT',
          idempotencyKey: 'b',
        }),
      ),
    ).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await codeOf(world.flows.recordEndUserMessage(scope, { ...turn, text: 'other', idempotencyKey: 'c' }))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
    const half = { ...turn, messageId: 'turn-2', text: 'half \ud83d' };
    const first = await world.flows.recordEndUserMessage(scope, { ...half, idempotencyKey: 'd' });
    expect((await world.flows.recordEndUserMessage(scope, { ...half, idempotencyKey: 'e' })).message.id).toBe(
      first.message.id,
    );
  });

  it('a repeated request gets the first result, even when its team was deleted since', async () => {
    const session = await mirrored();
    const input = { target: { team: '47', agent: null }, idempotencyKey: 'ask' };
    const first = await world.ask(session.id, input);
    await world.deliverAll();
    world.provider.listTeams = async () => [];
    const [account] = await world.stores.setup.listAccounts(ORG);
    await world.flows.refreshDirectory(scope, account!.id);
    expect(await world.ask(session.id, input)).toEqual({ ...first, replayed: true });
    expect(await codeOf(world.ask(session.id, { ...input, idempotencyKey: 'ask again' }))).toBe('TEAM_NOT_FOUND');
  });

  it('a repeated old result after control moved on still lets no stale message through', async () => {
    const session = await mirrored();
    const said = { sessionId: session.id, text: 'two', attachments: [], messageId: null, idempotencyKey: 'said' };
    const first = await world.flows.recordEndUserMessage(scope, said);
    await world.ask(session.id);
    const again = await world.flows.recordEndUserMessage(scope, said);
    expect(again).toEqual({ ...first, replayed: true });
    expect(await codeOf(world.bot(session.id, 'three', again.session.epoch))).toBe('CONTROL_LOST');
  });
});

it('messages that arrive between a read of the inbox and its acknowledgement come before the outcome', async () => {
  const session = await mirrored();
  const { handoff } = await world.ask(session.id);
  await world.deliverAll();
  world.provider.agentSays('bye');
  world.provider.set({ status: 'RESOLVED' });
  await world.read(session.id);
  const collected = (await world.inbox(session.id)).map(delivery => delivery.id);
  world.provider.agentSays('and thanks');
  await Promise.all([world.read(session.id), world.flows.acknowledge(scope, collected)]);
  await world.acknowledgeAll(session.id);
  await world.finishEndings();
  const { rows } = await world.pool.query<{ kind: string; said: string | null; handoff: string }>(`
    select d.kind, m.text as said, coalesce(m.handoff_id::text, d.payload ->> 'handoffId') as handoff from delivery d
    left join message m on m.id::text = d.payload ->> 'messageId' where d.destination = 'RUNTIME' order by d.id`);
  const ofThis = rows.filter(row => row.handoff === handoff.id);
  expect(ofThis.at(-1)!.kind).toBe('HANDOFF_OUTCOME');
  expect(
    rows
      .filter(row => row.said !== null && row.kind === 'MESSAGE' && !row.said.startsWith('A colleague'))
      .map(row => row.said),
  ).toEqual(['bye', 'and thanks']);
});

it.each(['ensureContact', 'openConversation', 'postMessage', 'returnToBot', 'postNote', 'openForAgents'])(
  'closing the session halfway through %s leaves nothing open',
  async verb => {
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    const session = await world.open();
    await world.user(session.id, 'one');
    if (verb === 'returnToBot') {
      await world.ask(session.id);
      await world.deliverAll();
      await end(session.id, 'USER_ENDED');
      await world.deliverAll();
    }
    world.time.ms += 1;
    await world.ask(session.id, { reason: 'help' });
    let closed = false;
    world.provider.hooks.set(verb, async () => {
      await world.flows.closeSession(scope, { sessionId: session.id, idempotencyKey: 'close' });
      closed = true;
    });
    expect(await world.deliverAll()).toEqual([]);
    await world.read(session.id);
    expect(closed).toBe(true);
    expect(world.provider.onlyConversation.view.status).toBe('RESOLVED');
    expect((await handoffsOf(session.id))[0]).toMatchObject({ state: 'ENDED', endReason: 'SESSION_CLOSED' });
    expect(await world.session(session.id)).toMatchObject({ control: 'BOT', liveHandoffId: null });
    expect((await world.session(session.id)).statusWrites % 2).toBe(0);
  },
);

it.each(['returnToBot', 'postMessage', 'postNote', 'openForAgents'])(
  'a conversation that is deleted halfway through %s is recreated and opened',
  async verb => {
    const session = await mirrored();
    await world.ask(session.id);
    await world.deliverAll();
    await end(session.id, 'USER_ENDED');
    await world.deliverAll();
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    await world.user(session.id, 'two');
    const { handoff } = await world.ask(session.id, { reason: 'help' });
    world.provider.hooks.set(verb, async () => {
      world.provider.delete();
      await world.read(session.id);
    });
    await work(async () => (await world.handoff(handoff.id)).state === 'QUEUED');
    expect(world.provider.conversations.filter(conversation => !conversation.deleted)).toHaveLength(1);
    expect(world.provider.onlyConversation.view.status).toBe('OPEN');
    expect((await world.session(session.id)).statusWrites % 2).toBe(0);
  },
);
