import { OutcomeUnknownError } from '../../../src/core/errors';
import { deliver } from '../../../src/core/flows/to-provider/deliver';
import { Worker } from '../../../src/delivery';
import { createFlowWorld, type FlowWorld, scope } from '../../../src/testing/flow-world';
import { createLease } from '../../../src/testing/lease';
import { until } from '../../support/until';

/*
 * A provider whose lookup cannot tell: the write is parked at once, nothing is written twice, and nothing else waits
 * for it.
 */

let world: FlowWorld;
let logged: { readonly fields: Record<string, unknown>; readonly message: string }[];
beforeEach(async () => {
  world = await createFlowWorld();
  logged = [];
});
afterEach(() => world.close());

async function work(): Promise<void> {
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields: object, message: string) => {
      logged.push({ fields: { ...fields }, message });
    },
  };
  const worker = new Worker(world.deps, { leaseMs: 60_000, concurrency: 4, concurrencyPerRemote: 4, pollMs: 5 }, log);
  await worker.start();
  const isBusy = async () =>
    (await world.pool.query("select from lane where destination = 'PROVIDER' and next_run_at is not null")).rows
      .length > 0;
  await until(async () => !(await isBusy()));
  await worker.stop();
}
const cannotTell = (verb: 'postMessage' | 'postNote' | 'openConversation') => {
  const real = world.provider[verb] as (...given: unknown[]) => Promise<string>;
  Object.assign(world.provider, {
    [verb]: async (request: { readonly mayExist: boolean }, signal: AbortSignal) => {
      if (request.mayExist) throw new OutcomeUnknownError('It may be what was deleted.');
      return real(request, signal);
    },
  });
};
/** As if the first attempt had died with its process. */
const diesOverIt = async () => {
  await world.stores.lanes.claimDeliveries('PROVIDER', 10, 60_000);
  await world.pool.query('update lane set next_run_at = now() where next_run_at is not null');
};
const parked = async (sessionId: string) =>
  (await world.events(sessionId)).map(({ body }) => body).filter(({ type }) => type === 'DELIVERY_PARKED');

async function unfinishedSession(): Promise<string> {
  const { id } = await world.open();
  await world.user(id, 'hello');
  await work();
  return id;
}

it('a message is parked, later ones are forwarded, and the log says that its outcome is unknown', async () => {
  const sessionId = await unfinishedSession();
  cannotTell('postMessage');
  await world.user(sessionId, 'once');
  await diesOverIt();
  await world.user(sessionId, 'later');
  await work();
  expect(world.provider.shown()).toEqual(['END_USER: hello', 'END_USER: later']);
  expect(await parked(sessionId)).toMatchObject([
    { kind: 'POST_MESSAGE', code: 'OUTCOME_UNKNOWN', outcome: 'UNKNOWN' },
  ]);
  expect(logged).toMatchObject([{ fields: { code: 'OUTCOME_UNKNOWN', outcome: 'UNKNOWN', kind: 'POST_MESSAGE' } }]);
  expect(await world.flows.explain(scope, sessionId)).toMatchObject({
    pendingDeliveries: { parked: 1, parkedUnknown: 1 },
  });
});

it('a history is posted whole without a reaction of unknown outcome, which is parked by itself', async () => {
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
  const { id: sessionId } = await world.open();
  const { message } = await world.user(sessionId, 'one');
  await world.user(sessionId, 'two');
  await world.flows.reactToMessage(scope, {
    sessionId,
    messageId: message.id,
    callerMessageId: null,
    by: 'END_USER',
    emoji: '👍',
    epoch: null,
    idempotencyKey: world.nextKey(),
  });
  await world.ask(sessionId);
  const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  await deliver(world.deps, lane!.delivery, createLease());
  await world.stores.lanes.complete(lane!);
  cannotTell('postMessage');
  await diesOverIt();
  await work();
  expect(world.provider.shown()).toEqual(['END_USER: one', 'END_USER: two']);
  expect(await parked(sessionId)).toMatchObject([{ kind: 'FORWARD_REACTION', outcome: 'UNKNOWN' }]);
  expect(await world.flows.explain(scope, sessionId)).toMatchObject({ handoff: { state: 'QUEUED' } });
});

it('a handoff opens without its note', async () => {
  const sessionId = await unfinishedSession();
  cannotTell('postNote');
  const { handoff } = await world.ask(sessionId, { reason: 'asked' });
  await diesOverIt();
  await work();
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED' });
  expect(world.provider.onlyConversation.view.status).toBe('OPEN');
  expect(await parked(sessionId)).toMatchObject([{ kind: 'POST_CONTEXT_NOTE', outcome: 'UNKNOWN' }]);
});

it('a handoff that has no conversation to continue in fails with a named error, and the bot has control', async () => {
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
  const { id: sessionId } = await world.open();
  await world.user(sessionId, 'hello');
  cannotTell('openConversation');
  const { handoff } = await world.ask(sessionId);
  await diesOverIt();
  await work();
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'FAILED', failureCode: 'OUTCOME_UNKNOWN' });
  expect(await world.session(sessionId)).toMatchObject({ control: 'BOT', liveHandoffId: null });
  expect(await parked(sessionId)).toMatchObject([{ kind: 'POST_MESSAGE', outcome: 'UNKNOWN' }]);
  expect(world.provider.calls.filter(verb => verb === 'openConversation')).toEqual([]);
});

it('a lost conversation makes its unknown outcomes irrelevant: the whole history is posted to the next', async () => {
  await world.flows.updatePolicy(scope, 'bot-1', { lostConversation: 'REOPEN' });
  const sessionId = await unfinishedSession();
  const post = world.provider.postMessage;
  cannotTell('postMessage');
  await world.user(sessionId, 'once');
  await diesOverIt();
  await work();
  world.provider.postMessage = post;
  await world.ask(sessionId);
  await work();
  expect(world.provider.shown()).toEqual(['END_USER: hello']);
  world.provider.delete();
  await world.read(sessionId);
  await work();
  expect(world.provider.shown()).toEqual(['END_USER: hello', 'END_USER: once']);
});
