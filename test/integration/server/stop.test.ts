import { ConfigError } from '../../../src/config';
import type { GraphqlEndpoint } from '../../../src/server';
import { rawConnection, startServer } from './start-server';
import { until } from '../../support/until';

const idle: GraphqlEndpoint = { handle: () => Promise.resolve(), upgrade: () => {}, stop: () => Promise.resolve() };

it('a stop finishes running requests, accepts no new connection, and reports not ready meanwhile', async () => {
  let finish!: () => void;
  const finished = new Promise<void>(resolve => {
    finish = resolve;
  });
  let isReached = false;
  const { server, port, url } = await startServer({
    webhooks: async () => {
      isReached = true;
      await finished;
      return { status: 200, body: 'done' };
    },
  });
  const underWay = fetch(`${url}/webhooks/a/b`, { method: 'POST' });
  await until(() => isReached);
  // Kept open by an incomplete request: it can still send the rest.
  const kept = rawConnection(port);
  kept.socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n');
  await until(() => kept.socket.bytesWritten > 0 && kept.socket.readyState === 'open');

  const stopped = server.stop();
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
  kept.socket.write('\r\n');
  await until(() => kept.received().includes('draining'));
  expect(kept.received()).toMatch(/^HTTP\/1\.1 503/);
  expect(JSON.parse(kept.received().split('\r\n\r\n')[1]!)).toMatchObject({
    ready: false,
    checks: { draining: { ok: false } },
  });

  finish();
  const response = await underWay;
  expect([response.status, await response.text(), response.headers.get('connection')]).toEqual([200, 'done', 'close']);
  await stopped;
  await kept.closed;
});

it('a stop closes idle connections at once', async () => {
  const { server, port } = await startServer();
  const raw = rawConnection(port);
  raw.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
  await until(() => raw.received().includes('alive'));
  await server.stop();
  await raw.closed;
});

it('a stop asks the components to close sockets and streams after the requests, and waits for it', async () => {
  const order: string[] = [];
  let isReached = false;
  let finish!: () => void;
  const finished = new Promise<void>(resolve => {
    finish = resolve;
  });
  let endStream = (): void => {};
  const { server, port, url } = await startServer({
    graphql: {
      handle: (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
        endStream = () => response.end('data: bye\n\n');
        return Promise.resolve();
      },
      upgrade: (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n');
        endStream = (before => () => {
          before();
          socket.end('bye');
        })(endStream);
      },
      stop: async () => {
        await new Promise(resolve => setImmediate(resolve));
        order.push('goodbye');
        endStream();
      },
    },
    webhooks: async () => {
      isReached = true;
      await finished;
      order.push('request');
      return { status: 200 };
    },
  });
  const stream = await fetch(`${url}/graphql`);
  const socket = rawConnection(port);
  socket.socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  await until(() => socket.received().includes('101'));
  const request = fetch(`${url}/webhooks/a/b`, { method: 'POST' });
  await until(() => isReached);
  const stopped = server.stop();
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
  finish();
  await stopped;
  expect(order).toEqual(['request', 'goodbye']);
  expect((await request).status).toBe(200);
  expect(await stream.text()).toBe('data: 1\n\ndata: bye\n\n');
  await socket.closed;
  expect(socket.received()).toContain('bye');
});

it('a stop cuts what does not end within its limits', async () => {
  const { server, port, url, lines } = await startServer({
    limits: { finishMs: 50, closeMs: 50 },
    graphql: {
      handle: (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
        return Promise.resolve();
      },
      upgrade: (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n');
      },
      stop: () => new Promise(() => {}),
    },
    webhooks: () => new Promise(() => {}),
  });
  const stuck = fetch(`${url}/webhooks/a/b`, { method: 'POST' }).then(
    () => 'answered',
    () => 'cut off',
  );
  const stream = await fetch(`${url}/graphql`);
  const socket = rawConnection(port);
  socket.socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  await until(() => socket.received().includes('101'));
  await server.stop();
  expect(await stuck).toBe('cut off');
  await expect(stream.text()).rejects.toThrow();
  await socket.closed;
  expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', unfinished: 1 }));
});

it('a stop accepts no new socket', async () => {
  let finish!: () => void;
  let isReached = false;
  const { server, port, url } = await startServer({
    webhooks: async () => {
      isReached = true;
      await new Promise<void>(resolve => {
        finish = resolve;
      });
      return { status: 200 };
    },
  });
  const late = rawConnection(port);
  late.socket.write('GET /ws HTTP/1.1\r\nHost: x\r\n');
  const underWay = fetch(`${url}/webhooks/a/b`, { method: 'POST' });
  await until(() => isReached);
  const stopped = server.stop();
  late.socket.write('Connection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  await late.closed;
  expect(late.received()).toMatch(/^HTTP\/1\.1 503/);
  finish();
  await Promise.all([underWay, stopped]);
});

it('a stop runs once, however often it is requested, also when the server never listened', async () => {
  const { server } = await startServer();
  expect(server.stop()).toBe(server.stop());
  await server.stop();
});

it('a stop survives a component that cannot close', async () => {
  const { server, lines } = await startServer({ graphql: { ...idle, stop: () => Promise.reject(new Error('boom')) } });
  await server.stop();
  expect(lines).toContainEqual(expect.objectContaining({ level: 'error', msg: 'closing sockets failed' }));
});

describe('an address that cannot be bound', () => {
  it.each([
    ['a port that another process has', (taken: number) => ({ host: '127.0.0.1', port: taken }), 'PORT'],
    ['a host that is not this machine', () => ({ host: '203.0.113.7', port: 0 }), 'HOST'],
  ])('is reported as an invalid setting: %s', async (_what, addressOf, key) => {
    const taken = await startServer();
    const error = await startServer(addressOf(taken.port)).catch((thrown: unknown) => thrown);
    await taken.server.stop();
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems.map(problem => problem.key)).toEqual([key]);
  });
});
