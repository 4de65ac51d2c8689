import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { createFlowWorld, type FlowWorld } from '../../../src/testing/flow-world';
import { gate } from '../persistence/store-world';
import { caller, startGraphqlApi, type GraphqlApi } from './room';

/**
 * A process that accepts three operations at once, two of one organization. Each is held in a mutation by a lock on its
 * session.
 */
let world: FlowWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world, { maxOperations: 3 });
});
afterAll(async () => {
  await api.stop();
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
    api.run(RECORD, { input: { sessionId, text: 'held', idempotencyKey: world.nextKey() } }),
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

it('an operation above the limit is refused with the time to retry, and accepted afterwards', async () => {
  let refusedOn = '';
  const third = (sessionId: string) =>
    api.run(RECORD, { input: { sessionId, text: 'third', idempotencyKey: 'third' } });
  await whileFull(async sessionId => {
    refusedOn = sessionId;
    const refused = await third(sessionId);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.errors).toMatchObject([{ extensions: { code: 'OVERLOADED', retryable: true, retryAfterMs: 500 } }]);
  });
  expect((await third(refusedOn)).data.recordEndUserMessage).toMatchObject({ replayed: false, userErrors: [] });
});

it('part of the limit is reserved for other organizations', async () => {
  await whileFull(async () => {
    expect((await api.run('{ supportInboxes { id } }')).status).toBe(503);
    expect((await api.run('{ supportInboxes { id } }', {}, caller('bot', 'org-other'))).status).toBe(200);
  });
});

it('operations of WebSockets and event streams count, open subscriptions do not', async () => {
  const client = createClient({
    url: api.wsUrl,
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
    // Calls beyond the limit are not even parsed.
    await over('{ not graphql');
    await over(`subscription { conversationStatus(sessionId: "${id}") { __typename } }`);
    const stream = await fetch(api.url, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...caller('bot') },
      body: '{"query":"{ supportInboxes { id } }"}',
    });
    codes.push(/"code":"(\w+)"/.exec(await stream.text())?.[1]);
  });
  expect(codes).toEqual(['OVERLOADED', 'OVERLOADED', 'OVERLOADED', 'OVERLOADED']);
  codes.length = 0;
  for (let i = 0; i < 3; i++) await over('{ not graphql');
  // None of them keeps its slot.
  await over('{ supportInboxes { id } }');
  expect(codes).toEqual(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_PARSE_FAILED', undefined]);
  for (const leave of open) leave();
  await client.dispose();
});
