import { once } from 'node:events';
import WebSocket from 'ws';
import type { Caller } from '../../../src/core/caller';
import { AccessError } from '../../../src/core/request-errors';
import { caller, createFlowWorld, startGraphqlApi, type FlowWorld, type GraphqlApi } from '../graphql/room';
import { gate } from '../persistence/store-world';
import { rawConnection, startServer, type RunningServer } from './start-server';
import { until } from '../../support/until';

let running: RunningServer;
afterEach(() => running.server.stop());

describe('sockets and event streams', () => {
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

  const opened = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`${running.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    return socket;
  };
  const say = (socket: WebSocket): void =>
    socket.send(JSON.stringify({ type: 'connection_init', payload: caller('ui') }));
  const known = async (): Promise<WebSocket> => {
    const socket = await opened();
    say(socket);
    await once(socket, 'message');
    return socket;
  };
  const upgrading = () => {
    const raw = rawConnection(running.port);
    raw.socket.write(
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
    );
    return raw;
  };

  it('have free slots for known callers while strangers open sockets, who have their own limit', async () => {
    const { http: handle, upgrade } = api.graphql.handlers;
    running = await startServer({
      graphql: { handle, upgrade, stop: () => Promise.resolve() },
      maxSockets: 3,
      maxStrangers: 2,
    });
    const strangers = [await opened(), await opened()];
    const refused = upgrading();
    await refused.closed;
    const [head, body] = refused.received().split('\r\n\r\n') as [string, string];
    expect(head).toMatch(/^HTTP\/1\.1 503 [^]*\r\nretry-after: 1\r\n/i);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'OVERLOADED', retryAfterMs: 1_000 } });

    // Each gives its stranger's slot back as soon as it is identified.
    for (const socket of strangers) {
      say(socket);
      await once(socket, 'message');
    }
    const late = await opened();
    say(late);
    expect((await once(late, 'close'))[0]).toBe(1013);
    strangers[0]!.terminate();
    await until(async () => {
      const next = await opened();
      say(next);
      const isIn = await new Promise<boolean>(resolve => {
        next.once('message', () => resolve(true)).once('close', () => resolve(false));
      });
      next.terminate();
      return isIn;
    });
    strangers[1]!.terminate();
  });

  it('are not occupied by strangers who never identify themselves, and ignore the close frame', async () => {
    const short = await startGraphqlApi(world, { connectionInitTimeoutMs: 20, closeGraceMs: 1_234 });
    const { http: handle, upgrade } = short.graphql.handlers;
    running = await startServer({ graphql: { handle, upgrade, stop: () => Promise.resolve() }, maxStrangers: 1 });
    const timers = jest.spyOn(globalThis, 'setTimeout');
    try {
      const stranger = upgrading();
      // Its close frame, with the code 4408.
      await until(() => stranger.received().includes('\u0011\u0038'));
      const waits = timers.mock.calls.map(([, ms]) => ms);
      expect(waits).toContain(1_234);
      expect(waits).not.toContain(30_000);
      stranger.socket.resume();
      await stranger.closed;
      const next = await opened();
      next.terminate();
    } finally {
      timers.mockRestore();
      await short.stop();
    }
  });

  it('share one limit: the next one is refused with the time to retry, until one has closed', async () => {
    const { http: handle, upgrade } = api.graphql.handlers;
    running = await startServer({ graphql: { handle, upgrade, stop: () => Promise.resolve() }, maxSockets: 3 });
    const { id } = await world.open();
    const stream = (signal?: AbortSignal) =>
      fetch(`${running.url}/graphql`, {
        method: 'POST',
        signal,
        headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...caller('ui') },
        body: JSON.stringify({ query: `subscription { conversationStatus(sessionId: "${id}") { __typename } }` }),
      });
    const leave = new AbortController();
    expect((await stream(leave.signal)).status).toBe(200);
    const socket = await known();

    const refused = await stream();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.json()).toMatchObject({
      errors: [{ extensions: { code: 'OVERLOADED', retryable: true, retryAfterMs: 1_000 } }],
    });
    const late = await opened();
    say(late);
    expect((await once(late, 'close'))[0]).toBe(1013);
    // Queries are no streams: they have a separate limit.
    expect(
      (
        await fetch(`${running.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...caller('ui') },
          body: '{"query":"{ __typename }"}',
        })
      ).status,
    ).toBe(200);

    leave.abort();
    const next = new AbortController();
    await until(async () => (await stream(next.signal)).status === 200);
    next.abort();
    socket.terminate();
  });
});

