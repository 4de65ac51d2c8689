import { caller, createFlowWorld, type FlowWorld, type GraphqlApi, startGraphqlApi } from './room';

let world: FlowWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

const QUERY = `query ($id: ID!) { supportSession(id: $id) { liveHandoff { id }
  lastHandoff { id state isLive outcome { state reason failureCode agent { name } resumeTarget summary } } } }`;
const read = async (id: string) => (await api.run(QUERY, { id }, caller('ui'))).data.supportSession;

it('a session returns its newest handoff, and its outcome once it has ended', async () => {
  const { id } = await world.open();
  expect(await read(id)).toEqual({ liveHandoff: null, lastHandoff: null });

  const { handoff } = await world.ask(id, { summary: 'wants a copy', resumeTarget: 'menu' });
  expect(await read(id)).toEqual({
    liveHandoff: { id: handoff.id },
    lastHandoff: { id: handoff.id, state: 'REQUESTED', isLive: true, outcome: null },
  });

  await world.deliverAll();
  world.provider.set({ agent: 'alice' });
  await world.read(id);
  world.provider.set({ status: 'RESOLVED' });
  await world.read(id);
  await world.acknowledgeAll(id);
  await world.finishEndings();
  const ended = {
    id: handoff.id,
    state: 'ENDED',
    isLive: false,
    outcome: {
      state: 'ENDED',
      reason: 'AGENT_RESOLVED',
      failureCode: null,
      agent: { name: 'alice' },
      resumeTarget: 'menu',
      summary: 'wants a copy',
    },
  };
  expect(await read(id)).toEqual({ liveHandoff: null, lastHandoff: ended });

  // The clock does not advance: both were requested in the same millisecond.
  const { handoff: second } = await world.ask(id);
  expect(await read(id)).toMatchObject({
    liveHandoff: { id: second.id },
    lastHandoff: { id: second.id, outcome: null },
  });
  world.time.ms += 1;
  await world.flows.endHandoff(
    { organizationId: 'org-1' },
    { handoffId: second.id, sessionId: null, reason: 'BOT_CANCELLED', idempotencyKey: world.nextKey() },
  );
  world.time.ms += 1;
  const { handoff: third } = await world.ask(id);
  await world.flows.endHandoff(
    { organizationId: 'org-1' },
    { handoffId: third.id, sessionId: null, reason: 'USER_ENDED', idempotencyKey: world.nextKey() },
  );
  expect(await read(id)).toMatchObject({
    liveHandoff: null,
    lastHandoff: { id: third.id, outcome: { reason: 'USER_ENDED', agent: null } },
  });
});
