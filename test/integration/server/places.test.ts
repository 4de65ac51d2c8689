import { once } from 'node:events';
import WebSocket from 'ws';
import { caller, createFlowWorld, startRoom, type FlowWorld, type Room } from '../graphql/room';
import { gate } from '../persistence/store-world';
import { rawConnection, startServer, type RunningServer } from './start-server';
import { until } from '../../support/until';

let running: RunningServer;
afterEach(() => running.server.stop());

describe('sockets and event streams', () => {
  let world: FlowWorld;
  let room: Room;
  beforeAll(async () => {
    world = await createFlowWorld();
    room = await startRoom(world);
  });
  afterAll(async () => {
    await room.stop();
    await world.close();
  });

  it('share one bound: the next of either is refused with the time to come again, until one has gone', async () => {
    const { http: handle, upgrade } = room.graphql.handlers;
    running = await startServer({ graphql: { handle, upgrade, stop: () => Promise.resolve() }, maxSockets: 2 });
    const { id } = await world.open();
    const stream = (signal?: AbortSignal) => fetch(`${running.url}/graphql`, {
      method: 'POST', signal, headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...caller('ui') },
      body: JSON.stringify({ query: `subscription { conversationStatus(sessionId: "${id}") { __typename } }` }),
    });
    const leave = new AbortController();
    expect((await stream(leave.signal)).status).toBe(200);
    const socket = new WebSocket(`${running.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');

    const refused = await stream();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'OVERLOADED', retryable: true, retryAfterMs: 1_000 } }] });
    const late = rawConnection(running.port);
    late.socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    await late.closed;
    const [head, body] = late.received().split('\r\n\r\n') as [string, string];
    expect(head).toMatch(/^HTTP\/1\.1 503 [^]*\r\nretry-after: 1\r\n/i);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'OVERLOADED', retryAfterMs: 1_000 } });
    // Queries are no streams: they have a bound of their own.
    expect((await fetch(`${running.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', ...caller('ui') }, body: '{"query":"{ __typename }"}' })).status).toBe(200);

    leave.abort();
    const next = new AbortController();
    await until(async () => (await stream(next.signal)).status === 200);
    next.abort();
    socket.terminate();
  });
});

describe.each([
  ['webhooks', '/webhooks/a/b', 'maxWebhooks'], ['files', '/files/a/b', 'maxFiles'], ['calls of provider pages', '/providers/toy/x', 'maxPages'],
] as const)('%s', (_what, path, bound) => {
  it('beyond the bound are refused before their bodies are read, and taken again afterwards', async () => {
    const free = gate();
    let inside = 0;
    const held = async () => { inside += 1; await free.opened; };
    running = await startServer({
      [bound]: 1,
      webhooks: async request => { await held(); await request.readBody(100); return { status: 200 }; },
      files: async (_request, response) => { await held(); response.end(); },
      identify: async () => { await held(); return { organizationId: 'org-a', role: 'ui', userId: null }; },
      providerPages: new Map([['toy', () => Promise.resolve({ status: 200, headers: {}, body: '' })]]),
    });
    const send = () => fetch(running.url + path, { method: 'POST', body: 'hello' });
    const first = send();
    await until(() => inside === 1);
    // Its body never comes: whoever waits for it does not answer.
    const second = rawConnection(running.port);
    second.socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n`);
    await until(() => second.received().includes('retryAfterMs'));
    second.socket.destroy();
    expect(second.received()).toMatch(/^HTTP\/1\.1 503 [^]*\r\nretry-after: 1\r\n/i);
    expect(JSON.parse(second.received().split('\r\n\r\n')[1]!.replace(/^[0-9a-f]+\r\n/, '').split('\r\n')[0]!)).toMatchObject({ error: { code: 'OVERLOADED', retryAfterMs: 1_000 } });
    expect(inside).toBe(1);
    expect((await fetch(`${running.url}/livez`)).status).toBe(200);
    free.open();
    expect((await first).status).toBe(200);
    expect((await send()).status).toBe(200);
  });
});
