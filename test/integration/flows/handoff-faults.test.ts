import { deliver } from '../../../src/core/flows/to-provider/deliver';
import type { PostTranscript } from '../../../src/core/ports/provider/post-verbs';
import { Worker } from '../../../src/delivery';
import { createFlowWorld, codeOf, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { createLease } from '../../../src/testing/lease';
import { quiet } from '../../support/quiet';
import { until } from '../../support/until';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

const HISTORY = ['END_USER: one', 'BOT: two'];
const NOTE = 'NOTE: Handed over by the bot.\nReason: help';

async function asked() {
  const session = await world.open();
  await world.user(session.id, 'one');
  await world.bot(session.id, 'two');
  const { handoff } = await world.ask(session.id, { reason: 'help', target: { team: '47', agent: null } });
  return { session, handoff };
}

describe.each(['before', 'after'] as const)('a connection that is cut %s the remote acted', fault => {
  it.each(['ensureContact', 'openConversation', 'postMessage', 'postNote', 'openForAgents'])(
    'in %s is recovered without duplicates',
    async verb => {
      const { session, handoff } = await asked();
      world.provider.failNext(verb, fault);
      world.provider.failNext(verb, fault);
      expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE', 'PROVIDER_UNAVAILABLE']);
      expect(world.provider.conversations).toHaveLength(1);
      expect(world.provider.shown()).toEqual([...HISTORY, NOTE]);
      expect(world.provider.onlyConversation.view).toEqual({ status: 'OPEN', agent: null, teamId: '47' });
      expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
      expect((await world.session(session.id)).statusWrites % 2).toBe(0);
    },
  );
});

it('the promise of a colleague goes out only once the provider has accepted', async () => {
  const { session } = await asked();
  world.provider.failNext('openForAgents', 'before');
  world.provider.hooks.set('postNote', async () => {
    expect(await world.collected(session.id)).toEqual([]);
  });
  await world.deliverAll();
  expect(await world.collected(session.id)).toEqual(['QUEUED', 'SYSTEM: A colleague will be with you shortly.']);
});

it('a conversation that the provider cannot open fails the handoff with a named error and returns control to the bot', async () => {
  const { session, handoff } = await asked();
  for (let n = 0; n < 2; n++) world.provider.failNext('openForAgents', 'refused');
  const worker = new Worker(
    world.deps,
    { leaseMs: 60_000, concurrency: 4, concurrencyPerRemote: 4, pollMs: 50 },
    quiet,
  );
  await worker.start();
  await until(async () => (await world.handoff(handoff.id)).state !== 'REQUESTED');
  await worker.stop();
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'FAILED', failureCode: 'PROVIDER_REFUSED' });
  expect(await world.session(session.id)).toMatchObject({ control: 'BOT', epoch: 3, liveHandoffId: null });
  expect(await world.collected(session.id)).toEqual([
    'SYSTEM: I could not reach a colleague just now. I will go on helping you as well as I can.',
    'OUTCOME FAILED PROVIDER_REFUSED',
  ]);
  expect((await world.stores.deliveries.countPending(ORG, session.id)).parked).toBe(1);
  expect((await world.bot(session.id, 'so, where were we?')).delivered).toBe(true);
});

it('its own opening is not read as a return to the bot, even when a sync overlaps it', async () => {
  const { session, handoff } = await asked();
  // The sync reads the view while the bot has the conversation, and finishes after it was opened.
  world.provider.hooks.set('listMessages', async () => {
    await world.deliverAll();
  });
  await world.deliverAll();
  const again = await world.read(session.id);
  expect(again).not.toBeNull();
  expect((await world.handoff(handoff.id)).state).toBe('QUEUED');

  const second = await world.open();
  await world.user(second.id, 'one');
  await world.deliverAll();
  const { handoff: other } = await world.ask(second.id);
  world.provider.hooks.set('readConversation', async () => {
    expect(await world.deliverAll()).toEqual([]);
  });
  await world.read(second.id);
  expect((await world.handoff(other.id)).state).toBe('QUEUED');
});

