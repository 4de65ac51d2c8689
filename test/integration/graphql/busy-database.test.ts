import { createFlows } from '../../../src/core/flows';
import { createPool, createStores, SecretBox } from '../../../src/persistence';
import { overSse, overWebSocket } from './following';
import { caller, createFlowWorld, type FlowWorld, type GraphqlApi, startGraphqlApi } from './room';

/*
 * A call whose Session another process locks for longer than a statement may take. That process is the test, with its
 * own connection.
 */

const RECORD =
  'mutation ($input: RecordEndUserMessageInput!) { recordEndUserMessage(input: $input) { message { id } replayed userErrors { code } } }';
let world: FlowWorld;
let id: string;
beforeAll(async () => {
  world = await createFlowWorld();
});
beforeEach(async () => {
  ({ id } = await world.open());
});
afterAll(() => world.close());

async function whileHeld<T>(work: () => Promise<T>): Promise<T> {
  const holder = await world.pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select from session where id = $1 for update', [id]);
    return await work();
  } finally {
    await holder.query('rollback');
    holder.release();
  }
}

/** A replica whose statements may take `statementMs`, over new connections. */
async function during<T>(
  { statementMs, operationMs }: { readonly statementMs?: number; readonly operationMs?: number },
  work: (api: GraphqlApi) => Promise<T>,
): Promise<T> {
  const pool = createPool(world.pool.options.connectionString!, { statementMs });
  const stores = createStores(pool, {
    secretBox: new SecretBox('a secret of the tests, at least this long'),
    clock: world.deps.clock,
    wake: { committed: () => undefined },
  });
  const api = await startGraphqlApi(
    { ...world, stores, flows: createFlows({ ...world.deps, stores }) },
    operationMs === undefined ? {} : { operationMs },
  );
  try {
    return await work(api);
  } finally {
    await api.stop();
    await pool.end();
  }
}
const setOnDatabase = (what: string) =>
  world.pool.query(`do $$ begin execute format('alter database %I ${what}', current_database()); end $$`);
const record = (api: GraphqlApi, idempotencyKey: string) =>
  api.run(RECORD, { input: { sessionId: id, text: 'help', idempotencyKey } });
const messages = async () => (await world.pool.query('select from message where session_id = $1', [id])).rowCount;
const overloaded = expect.objectContaining({
  message:
    'The database was too busy to finish this call. Send the same call again in 1000 ms, with the same idempotency key.',
  extensions: { code: 'OVERLOADED', requestId: expect.any(String), retryable: true, retryAfterMs: 1_000 },
});

it('a call to a busy database is told to retry, and then runs once', async () => {
  await during({ statementMs: 300 }, async api => {
    const { errors } = await whileHeld(() => record(api, 'held'));
    expect(errors).toEqual([overloaded]);
    // The operator can see the reason.
    expect(api.log).toMatchObject([
      {
        message: 'the database was too busy for an operation',
        fields: { field: 'recordEndUserMessage', err: { code: '57014' } },
      },
    ]);
    expect(await messages()).toBe(0);
  });
  await during({}, async api => {
    expect((await record(api, 'held')).data.recordEndUserMessage).toMatchObject({ replayed: false, userErrors: [] });
    expect((await record(api, 'held')).data.recordEndUserMessage).toMatchObject({ replayed: true, userErrors: [] });
  });
  expect(await messages()).toBe(1);
});

it.each([
  ['WebSocket', overWebSocket],
  ['SSE', overSse],
] as const)('a caller over %s is told to retry', async (_name, over) => {
  await during({ statementMs: 300 }, async api => {
    const result = await whileHeld(async () => {
      const following = over(api.url, caller('bot'))(RECORD, {
        input: { sessionId: id, text: 'help', idempotencyKey: world.nextKey() },
      });
      const [first] = await following.until(results => results.length > 0);
      await following.leave();
      return first;
    });
    expect(result.errors).toEqual([overloaded]);
  });
});

it('a lock timeout set by the operator is reported as a busy database, and not as a running call with the same key', async () => {
  await setOnDatabase('set lock_timeout = 300');
  try {
    await during({}, async api => {
      const { errors } = await whileHeld(() => record(api, 'limited'));
      expect(errors).toEqual([overloaded]);
    });
  } finally {
    await setOnDatabase('reset lock_timeout');
  }
});

it('a call whose own time limit ends first is not reported as a busy database', async () => {
  await during({ operationMs: 300 }, async api => {
    const { errors } = await whileHeld(() => record(api, 'late'));
    expect(errors).toEqual([
      expect.objectContaining({ extensions: expect.objectContaining({ code: 'OPERATION_TIMED_OUT' }) }),
    ]);
    expect(api.log).toEqual([]);
  });
});
