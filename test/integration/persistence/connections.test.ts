import { randomUUID } from 'node:crypto';
import type { HandoffRecord } from '../../../src/core/handoff';
import { begin, FOREIGN, ORG, createStoreWorld, type StoreWorld } from './store-world';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());

const beginIn = async (sessionId: string, given: Partial<HandoffRecord>): Promise<string> =>
  (await world.stores.sessions.transact(ORG, sessionId, tx => begin(tx, given))).result.id;

it('loads in one statement what the separate stores read', async () => {
  const { id } = await world.open();
  const ended = await beginIn(id, { state: 'ENDED' });
  const live = await beginIn(id, { state: 'QUEUED' });
  const { sessions, setup, handoffs, connections } = world.stores;
  expect(await connections.load(ORG, id, ended)).toEqual({
    session: await sessions.get(ORG, id),
    inbox: await setup.findInbox(ORG, world.inbox.id),
    account: await setup.findAccount(ORG, world.account.id),
    liveHandoff: await handoffs.get(ORG, live),
    handoff: await handoffs.get(ORG, ended),
  });
  expect((await connections.load(ORG, id, live))!.handoff).toEqual(await handoffs.get(ORG, live));
});

it('has no handoff where the session has none and the caller names none', async () => {
  const { id } = await world.open();
  expect(await world.stores.connections.load(ORG, id, null)).toMatchObject({ liveHandoff: null, handoff: null });
  for (const unknown of [randomUUID(), 'no uuid'])
    expect((await world.stores.connections.load(ORG, id, unknown))!.handoff).toBeNull();
});

it('knows no session of another organization', async () => {
  const { id } = await world.open();
  expect(await world.stores.connections.load(FOREIGN, id, null)).toBeNull();
  expect(await world.stores.connections.load(ORG, randomUUID(), null)).toBeNull();
  expect(await world.stores.connections.load(ORG, 'no uuid', null)).toBeNull();
});