describe.each([
  ['webhooks', '/webhooks/a/b', 'maxWebhooks'],
  ['files', '/files/a/b', 'maxFiles'],
  ['calls of provider pages', '/providers/toy/x', 'maxPages'],
] as const)('slots of %s', (_what, path, bound) => {
  it('are limited: further requests are refused before their bodies are read, and accepted again afterwards', async () => {
    const free = gate();
    let inside = 0;
    const held = async () => {
      inside += 1;
      await free.opened;
    };
    running = await startServer({
      [bound]: 1,
      webhooks: async request => {
        await held();
        await request.readBody(100, 'a');
        return { status: 200 };
      },
      files: async (_request, response) => {
        await held();
        response.end();
      },
      providerPages: new Map([
        [
          'toy',
          async () => {
            await held();
            return { status: 200, headers: {}, body: '' };
          },
        ],
      ]),
    });
    const send = () => fetch(running.url + path, { method: 'POST', body: 'hello' });
    const first = send();
    await until(() => inside === 1);
    // Its body never arrives, so waiting for it would mean no response.
    const second = rawConnection(running.port);
    second.socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n`);
    await until(() => second.received().includes('retryAfterMs'));
    second.socket.destroy();
    expect(second.received()).toMatch(/^HTTP\/1\.1 503 [^]*\r\nretry-after: 1\r\n/i);
    expect(
      JSON.parse(
        second
          .received()
          .split('\r\n\r\n')[1]!
          .replace(/^[0-9a-f]+\r\n/, '')
          .split('\r\n')[0]!,
      ),
    ).toMatchObject({ error: { code: 'OVERLOADED', retryAfterMs: 1_000 } });
    expect(inside).toBe(1);
    expect((await fetch(`${running.url}/livez`)).status).toBe(200);
    free.open();
    expect((await first).status).toBe(200);
    expect((await send()).status).toBe(200);
  });
});

const identify = ({
  headers,
}: {
  headers: Readonly<Record<string, string | string[] | undefined>>;
}): Promise<Caller> =>
  headers['x-org'] === undefined
    ? Promise.reject(new AccessError('UNAUTHENTICATED', 'no'))
    : Promise.resolve({ organizationId: String(headers['x-org']), role: 'ui', userId: null });

/** Calls that keep running until the test opens the gate, and how many are inside. */
function waiting() {
  const free = gate();
  const calls = {
    inside: 0,
    open: free.open,
    hold: async () => {
      calls.inside += 1;
      await free.opened;
    },
  };
  return calls;
}

describe('slots of calls of provider pages', () => {
  const call = (path: string, org: string | null) =>
    fetch(`${running.url}/providers/toy/${path}`, { headers: org === null ? {} : { 'x-org': org } });
  const page = (calls: ReturnType<typeof waiting>): NonNullable<Parameters<typeof startServer>[0]>['providerPages'] =>
    new Map([
      [
        'toy',
        async ({ path }) => {
          if (path === '/wait') await calls.hold();
          return { status: 200, headers: {}, body: '' };
        },
      ],
    ]);

  it.each([
    ['an organization', 'org-a'],
    ['all unidentified callers together', null],
  ])('are limited for %s, and a share is reserved for others', async (_who, org) => {
    const calls = waiting();
    running = await startServer({ maxPages: 8, identify, providerPages: page(calls) });
    const held = Array.from({ length: 6 }, () => call('wait', org));
    await until(() => calls.inside === 6);
    expect([(await call('x', org)).status, (await call('x', 'org-b')).status]).toEqual([503, 200]);
    calls.open();
    expect(new Set((await Promise.all(held)).map(({ status }) => status))).toEqual(new Set([200]));
    expect((await call('x', org)).status).toBe(200);
  });

  it('are limited for an organization to its share of what others leave', async () => {
    const calls = waiting();
    running = await startServer({ maxPages: 8, identify, providerPages: page(calls) });
    const held = ['org-a', 'org-a', 'org-b', 'org-b', 'org-c', 'org-c'].map(org => call('wait', org));
    await until(() => calls.inside === 6);
    expect(await Promise.all(['org-a', 'org-b', 'org-c'].map(async org => (await call('x', org)).status))).toEqual([
      503, 503, 503,
    ]);
    expect((await call('x', 'org-d')).status).toBe(200);
    calls.open();
    await Promise.all(held);
  });

  it.each([1, 2, 3])('are available to a single organization when there are %i', async maxPages => {
    running = await startServer({ maxPages, identify, providerPages: page(waiting()) });
    expect((await call('x', 'org-a')).status).toBe(200);
  });

  it('are taken only once the caller is identified', async () => {
    const calls = waiting();
    running = await startServer({
      maxPages: 1,
      providerPages: page(calls),
      identify: async credentials => {
        if (credentials.headers['x-org'] === 'org-slow') await calls.hold();
        return identify(credentials);
      },
    });
    const held = [call('x', 'org-slow'), call('x', 'org-slow')];
    await until(() => calls.inside === 2);
    expect((await call('x', 'org-b')).status).toBe(200);
    calls.open();
    await Promise.all(held);
  });
});

describe('slots of event streams', () => {
  const streams: AbortController[] = [];
  afterEach(() => {
    for (const one of streams.splice(0)) one.abort();
  });
  const status = async (open: (signal: AbortSignal) => Promise<Response>): Promise<number> => {
    const leave = new AbortController();
    streams.push(leave);
    return (await open(leave.signal)).status;
  };

  it('of provider pages are available to an organization except for a share, until it closes some', async () => {
    async function* endless(): AsyncGenerator<string> {
      for (const free = gate(); ; ) {
        yield ': here\n\n';
        await free.opened;
      }
    }
    running = await startServer({
      maxSockets: 8,
      identify,
      providerPages: new Map([
        [
          'toy',
          () => Promise.resolve({ status: 200, headers: { 'content-type': 'text/event-stream' }, body: endless() }),
        ],
      ]),
    });
    const open = (org: string | null) =>
      status(signal =>
        fetch(`${running.url}/providers/toy/x`, { signal, headers: org === null ? {} : { 'x-org': org } }),
      );
    for (let i = 0; i < 6; i++) expect(await open('org-a')).toBe(200);
    expect([await open('org-a'), await open(null), await open('org-b'), await open('org-b')]).toEqual([
      503, 200, 200, 503,
    ]);
    for (const one of streams.slice(0, 3)) one.abort();
    await until(async () => (await open('org-a')) === 200);
  });

  it('of GraphQL are available to an organization except for a share', async () => {
    const world = await createFlowWorld();
    const api = await startGraphqlApi(world);
    const { http: handle, upgrade } = api.graphql.handlers;
    running = await startServer({ graphql: { handle, upgrade, stop: () => Promise.resolve() }, maxSockets: 4 });
    await world.open('visitor');
    const open = (org: string) =>
      status(signal =>
        fetch(`${running.url}/graphql`, {
          method: 'POST',
          signal,
          headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...caller('ui', org) },
          body: JSON.stringify({ query: 'subscription { supportTyping { __typename } }' }),
        }),
      );
    expect([
      await open('org-1'),
      await open('org-1'),
      await open('org-1'),
      await open('org-1'),
      await open('org-2'),
    ]).toEqual([200, 200, 200, 503, 200]);
    for (const one of streams.splice(0)) one.abort();
    await api.stop();
    await world.close();
  });
});
