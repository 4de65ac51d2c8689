import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { AccessError } from '../../../src/core/request-errors';
import type { Caller } from '../../../src/core/caller';
import type { StartInterval } from '../../../src/server/body-reader';
import { caller, createFlowWorld, startGraphqlApi, type FlowWorld, type GraphqlApi } from '../graphql/room';
import { gate } from '../persistence/store-world';
import { until } from '../../support/until';
import { rawConnection, startServer, type RunningServer } from './start-server';
import { TEST_BODIES } from '../../support/bodies';

let running: RunningServer;
const slow: ReturnType<typeof rawConnection>[] = [];
afterEach(async () => {
  for (const { socket } of slow.splice(0)) socket.destroy();
  await running.server.stop();
});

/** Requests that have sent their headers and one byte of the body, and nothing more for now. */
function hang(
  count: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  length = 100,
): ReturnType<typeof rawConnection>[] {
  const lines = Object.entries({
    host: 'x',
    'content-type': 'application/json',
    'content-length': String(length),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const connections = Array.from({ length: count }, () => rawConnection(running.port));
  for (const { socket } of connections) socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n{`);
  slow.push(...connections);
  return connections;
}
const statusOf = ({ received }: ReturnType<typeof rawConnection>) =>
  Number(/^HTTP\/1\.1 (\d{3})/.exec(received())?.[1] ?? 0);
/** How many of this many calls got 200. */
async function taken(count: number, call: () => Promise<Response>): Promise<number> {
  const statuses = await Promise.all(
    Array.from({ length: count }, async () => {
      const response = await call();
      await response.arrayBuffer();
      return response.status;
    }),
  );
  return statuses.filter(status => status === 200).length;
}

const identify = ({
  headers,
}: {
  headers: Readonly<Record<string, string | string[] | undefined>>;
}): Promise<Caller> =>
  headers['x-org'] === undefined
    ? Promise.reject(new AccessError('UNAUTHENTICATED', 'no'))
    : Promise.resolve({ organizationId: String(headers['x-org']), role: 'ui', userId: null });

describe("a provider's page", () => {
  let read = 0;
  const begin = async (more: Partial<Parameters<typeof startServer>[0]> = {}) => {
    read = 0;
    running = await startServer({
      maxPages: 32,
      identify,
      ...more,
      providerPages: new Map([
        [
          'toy',
          async ({ caller: who, readBody }) => {
            if (who === null) return { status: 401, headers: {}, body: 'who?' };
            read += 1;
            await readBody();
            return { status: 200, headers: {}, body: 'done' };
          },
        ],
      ]),
    });
  };
  const call = (org: string) =>
    fetch(`${running.url}/providers/toy/x`, { method: 'POST', headers: { 'x-org': org }, body: '{}' });

  it('refuses 40 anonymous callers from their headers alone, and serves everybody else', async () => {
    await begin();
    const anonymous = hang(40, '/providers/toy/x', {});
    await until(() => anonymous.every(one => statusOf(one) === 401));
    expect(await taken(20, () => call('org-b'))).toBe(20);
    expect(read).toBe(20);
  });

  it('serves another tenant while 40 bodies of one tenant hang', async () => {
    await begin();
    hang(40, '/providers/toy/x', { 'x-org': 'org-a' });
    await until(() => read === 40);
    expect(await taken(20, () => call('org-b'))).toBe(20);
  });
});

describe('webhooks', () => {
  it('of another account are accepted while those of one hang', async () => {
    let inside = 0;
    running = await startServer({
      maxWebhooks: 4,
      webhooks: async ({ path, readBody }) => {
        inside += 1;
        await readBody(1_000, path.split('/')[2]!);
        return { status: 200 };
      },
    });
    hang(20, '/webhooks/a/secret', {});
    await until(() => inside === 20);
    expect(await taken(4, () => fetch(`${running.url}/webhooks/b/secret`, { method: 'POST', body: '{}' }))).toBe(4);
  });
});

describe('GraphQL', () => {
  let world: FlowWorld;
  let api: GraphqlApi;
  beforeAll(async () => {
    world = await createFlowWorld();
    api = await startGraphqlApi(world);
  });
  afterAll(async () => {
    await api.stop();
    await world.close();
  });
  const begin = async (more: Partial<Parameters<typeof startServer>[0]> = {}) => {
    const { http: handle, upgrade } = api.graphql.handlers;
    running = await startServer({ graphql: { handle, upgrade, stop: () => Promise.resolve() }, ...more });
  };
  const query = (accept = 'application/json') =>
    fetch(`${running.url}/graphql`, {
      method: 'POST',
      headers: { accept, 'content-type': 'application/json', ...caller('bot', 'org-b') },
      body: '{"query":"{ __typename }"}',
    });

  it('serves another tenant while 260 bodies of one tenant hang, and refuses only that tenant beyond its share', async () => {
    await begin();
    const bodies = hang(260, '/graphql', caller('bot', 'org-a'));
    await until(() => bodies.filter(one => statusOf(one) === 503).length === 4);
    expect(await taken(20, query)).toBe(20);
    expect(bodies.filter(one => statusOf(one) !== 0)).toHaveLength(4);
  });

  it('gives no body of an event stream the slot of a stream', async () => {
    await begin({ maxSockets: 8 });
    const bodies = hang(10, '/graphql', { accept: 'text/event-stream', ...caller('bot', 'org-a') });
    expect(await taken(2, () => query('text/event-stream'))).toBe(2);
    expect(bodies.filter(one => statusOf(one) !== 0)).toEqual([]);
  });

  it('responds to a stranger, and to a refused caller, without reading the body', async () => {
    await begin();
    const strangers = hang(3, '/graphql', { 'x-support-gateway-secret': 'wrong' });
    const forms = hang(3, '/graphql', { ...caller('bot', 'org-a'), 'content-type': 'text/plain' });
    await until(() => strangers.every(one => statusOf(one) === 401) && forms.every(one => statusOf(one) === 415));
  });
});

describe('a body that comes too slowly', () => {
  it.each([
    ['a page', '/providers/toy/x', { 'x-org': 'org-a' }],
    ['a webhook', '/webhooks/a/b', {}],
  ] as const)(
    'of %s is refused after its grace period; one that is fast enough is not',
    async (_what, path, headers) => {
      const checks: (() => void)[] = [];
      let stopped = 0;
      // The speed of readers is checked at other intervals.
      const every: StartInterval = (ms, work) => {
        if (ms === 1_000) checks.push(work);
        return () => {
          if (ms === 1_000) stopped += 1;
        };
      };
      running = await startServer({
        startInterval: every,
        identify,
        bodies: { ...TEST_BODIES, checkMs: 1_000, graceMs: 2_000, minBytesPerSecond: 10 },
        webhooks: async ({ readBody }) => {
          await readBody(1_000, 'a');
          return { status: 200 };
        },
        providerPages: new Map([
          [
            'toy',
            async ({ readBody }) => {
              await readBody();
              return { status: 200, headers: {}, body: '' };
            },
          ],
        ]),
      });
      const [first] = hang(1, path, headers, 50);
      await until(() => checks.length === 1);
      const check = checks[0]!;
      for (let i = 0; i < 2; i++) check();
      // During its grace period one byte is enough. Afterwards 10 bytes a second are required.
      expect(statusOf(first!)).toBe(0);
      check();
      await until(() => statusOf(first!) === 408);
      expect(first!.received()).toContain('BODY_TOO_SLOW');
      await until(() => stopped === 1);

      const [second] = hang(1, path, headers, 50);
      await until(() => checks.length === 2);
      for (let i = 0; i < 2; i++) checks[1]!();
      second!.socket.write('x'.repeat(49));
      await until(() => statusOf(second!) === 200);
    },
  );
});

describe('the share of one sender', () => {
  const begin = (bodies: Partial<typeof TEST_BODIES>) =>
    startServer({
      bodies: { ...TEST_BODIES, ...bodies },
      identify,
      providerPages: new Map([
        [
          'toy',
          async ({ readBody }) => {
            await readBody();
            return { status: 200, headers: {}, body: '' };
          },
        ],
      ]),
    });

  it('of concurrent bodies is refused beyond its limit, and free again afterwards', async () => {
    running = await begin({ maxBodies: 8, shareOfOne: 1 / 4 });
    const bodies = hang(3, '/providers/toy/x', { 'x-org': 'org-a' }, 2);
    await until(() => bodies.filter(one => statusOf(one) === 503).length === 1);
    expect(
      (await fetch(`${running.url}/providers/toy/x`, { method: 'POST', headers: { 'x-org': 'org-b' }, body: '{}' }))
        .status,
    ).toBe(200);
    for (const one of bodies.filter(each => statusOf(each) === 0)) one.socket.write('}');
    await until(() => bodies.filter(one => statusOf(one) === 200).length === 2);
    expect(
      (await fetch(`${running.url}/providers/toy/x`, { method: 'POST', headers: { 'x-org': 'org-a' }, body: '{}' }))
        .status,
    ).toBe(200);
  });

  it('of bytes is refused beyond its limit', async () => {
    running = await begin({ maxBytes: 400_000, shareOfOne: 1 / 4 });
    const [large] = hang(1, '/providers/toy/x', { 'x-org': 'org-a' }, 90_001);
    large!.socket.write('x'.repeat(89_000));
    const second = () =>
      fetch(`${running.url}/providers/toy/x`, {
        method: 'POST',
        headers: { 'x-org': 'org-a' },
        body: 'x'.repeat(90_000),
      });
    await until(async () => (await second()).status === 503);
    expect(
      (
        await fetch(`${running.url}/providers/toy/x`, {
          method: 'POST',
          headers: { 'x-org': 'org-b' },
          body: 'x'.repeat(90_000),
        })
      ).status,
    ).toBe(200);
    large!.socket.destroy();
    await until(async () => (await second()).status === 200);
  });
});

describe('the bytes of a sender', () => {
  const KEEP = 100_000;
  let free: ReturnType<typeof gate>;
  let inside: number;
  const begin = async () => {
    free = gate();
    inside = 0;
    running = await startServer({
      bodies: { ...TEST_BODIES, maxBytes: 4 * KEEP, shareOfOne: 1 / 4 },
      identify,
      providerPages: new Map([
        [
          'toy',
          async ({ path, readBody }) => {
            const body = await readBody();
            inside += 1;
            if (path === '/wait') await free.opened;
            return { status: 200, headers: {}, body: String(body.length) };
          },
        ],
      ]),
    });
  };
  const send = (path: string, org: string, bytes: number, encoding: 'gzip' | 'br' | 'deflate') =>
    fetch(`${running.url}/providers/toy/${path}`, {
      method: 'POST',
      headers: { 'x-org': org, 'content-encoding': encoding },
      body: { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync }[encoding](Buffer.alloc(bytes, 'x')),
    });

  it.each(['gzip', 'br', 'deflate'] as const)('are counted after inflation: %s', async encoding => {
    await begin();
    const refused = await send('x', 'org-a', KEEP + 1, encoding);
    expect([refused.status, refused.headers.get('retry-after'), await refused.text()]).toEqual([
      503,
      '1',
      expect.stringContaining('OVERLOADED'),
    ]);
    const taken = await send('x', 'org-a', KEEP - 1_000, encoding);
    expect([taken.status, await taken.text()]).toEqual([200, String(KEEP - 1_000)]);
    expect(inside).toBe(1);
  });

  it('are counted until the call has its response', async () => {
    await begin();
    const first = send('wait', 'org-a', 60_000, 'gzip');
    await until(() => inside === 1);
    expect((await send('x', 'org-a', 60_000, 'gzip')).status).toBe(503);
    expect((await send('x', 'org-b', 60_000, 'gzip')).status).toBe(200);
    free.open();
    expect((await first).status).toBe(200);
    await until(async () => (await send('x', 'org-a', 60_000, 'gzip')).status === 200);
  });
});

describe('files of the desk', () => {
  it("of another owner are served while one owner's readers read nothing, and those are disconnected", async () => {
    const checks = new Set<() => void>();
    let readers = 0;
    let readCount = 0;
    running = await startServer({
      maxFiles: 8,
      fileOwner: path => path.split('/')[2]!,
      startInterval: (_ms, work) => {
        checks.add(work);
        return () => {
          checks.delete(work);
        };
      },
      files: async (request, response) => {
        if (request.url!.startsWith('/files/b/')) {
          response.end('small');
          return;
        }
        readers += 1;
        readCount += 1;
        response.once('close', () => {
          readCount -= 1;
        });
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          if (!response.destroyed) response.once('drain', more);
        };
        more();
        await new Promise(resolve => {
          response.once('close', resolve);
        });
      },
    });
    const open = () => {
      const connection = rawConnection(running.port);
      connection.socket.pause();
      connection.socket.write('GET /files/a/x HTTP/1.1\r\nHost: x\r\n\r\n');
      slow.push(connection);
      return connection;
    };
    const held = Array.from({ length: 6 }, open);
    await until(() => readers === 6);
    const next = rawConnection(running.port);
    slow.push(next);
    next.socket.write('GET /files/a/x HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => statusOf(next) === 503);
    expect(await taken(4, () => fetch(`${running.url}/files/b/x`))).toBe(4);
    for (const { socket } of held) socket.on('error', () => undefined);
    await until(() => {
      for (const check of [...checks]) check();
      return readCount === 0;
    });
    expect(await taken(1, () => fetch(`${running.url}/files/b/x`))).toBe(1);
  });
});
