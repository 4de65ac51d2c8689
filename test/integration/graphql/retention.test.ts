import type { Retention } from '../../../src/core/flows/deps';
import { Worker } from '../../../src/delivery';
import { RetentionJob } from '../../../src/delivery/retention-job';
import { type Following, overSse, overWebSocket } from './following';
import { caller, createFlowWorld, type FlowWorld, type GraphqlApi, startGraphqlApi } from './room';
import { quiet } from '../../support/quiet';
import { until } from '../../support/until';

const DAY = 86_400_000;
const STATUS = `subscription ($sessionId: ID!, $after: Int) { conversationStatus(sessionId: $sessionId, after: $after) { seq isSnapshot control epoch mayReply isClosed handoffState cause } }`;
const EVENTS =
  'subscription ($sessionId: ID!, $after: Int) { supportSessionEvents(sessionId: $sessionId, after: $after) { seq event { seq } } }';
const CHANGES = 'subscription ($after: String) { handoffChanges(after: $after) { cursor change { to } } }';

let world: FlowWorld;
let api: GraphqlApi;
const open: Following[] = [];
beforeEach(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.leave()));
  await api?.stop();
  await world?.close();
});

async function follow(
  over: typeof overSse,
  query: string,
  variables: Record<string, unknown>,
  enough: number,
): Promise<any[]> {
  const following = over(api.url, caller('operator'))(query, variables);
  open.push(following);
  return (await following.until(results => results.length >= enough)).slice(0, enough);
}
const codeOf = (results: any[]) => results[0].errors[0].extensions.code;

async function wholeHandoff(sessionId: string): Promise<void> {
  await world.ask(sessionId);
  await world.deliverAll();
  world.provider.set({ agent: 'alice' });
  await world.read(sessionId);
  world.provider.set({ status: 'RESOLVED' });
  await world.read(sessionId);
  await world.acknowledgeAll(sessionId);
  await world.finishEndings();
  await world.acknowledgeAll(sessionId);
  await world.deliverAll();
}
/** Removes as the worker does, to the end of one run. */
async function remove(days: Partial<Record<keyof Retention['keepMs'], number>> = {}): Promise<object> {
  const notified: Record<string, number> = {};
  const keep = { events: 365, messages: 365, deliveries: 365, idempotencyKeys: 365, sessions: 365, ...days };
  const keepMs = Object.fromEntries(
    Object.entries(keep).map(([kind, count]) => [kind, count * DAY]),
  ) as Retention['keepMs'];
  const job = new RetentionJob(
    world.deps,
    { keepMs, files: { remove: async () => undefined } },
    {
      info: fields => {
        for (const [kind, count] of Object.entries(fields)) notified[kind] = (notified[kind] ?? 0) + (count as number);
      },
    },
    new AbortController().signal,
  );
  await world.pool.query("update maintenance_lease set next_run_at = now() - interval '1 s'");
  while (await job.tick());
  return notified;
}
const session = async (id: string, fields: string) =>
  api.run(`query ($id: ID!) { supportSession(id: $id) { ${fields} } }`, { id }, caller('ui'));

