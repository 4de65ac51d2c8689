import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { getIntrospectionQuery, type GraphQLObjectType } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { overSse, overSseByGet, overWebSocket, wsClient } from './following';
import { caller, createFlowWorld, type FlowWorld, post, type GraphqlApi, startGraphqlApi } from './room';
import { until } from '../../support/until';

let world: FlowWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world, { connectionInitTimeoutMs: 100, maxSubscriptionsPerSocket: 2, maxTokens: 2_000 });
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

const json = { 'content-type': 'application/json' };
const codesOf = (errors: any[] | undefined): string[] => (errors ?? []).map(error => error.extensions.code);
/** The result of an operation, over either transport. */
const WAYS: Record<string, (query: string, variables?: Record<string, unknown>) => Promise<any[] | undefined>> = {
  HTTP: async (query, variables) => (await api.run(query, variables)).errors,
  WebSocket: async (query, variables) => {
    const following = overWebSocket(api.url, caller('bot'))(query, variables);
    const ended = await following.ended;
    await following.leave();
    return Array.isArray(ended) ? ended : following.results[0]?.errors;
  },
  SSE: (query, variables) => firstErrors(overSse(api.url, caller('bot')), query, variables),
  'SSE by GET': (query, variables) => firstErrors(overSseByGet(api.url, caller('bot')), query, variables),
};
async function firstErrors(
  over: ReturnType<typeof overSse>,
  query: string,
  variables?: Record<string, unknown>,
): Promise<any[] | undefined> {
  const following = over(query, variables);
  await following.ended;
  return following.results[0]?.errors;
}

describe.each(Object.entries(WAYS))('an operation over %s', (_name, errorsOf) => {
  it.each([
    ['is not GraphQL', '{ supportAccounts { id', 'GRAPHQL_PARSE_FAILED'],
    ['has too many tokens', `{ ${'a '.repeat(2_001)}}`, 'GRAPHQL_PARSE_FAILED'],
    ['requests an unknown field', '{ secrets }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'is too deep',
      `{ supportAccounts { ${'inboxes { account { '.repeat(8)} id ${'} } '.repeat(8)} } }`,
      'OPERATION_TOO_LARGE',
    ],
    [
      'has too many aliases',
      `{ ${Array.from({ length: 101 }, (_, i) => `a${i}: supportAccounts { id }`).join(' ')} }`,
      'OPERATION_TOO_LARGE',
    ],
    [
      'is too wide',
      `{ ...F } ${Array.from({ length: 12 }, (_, i) => `fragment F${i || ''} on Query { ...F${i + 1} ...F${i + 1} }`).join(' ')} fragment F12 on Query { supportAccounts { id } }`,
      'OPERATION_TOO_LARGE',
    ],
    [
      'names no operation',
      'query A { supportAccounts { id } } query B { supportAccounts { id } }',
      'OPERATION_RESOLUTION_FAILURE',
    ],
    ['lacks a variable', 'query ($id: ID!) { handoff(id: $id) { id } }', 'BAD_USER_INPUT'],
  ])('is refused when it %s', async (_why, query, code) => {
    const errors = await errorsOf(query);
    expect(codesOf(errors)).toEqual([code]);
    expect(errors![0].extensions).toEqual({ code, requestId: expect.stringMatching(/.+/), retryable: false });
  });

  it.each([
    ['Int', 'query ($value: Int) { handoffs(first: $value) { nodes { id } } }', 'many'],
    ['ID', 'query ($value: ID!) { handoff(id: $value) { id } }', { id: 'x' }],
    [
      'HandoffState',
      'query ($value: [HandoffState!]) { handoffs(filter: { states: $value }) { nodes { id } } }',
      ['LOST'],
    ],
  ])('names the variable that is no %s, and logs nothing', async (_type, query, value) => {
    const logged = api.log.length;
    const [error, ...others] = (await errorsOf(query, { value }))!;
    expect(others).toEqual([]);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^Variable "\$value" got invalid value/),
      extensions: { code: 'BAD_USER_INPUT', retryable: false },
    });
    expect(api.log).toHaveLength(logged);
  });

  it("reports at most fifty invalid variables, as the caller's error", async () => {
    const logged = api.log.length;
    const errors = (await errorsOf(
      'query ($value: [HandoffState!]) { handoffs(filter: { states: $value }) { nodes { id } } }',
      { value: Array.from({ length: 60 }, () => 'LOST') },
    ))!;
    expect(new Set(codesOf(errors))).toEqual(new Set(['BAD_USER_INPUT']));
    expect(errors.at(-1)).toMatchObject({
      message: expect.stringMatching(/^Too many errors processing variables/),
      extensions: { requestId: expect.any(String), retryable: false },
    });
    expect(api.log).toHaveLength(logged);
  });

  it('hides internal errors', async () => {
    const { handoffs } = world.stores as any;
    const getMany = handoffs.getMany;
    handoffs.getMany = () => Promise.reject(new Error('password=hunter2'));
    try {
      const errors = await errorsOf('{ handoff(id: "a3b5f1c0-0000-4000-8000-000000000000") { id } }');
      expect(errors).toEqual([
        {
          message: 'Internal error',
          path: ['handoff'],
          locations: [{ line: 1, column: 3 }],
          extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String), retryable: false },
        },
      ]);
      expect(api.log.at(-1)!.fields).toMatchObject({ requestId: errors![0].extensions.requestId, field: 'handoff' });
    } finally {
      handoffs.getMany = getMany;
    }
  });
});

