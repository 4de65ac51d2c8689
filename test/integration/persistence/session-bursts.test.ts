import { randomBytes } from 'node:crypto';
import { createFlows } from '../../../src/core/flows';
import type { Flows } from '../../../src/core/flows/api';
import { createStores, SecretBox } from '../../../src/persistence';
import { createFlowWorld, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { OverloadedError } from '../../../src/core/errors';

let world: FlowWorld;
let flows: Flows;
beforeAll(async () => {
  world = await createFlowWorld({ mirroring: 'ON_HANDOFF' });
  // However slow the machine is, nobody gives up waiting.
  const stores = createStores(world.pool, {
    secretBox: new SecretBox(randomBytes(32)),
    clock: world.deps.clock,
    wake: { committed: () => undefined },
    sessionLimiter: { waitMs: 2_000_000_000 },
  });
  flows = createFlows({ ...world.deps, stores });
});
afterAll(() => world.close());

/** Locks a Session's row until it is called, so that what happens meanwhile depends on no clock. */
async function hold(sessionId: string): Promise<() => Promise<void>> {
  const client = await world.pool.connect();
  await client.query('begin');
  await client.query('select from session where id = $1 for update', [sessionId]);
  return async () => {
    await client.query('rollback');
    client.release();
  };
}
const say = (sessionId: string, text: string) =>
  flows.sendBotMessage(scope, {
    sessionId,
    epoch: 1,
    text,
    attachments: [],
    messageId: null,
    onControlLost: 'REJECT',
    idempotencyKey: world.nextKey(),
  });

it('200 messages of one session at once are recorded in order of arrival, while others are served', async () => {
  const [busy, other] = [await world.open(), await world.open()];
  const letGo = await hold(busy.id);
  const texts = Array.from({ length: 200 }, (_, i) => `line ${i}`);
  const burst = texts.map(text => say(busy.id, text));
  // The burst is blocked, and has as many connections as one session may have.
  for (let i = 0; i < 20; i++) expect((await say(other.id, `other ${i}`)).delivered).toBe(true);
  await letGo();
  const answers = await Promise.all(burst);
  expect(answers.map(({ message }) => message.seq)).toEqual(texts.map((_, i) => i + 1));
  expect(answers.map(({ message }) => message.text)).toEqual(texts);
});

it('only calls above the limit of a session are refused, with the time to retry', async () => {
  const { id } = await world.open();
  const letGo = await hold(id);
  const flood = Promise.allSettled(Array.from({ length: 3_000 }, (_, i) => say(id, `flood ${i}`)));
  await letGo();
  const answers = await flood;
  const refused = answers.flatMap(one => (one.status === 'rejected' ? [one.reason as OverloadedError] : []));
  expect(refused.every(error => error instanceof OverloadedError && error.retryAfterMs === 1_000)).toBe(true);
  // One is admitted, 500 wait.
  expect(answers.length - refused.length).toBe(501);
  expect((await say(id, 'afterwards')).message.seq).toBe(502);
});
