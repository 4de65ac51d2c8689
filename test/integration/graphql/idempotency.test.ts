import { randomUUID } from 'node:crypto';
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

async function mutate(name: string, input: object): Promise<any> {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input`;
  const { body } = await api.run(
    `mutation ($input: ${type}!) { ${name}(input: $input) { userErrors { code retryAfterMs } ... on ${type.replace('Input', 'Payload')} { replayed } } }`,
    { input },
    caller('operator'),
  );
  return body.errors ? body : body.data[name];
}
const session = async () => (await world.open()).id;
const withHandoff = async () => {
  const id = await session();
  await world.ask(id);
  return id;
};

const REFUSED: [string, string, () => Promise<{ wrong: object; right: object }>][] = [
  [
    'recordEndUserMessage',
    'TEXT_EMPTY',
    async () => {
      const sessionId = await session();
      return { wrong: { sessionId, text: ' ' }, right: { sessionId, text: 'hello' } };
    },
  ],
  [
    'recordEndUserMessage',
    'INPUT_INVALID',
    async () => {
      const sessionId = await session();
      return { wrong: { sessionId, text: 'hello', replyTo: randomUUID() }, right: { sessionId, text: 'hello' } };
    },
  ],
  [
    'sendBotMessage',
    'CONTROL_LOST',
    async () => {
      const sessionId = await session();
      return { wrong: { sessionId, text: 'hi', epoch: 9 }, right: { sessionId, text: 'hi', epoch: 1 } };
    },
  ],
  [
    'requestHandoff',
    'TEAM_NOT_FOUND',
    async () => {
      const sessionId = await session();
      return { wrong: { sessionId, target: { team: '999' } }, right: { sessionId, target: { team: '47' } } };
    },
  ],
  [
    'cancelHandoff',
    'HANDOFF_NOT_FOUND',
    async () => ({ wrong: { handoffId: randomUUID() }, right: { sessionId: await withHandoff() } }),
  ],
  [
    'endHandoff',
    'NO_LIVE_HANDOFF',
    async () => ({ wrong: { sessionId: await session() }, right: { sessionId: await withHandoff() } }),
  ],
  [
    'closeSupportSession',
    'SESSION_NOT_FOUND',
    async () => ({ wrong: { sessionId: randomUUID() }, right: { sessionId: await session() } }),
  ],
  [
    'reportChannelDelivery',
    'INPUT_INVALID',
    async () => {
      const sessionId = await session();
      const { message } = await world.bot(sessionId, 'hi');
      return {
        wrong: { sessionId, messageId: randomUUID(), state: 'READ' },
        right: { sessionId, messageId: message.id, state: 'READ' },
      };
    },
  ],
];

it.each(REFUSED)('%s that was refused with %s leaves its key free for the corrected call', async (name, code, make) => {
  const [{ wrong, right }, idempotencyKey] = [await make(), randomUUID()];
  for (let i = 0; i < 2; i++)
    expect(await mutate(name, { ...wrong, idempotencyKey })).toEqual({
      replayed: false,
      userErrors: [{ code, retryAfterMs: null }],
    });
  expect((await world.pool.query('select from idempotency_key where key = $1', [idempotencyKey])).rows).toEqual([]);
  expect(await mutate(name, { ...right, idempotencyKey })).toEqual({ replayed: false, userErrors: [] });
  expect(await mutate(name, { ...right, idempotencyKey })).toEqual({ replayed: true, userErrors: [] });
});