describe('HTTP', () => {
  it('answers the introspection of tools', async () => {
    expect((await api.run(getIntrospectionQuery())).errors).toBeUndefined();
  });

  it("uses the caller's request id when it is harmless, and creates one otherwise", async () => {
    expect(
      (await api.run('{ __typename }', {}, { ...caller('ui'), 'x-request-id': 'abc-1' })).headers.get('x-request-id'),
    ).toBe('abc-1');
    const made = (await api.run('{ __typename }', {}, { ...caller('ui'), 'x-request-id': 'a b<' })).headers.get(
      'x-request-id',
    );
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['nobody', {}, 401, 'UNAUTHENTICATED'],
    ['a wrong secret', { 'x-support-gateway-secret': 'wrong' }, 401, 'UNAUTHENTICATED'],
    [
      "a right secret without an organization, in another role than the gateway's",
      { 'x-support-gateway-secret': caller('ui')['x-support-gateway-secret']!, 'x-support-role': 'ui' },
      403,
      'FORBIDDEN',
    ],
  ])('refuses %s before it reads the body', async (_who, headers, status, code) => {
    const answer = await post(api.url, '{ not json', headers);
    expect([answer.status, codesOf(answer.errors)]).toEqual([status, [code]]);
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
  });

  it.each([
    ['2 MB of body', `{"query":"${' '.repeat(2 * 1024 * 1024)}"}`, json, 413, 'BODY_TOO_LARGE'],
    ['bad JSON', '{"query":', json, 400, 'BAD_REQUEST'],
    ['a list', '[{"query":"{__typename}"}]', json, 400, 'BAD_REQUEST'],
    ['no query', '{}', json, 400, 'BAD_REQUEST'],
    ['a query that is no text', '{"query":{}}', json, 400, 'BAD_REQUEST'],
    ['variables that are no object', '{"query":"{__typename}","variables":"x"}', json, 400, 'BAD_REQUEST'],
    [
      'a body that a form of another site can send',
      '{"query":"{__typename}"}',
      { 'content-type': 'text/plain' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'the same to the event stream',
      '{"query":"{__typename}"}',
      { 'content-type': 'text/plain', accept: 'text/event-stream' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
  ])('refuses %s', async (_what, body, headers, status, code) => {
    const answer = await post(api.url, body, { ...caller('bot'), ...headers });
    expect([answer.status, codesOf(answer.errors)]).toEqual([status, [code]]);
    expect(answer.errors![0].extensions.requestId).toBe(answer.headers.get('x-request-id'));
  });

  it('refuses a body that grows too large while it is sent, and still responds with the reason', async () => {
    const sending = httpRequest(api.url, {
      method: 'POST',
      headers: { ...caller('bot'), ...json, 'transfer-encoding': 'chunked' },
    });
    const answered = once(sending, 'response');
    for (let i = 0; i < 40; i += 1) sending.write(' '.repeat(64 * 1024));
    sending.end();
    const [response] = await answered;
    expect(response.statusCode).toBe(413);
    response.resume();
  });

  it('refuses other methods, and a mutation by GET in both forms', async () => {
    expect((await fetch(api.url, { method: 'PUT', headers: caller('bot') })).status).toBe(405);
    const mutation = new URLSearchParams({
      query: 'mutation { acknowledgeRuntimeDeliveries(input: { ids: [] }) { acknowledged } }',
    });
    for (const accept of ['application/json', 'text/event-stream'])
      expect(
        (
          await fetch(`${api.url}?${mutation}`, {
            headers: { ...caller('bot'), accept, 'apollo-require-preflight': '1' },
          })
        ).status,
      ).toBe(405);
  });

  it('refuses a GET that a page of another site could have sent', async () => {
    const answer = await fetch(`${api.url}?query={__typename}`, { headers: caller('bot') });
    expect(answer.status).toBe(400);
    const body = (await answer.json()) as { errors: any[] };
    expect(codesOf(body.errors)).toEqual(['BAD_REQUEST']);
  });
});

it('data fields without a resolver are read, also after a router asked for a trace', async () => {
  await api.run('{ supportAccounts { id } }', {}, { ...caller('gateway'), 'apollo-federation-include-trace': 'ftv1' });
  const fields = (api.graphql.schema.getType('Handoff') as GraphQLObjectType).getFields();
  expect(
    Object.values(fields)
      .filter(field => field.resolve)
      .map(field => field.name)
      .sort(),
  ).toEqual(['isLive', 'links', 'organization', 'outcome', 'session', 'targetAgent', 'targetTeam']);
});

describe('graphql-transport-ws', () => {
  const socket = (protocol?: string): WebSocket => new WebSocket(api.wsUrl, protocol === undefined ? [] : [protocol]);
  const closed = async (ws: WebSocket): Promise<number> => (await once(ws, 'close'))[0] as number;

  it.each([{}, { 'x-support-gateway-secret': 'wrong' }])(
    'closes with 4403 for an unidentified caller: %p',
    async connectionParams => {
      const ended = await new Promise(resolve =>
        createClient({ url: api.wsUrl, connectionParams, webSocketImpl: WebSocket, retryAttempts: 0 }).subscribe(
          { query: '{ __typename }' },
          { next: () => undefined, complete: () => resolve('complete'), error: resolve },
        ),
      );
      expect(ended).toMatchObject({ code: 4403 });
    },
  );

  it('closes with 4408 for a caller who sends no connection_init', async () => {
    expect(await closed(socket('graphql-transport-ws'))).toBe(4408);
  });

  it('closes with 4401 for a caller who subscribes too early', async () => {
    const ws = socket('graphql-transport-ws');
    await once(ws, 'open');
    ws.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: '{ __typename }' } }));
    expect(await closed(ws)).toBe(4401);
  });

  it('refuses another subprotocol, or none', async () => {
    for (const protocol of ['graphql-ws', undefined]) {
      const ws = socket(protocol);
      ws.on('error', () => undefined);
      const [, response] = await once(ws, 'unexpected-response');
      expect(response.statusCode).toBe(400);
    }
  });

  it('closes with 1009 after a message beyond the body limit, and logs no content', async () => {
    const patient = await startGraphqlApi(world);
    try {
      const ws = new WebSocket(patient.wsUrl, 'graphql-transport-ws');
      await once(ws, 'open');
      ws.send(JSON.stringify({ type: 'connection_init', payload: { secret: 'x'.repeat(1024 * 1024) } }));
      expect(await closed(ws)).toBe(1009);
      expect(JSON.stringify(patient.log)).not.toContain('xxx');
    } finally {
      await patient.stop();
    }
  });

  it('refuses one operation too many and continues the others', async () => {
    const { id: sessionId } = await world.open();
    const client = wsClient(api.wsUrl, caller('ui'));
    const query = 'subscription ($sessionId: ID!) { conversationStatus(sessionId: $sessionId) { epoch control } }';
    const two = [0, 1].map(() => client.iterate({ query, variables: { sessionId } }));
    for (const one of two) await one.next();
    const third = client.iterate({ query, variables: { sessionId } });
    await expect(third.next()).rejects.toMatchObject([{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }]);
    const next = two[1]!.next();
    await world.ask(sessionId);
    expect((await next).value).toMatchObject({ data: { conversationStatus: { control: 'NONE' } } });
    await client.dispose();
  });

  it('runs queries and mutations as well', async () => {
    const following = overWebSocket(api.url, caller('bot'))(
      'mutation ($input: OpenSupportSessionInput!) { openSupportSession(input: $input) { created session { externalId } userErrors { code } } }',
      { input: { chatbotId: 'bot-1', channel: 'web', externalId: 'over-ws' } },
    );
    await following.ended;
    expect(following.results).toEqual([
      { data: { openSupportSession: { created: true, session: { externalId: 'over-ws' }, userErrors: [] } } },
    ]);
    await following.leave();
  });
});

