import { ProviderRefusedError } from '../../../src/core/errors';
import { HealthMonitor } from '../../../src/delivery/health-monitor';
import { createProviderHandler } from '../../../src/delivery/provider-handler';
import { createFlowWorld, type FlowWorld } from '../../../src/testing/flow-world';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

it('a conversation that is deleted again and again is abandoned, and later messages are not sent into it', async () => {
  const { id } = await world.open();
  await world.user(id, 'hello');
  await world.deliverAll();
  await world.user(id, 'still there?');
  const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
  const work = createProviderHandler(world.deps, new HealthMonitor(world.deps, silent, () => undefined));
  const worn = { ...lane!, delivery: { ...lane!.delivery, previousAttempts: 50, lastErrorCode: 'PROVIDER_REFUSED' } };
  expect(await work.handleFailure(worn, new ProviderRefusedError('gone', { gone: true }))).toEqual({
    kind: 'park',
    code: 'PROVIDER_REFUSED',
  });
  expect((await world.session(id)).conversationId).toBeNull();
});
