import { connect } from 'node:net';
import { AccessError } from '../../../src/core/request-errors';
import { InvalidInputError, NotFoundError } from '../../../src/core/errors';
import type { ProviderHttpRequest } from '../../../src/core/ports/provider/definition';
import { IdentityUnavailableError } from '../../../src/identity/identify';
import type { ProviderPage } from '../../../src/server/provider-pages';
import { rawConnection, startServer, type RunningServer } from './start-server';
import { until } from '../../support/until';

let running: RunningServer;
afterEach(() => running.server.stop());

const requestLines = () => running.lines.filter(line => line.msg === 'request');

describe('every response', () => {
  it('has headers that restrict browsers, and does not name the server software', async () => {
    running = await startServer();
    for (const where of ['/livez', '/graphql', '/nowhere', '/webhooks/a/b']) {
      const { headers } = await fetch(running.url + where);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('server')).toBeNull();
    }
  });

  it('has a request id: the given one when it is harmless, else a new one', async () => {
    running = await startServer();
    const given = await fetch(`${running.url}/livez`, { headers: { 'x-request-id': 'gw-1.2:3_a' } });
    expect(given.headers.get('x-request-id')).toBe('gw-1.2:3_a');
    const made = new Set<string | null>();
    for (const headers of [
      undefined,
      { 'x-request-id': 'a b' },
      { 'x-request-id': 'x'.repeat(101) },
      { 'x-request-id': '{"a":1}' },
    ])
      made.add((await fetch(`${running.url}/livez`, { headers })).headers.get('x-request-id'));
    expect(made.size).toBe(4);
    for (const id of made) expect(id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('has its id in every line that is logged for it, and components read the same id', async () => {
    let seen: unknown;
    running = await startServer({
      graphql: {
        handle: async (request, response) => {
          seen = request.headers['x-request-id'];
          await new Promise(resolve => setImmediate(resolve));
          response.write('half');
          throw new Error('boom');
        },
        upgrade: () => {},
        stop: () => Promise.resolve(),
      },
      webhooks: () => Promise.reject(new Error('boom')),
    });
    await fetch(`${running.url}/webhooks/x/y`, { headers: { 'x-request-id': 'one' } });
    await fetch(`${running.url}/graphql`, { headers: { 'x-request-id': 'two' } })
      .then(response => response.text())
      .catch(() => {});
    await until(() => requestLines().length === 2);
    expect(seen).toBe('two');
    expect(running.lines.filter(line => line.requestId === 'one').map(line => line.msg)).toEqual([
      'request failed',
      'request',
    ]);
    expect(running.lines.filter(line => line.requestId === 'two').map(line => line.msg)).toEqual([
      'request failed',
      'request',
    ]);
  });
});

it('unknown paths get 404, whatever they look like', async () => {
  running = await startServer();
  for (const where of [
    '/',
    '/nowhere',
    '//',
    '/graphql/',
    '/webhook/a/b',
    '/providers',
    '/providers/none/',
    '/%00',
    '/../etc/passwd',
    '/livez/x',
  ])
    expect((await fetch(running.url + where)).status).toBe(404);
  const raw = rawConnection(running.port);
  raw.socket.write(
    'GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: x\r\n\r\nGET http://evil/livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  );
  await raw.closed;
  expect(raw.received().match(/HTTP\/1\.1 404/g)).toHaveLength(3);
});

it('internal errors get 500 without detail, which is in the log', async () => {
  running = await startServer({ webhooks: () => Promise.reject(new TypeError('a secret detail')) });
  const response = await fetch(`${running.url}/webhooks/a/b`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('detail');
  expect(running.lines).toContainEqual(
    expect.objectContaining({
      level: 'error',
      msg: 'request failed',
      err: expect.objectContaining({
        type: 'TypeError',
        message: 'a secret detail',
        stack: expect.stringContaining('routes.test.ts'),
      }),
    }),
  );
});

describe('the log of requests', () => {
  it('contains method, path, status and time, but no query, webhook secret or headers', async () => {
    running = await startServer();
    await fetch(`${running.url}/graphql?query=hunter2`, {
      headers: { authorization: 'Bearer hunter2', cookie: 'hunter2' },
    });
    await fetch(`${running.url}/webhooks/3f0c9a4e-0000-4000-8000-000000000001/hunter2/hunter2?x=hunter2`, {
      method: 'POST',
      body: 'hunter2',
    });
    await fetch(`${running.url}/files/hunter2${'x'.repeat(60)}`);
    await until(() => requestLines().length === 3);
    expect(requestLines()).toEqual([
      expect.objectContaining({ level: 'info', method: 'GET', path: '/graphql', status: 200, ms: expect.any(Number) }),
      expect.objectContaining({
        method: 'POST',
        path: '/webhooks/3f0c9a4e-0000-4000-8000-000000000001/***',
        status: 200,
      }),
      expect.objectContaining({ method: 'GET', path: '/files/***', status: 404 }),
    ]);
    expect(running.log.join('')).not.toContain('hunter2');
  });

  it('contains probes only at debug', async () => {
    running = await startServer();
    await fetch(`${running.url}/readyz`);
    await until(() => requestLines().length === 1);
    expect(requestLines()).toEqual([expect.objectContaining({ level: 'debug', path: '/readyz' })]);
  });
});

describe('provider pages', () => {
  const seen: ProviderHttpRequest[] = [];
  const bodies: string[] = [];
  const page: ProviderPage = async request => {
    seen.push(request);
    bodies.push((await request.readBody()).toString());
    if (request.path === '/input') throw new InvalidInputError('INPUT_INVALID', 'name', 'Give a name.');
    if (request.path === '/unknown') throw new NotFoundError('TEAM_NOT_FOUND', 'team', 'No such team.');
    if (request.path === '/forbidden') throw new AccessError('FORBIDDEN', 'Not yours.');
    if (request.path === '/broken') throw new Error('boom');
    return {
      status: 201,
      headers: { 'content-type': 'text/plain', 'x-frame-options': 'DENY' },
      body: Buffer.from([1, 2, 3]),
    };
  };
  beforeEach(() => {
    seen.length = 0;
    bodies.length = 0;
  });
  const start = (options: Parameters<typeof startServer>[0] = {}) =>
    startServer({ providerPages: new Map([['toy', page]]), ...options });

  it('receive the path below their mount point, and the caller', async () => {
    running = await start();
    const response = await fetch(`${running.url}/providers/toy/a/b%20c?x=1&x=2`, {
      method: 'POST',
      body: 'hello',
      headers: { 'x-own': 'yes' },
    });
    expect([
      response.status,
      response.headers.get('x-frame-options'),
      [...Buffer.from(await response.arrayBuffer())],
    ]).toEqual([201, 'DENY', [1, 2, 3]]);
    expect(seen).toEqual([
      expect.objectContaining({
        method: 'POST',
        path: '/a/b%20c',
        headers: expect.objectContaining({ 'x-own': 'yes' }),
        caller: { organizationId: 'org-a', role: 'ui', userId: null },
      }),
    ]);
    expect(seen[0]!.query.getAll('x')).toEqual(['1', '2']);
    expect(bodies).toEqual(['hello']);
  });

  it('are found with a missing slash at the end', async () => {
    running = await start();
    const response = await fetch(`${running.url}/providers/toy`, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([308, '/providers/toy/']);
  });

  it('get no caller when the proof is missing or unknown: they may be open or have their own sign-in', async () => {
    running = await start({ identify: () => Promise.reject(new AccessError('UNAUTHENTICATED', 'no')) });
    expect((await fetch(`${running.url}/providers/toy/`)).status).toBe(201);
    expect(seen[0]).toMatchObject({ path: '/', caller: null });
  });

  it.each([
    [403, new AccessError('FORBIDDEN', 'no')],
    [503, new IdentityUnavailableError('later')],
  ])('are not reached when the server itself responds %i', async (status, error) => {
    running = await start({ identify: () => Promise.reject(error) });
    expect((await fetch(`${running.url}/providers/toy/`)).status).toBe(status);
    expect(seen).toEqual([]);
  });

  it('may leave addresses open to everybody, whose callers are not identified', async () => {
    const identify = jest.fn(() => Promise.reject(new AccessError('FORBIDDEN', 'no')));
    running = await start({
      identify,
      isOpenPage: (provider, path) => provider === 'toy' && path.startsWith('/open/'),
    });
    expect((await fetch(`${running.url}/providers/toy/open/file`)).status).toBe(201);
    expect(identify).not.toHaveBeenCalled();
    expect(seen).toMatchObject([{ path: '/open/file', caller: null }]);
    expect((await fetch(`${running.url}/providers/toy/closed`)).status).toBe(403);
  });

  it.each([
    ['/input', 400, 'INPUT_INVALID'],
    ['/unknown', 404, 'TEAM_NOT_FOUND'],
    ['/forbidden', 403, 'FORBIDDEN'],
    ['/broken', 500, 'INTERNAL_SERVER_ERROR'],
  ])('may throw shared errors: %s is %i', async (where, status, code) => {
    running = await start();
    const response = await fetch(`${running.url}/providers/toy${where}`);
    expect([response.status, await response.json()]).toEqual([
      status,
      { error: { code, message: expect.any(String) } },
    ]);
  });

  it('may respond without an end: chunks arrive at once, and their source ends when the reader has left', async () => {
    const parts = ['one', 'two'];
    let over!: () => void;
    const ended = new Promise<void>(resolve => {
      over = resolve;
    });
    const stream: AsyncIterableIterator<string> = {
      next: async () => (parts.length > 0 ? { done: false, value: parts.shift()! } : new Promise(() => undefined)),
      return: async () => {
        over();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
    running = await startServer({
      providerPages: new Map([
        ['toy', async () => ({ status: 200, headers: { 'content-type': 'text/event-stream' }, body: stream })],
      ]),
      maxSockets: 1,
    });
    const reader = new AbortController();
    const response = await fetch(`${running.url}/providers/toy/x`, { signal: reader.signal });
    const body = response.body!.getReader();
    let text = '';
    while (text !== 'onetwo') text += Buffer.from((await body.read()).value).toString();
    // It counts as an event stream, of which at most one is allowed here.
    expect((await fetch(`${running.url}/providers/toy/x`)).status).toBe(503);
    reader.abort();
    await ended;
  });

  it('never receive a body that is too large', async () => {
    running = await start({ providerBodyLimitBytes: 1_000 });
    expect((await fetch(`${running.url}/providers/toy/x`, { method: 'POST', body: 'a'.repeat(1_000) })).status).toBe(
      201,
    );
    expect((await fetch(`${running.url}/providers/toy/x`, { method: 'POST', body: 'a'.repeat(1_001) })).status).toBe(
      413,
    );
    expect(bodies).toHaveLength(1);
  });
});

describe('the root page', () => {
  const asked: string[] = [];
  beforeEach(async () => {
    asked.length = 0;
    running = await startServer({
      page: ({ method, path }) => {
        asked.push(`${method} ${path}`);
        return Promise.resolve(
          path === '/' && method !== 'POST'
            ? {
                status: 200,
                headers: { 'content-type': 'text/html', 'referrer-policy': 'same-origin' },
                body: '<p>hello</p>',
              }
            : null,
        );
      },
    });
  });

  it('handles what no other route does, with its own headers over ours', async () => {
    const response = await fetch(`${running.url}/?a=1`);
    expect([
      response.status,
      await response.text(),
      response.headers.get('referrer-policy'),
      response.headers.get('x-frame-options'),
    ]).toEqual([200, '<p>hello</p>', 'same-origin', 'SAMEORIGIN']);
    expect((await fetch(`${running.url}/other`)).status).toBe(404);
    await fetch(`${running.url}/livez`);
    await fetch(`${running.url}/graphql`);
    expect(asked).toEqual(['GET /', 'GET /other']);
  });

  it('has a length and no body for HEAD, and may refuse writing methods', async () => {
    const head = await fetch(`${running.url}/`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '12', '']);
    expect((await fetch(`${running.url}/`, { method: 'POST' })).status).toBe(404);
    expect(asked).toEqual(['HEAD /', 'POST /']);
  });
});

describe('an upgrade', () => {
  const upgrade = (where: string) =>
    `GET ${where} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`;

  it.each([
    ['/graphql', 101],
    ['/ws', 101],
    ['/ws?a=1', 101],
    ['/', 404],
    ['/webhooks/a/b', 404],
  ])('of %s gets %i', async (where, status) => {
    running = await startServer();
    const raw = rawConnection(running.port);
    raw.socket.write(upgrade(where));
    await raw.closed;
    expect(raw.received()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it('that is refused costs no connection, even when its peer never closes its half', async () => {
    running = await startServer();
    const socket = connect({ port: running.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined).resume();
    socket.write(upgrade('/nowhere'));
    // Only on a connection that the server has fully closed do writes fail.
    const gone = new Promise<void>(resolve => socket.once('close', () => resolve()));
    const writing = setInterval(() => socket.write('x'), 20);
    await gone;
    clearInterval(writing);
  });

  it('that a component fails at costs one connection', async () => {
    running = await startServer({
      graphql: {
        handle: () => Promise.resolve(),
        upgrade: () => {
          throw new Error('boom');
        },
        stop: () => Promise.resolve(),
      },
    });
    const raw = rawConnection(running.port);
    raw.socket.write(upgrade('/ws'));
    await raw.closed;
    expect((await fetch(`${running.url}/livez`)).status).toBe(200);
    expect(running.lines).toContainEqual(expect.objectContaining({ msg: 'upgrade failed' }));
  });

  it('is what plain HTTP on /ws is told to use', async () => {
    running = await startServer();
    expect((await fetch(`${running.url}/ws`)).status).toBe(426);
  });
});

describe('a connection that makes no progress', () => {
  it('is closed while its headers are incomplete, and while its body is', async () => {
    running = await startServer({
      limits: { headersMs: 100, requestMs: 200, checkMs: 50 },
      providerPages: new Map([['toy', () => Promise.resolve({ status: 200, headers: {}, body: '' })]]),
    });
    const headers = rawConnection(running.port);
    headers.socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow');
    const body = rawConnection(running.port);
    body.socket.write('POST /providers/toy/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
    await Promise.all([headers.closed, body.closed]);
    expect(headers.received()).toMatch(/^HTTP\/1\.1 408/);
  });
});
