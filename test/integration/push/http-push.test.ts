import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { EndpointError } from '../../../src/core/errors';
import { formatSigningSecret } from '../../../src/core/runtime-endpoint';
import { startEndless } from '../../../src/testing/endless-server';
import { createTestFetch, createUnrestrictedPush, createPush, createResolver } from '../../../src/testing/tenant-fetch';
import { retryAfterMs } from '../../../src/push/retry-after';

const SECRET = formatSigningSecret('0123456789_-0123456789_-0123456789_-0123456');
const servers: Server[] = [];
afterEach(() =>
  Promise.all(
    servers.splice(0).map(
      server =>
        new Promise<void>(resolve => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    ),
  ),
);

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?of=bot`;
}

const open = createUnrestrictedPush();
// Older than any cached name: each call resolves it again.
let time = Date.now();
const guarded = (addresses: Record<string, string> = {}) =>
  createPush(createTestFetch({}, createResolver(addresses), () => (time += 3_600_000)));
const post = (url: string, push = open, signal = AbortSignal.timeout(170_000)) =>
  push.post(url, [SECRET], { id: '17', body: '{"a":"ü"}' }, signal);
const failure = (act: Promise<unknown>): Promise<Partial<EndpointError> | null> =>
  act.then(
    () => null,
    ({ code, status, retryAfterMs: wait }: EndpointError) => ({ code, status, retryAfterMs: wait }),
  );

describe('a push over HTTP', () => {
  it('is one signed POST of exactly the same bytes', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      let raw = '';
      request
        .setEncoding('utf8')
        .on('data', (chunk: string) => {
          raw += chunk;
        })
        .on('end', () => {
          seen.push([
            request.method,
            request.url,
            request.headers['content-type'],
            request.headers['webhook-id'],
            new Webhook(SECRET).verify(raw, request.headers as Record<string, string>),
          ]);
          response.writeHead(201).end('taken');
        });
    });
    expect(await post(url)).toBe('taken');
    expect(seen).toEqual([['POST', '/hook?of=bot', 'application/json', '17', { a: 'ü' }]]);
  });

  it.each([200, 204, 299])('succeeds with %i', async status => {
    expect(await failure(post(await serve((_, response) => response.writeHead(status).end())))).toBeNull();
  });

  it.each([
    [301, 'ENDPOINT_REFUSED'],
    [404, 'ENDPOINT_REFUSED'],
    [410, 'ENDPOINT_GONE'],
    [500, 'ENDPOINT_REFUSED'],
  ])('fails with %i', async (status, code) => {
    let calls = 0;
    const url = await serve((_, response) => {
      calls += 1;
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect(await failure(post(url))).toEqual({ code, status, retryAfterMs: undefined });
    expect(calls).toBe(1);
  });

  it('returns how long to wait', async () => {
    expect(
      await failure(post(await serve((_, response) => response.writeHead(503, { 'retry-after': '120' }).end()))),
    ).toMatchObject({ status: 503, retryAfterMs: 120_000 });
  });

  it('ends at its time limit, also with an endless body', async () => {
    const silent = await serve(() => undefined);
    expect(await failure(post(silent, open, AbortSignal.timeout(50)))).toMatchObject({
      code: 'ENDPOINT_UNREACHABLE',
      status: null,
    });
    const stalling = await serve((_, response) => {
      response.writeHead(200);
      response.write('begun');
    });
    expect(await post(stalling, open, AbortSignal.timeout(2_000))).toBe('begun');
  });

  it('reads only the beginning of a response', async () => {
    let isCut = false;
    const url = await serve((_, response) => {
      response.on('close', () => {
        isCut = true;
      });
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    expect(await post(url)).toBe('x'.repeat(16_384));
    while (!isCut)
      await new Promise(resolve => {
        setImmediate(resolve);
      });
  });

  it.each([
    [301, 'ENDPOINT_REFUSED'],
    [410, 'ENDPOINT_GONE'],
    [500, 'ENDPOINT_REFUSED'],
  ])('aborts an endless response with %i', async (status, code) => {
    const server = await startEndless(status, 'flood');
    expect(await failure(post(server.url))).toMatchObject({ code, status });
    await server.cut();
    await server.close();
  });

  it('reports when nothing listens', async () => {
    const url = await serve((_, response) => response.end());
    await new Promise<void>(resolve => {
      servers.splice(0)[0]!.close(() => resolve());
    });
    expect(await failure(post(url))).toMatchObject({ code: 'ENDPOINT_UNREACHABLE' });
    expect(await failure(post('https://bot.example.com', guarded()))).toMatchObject({ code: 'ENDPOINT_UNREACHABLE' });
  });
});

describe('a forbidden address', () => {
  it.each([
    'http://bot.example.com',
    'ftp://bot.example.com',
    'https://user:secret@bot.example.com',
    'https://bot.example.com/#part',
    'bot.example.com',
    'http://10.0.0.1',
  ])('is %s, whatever it leads to', async url => {
    expect(await open.addressProblem(url)).toEqual(expect.any(String));
    expect(await failure(post(url))).toMatchObject({ code: 'ENDPOINT_ADDRESS_REFUSED' });
  });

  it.each([
    'http://127.0.0.1:8080',
    'https://127.0.0.1',
    'https://localhost',
    'https://localhost.',
    'https://bot.localhost',
    'https://bot',
    'https://bot.internal',
    'https://bot.local',
    'https://10.1.2.3',
    'https://172.31.0.1',
    'https://192.168.0.1',
    'https://169.254.169.254',
    'https://100.64.0.1',
    'https://0.0.0.0',
    'https://0x7f.1',
    'https://2130706433',
    'https://[::1]',
    'https://[::ffff:10.0.0.1]',
    'https://[fd00::1]',
    'https://[fe80::1]',
    'https://[2002:a00:1::]',
    'https://[64:ff9b::a00:1]',
    'https://[::7f00:1]',
  ])('is %s, where private networks are not allowed', async url => {
    expect(await guarded().addressProblem(url)).toEqual(expect.any(String));
    expect(await failure(post(url, guarded()))).toMatchObject({ code: 'ENDPOINT_ADDRESS_REFUSED' });
  });

  it.each([
    'https://bot.example.com/hook',
    'https://bot.example.com:8443',
    'https://93.184.216.34',
    'https://[2606:2800:220:1::1]',
  ])('is not %s', async url => {
    expect(await guarded({ 'bot.example.com': '93.184.216.34' }).addressProblem(url)).toBeNull();
    expect(await open.addressProblem(url)).toBeNull();
  });

  it('is found behind a name too, at registration and again at each push', async () => {
    const names: Record<string, string> = {
      'moves.example.com': '93.184.216.34',
      'inside.example.com': '10.0.0.7',
      'six.example.com': '::ffff:127.0.0.1',
    };
    const push = guarded(names);
    expect(await push.addressProblem('https://moves.example.com')).toBeNull();
    for (const name of ['inside', 'six'])
      expect(await push.addressProblem(`https://${name}.example.com`)).toEqual(expect.any(String));
    names['moves.example.com'] = '127.0.0.1';
    expect(await failure(post('https://moves.example.com', push))).toMatchObject({
      code: 'ENDPOINT_ADDRESS_REFUSED',
      status: null,
    });
  });

  it('is called where a setting allows it', async () => {
    for (const url of [
      'http://127.0.0.1:8080',
      'http://localhost',
      'http://[::1]',
      'https://10.1.2.3',
      'https://bot.internal',
    ])
      expect(await open.addressProblem(url)).toBeNull();
  });
});

describe('Retry-After', () => {
  const NOW = Date.parse('2026-11-22T12:00:00Z');
  it.each([
    [undefined, null],
    ['soon', null],
    ['30', 30_000],
    ['0', 0],
    ['99999999', 86_400_000],
    ['Sun, 22 Nov 2026 12:01:00 GMT', 60_000],
    ['Sun, 22 Nov 2026 11:00:00 GMT', 0],
  ])('%s', (header, wait) => {
    expect(retryAfterMs(header, NOW)).toBe(wait);
  });
});