it('a cancel before the first remote call leaves nothing waiting at the provider', async () => {
  const { session, handoff } = await asked();
  const { handoff: ended } = await world.flows.endHandoff(scope, {
    handoffId: handoff.id,
    sessionId: null,
    reason: 'BOT_CANCELLED',
    idempotencyKey: 'c',
  });
  expect(ended).toMatchObject({ state: 'ENDED', endReason: 'BOT_CANCELLED' });
  await world.deliverAll();
  expect(world.provider.onlyConversation.view.status).toBe('BOT_HELD');
  expect((await world.session(session.id)).control).toBe('BOT');
});

it('a cancel halfway through the opening is undone at the provider', async () => {
  const { session, handoff } = await asked();
  world.provider.hooks.set('openForAgents', async () => {
    await world.flows.endHandoff(scope, {
      handoffId: handoff.id,
      sessionId: null,
      reason: 'BOT_CANCELLED',
      idempotencyKey: 'c',
    });
  });
  await world.deliverAll();
  expect(world.provider.onlyConversation.view).toEqual({ status: 'BOT_HELD', agent: null, teamId: null });
  await world.read(session.id);
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', queuedAt: null });
});

it('a second end is a no-op that says so', async () => {
  const { handoff } = await asked();
  const end = (idempotencyKey: string) =>
    world.flows.endHandoff(scope, { handoffId: handoff.id, sessionId: null, reason: 'USER_ENDED', idempotencyKey });
  expect((await end('a')).alreadyEnded).toBe(false);
  expect(await end('b')).toMatchObject({ alreadyEnded: true, handoff: { endReason: 'USER_ENDED' } });
});

it('a conversation deleted at the provider ends the handoff as lost, and the next message creates a new one', async () => {
  const { session, handoff } = await asked();
  await world.deliverAll();
  world.provider.delete();
  await world.read(session.id);
  await world.acknowledgeAll(session.id);
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'PROVIDER_LOST' });
  await world.user(session.id, 'anybody?');
  await world.deliverAll();
  expect(world.provider.conversations).toHaveLength(2);
  expect(world.provider.shown()).toEqual(['END_USER: anybody?']);
});

describe('an agent who acts without a request', () => {
  async function mirrored() {
    const session = await world.open();
    await world.user(session.id, 'one');
    await world.deliverAll();
    await world.read(session.id);
    return session;
  }

  it('takes over by speaking in public', async () => {
    const session = await mirrored();
    world.provider.agentSays('let me help');
    await world.read(session.id);
    expect(await world.session(session.id)).toMatchObject({ control: 'HUMAN', epoch: 2 });
    expect(await codeOf(world.bot(session.id, 'two', 1))).toBe('CONTROL_LOST');
    await world.read(session.id);
    expect((await world.session(session.id)).control).toBe('HUMAN');
    await world.deliverAll();
    expect(world.provider.onlyConversation.view).toEqual({ status: 'OPEN', agent: 'alice', teamId: null });
    await world.read(session.id);
    expect(await world.collected(session.id)).toEqual(['ACTIVE', 'AGENT: let me help']);
    const { liveHandoffId } = await world.session(session.id);
    expect(await world.handoff(liveHandoffId!)).toMatchObject({ origin: 'AGENT_TAKEOVER', state: 'ACTIVE' });
  });

  it('takes over by assigning themselves', async () => {
    const session = await mirrored();
    world.provider.set({ agent: 'alice' });
    await world.read(session.id);
    expect(await world.session(session.id)).toMatchObject({ control: 'HUMAN' });
    expect(await world.collected(session.id)).toEqual(['ASSIGNED']);
  });

  it('does not take over by a note', async () => {
    const session = await mirrored();
    world.provider.agentNotes('watch this one');
    await world.read(session.id);
    expect(await world.session(session.id)).toMatchObject({ control: 'BOT', epoch: 1 });
    expect(await world.collected(session.id)).toEqual([]);
  });

  it('who has already resolved the conversation is not called back', async () => {
    const session = await mirrored();
    world.provider.agentSays('done');
    await world.read(session.id);
    world.provider.set({ status: 'RESOLVED' });
    await world.deliverAll();
    await world.read(session.id);
    await world.acknowledgeAll(session.id);
    expect(world.provider.onlyConversation.view.status).toBe('RESOLVED');
    expect((await world.session(session.id)).control).toBe('BOT');
  });
});

