import { EndpointError } from '../../../src/core/errors';
import { recordPushFailure } from '../../../src/core/flows/to-runtime/push';
import { codeOf, scope } from '../../../src/testing/flow-world';
import { createPushWorld, type PushWorld } from '../../support/push-world';

let world: PushWorld;
let endpointId: string;
beforeEach(async () => {
  world = await createPushWorld();
  endpointId = (await world.endpoint()).id;
});
afterEach(() => world.close());

const gone = new EndpointError('ENDPOINT_GONE', 'The endpoint answered 410.', { status: 410 });
const claimed = (limit: number) => world.stores.lanes.claimDeliveries('RUNTIME', limit, 60_000);
async function claimOf(sessions: number) {
  for (let i = 0; i < sessions; i++) await world.agentSays((await world.open()).id, 'one');
  return (await claimed(sessions)).map(({ delivery }) => delivery);
}
const state = async () => (await world.endpointNow(endpointId)).state;
const events = () =>
  world.sql("select body ->> 'reason' as reason from event where type = 'RUNTIME_ENDPOINT_DISABLED'");

describe('an endpoint is disabled', () => {
  it('in the same transaction as its event', async () => {
    const [delivery] = await claimOf(1);
    await world.sql("alter table event add constraint cut_off check (type <> 'RUNTIME_ENDPOINT_DISABLED') not valid");
    await expect(recordPushFailure(world.deps, endpointId, delivery!, gone)).rejects.toMatchObject({
      constraint: 'cut_off',
    });
    expect(await state()).toBe('ACTIVE');
    await world.sql('alter table event drop constraint cut_off');
    expect(await recordPushFailure(world.deps, endpointId, delivery!, gone)).toMatchObject({
      endpoint: { state: 'DISABLED', disabledReason: 'GONE' },
      isDisabled: true,
    });
    expect(await events()).toEqual([{ reason: 'GONE' }]);
  });

  it('once, when several sessions detect its failure at the same time', async () => {
    const deliveries = await claimOf(4);
    const failed = await Promise.all(
      deliveries.map(delivery => recordPushFailure(world.deps, endpointId, delivery, gone)),
    );
    expect(failed.filter(({ isDisabled }) => isDisabled)).toHaveLength(1);
    expect(failed.map(({ endpoint }) => endpoint?.state)).toEqual(Array(4).fill('DISABLED'));
    expect(await events()).toEqual([{ reason: 'GONE' }]);
  });

  it('by no worker whose claim has expired', async () => {
    const [late] = await claimOf(1);
    await world.passRetries();
    await claimed(1);
    expect(await codeOf(recordPushFailure(world.deps, endpointId, late!, gone))).toBe('LEASE_LOST');
    expect([await state(), await events()]).toEqual(['ACTIVE', []]);
  });

  it("by no worker whose failure is older than the operator's last enabling", async () => {
    const [delivery] = await claimOf(1);
    const { endpoints } = world.stores;
    const failed = endpoints.recordFailure.bind(endpoints);
    endpoints.recordFailure = async (...of) => {
      const seen = await failed(...of);
      await world.flows.disableEndpoint(scope, endpointId);
      await world.flows.enableEndpoint(scope, endpointId);
      return seen;
    };
    expect(await recordPushFailure(world.deps, endpointId, delivery!, gone)).toMatchObject({
      endpoint: { state: 'ACTIVE' },
      isDisabled: false,
    });
    expect(await events()).toEqual([]);
  });
});
