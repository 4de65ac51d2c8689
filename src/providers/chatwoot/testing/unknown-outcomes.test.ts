import { randomUUID } from 'node:crypto';
import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';
import { setAsideIn } from './parked-work';

/* CONTRACT §6 and §8: a write that may be stored and cannot be looked up is parked as unknown, never guessed. */

let world: ChatwootWorld;
afterEach(() => world.close());

const scope = { organizationId: ORG };
const POSTS = { match: { method: 'POST', path: /\/messages$/ } };
const { letters: deadLetters, work, resend, isAwayFor75Hours } = setAsideIn(() => world);
const contents = async (sessionId: string): Promise<string[]> =>
  (await world.messages(sessionId)).map(({ content }) => content);
const DELETED = 'This message was deleted';

describe('a post to a Chatwoot that is unavailable until it is parked', () => {
  let sessionId: string;
  beforeEach(async () => {
    world = await createChatwootWorld();
    sessionId = await world.openMirroredSession();
  });

  it('has an unknown outcome when its first attempt was stored without a response; resent, it is found', async () => {
    await world.user(sessionId, 'once');
    world.double.failNext({ ...POSTS, mode: 'applyThenCut' });
    expect(await work()).toEqual(['retry PROVIDER_UNAVAILABLE']);
    await isAwayFor75Hours();
    expect(await deadLetters()).toMatchObject([
      { kind: 'POST_MESSAGE', code: 'PROVIDER_UNAVAILABLE', outcome: 'UNKNOWN' },
    ]);
    await resend();
    expect(await work()).toEqual([]);
    expect(await contents(sessionId)).toEqual(['hello', 'once']);
  });

  it('has an unknown outcome when a process died during it, however surely all later attempts failed', async () => {
    await world.user(sessionId, 'once');
    await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
    await isAwayFor75Hours();
    expect(await deadLetters()).toMatchObject([{ outcome: 'UNKNOWN' }]);
  });

  it('is looked up when a later handoff forwards what agents have not seen, unless an operator has discarded it', async () => {
    for (const text of ['given up', 'left']) {
      await world.user(sessionId, text);
      world.double.failNext({ ...POSTS, mode: 'status:500' });
      await work();
      await isAwayFor75Hours();
    }
    const [, left] = await deadLetters();
    expect(await deadLetters()).toMatchObject([{ outcome: 'UNKNOWN' }, { outcome: 'UNKNOWN' }]);
    await world.flows.discardDeadLetters(
      scope,
      { ids: [left!.id], filter: null, all: false, after: null },
      'it is there',
      null,
    );
    await world.ask(sessionId);
    expect(await work()).toEqual([]);
    expect(await contents(sessionId)).toEqual(['hello', 'given up']);
  });

  it('is not there when no attempt reached a write', async () => {
    await world.user(sessionId, 'once');
    world.double.failNext({ ...POSTS, mode: 'status:429' });
    expect(await work()).toEqual(['retry PROVIDER_UNAVAILABLE']);
    await isAwayFor75Hours();
    expect(await deadLetters()).toMatchObject([{ outcome: 'NOT_DELIVERED' }]);
  });

  it('is not there when it was looked up before its last write was refused', async () => {
    await world.user(sessionId, 'once');
    world.double.failNext({ ...POSTS, mode: 'status:500' });
    await work();
    world.double.failNext({
      ...POSTS,
      mode: 'status:422',
      body: { message: 'Validation failed', attributes: ['content'] },
    });
    await work();
    expect(await deadLetters()).toMatchObject([{ code: 'PROVIDER_REFUSED', outcome: 'NOT_DELIVERED' }]);
  });

  it('is not there when it was refused at once', async () => {
    await world.user(sessionId, 'once');
    world.double.failNext({ ...POSTS, mode: 'status:403', body: { error: 'no' } });
    expect(await work()).toEqual(['park']);
    expect(await deadLetters()).toMatchObject([{ code: 'PROVIDER_REFUSED', outcome: 'NOT_DELIVERED' }]);
  });

  it('is not written again when its lookup is refused', async () => {
    await world.user(sessionId, 'once');
    world.double.failNext({ ...POSTS, mode: 'applyThenCut' });
    await work();
    world.double.failNext({ match: { method: 'GET', path: /\/messages/ }, mode: 'status:403', body: { error: 'no' } });
    expect(await work()).toEqual(['park']);
    expect(await deadLetters()).toMatchObject([{ code: 'OUTCOME_UNKNOWN', outcome: 'UNKNOWN' }]);
    expect(await contents(sessionId)).toEqual(['hello', 'once']);
  });
});

/** A message is stored without a response, and an agent deletes it before the next attempt. */
async function deletedMeanwhile(sessionId: string, say: () => Promise<unknown>): Promise<void> {
  await say();
  world.double.failNext({ ...POSTS, mode: 'applyThenCut' });
  expect(await work()).toEqual(['retry PROVIDER_UNAVAILABLE']);
  const agent = await world.acting(await world.addPerson(`P${randomUUID().slice(0, 8)}`), sessionId);
  await agent.deleteMessage((await world.messages(sessionId)).at(-1).id);
}
const WAYS: [string, (sessionId: string) => Promise<unknown>][] = [
  ['what the end-user said', id => world.user(id, 'once')],
  ['what the bot said', id => world.bot(id, 'once')],
  [
    'a suggestion',
    async id => {
      const { epoch } = await world.session(id);
      return world.flows.sendBotMessage(scope, {
        sessionId: id,
        epoch: epoch - 1,
        text: 'once',
        attachments: [],
        messageId: null,
        onControlLost: 'SUGGEST',
        idempotencyKey: world.nextKey(),
      });
    },
  ],
];

