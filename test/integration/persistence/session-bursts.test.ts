import { randomBytes } from 'node:crypto';
import { createFlows } from '../../../src/core/flows';
import type { Flows } from '../../../src/core/flows/api';
import { createStores, SecretBox } from '../../../src/persistence';
import { createFlowWorld, scope, type FlowWorld } from '../../support/flow-world';
import { OverloadedError } from '../../../src/core/errors';

let world: FlowWorld;
let flows: Flows;
beforeAll(async () => {
  world = await createFlowWorld({ mirroring: 'ON_HANDOFF' });
  // However slow the machine is: nobody gives up waiting.
  const stores = createStores(world.pool, {
    secretBox: new SecretBox(randomBytes(32)),
    clock: world.deps.clock,
    wake: { committed: () => undefined },
    sessionLimiter: { waitMs: 2_000_000_000 },
  });
  flows = createFlows({ ...world.deps, stores });
});
afterAll(() => world.close());

/** Holds a Session's row until it is called, so that what happens meanwhile depends on no clock. */
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

it('takes 200 messages of one session at once, in the order in which they came, while others are served', async () => {
  const [busy, other] = [await world.open(), await world.open()];
  const letGo = await hold(busy.id);
  const texts = Array.from({ length: 200 }, (_, i) => `line ${i}`);
  const burst = texts.map(text => say(busy.id, text));
  // The burst stands still, and has as many connections as one session may have.
  for (let i = 0; i < 20; i++) expect((await say(other.id, `other ${i}`)).delivered).toBe(true);
  await letGo();
  const answers = await Promise.all(burst);
  expect(answers.map(({ message }) => message.seq)).toEqual(texts.map((_, i) => i + 1));
  expect(answers.map(({ message }) => message.text)).toEqual(texts);
});

it('refuses only what is over the mark of a flood, with the time to come again', async () => {
  const { id } = await world.open();
  const letGo = await hold(id);
  const flood = Promise.allSettled(Array.from({ length: 3_000 }, (_, i) => say(id, `flood ${i}`)));
  await letGo();
  const answers = await flood;
  const refused = answers.flatMap(one => (one.status === 'rejected' ? [one.reason as OverloadedError] : []));
  expect(refused.every(error => error instanceof OverloadedError && error.retryAfterMs === 1_000)).toBe(true);
  // One has its turn, 500 wait.
  expect(answers.length - refused.length).toBe(501);
  expect((await say(id, 'afterwards')).message.seq).toBe(502);
});
