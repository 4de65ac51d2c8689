import { randomUUID } from 'node:crypto';
import { createFlowWorld, type FlowWorld, type GraphqlApi, startGraphqlApi } from './room';

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

const file = (sizeBytes: unknown) => ({
  url: 'https://files.example.com/a.bin',
  name: 'a.bin',
  contentType: 'application/octet-stream',
  sizeBytes,
});
const MUTATIONS = { recordEndUserMessage: {}, sendBotMessage: { epoch: 1 } };

async function send(name: string, more: object, sizes: readonly unknown[]): Promise<any> {
  const { id: sessionId } = await world.open();
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`;
  const { body } = await api.run(
    `mutation ($input: ${type}) { ${name}(input: $input) { message { attachments { sizeBytes } } userErrors { code field } } }`,
    { input: { sessionId, text: 'a file', attachments: sizes.map(file), idempotencyKey: randomUUID(), ...more } },
  );
  return body.errors ? body : body.data[name];
}

describe.each(Object.entries(MUTATIONS))('the size of a file in %s', (name, more) => {
  it('may exceed 32 bits, and is returned as it was given', async () => {
    const sizes = [0, 2_147_483_648, 9_007_199_254_740_991, null];
    expect(await send(name, more, sizes)).toEqual({
      userErrors: [],
      message: { attachments: sizes.map(sizeBytes => ({ sizeBytes })) },
    });
  });

  it.each([-1, 0.5, 9_007_199_254_740_992, 1e300])('is refused by field name when it is %d', async wrong => {
    expect(await send(name, more, [1, wrong])).toEqual({
      message: null,
      userErrors: [{ code: 'INPUT_INVALID', field: 'attachments.1.sizeBytes' }],
    });
  });

  it('is not accepted as text', async () => {
    expect((await send(name, more, ['12'])).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

it('a size is accepted as a literal in a query', async () => {
  const { id } = await world.open();
  const say = (size: string) =>
    api.run(
      `mutation { recordEndUserMessage(input: { sessionId: "${id}", idempotencyKey: "k", attachments: [{ url: "https://files.example.com/a", name: "a", contentType: "a/b", sizeBytes: ${size} }] }) { message { attachments { sizeBytes } } userErrors { field } } }`,
    );
  expect((await say('-5')).data.recordEndUserMessage).toEqual({
    message: null,
    userErrors: [{ field: 'attachments.0.sizeBytes' }],
  });
  expect((await say('4294967296')).data.recordEndUserMessage).toMatchObject({
    message: { attachments: [{ sizeBytes: 4_294_967_296 }] },
    userErrors: [],
  });
});
