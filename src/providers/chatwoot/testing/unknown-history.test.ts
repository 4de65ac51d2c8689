import { createChatwootWorld, ORG, type ChatwootWorld, type ChatwootWorldOptions } from './chatwoot-world';
import { setAsideIn } from './parked-work';

/*
 * A history finds a message that was parked before it: it looks for it, does not post it again, and does not delay the
 * messages after it.
 */

let world: ChatwootWorld;
afterEach(() => world.close());

const scope = { organizationId: ORG };
const ON_HANDOFF = { policy: { mirroring: 'ON_HANDOFF' } } as const;
const POSTS = { match: { method: 'POST', path: /\/messages$/ } };
const NO_LOOK = { match: { method: 'GET', path: /\/messages/ }, mode: 'status:403', body: { error: 'no' } } as const;
const { letters: deadLetters, work, resend, isAwayFor75Hours } = setAsideIn(() => world);
const times = async (sessionId: string, text: string): Promise<number> =>
  (await world.messages(sessionId)).filter(({ content }) => content === text).length;
async function deleteLast(sessionId: string): Promise<void> {
  await (await world.acting(await world.addPerson('Ann'), sessionId)).deleteMessage(
    (await world.messages(sessionId)).at(-1).id,
  );
}
/** Makes syncs advance past all current messages. */
async function readOn(sessionId: string): Promise<void> {
  for (let n = 0; n < 3; n++) {
    world.time.aheadMs += 60_000;
    await world.act(sessionId, 'POST', '/messages', { content: `note ${n}`, private: true });
    await world.read(sessionId);
  }
}
async function openWith(options: ChatwootWorldOptions, ...texts: string[]): Promise<string> {
  world = await createChatwootWorld(options);
  const { id } = await world.open();
  for (const text of texts) await world.user(id, text);
  return id;
}

it('a message that is resent while the handoff that parked it still waits is looked up from the beginning, and found deleted', async () => {
  const id = await openWith(ON_HANDOFF, 'one', 'two');
  await world.ask(id);
  world.double.failNext({ ...POSTS, mode: 'applyThenCut' });
  await work();
  world.double.failNext(NO_LOOK);
  world.double.failNext({ ...POSTS, mode: 'status:503' });
  await work();
  expect(await deadLetters()).toMatchObject([{ kind: 'POST_MESSAGE', code: 'OUTCOME_UNKNOWN' }]);
  await deleteLast(id);
  await readOn(id);
  await resend();
  await work();
  expect([await times(id, 'one'), await times(id, 'two')]).toEqual([0, 1]);
  expect(await world.liveHandoff(id)).toMatchObject({ state: 'QUEUED' });
});

it('a dead letter that stays unknown does not hide that the message after it was attempted', async () => {
  world = await createChatwootWorld();
  const id = await world.openMirroredSession();
  await world.user(id, 'one');
  world.double.failNext({ ...POSTS, mode: 'applyThenCut' });
  await work();
  await isAwayFor75Hours();
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
  await world.user(id, 'two');
  await world.ask(id);
  for (const post of [true, false]) {
    world.double.failNext(NO_LOOK);
    if (post) world.double.failNext({ ...POSTS, mode: 'applyThenCut' });
    await work();
    world.double.clearFaults();
    // By now only an operator can tell.
    expect((await deadLetters())[0]).toMatchObject({
      kind: 'POST_MESSAGE',
      code: 'OUTCOME_UNKNOWN',
      outcome: 'UNKNOWN',
    });
  }
  await work();
  expect([await times(id, 'one'), await times(id, 'two')]).toEqual([1, 1]);
});

it('a forwarded dead letter does not hide it either', async () => {
  world = await createChatwootWorld();
  const id = await world.openMirroredSession();
  await world.user(id, 'given up');
  world.double.failNext({ ...POSTS, mode: 'status:500' });
  await work();
  await isAwayFor75Hours();
  await world.user(id, 'two');
  world.double.failNext({ ...POSTS, mode: 'applyThenCut' });
  await work();
  // As the worker leaves a message that was pending when support was disabled.
  await world.pool.query(
    "update delivery set state = 'DONE', done_at = now() where state = 'WAITING' and destination = 'PROVIDER'",
  );
  await world.pool.query("update lane set next_run_at = null, head = tail + 1 where destination = 'PROVIDER'");
  await world.ask(id);
  await work();
  expect([await times(id, 'given up'), await times(id, 'two')]).toEqual([1, 1]);
});

it("the content of a file of unknown outcome is not forwarded message by message by the next handoff; on an operator's decision the file is posted once", async () => {
  const id = await openWith(ON_HANDOFF, ...Array.from({ length: 55 }, (_, n) => `turn ${n}`));
  await world.ask(id);
  world.double.failNext({ ...POSTS, mode: 'applyThenCut' });
  await work();
  world.double.failNext(NO_LOOK);
  await work();
  expect(await deadLetters()).toMatchObject([{ kind: 'POST_TRANSCRIPT', outcome: 'UNKNOWN' }]);
  await world.flows.endHandoff(scope, {
    sessionId: id,
    handoffId: null,
    reason: 'BOT_CANCELLED',
    idempotencyKey: world.nextKey(),
  });
  await work();
  world.time.aheadMs += 120_000;
  await world.ask(id);
  await work();
  expect([await times(id, 'turn 1'), await times(id, 'turn 54')]).toEqual([0, 1]);
  await resend();
  expect(await work()).toEqual([]);
  const files = (await world.messages(id)).flatMap(({ attachments }) => attachments ?? []);
  expect([files.length, (await deadLetters()).length]).toEqual([1, 0]);
});
