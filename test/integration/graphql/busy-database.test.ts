import { createFlows } from '../../../src/core/flows';
import { createPool, createStores, SecretBox } from '../../../src/persistence';
import { overSse, overWebSocket } from './following';
import { caller, createFlowWorld, type FlowWorld, type Room, startRoom } from './room';

/* A call whose Session another process holds for longer than a statement may take. That process is the test, with a connection of its own. */

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

/** A replica whose statements may take `statementMs`, over connections that are made now. */
async function during<T>(
  { statementMs, operationMs }: { readonly statementMs?: number; readonly operationMs?: number },
  work: (room: Room) => Promise<T>,
): Promise<T> {
  const pool = createPool(world.pool.options.connectionString!, { statementMs });
  const stores = createStores(pool, {
    secretBox: new SecretBox('a secret of the tests, at least this long'),
    clock: world.deps.clock,
    wake: { committed: () => undefined },
  });
  const room = await startRoom(
    { ...world, stores, flows: createFlows({ ...world.deps, stores }) },
    operationMs === undefined ? {} : { operationMs },
  );
  try {
    return await work(room);
  } finally {
    await room.stop();
    await pool.end();
  }
}
const setOnDatabase = (what: string) =>
  world.pool.query(`do $$ begin execute format('alter database %I ${what}', current_database()); end $$`);
const record = (room: Room, idempotencyKey: string) =>
  room.run(RECORD, { input: { sessionId: id, text: 'help', idempotencyKey } });
const messages = async () => (await world.pool.query('select from message where session_id = $1', [id])).rowCount;
const overloaded = expect.objectContaining({
  message:
    'The database was too busy to finish this call. Send the same call again in 1000 ms, with the same idempotency key.',
  extensions: { code: 'OVERLOADED', requestId: expect.any(String), retryable: true, retryAfterMs: 1_000 },
});

it('is told to come again, and is taken then, once', async () => {
  await during({ statementMs: 300 }, async room => {
    const { errors } = await whileHeld(() => record(room, 'held'));
    expect(errors).toEqual([overloaded]);
    // The operator can see why.
    expect(room.log).toMatchObject([
      {
        message: 'the database was too busy for an operation',
        fields: { field: 'recordEndUserMessage', err: { code: '57014' } },
      },
    ]);
    expect(await messages()).toBe(0);
  });
  await during({}, async room => {
    expect((await record(room, 'held')).data.recordEndUserMessage).toMatchObject({ replayed: false, userErrors: [] });
    expect((await record(room, 'held')).data.recordEndUserMessage).toMatchObject({ replayed: true, userErrors: [] });
  });
  expect(await messages()).toBe(1);
});

it.each([
  ['WebSocket', overWebSocket],
  ['SSE', overSse],
] as const)('is told so over %s', async (_name, over) => {
  await during({ statementMs: 300 }, async room => {
    const result = await whileHeld(async () => {
      const following = over(room.url, caller('bot'))(RECORD, {
        input: { sessionId: id, text: 'help', idempotencyKey: world.nextKey() },
      });
      const [first] = await following.until(results => results.length > 0);
      await following.leave();
      return first;
    });
    expect(result.errors).toEqual([overloaded]);
  });
});

it('is told so when the operator limits how long locks are waited for, and not that the same call is under way', async () => {
  await setOnDatabase('set lock_timeout = 300');
  try {
    await during({}, async room => {
      const { errors } = await whileHeld(() => record(room, 'limited'));
      expect(errors).toEqual([overloaded]);
    });
  } finally {
    await setOnDatabase('reset lock_timeout');
  }
});

it('is not told so when its own time limit ends it first', async () => {
  await during({ operationMs: 300 }, async room => {
    const { errors } = await whileHeld(() => record(room, 'late'));
    expect(errors).toEqual([
      expect.objectContaining({ extensions: expect.objectContaining({ code: 'OPERATION_TIMED_OUT' }) }),
    ]);
    expect(room.log).toEqual([]);
  });
});