it('a subscriber who resumes before removed events is told so; one who resumes after them continues as usual', async () => {
  const { id: sessionId } = await world.open();
  await world.user(sessionId, 'long ago');
  await world.deliverAll();
  const [
    {
      data: {
        handoffChanges: { cursor },
      },
    },
  ] = (await follow(overWebSocket, CHANGES, {}, 1)) as [any];
  await wholeHandoff(sessionId);
  const oldest = (await world.session(sessionId)).lastEventSeq;
  world.time.ms += 400 * DAY;
  await world.user(sessionId, 'now');
  await world.deliverAll();
  await wholeHandoff(sessionId);
  const all = (await world.events(sessionId)).map(({ seq }) => seq);

  const expected = (await follow(overWebSocket, STATUS, { sessionId, after: oldest }, 4)).map(({ data }) => data);
  expect(await remove()).toMatchObject({ events: oldest, messages: expect.any(Number), sessions: 0 });
  expect((await world.session(sessionId)).removedHistory).toMatchObject({
    eventSeq: oldest,
    control: 'BOT',
    epoch: 4,
    handoffState: 'ENDED',
  });

  expect((await follow(overSse, STATUS, { sessionId, after: oldest }, 4)).map(({ data }) => data)).toEqual(expected);
  expect(
    (await follow(overSse, EVENTS, { sessionId, after: oldest }, all.length - oldest)).map(
      ({ data }) => data.supportSessionEvents.event.seq,
    ),
  ).toEqual(all.slice(oldest));
  for (const query of [STATUS, EVENTS])
    expect(codeOf(await follow(overWebSocket, query, { sessionId, after: oldest - 1 }, 1))).toBe('CURSOR_EXPIRED');
  expect(codeOf(await follow(overWebSocket, CHANGES, { after: cursor }, 1))).toBe('CURSOR_EXPIRED');

  expect(
    (await session(sessionId, 'firstEventSeq events(first: 1) { seq } messages(first: 1) { nodes { text seq } }')).data
      .supportSession,
  ).toMatchObject({ firstEventSeq: oldest + 1, events: [{ seq: oldest + 1 }], messages: { nodes: [{ text: 'now' }] } });
  expect((await session(sessionId, 'events(after: 0) { seq }')).errors![0].extensions.code).toBe('CURSOR_EXPIRED');
});

it('an event outlives its message where events are kept longer', async () => {
  const { id: sessionId } = await world.open();
  await world.user(sessionId, 'long ago');
  await world.deliverAll();
  world.time.ms += 30 * DAY;
  expect(await remove({ messages: 7 })).toMatchObject({ messages: 1, events: 0 });
  const { data } = await session(
    sessionId,
    'events { seq ... on SupportMessageRecorded { author message { text } } } messages { nodes { text } }',
  );
  expect(data.supportSession).toEqual({
    events: [{ seq: 1 }, { seq: 2, author: 'END_USER', message: null }],
    messages: { nodes: [] },
  });
});

it('a closed session is removed completely, and its key can be opened again', async () => {
  const { id: sessionId } = await world.open('visitor-1');
  await world.user(sessionId, 'long ago');
  await wholeHandoff(sessionId);
  await world.flows.closeSession({ organizationId: 'org-1' }, { sessionId, idempotencyKey: world.nextKey() });
  await world.deliverAll();
  world.time.ms += 400 * DAY;
  expect(await remove()).toMatchObject({ sessions: 1 });
  expect((await session(sessionId, 'id')).data.supportSession).toBeNull();
  const again = await world.open('visitor-1');
  expect(again).toMatchObject({ closedAt: null, lastEventSeq: 1 });
  expect(again.id).not.toBe(sessionId);
});

it('nothing recent is removed, and a second run finds nothing', async () => {
  const { id: sessionId } = await world.open();
  await world.user(sessionId, 'now');
  await world.deliverAll();
  expect(await remove()).toEqual({});
  world.time.ms += 400 * DAY;
  expect(await remove()).toMatchObject({ events: 2, messages: 1, deliveries: 1 });
  expect(await remove()).toEqual({});
});

it('the worker removes on its own schedule', async () => {
  await world.open();
  world.time.ms += 400 * DAY;
  const keepMs = { events: DAY, messages: DAY, deliveries: DAY, idempotencyKeys: DAY, sessions: DAY };
  const worker = new Worker(
    { ...world.deps, retention: { keepMs, files: { remove: async () => undefined } } },
    { leaseMs: 60_000, concurrency: 2, concurrencyPerRemote: 2, pollMs: 5 },
    quiet,
  );
  await worker.start();
  await until(async () => (await world.pool.query('select from event')).rows.length === 0);
  await worker.stop();
});
