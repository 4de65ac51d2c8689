import { randomUUID } from 'node:crypto';
import { renderTranscript } from '../../../src/core/flows/to-provider/transcript';
import { createFlowWorld, type FlowWorld, ORG, type GraphqlApi, startGraphqlApi } from './room';

/** The clock of these tests is fixed at 2026-11-22T12:00:00Z. */
let world: FlowWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createFlowWorld({ mirroring: 'ALWAYS' });
  api = await startGraphqlApi(world);
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

async function mutate(name: 'recordEndUserMessage' | 'sendBotMessage', input: object): Promise<any> {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`;
  const more = name === 'sendBotMessage' ? { epoch: 1 } : {};
  const { body } = await api.run(
    `mutation ($input: ${type}) { ${name}(input: $input) { replayed message { id seq saidAt createdAt } userErrors { code field message } } }`,
    { input: { idempotencyKey: randomUUID(), text: 'hello', ...more, ...input } },
  );
  return body.errors ? body : body.data[name];
}
const messages = async (id: string): Promise<any[]> =>
  (
    await api.run('query ($id: ID!) { supportSession(id: $id) { messages { nodes { seq text saidAt createdAt } } } }', {
      id,
    })
  ).data.supportSession.messages.nodes;
const NOW = '2026-11-22T12:00:00.000Z';

describe.each(['recordEndUserMessage', 'sendBotMessage'] as const)('the time of a message in %s', name => {
  it('is stored, shown in the API and to agents, and does not change the order', async () => {
    const { id: sessionId } = await world.open();
    await mutate(name, { sessionId, text: 'now' });
    expect(await mutate(name, { sessionId, text: 'yesterday', saidAt: '2026-11-21T10:30:00+01:00' })).toMatchObject({
      userErrors: [],
      message: { seq: 2, saidAt: '2026-11-21T09:30:00.000Z', createdAt: NOW },
    });
    await mutate(name, { sessionId, text: 'a moment ago', saidAt: '2026-11-22T11:55:01Z' });
    expect(await messages(sessionId)).toEqual([
      { seq: 1, text: 'now', saidAt: NOW, createdAt: NOW },
      { seq: 2, text: 'yesterday', saidAt: '2026-11-21T09:30:00.000Z', createdAt: NOW },
      { seq: 3, text: 'a moment ago', saidAt: '2026-11-22T11:55:01.000Z', createdAt: NOW },
    ]);
    await world.deliverAll();
    const who = name === 'sendBotMessage' ? 'BOT' : 'END_USER';
    expect(world.provider.shown()).toEqual([
      `${who}: now`,
      `${who}: [said 2026-11-21 09:30 UTC]\nyesterday`,
      `${who}: a moment ago`,
    ]);
  });

  it.each([
    ['later than now', '2026-11-22T12:01:01Z'],
    ['more than 10 years ago', '1970-01-21T18:00:00Z'],
  ])('is refused by field name when it is %s', async (why, saidAt) => {
    const { id: sessionId } = await world.open();
    expect(await mutate(name, { sessionId, saidAt })).toMatchObject({
      message: null,
      userErrors: [{ code: 'INPUT_INVALID', field: 'saidAt', message: expect.stringContaining(why) }],
    });
    expect(await messages(sessionId)).toEqual([]);
  });

  it.each(['2026-11-22T12:01:00Z', '2016-11-23T12:00:00Z'])('may be %s', async saidAt => {
    const { id: sessionId } = await world.open();
    expect(await mutate(name, { sessionId, saidAt })).toMatchObject({
      userErrors: [],
      message: { saidAt: new Date(saidAt).toISOString() },
    });
  });

  it('is part of the input of the idempotency key', async () => {
    const { id: sessionId } = await world.open();
    const idempotencyKey = randomUUID();
    expect(await mutate(name, { sessionId, idempotencyKey, saidAt: '2026-11-22T11:00:00Z' })).toMatchObject({
      replayed: false,
      userErrors: [],
    });
    expect(await mutate(name, { sessionId, idempotencyKey, saidAt: '2026-11-22T12:00:00+01:00' })).toMatchObject({
      replayed: true,
      userErrors: [],
    });
    for (const saidAt of ['2026-11-22T11:00:01Z', null])
      expect(await mutate(name, { sessionId, idempotencyKey, saidAt })).toMatchObject({
        userErrors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }],
      });
    expect(await messages(sessionId)).toHaveLength(1);
  });
});

it('the transcript of a long conversation contains the time of each message', async () => {
  const { id: sessionId } = await world.open();
  const { message } = await mutate('recordEndUserMessage', {
    sessionId,
    text: 'yesterday',
    saidAt: '2026-11-21T09:30:00Z',
  });
  const record = (await world.stores.messages.get(ORG, message.id))!;
  expect(renderTranscript([record], 0, { names: new Set() }).content).toContain('[2026-11-21 09:30:00 UTC]');
});
