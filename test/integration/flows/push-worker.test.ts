import { Worker } from '../../../src/delivery';
import { scope } from '../../../src/testing/flow-world';
import { createPushWorld, type PushWorld } from '../../support/push-world';
import type { Answer } from '../../support/receiver';
import { startReceiver } from '../../support/receiver';
import { until } from '../../support/until';

let world: PushWorld;
const workers: Worker[] = [];
beforeEach(async () => {
  world = await createPushWorld();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map(worker => worker.stop()));
  await world.close();
});

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
async function work(pushes = { concurrency: 4, concurrencyPerRemote: 2 }): Promise<Worker> {
  const worker = new Worker(
    world.deps,
    { leaseMs: 60_000, concurrency: 4, concurrencyPerRemote: 4, pushes, pollMs: 10 },
    silent,
  );
  workers.push(worker);
  await worker.start();
  return worker;
}

describe('workers', () => {
  it('push each session in order, on several replicas beside a subscription that only reads', async () => {
    await world.endpoint();
    await work();
    await work();
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await world.open()).id));
    for (let n = 0; n < 8; n++) await Promise.all(ids.map(id => world.agentSays(id, `${n}`)));
    await until(async () => (await world.sql("select from delivery where state <> 'DONE'")).length === 0);
    const received = new Map(ids.map((id): [string, string[]] => [id, []]));
    const seen = new Set<string>();
    for (const { id, body } of world.receiver.received) {
      if (seen.has(id)) continue;
      seen.add(id);
      received.get(body.data.session.id)!.push(body.data.message.text);
    }
    for (const id of ids) expect(received.get(id)).toEqual(Array.from({ length: 8 }, (_, n) => `${n}`));
  });

  it('find the lanes that an endpoint still needs when the process that enabled it died', async () => {
    const { id } = await world.open();
    await world.agentSays(id, 'one');
    const { endpoint, secret } = await world.flows.registerEndpoint(scope, {
      url: world.receiver.url,
      chatbotId: null,
    });
    world.receiver.secrets.push(secret);
    await world.stores.endpoints.activate(scope.organizationId, endpoint.id, '2026-11-22T12:00:00.000Z');
    await work();
    await until(() => world.receivedTexts().length === 1);
  });

  it('keep job slots for others when one endpoint hangs', async () => {
    const hanging = await startReceiver();
    try {
      const waiting: ((answer: Answer) => void)[] = [];
      hanging.answer = () =>
        new Promise(resolve => {
          waiting.push(resolve);
        });
      await world.flows.enableChatbot(scope, { chatbotId: 'bot-2', name: 'Bot two', accountId: null, policy: {} });
      await world.endpoint('bot-1', hanging);
      await world.endpoint('bot-2');
      await work();
      for (let n = 0; n < 6; n++) await world.agentSays((await world.open()).id, 'held');
      await until(() => waiting.length === 2);
      const other = (
        await world.flows.openSession(scope, { chatbotId: 'bot-2', channel: 'web', externalId: 'x', endUser: {} })
      ).session;
      await world.agentSays(other.id, 'one', 'two');
      await until(() => world.receivedTexts().length === 2);
      expect(waiting).toHaveLength(2);
      hanging.answer = () => 204;
      waiting.forEach(letGo => letGo(204));
    } finally {
      await Promise.all(workers.splice(0).map(worker => worker.stop()));
      await hanging.close();
    }
  });

  it('finish running jobs when they stop, and start no new ones', async () => {
    await world.endpoint();
    let letGo: ((answer: Answer) => void) | undefined;
    world.receiver.answer = () =>
      new Promise(resolve => {
        letGo = resolve;
      });
    const worker = await work();
    const { id } = await world.open();
    await world.agentSays(id, 'one', 'two');
    await until(() => letGo !== undefined);
    let isStopped = false;
    const stopping = worker.stop().then(() => {
      isStopped = true;
    });
    await world.sql('select 1');
    expect(isStopped).toBe(false);
    letGo!(204);
    await stopping;
    expect(world.receivedTexts()).toEqual(['one']);
    expect(await world.sql('select state from delivery order by id')).toEqual([
      { state: 'DONE' },
      { state: 'WAITING' },
    ]);
  });
});
