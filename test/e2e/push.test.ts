import { randomBytes } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';
import { startReceiver, type Receiver } from '../support/receiver';
import { startReplica, type Replica } from '../support/replica';

const SUPPORT_SECRET_KEY = randomBytes(32).toString('base64');
const GATEWAY_SECRET = randomBytes(32).toString('hex');
let database: TestDatabase;
let receiver: Receiver;
const replicas: Replica[] = [];
beforeAll(async () => {
  [database, receiver] = await Promise.all([createTestDatabase(), startReceiver()]);
});
afterAll(async () => {
  await Promise.all(replicas.map(replica => replica.stop()));
  await receiver?.close();
  await database?.drop();
});

async function start(env: Readonly<Record<string, string>>): Promise<Replica> {
  const replica = await startReplica({ databaseUrl: database.url, env: { SUPPORT_SECRET_KEY, ...env } });
  replicas.push(replica);
  return replica;
}
async function call(
  replica: Replica,
  name: string,
  answered: string,
  input: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<any> {
  const query = `mutation ($input: ${name}Input!) { answer: ${name[0]!.toLowerCase()}${name.slice(1)}(input: $input) { ${answered} userErrors { code } } }`;
  const response = await fetch(`${replica.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables: { input } }),
  });
  return ((await response.json()) as { data: { answer: unknown } }).data.answer;
}
it('a service that has just started pushes the events of a handoff to a program beside it', async () => {
  const replica = await start({ SUPPORT_EXAMPLE: 'on' });
  const { endpoint, secret } = await call(replica, 'RegisterSupportRuntimeEndpoint', 'secret endpoint { id }', {
    url: receiver.url,
  });
  receiver.secrets.push(secret);
  expect(
    await call(replica, 'EnableSupportRuntimeEndpoint', 'endpoint { state }', { endpointId: endpoint.id }),
  ).toEqual({ endpoint: { state: 'ACTIVE' }, userErrors: [] });
  const { session } = await call(replica, 'OpenSupportSession', 'session { id }', {
    chatbotId: 'chatbot-orders',
    channel: 'web',
    externalId: 'chat-1',
  });
  const arrived = new Promise<void>(resolve => {
    receiver.answer = ({ body }) => {
      if (body.type === 'message.created') resolve();
      return 204;
    };
  });
  await call(replica, 'RequestHandoff', 'handoff { id }', { sessionId: session.id, idempotencyKey: 'handoff-1' });
  await arrived;
  expect(
    receiver.received.map(({ body, provenBy }) => [body.type, body.data.session.externalId, provenBy.length]),
  ).toEqual([
    ['handoff.state_changed', 'chat-1', 1],
    ['message.created', 'chat-1', 1],
  ]);
  expect(replica.log()).not.toContain(secret.slice('whsec_'.length));
});

it('a public service does not call its own network unless a setting allows it', async () => {
  const replica = await start({ SUPPORT_EXAMPLE: 'off', SUPPORT_GATEWAY_SECRET: GATEWAY_SECRET });
  const gateway = { 'x-support-gateway-secret': GATEWAY_SECRET, 'x-organization-id': 'org-9' };
  expect(await call(replica, 'RegisterSupportRuntimeEndpoint', 'secret', { url: receiver.url }, gateway)).toEqual({
    secret: null,
    userErrors: [{ code: 'ENDPOINT_URL_REFUSED' }],
  });
  const told = await start({
    SUPPORT_EXAMPLE: 'off',
    SUPPORT_GATEWAY_SECRET: GATEWAY_SECRET,
    SUPPORT_ALLOW_PRIVATE_ADDRESSES: 'all',
  });
  expect(await call(told, 'RegisterSupportRuntimeEndpoint', 'secret', { url: receiver.url }, gateway)).toEqual({
    secret: expect.any(String),
    userErrors: [],
  });
});