describe.each(WAYS)('%s, deleted there before it was known to be there', (_what, say) => {
  it('is found by its source_id, which a deleted message keeps', async () => {
    world = await createChatwootWorld();
    const sessionId = await world.openMirroredSession();
    await deletedMeanwhile(sessionId, () => say(sessionId));
    expect(await work()).toEqual([]);
    expect(await contents(sessionId)).toEqual(['hello', DELETED]);
    expect(await deadLetters()).toEqual([]);
  });
});

/** A message is stored without a response, and lookups fail. */
async function unanswered(say: () => Promise<unknown>): Promise<void> {
  await say();
  world.double.failNext({ ...POSTS, mode: 'applyThenCut' });
  expect(await work()).toEqual(['retry PROVIDER_UNAVAILABLE']);
  noLook();
}
const noLook = (times = 1) =>
  world.double.failNext({
    match: { method: 'GET', path: /\/messages/ },
    mode: 'status:403',
    body: { error: 'no' },
    times,
  });

describe('where lookups are refused', () => {
  beforeEach(async () => {
    world = await createChatwootWorld();
  });
  const setAside = async (): Promise<string> => {
    const sessionId = await world.openMirroredSession();
    await unanswered(() => world.user(sessionId, 'once'));
    expect(await work()).toEqual(['park']);
    return sessionId;
  };

  it('resending looks it up again, and it is parked again', async () => {
    const sessionId = await setAside();
    expect(await resend()).toMatchObject({ count: 1 });
    world.double.failNext({ match: { method: 'GET', path: /\/messages/ }, mode: 'status:500' });
    expect(await work()).toEqual(['retry PROVIDER_DAMAGED']);
    noLook();
    expect(await work()).toEqual(['park']);
    expect(await deadLetters()).toMatchObject([{ outcome: 'UNKNOWN' }]);
    expect(await contents(sessionId)).toEqual(['hello', 'once']);
  });

  it("an operator's statement that it is not there has it written once", async () => {
    const sessionId = await setAside();
    expect(await resend(true)).toMatchObject({ count: 1 });
    world.double.failNext({ ...POSTS, mode: 'applyThenCut' });
    expect(await work()).toEqual(['retry PROVIDER_UNAVAILABLE']);
    expect(await work()).toEqual([]);
    expect(await contents(sessionId)).toEqual(['hello', 'once', 'once']);
    expect((await world.stores.events.listBySession(ORG, sessionId, null, 100)).map(({ body }) => body)).toContainEqual(
      expect.objectContaining({ type: 'DELIVERY_RESENT', skipLookup: true }),
    );
  });

  it("agents get the handoff without the context note, which is parked alone and written on an operator's decision", async () => {
    const sessionId = await world.openMirroredSession();
    await unanswered(() => world.ask(sessionId, { reason: 'asked' }));
    expect(await work()).toEqual(['park']);
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'QUEUED' });
    expect(await world.conversation(sessionId)).toMatchObject({ status: 'open' });
    expect(await deadLetters()).toMatchObject([
      { kind: 'POST_CONTEXT_NOTE', code: 'OUTCOME_UNKNOWN', outcome: 'UNKNOWN' },
    ]);
    expect(await contents(sessionId)).toHaveLength(2);
    noLook();
    await resend();
    expect(await work()).toEqual(['park']);
    await resend(true);
    expect(await work()).toEqual([]);
    expect((await contents(sessionId)).filter(text => text.includes('asked'))).toHaveLength(2);
  });

  it('agents get the handoff without one message of the history, which no later handoff forwards before an operator has decided', async () => {
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    const { id: sessionId } = await world.open();
    for (const text of ['one', 'two']) await world.user(sessionId, text);
    await unanswered(() => world.ask(sessionId));
    expect(await work()).toEqual(['park']);
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'QUEUED' });
    expect(await contents(sessionId)).toEqual(['one', 'two']);
    expect(await deadLetters()).toMatchObject([{ kind: 'POST_MESSAGE', outcome: 'UNKNOWN' }]);
    // The end is synced first, and what that sync sees is no longer unknown.
    noLook(10);
    await world.flows.endHandoff(scope, {
      sessionId,
      handoffId: null,
      reason: 'BOT_CANCELLED',
      idempotencyKey: world.nextKey(),
    });
    await work();
    await world.ask(sessionId);
    expect(await work()).toEqual([]);
    world.double.clearFaults();
    expect(await contents(sessionId)).toEqual(['one', 'two']);
    await resend(true);
    expect(await work()).toEqual([]);
    expect(await contents(sessionId)).toEqual(['one', 'two', 'one']);
  });

  it('agents get the handoff without the file of a long history, which is parked as one', async () => {
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    const { id: sessionId } = await world.open();
    for (let n = 0; n < 55; n++) await world.user(sessionId, `turn ${n}`);
    await unanswered(() => world.ask(sessionId));
    expect(await work()).toEqual(['park']);
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'QUEUED' });
    expect((await contents(sessionId)).slice(1, 2)).toEqual(['turn 5']);
    expect(await deadLetters()).toMatchObject([{ kind: 'POST_TRANSCRIPT', outcome: 'UNKNOWN' }]);
    noLook();
    await resend();
    expect(await work()).toEqual(['park']);
    await resend(true);
    expect(await work()).toEqual([]);
    expect((await contents(sessionId)).filter(text => text.includes('attached file'))).toHaveLength(2);
    expect(await contents(sessionId)).toHaveLength(52);
  });
});