it('history is posted at the handoff when conversations are created only then', async () => {
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
  const session = await world.open();
  await world.user(session.id, 'one');
  await world.bot(session.id, 'two');
  expect(await world.deliverAll()).toEqual([]);
  expect(world.provider.conversations).toHaveLength(0);
  await world.ask(session.id, { reason: 'help' });
  await world.user(session.id, 'three');
  world.provider.failNext('postMessage', 'after');
  await world.deliverAll();
  expect(world.provider.shown()).toEqual([...HISTORY, NOTE, 'END_USER: three']);
});

it('history is posted once when a handoff is cancelled after an attempt of unknown outcome and another one is requested', async () => {
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
  const { session, handoff } = await asked();
  world.provider.failNext('postMessage', 'after');
  const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  await expect(deliver(world.deps, lane!.delivery, createLease())).rejects.toThrow('cut');
  await world.stores.lanes.retry(lane!, 0, 'PROVIDER_UNAVAILABLE', true, 'UNKNOWN');
  await world.flows.endHandoff(scope, {
    handoffId: handoff.id,
    sessionId: null,
    reason: 'BOT_CANCELLED',
    idempotencyKey: 'c',
  });
  await world.ask(session.id, { reason: 'help' });
  expect(await world.deliverAll()).toEqual([]);
  expect(world.provider.shown()).toEqual([...HISTORY, NOTE]);
  expect(world.provider.onlyConversation.view.status).toBe('OPEN');
});

describe('a transcript of an ended handoff that the provider refuses', () => {
  const spoken = async () => {
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    Object.assign(world.provider, { postingCapacity: () => 1 });
    const { session, handoff } = await asked();
    // What was said in the handoff is posted whatever happens to it, with the history before it.
    await world.user(session.id, 'three');
    await world.flows.endHandoff(scope, {
      handoffId: handoff.id,
      sessionId: null,
      reason: 'USER_ENDED',
      idempotencyKey: 'c',
    });
    return session.id;
  };

  it('does not keep the next handoff from opening', async () => {
    const sessionId = await spoken();
    const { handoff } = await world.ask(sessionId, { reason: 'help' });
    expect(await world.deliverAll()).toEqual([]);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED' });
    expect(world.provider.shown()).toEqual([...HISTORY, 'END_USER: three', NOTE]);
    expect(world.provider.onlyConversation.view.status).toBe('OPEN');
  });

  it('does not take the conversation from an agent who took it over meanwhile', async () => {
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    const { session, handoff: first } = await asked();
    await world.deliverAll();
    world.provider.set({ status: 'RESOLVED' });
    await world.read(session.id);
    expect(await world.handoff(first.id)).toMatchObject({ state: 'ENDED' });
    Object.assign(world.provider, { postingCapacity: () => 1 });
    await world.user(session.id, 'three');
    await world.user(session.id, 'four');
    const { handoff } = await world.ask(session.id);
    await world.user(session.id, 'five');
    await world.flows.endHandoff(scope, {
      handoffId: handoff.id,
      sessionId: null,
      reason: 'BOT_CANCELLED',
      idempotencyKey: 'c',
    });
    world.provider.agentSays('Let me help');
    await world.read(session.id);
    expect(await world.deliverAll()).toEqual([]);
    const takeover = (await world.session(session.id)).liveHandoffId!;
    expect(await world.handoff(takeover)).toMatchObject({
      origin: 'AGENT_TAKEOVER',
      state: 'ACTIVE',
      openedForAgents: 'YES',
    });
    expect((await world.session(session.id)).statusWrites % 2).toBe(0);
    expect(world.provider.shown().slice(-3)).toEqual(['END_USER: three', 'END_USER: four', 'END_USER: five']);
  });

  it('is posted message by message when no further handoff follows', async () => {
    await spoken();
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual([...HISTORY, 'END_USER: three']);
    expect(world.provider.onlyConversation.view.status).toBe('RESOLVED');
  });
});

