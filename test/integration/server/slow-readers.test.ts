import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import WebSocket from 'ws';
import type { StartInterval } from '../../../src/server/body-reader';
import { until } from '../../support/until';
import { caller, createFlowWorld, type FlowWorld, ORG, type GraphqlApi, startGraphqlApi } from '../graphql/room';
import { rawConnection, startServer, type RunningServer } from './start-server';

/** Readers who read nothing. Their connections are checked whenever a test says so. */
const READERS = { checkMs: 5_001, graceMs: 10_000, minBytesPerSecond: 1_000 };
let world: FlowWorld;
let checks: Set<() => void>;
const every: StartInterval = (ms, work) => {
  if (ms === READERS.checkMs) checks.add(work);
  return () => {
    checks.delete(work);
  };
};
const check = (): void => {
  for (const one of [...checks]) one();
};
let running: RunningServer;
let api: GraphqlApi | undefined;
const open: { destroy(): void }[] = [];
beforeAll(async () => {
  world = await createFlowWorld();
  await world.pool.query(
    `insert into agent (id, organization_id, account_id, external_id, name, role)
    select gen_random_uuid(), $1, (select id from support_account limit 1), 'long-' || n, repeat('x', 1000), 'AGENT' from generate_series(1, 150) n`,
    [ORG],
  );
});
const responses: ServerResponse[] = [];
beforeEach(() => {
  checks = new Set();
  responses.length = 0;
});
afterEach(async () => {
  for (const one of open.splice(0)) one.destroy();
  await api?.stop();
  await running.server.stop();
  api = undefined;
});
afterAll(() => world.close());

/** 14 MB, more than the network's buffers hold. */
const LARGE = `{ supportAgents { ${Array.from({ length: 95 }, (_, i) => `a${i}: name`).join(' ')} } }`;
const begin = async (limits: Parameters<typeof startGraphqlApi>[1]): Promise<void> => {
  api = await startGraphqlApi(world, { pingIntervalMs: 1_000_000, ...limits });
  const { http, upgrade } = api.graphql.handlers;
  const handle: typeof http = (request, response, exchange) => {
    responses.push(response);
    return http(request, response, exchange);
  };
  running = await startServer({
    startInterval: every,
    readers: READERS,
    graphql: { handle, upgrade, stop: () => Promise.resolve() },
  });
};
const small = async (): Promise<number> =>
  (
    await fetch(`${running.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close', ...caller('bot') },
      body: '{"query":"{ supportTeams { id } }"}',
    })
  ).status;
/** Sends a request, and reads nothing of the response. */
function asked(accept: string): void {
  const connection = rawConnection(running.port);
  open.push(connection.socket);
  connection.socket.pause();
  const body = JSON.stringify({ query: LARGE });
  const headers = Object.entries({
    host: 'x',
    accept,
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...caller('bot'),
  });
  connection.socket.write(
    `POST /graphql HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  );
}
async function askedOverSocket(): Promise<void> {
  const socket = new WebSocket(`${running.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  open.push({ destroy: () => socket.terminate() });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: caller('bot') }));
  await once(socket, 'message');
  socket.pause();
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: LARGE } }));
  // A connection that is exempt from the check may say so.
  socket.pong();
}

it.each<[string, () => unknown]>([
  ['HTTP', () => asked('application/json')],
  ['an event stream', () => asked('text/event-stream')],
  ['a WebSocket', askedOverSocket],
])(
  'a response over %s keeps its slot until its reader has read it, and a reader who reads nothing is disconnected',
  async (_way, ask) => {
    await begin({ maxOperations: 1 });
    await ask();
    await until(isFull);
    await until(async () => {
      check();
      return (await small()) === 200;
    });
  },
);

/** Whether the only slot stays taken: it is while a response is built, and free once that is over. */
async function isFull(): Promise<boolean> {
  for (let i = 0; i < 20; i += 1) if ((await small()) !== 503) return false;
  return true;
}

it('the bytes of a response stay counted until its reader has read it', async () => {
  await begin({ maxResultBytes: 15_000_000 });
  const codeOfLarge = async (): Promise<string | undefined> => {
    const answer = await fetch(`${running.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close', ...caller('bot') },
      body: JSON.stringify({ query: LARGE }),
    });
    return ((await answer.json()) as { errors?: { extensions: { code: string } }[] }).errors?.[0]?.extensions.code;
  };
  for (let i = 0; i < 8; i += 1) {
    asked('application/json');
    // One after the other, so that all of them are built.
    await until(() => responses[i]?.headersSent === true);
    expect(responses[i]!.statusCode).toBe(200);
  }
  expect(await codeOfLarge()).toBe('OVERLOADED');
  await until(async () => {
    check();
    return (await codeOfLarge()) === undefined;
  });
});

describe('a page', () => {
  const pageOf = async (bytes: number): Promise<void> => {
    running = await startServer({
      startInterval: every,
      readers: READERS,
      maxPages: 1,
      providerPages: new Map([['toy', () => Promise.resolve({ status: 200, headers: {}, body: Buffer.alloc(bytes) })]]),
    });
  };
  const get = async (): Promise<number> =>
    (await fetch(`${running.url}/providers/toy/x`, { method: 'HEAD', headers: { connection: 'close' } })).status;
  const reader = () => {
    const connection = rawConnection(running.port);
    open.push(connection.socket);
    connection.socket.pause();
    connection.socket.write('GET /providers/toy/x HTTP/1.1\r\nHost: x\r\n\r\n');
    return connection.socket;
  };

  it('keeps its slot until its reader has read it, and a reader who reads nothing is disconnected', async () => {
    await pageOf(30_000_000);
    reader();
    await until(async () => (await get()) === 503);
    await until(async () => {
      check();
      return (await get()) === 200;
    });
  });

  it('is sent to a reader who reads enough of it, although it is one write', async () => {
    await pageOf(30_000_000);
    const socket = reader();
    let got = 0;
    socket.on('data', part => {
      got += part.length;
    });
    socket.pause();
    await until(async () => (await get()) === 503);
    // Far more checks than the grace period has, each after the network took something.
    for (let i = 0; i < 12 && got < 30_000_000; i += 1) {
      const before = got;
      socket.resume();
      await until(() => got > before + 2_000_000 || got >= 30_000_000);
      socket.pause();
      check();
    }
    socket.resume();
    await until(() => got >= 30_000_000);
  });
});
