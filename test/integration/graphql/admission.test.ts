import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { createFlowWorld, type FlowWorld } from '../../support/flow-world';
import { gate } from '../persistence/store-world';
import { caller, startRoom, type Room } from './room';

/** A process that takes three operations at once, two of one organization; these are held in the middle of a mutation by a lock on its session. */
let world: FlowWorld;
let room: Room;
beforeAll(async () => {
  world = await createFlowWorld();
  room = await startRoom(world, { maxOperations: 3 });
});
afterAll(async () => {
  await room.stop();
  await world.close();
});

const RECORD =
  'mutation ($input: RecordEndUserMessageInput!) { recordEndUserMessage(input: $input) { message { id } replayed userErrors { code } } }';

async function whileFull(work: (sessionId: string) => Promise<void>): Promise<void> {
  const { id } = await world.open();
  // Two sessions: the calls of one wait for each other in memory, and only the first of them reaches the database.
  const held = [id, (await world.open()).id];
  const holder = await world.pool.connect();
  await holder.query('begin');
  await holder.query('select from session where id = any($1) for update', [held]);
  const inside = held.map(sessionId =>
    room.run(RECORD, { input: { sessionId, text: 'held', idempotencyKey: world.nextKey() } }),
  );
  const waiting = async () =>
    (
      await world.pool.query(
        "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
      )
    ).rowCount;
  while ((await waiting()) !== 2) await new Promise(setImmediate);
  try {
    await work(id);
  } finally {
    await holder.query('rollback');
    holder.release();
  }
  for (const answer of await Promise.all(inside)) expect(answer.data.recordEndUserMessage.userErrors).toEqual([]);
}

it('refuses what is over the mark with the time to come again, and takes it afterwards', async () => {
  let refusedOn = '';
  const third = (sessionId: string) =>
    room.run(RECORD, { input: { sessionId, text: 'third', idempotencyKey: 'third' } });
  await whileFull(async sessionId => {
    refusedOn = sessionId;
    const refused = await third(sessionId);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.errors).toMatchObject([{ extensions: { code: 'OVERLOADED', retryable: true, retryAfterMs: 500 } }]);
  });
  expect((await third(refusedOn)).data.recordEndUserMessage).toMatchObject({ replayed: false, userErrors: [] });
});

it('keeps places for other organizations', async () => {
  await whileFull(async () => {
    expect((await room.run('{ supportInboxes { id } }')).status).toBe(503);
    expect((await room.run('{ supportInboxes { id } }', {}, caller('bot', 'org-other'))).status).toBe(200);
  });
});

it('counts operations of WebSockets and event streams, and not the subscriptions that are open', async () => {
  const client = createClient({
    url: room.wsUrl,
    webSocketImpl: WebSocket,
    connectionParams: caller('bot'),
    retryAttempts: 0,
  });
  const codes: unknown[] = [];
  const over = (query: string) =>
    new Promise<void>((resolve, reject) =>
      client.subscribe(
        { query },
        {
          next: ({ errors }) => {
            codes.push(errors?.[0]?.extensions?.['code']);
          },
          complete: resolve,
          error: errors => {
            codes.push((errors as { extensions?: { code?: unknown } }[])[0]?.extensions?.code);
            (Array.isArray(errors) ? resolve : reject)(errors as never);
          },
        },
      ),
    );
  const { id } = await world.open();
  const open: (() => void)[] = [];
  for (let i = 0; i < 3; i++) {
    const opened = gate();
    open.push(
      client.subscribe(
        { query: `subscription { conversationStatus(sessionId: "${id}") { __typename } }` },
        { next: () => opened.open(), complete: () => undefined, error: () => undefined },
      ),
    );
    await opened.opened;
  }

  await whileFull(async () => {
    await over('{ supportInboxes { id } }');
    // What is over the mark is not even parsed.
    await over('{ not graphql');
    await over(`subscription { conversationStatus(sessionId: "${id}") { __typename } }`);
    const stream = await fetch(room.url, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...caller('bot') },
      body: '{"query":"{ supportInboxes { id } }"}',
    });
    codes.push(/"code":"(\w+)"/.exec(await stream.text())?.[1]);
  });
  expect(codes).toEqual(['OVERLOADED', 'OVERLOADED', 'OVERLOADED', 'OVERLOADED']);
  codes.length = 0;
  for (let i = 0; i < 3; i++) await over('{ not graphql');
  // None of them keeps its place.
  await over('{ supportInboxes { id } }');
  expect(codes).toEqual(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_PARSE_FAILED', undefined]);
  for (const leave of open) leave();
  await client.dispose();
});
