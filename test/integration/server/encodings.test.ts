import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { caller, createFlowWorld, startGraphqlApi, type FlowWorld, type GraphqlApi } from '../graphql/room';
import { startServer, type RunningServer } from './start-server';

let world: FlowWorld;
let api: GraphqlApi;
let running: RunningServer;
const LIMIT = 1_000_000;
beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
  const { http: handle, upgrade } = api.graphql.handlers;
  running = await startServer({
    graphql: { handle, upgrade, stop: () => Promise.resolve() },
    providerBodyLimitBytes: LIMIT,
    webhooks: async ({ readBody }) => ({ status: 200, body: await readBody(LIMIT, 'a') }),
    providerPages: new Map([['toy', async ({ readBody }) => ({ status: 200, headers: {}, body: await readBody() })]]),
  });
});
afterAll(async () => {
  await running.server.stop();
  await api.stop();
  await world.close();
});

const QUERY = '{"query":"{ __typename }"}';
const DOORS = [
  ['a GraphQL operation', '/graphql', {}],
  ['an event stream', '/graphql', { accept: 'text/event-stream' }],
  ['a webhook', '/webhooks/a/b', {}],
  ["a provider's page", '/providers/toy/x', {}],
] as const;
const send = (path: string, body: Buffer, encoding: string, headers: object) =>
  fetch(`${running.url}${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'content-encoding': encoding, ...caller('bot'), ...headers },
  });
const LARGE = Buffer.alloc(16 * 1024 * 1024, ' ');
const BOMBS = [
  ['gzip', gzipSync(LARGE)],
  ['deflate', deflateSync(LARGE)],
  ['br', brotliCompressSync(LARGE, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })],
] as const;
const codeIn = (text: string) => /"code":"(\w+)"/.exec(text)?.[1];

describe.each(DOORS)('the compressed body of %s', (_what, path, headers) => {
  it.each<[string, (body: Buffer) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['identity', body => body],
    [' gzip ', gzipSync],
  ])('is inflated: %s', async (encoding, encode) => {
    const response = await send(path, encode(Buffer.from(QUERY)), encoding, headers);
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toMatch(/__typename/);
  });

  it.each(['zstd', 'gzip, br', 'compress', 'constructor', 'toString'])(
    'is refused, with the name of the header, when it is %s',
    async encoding => {
      const response = await send(path, Buffer.from(QUERY), encoding, headers);
      const text = await response.text();
      expect([response.status, response.headers.get('accept-encoding'), codeIn(text)]).toEqual([
        415,
        'gzip, deflate, br',
        'CONTENT_ENCODING_UNSUPPORTED',
      ]);
      expect(text).toMatch(/content-encoding .*gzip, deflate, br/);
    },
  );

  it.each(BOMBS)(
    'counts after inflation: a small one that exceeds the limit is refused (%s)',
    async (encoding, bomb) => {
      expect(bomb.length).toBeLessThan(LIMIT / 20);
      const response = await send(path, bomb, encoding, headers);
      expect([response.status, codeIn(await response.text())]).toEqual([413, 'BODY_TOO_LARGE']);
    },
  );

  it.each([
    ['gzip', Buffer.from(QUERY)],
    ['br', Buffer.from(QUERY)],
    ['deflate', Buffer.from(QUERY)],
    ['gzip', gzipSync(QUERY).subarray(0, 20)],
    ['gzip', Buffer.alloc(0)],
  ])('is refused when it differs from the header: %s', async (encoding, body) => {
    const response = await send(path, body, encoding, headers);
    expect([response.status, codeIn(await response.text())]).toEqual([400, 'BAD_REQUEST']);
  });
});