describe('a subscriber that does not read', () => {
  const TURNS = 250;
  /** Of 100 events; the last one is not full. */
  const PAGES = 3;
  let patient: GraphqlApi;
  const EVENTS =
    'subscription ($sessionId: ID!) { supportSessionEvents(sessionId: $sessionId, after: 0) { seq event { __typename ... on SupportMessageRecorded { message { text } } } } }';
  let sessionId: string;
  beforeAll(async () => {
    // No timer reads anything here, so that reads can be counted.
    patient = await startGraphqlApi(world, { pollMs: 1_000_000 });
    sessionId = (await world.open()).id;
    for (let i = 0; i < TURNS; i += 1) await world.user(sessionId, `${i} ${'\u0001'.repeat(20_000)}`);
  });

  afterAll(() => patient.stop());

  /** How many pages of the session's events were read while `work` ran. */
  async function pagesRead(work: () => Promise<unknown>): Promise<number> {
    const events = world.stores.events as any;
    const ofSession = events.ofSession;
    let pages = 0;
    events.ofSession = function (...args: unknown[]) {
      pages += 1;
      return ofSession.apply(this, args);
    };
    await work().finally(() => {
      events.ofSession = ofSession;
    });
    return pages;
  }

  it.each(['SSE', 'WebSocket'])(
    'stops the reads for it over %s, and gets everything once it reads again',
    async way => {
      const read: number[] = [];
      const take = (result: any): void => {
        read.push(result.data.supportSessionEvents.seq);
      };
      let slow: Awaited<ReturnType<typeof silentStream>>;
      // A fast one reads all 30 MB meanwhile. The slow one causes only what fits into the network's buffers: one page.
      const pages = await pagesRead(async () => {
        slow = await (way === 'SSE' ? silentStream : silentSocket)(take);
        const quick = overWebSocket(patient.url, caller('ui'))(EVENTS, { sessionId });
        await quick.until(results => results.length === TURNS + 1);
        await quick.leave();
      });
      expect(pages).toBeLessThan(2 * PAGES);
      slow!.goOn();
      await until(() => read.length === TURNS + 1);
      expect(read).toEqual(Array.from({ length: TURNS + 1 }, (_, i) => i + 1));
      slow!.leave();
    },
  );

  it('is disconnected after two pings: its event stream is closed, and everything is freed', async () => {
    const strict = await startGraphqlApi(world, { pollMs: 1_000_000, pingIntervalMs: 50 });
    const asking = httpRequest(strict.url, {
      method: 'POST',
      headers: { ...caller('ui'), ...json, accept: 'text/event-stream' },
    });
    asking.end(JSON.stringify({ query: EVENTS, variables: { sessionId } }));
    const [response] = await once(asking, 'response');
    response.on('error', () => undefined);
    try {
      await until(() => strict.graphql.subscriptionCount() === 1);
      await until(() => strict.graphql.subscriptionCount() === 0);
    } finally {
      asking.destroy();
      await strict.stop();
    }
  });

  it('stays connected as long as it reads, with nothing to read but pings', async () => {
    const strict = await startGraphqlApi(world, { pingIntervalMs: 1_000 });
    const { id } = await world.open();
    const asking = httpRequest(strict.url, {
      method: 'POST',
      headers: { ...caller('ui'), ...json, accept: 'text/event-stream' },
    });
    asking.end(JSON.stringify({ query: `subscription { conversationStatus(sessionId: "${id}") { __typename } }` }));
    const [response] = await once(asking, 'response');
    let pings = 0;
    response.on('data', (part: Buffer) => {
      pings += part.toString().split(':\n\n').length - 1;
    });
    await until(() => pings > 3);
    expect(strict.graphql.subscriptionCount()).toBe(1);
    asking.destroy();
    await strict.stop();
  });

  /** Both have subscribed, and read nothing until the test lets them. */
  async function silentStream(take: (result: unknown) => void) {
    const asking = httpRequest(patient.url, {
      method: 'POST',
      headers: { ...caller('ui'), ...json, accept: 'text/event-stream' },
    });
    asking.end(JSON.stringify({ query: EVENTS, variables: { sessionId } }));
    const [response] = await once(asking, 'response');
    let text = '';
    const goOn = (): void =>
      response.on('data', (part: Buffer) => {
        const events = (text + part.toString()).split('\n\n');
        text = events.pop()!;
        for (const event of events)
          if (event.startsWith('event: next')) take(JSON.parse(event.slice(event.indexOf('\ndata: ') + 7)));
      });
    return {
      goOn,
      leave: () => {
        asking.destroy();
      },
    };
  }

  async function silentSocket(take: (result: unknown) => void) {
    const ws = new WebSocket(patient.wsUrl, 'graphql-transport-ws');
    await once(ws, 'open');
    ws.send(JSON.stringify({ type: 'connection_init', payload: caller('ui') }));
    await once(ws, 'message');
    ws.pause();
    ws.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: EVENTS, variables: { sessionId } } }));
    const goOn = (): void => {
      ws.on('message', data => {
        const message = JSON.parse(String(data));
        if (message.type === 'next') take(message.payload);
      });
      ws.resume();
    };
    return {
      goOn,
      leave: () => {
        ws.terminate();
      },
    };
  }
});