it('the messages of a transcript are recorded in one statement, whatever their number', async () => {
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
  Object.assign(world.provider, {
    postingCapacity: () => 1,
    postTranscript: (request: PostTranscript) => world.provider.postNote({ ...request, text: request.title }),
  });
  const session = await world.open();
  for (const text of ['one', 'two', 'three', 'four']) await world.user(session.id, text);
  const recorded: number[] = [];
  const { sessions } = world.stores;
  const transact = sessions.transact.bind(sessions);
  sessions.transact = (organizationId, sessionId, work, idempotency) =>
    transact(
      organizationId,
      sessionId,
      async tx => {
        const recordPosts = tx.recordPosts.bind(tx);
        tx.recordPosts = async posts => {
          recorded.push(posts.length);
          return recordPosts(posts);
        };
        return work(tx);
      },
      idempotency,
    );
  await world.ask(session.id);
  expect(await world.deliverAll()).toEqual([]);
  expect(recorded).toEqual([3, 1]);
});

it('looks a message up whose attempt ended with its process before its opening was withdrawn', async () => {
  const { id } = await world.open();
  await world.user(id, 'zero');
  await world.deliverAll();
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
  for (const text of ['one', 'two', 'three']) await world.user(id, text);
  Object.assign(world.provider, { postingCapacity: () => 1 });
  const { handoff } = await world.ask(id, { reason: 'help' });
  // The transcript is a dead letter for now, so that the message after it is attempted.
  const [file] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  expect(file!.delivery.work.kind).toBe('POST_TRANSCRIPT');
  await world.stores.lanes.park(file!, 'PROVIDER_UNAVAILABLE', null);
  world.provider.failNext('postMessage', 'after');
  const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  await expect(deliver(world.deps, lane!.delivery, createLease())).rejects.toThrow('cut');
  await world.pool.query("update lane set next_run_at = now() where destination = 'PROVIDER'");
  // Resent, the transcript comes first, is refused, and its messages are enqueued one by one.
  await world.flows.resendDeadLetters(scope, { ids: [file!.delivery.id], filter: null, all: false, after: null }, null);
  expect(await world.deliverAll()).toEqual([]);
  expect(world.provider.shown().filter(line => line === 'END_USER: three')).toHaveLength(1);
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED' });
});

it.each(['ended with its process', 'was posted'])(
  'posts the context note once when its opening is withdrawn after it %s',
  async how => {
    const { id } = await world.open();
    await world.user(id, 'zero');
    await world.deliverAll();
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    for (const text of ['one', 'two']) await world.user(id, text);
    Object.assign(world.provider, { postingCapacity: () => 1 });
    const { handoff } = await world.ask(id, { reason: 'help' });
    const next = async () => (await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000))[0]!;
    const file = await next();
    await world.stores.lanes.park(file, 'PROVIDER_UNAVAILABLE', null);
    const message = await next();
    await deliver(world.deps, message.delivery, createLease());
    await world.stores.lanes.complete(message);
    const note = await next();
    expect(note.delivery.work.kind).toBe('POST_CONTEXT_NOTE');
    await deliver(world.deps, note.delivery, createLease());
    if (how === 'was posted') await world.stores.lanes.complete(note);
    else await world.pool.query("update lane set next_run_at = now() where destination = 'PROVIDER'");
    await world.flows.resendDeadLetters(
      scope,
      { ids: [file.delivery.id], filter: null, all: false, after: null },
      null,
    );
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown().filter(line => line.startsWith('NOTE'))).toEqual([NOTE]);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED' });
  },
);

describe('the second context note follows the first one', () => {
  const FIELDS = Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`key-${at}`, `value ${at}`]));
  const notes = () =>
    world.provider
      .shown()
      .filter(line => line.startsWith('NOTE'))
      .map(line => line.slice(0, 22));
  const IN_ORDER = ['NOTE: Handed over by t', 'NOTE: More than the fi'];

  it('when the transcript is refused', async () => {
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    Object.assign(world.provider, { postingCapacity: () => 1 });
    const { id } = await world.open();
    for (const text of ['one', 'two', 'three']) await world.user(id, text);
    await world.ask(id, { fields: FIELDS });
    expect(await world.deliverAll()).toEqual([]);
    expect(notes()).toEqual(IN_ORDER);
  });

  it('when a message that waited before it makes the conversation, and the steps are enqueued again', async () => {
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    const { id } = await world.open();
    await world.user(id, 'one');
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ALWAYS' });
    await world.user(id, 'two');
    await world.ask(id, { fields: FIELDS });
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown().slice(0, 2)).toEqual(['END_USER: one', 'END_USER: two']);
    expect(notes()).toEqual(IN_ORDER);
  });
});
