import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { overSse, overSseByGet, overWebSocket } from './following';
import {
  caller,
  createFlowWorld,
  type FlowWorld,
  ORG,
  post,
  type GraphqlApi,
  SECRET,
  startGraphqlApi,
  statements,
} from './room';

/** An organization with 300 agents, and what one operation may request of them. */
const AGENTS = 300;
let world: FlowWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createFlowWorld();
  await world.pool.query(
    `insert into agent (id, organization_id, account_id, external_id, name, role)
    select gen_random_uuid(), $1, (select id from support_account limit 1), 'many-' || n, 'Agent ' || n, 'AGENT' from generate_series(1, $2::int) n`,
    [ORG, AGENTS],
  );
  api = await startGraphqlApi(world);
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

const codesOf = (errors: any[] | undefined): string[] => (errors ?? []).map(error => error.extensions.code);
type Answers = (query: string, variables?: Record<string, unknown>) => Promise<any>;
/** The result of an operation, over either transport. */
const waysOf = (at: () => GraphqlApi): Record<string, Answers> => {
  const first =
    (over: typeof overSse): Answers =>
    async (query, variables) => {
      const following = over(at().url, caller('bot'))(query, variables);
      const ended = await following.ended;
      await following.leave();
      return Array.isArray(ended) ? { errors: ended } : following.results[0];
    };
  return {
    HTTP: async (query, variables) => (await at().run(query, variables)).body,
    WebSocket: first(overWebSocket),
    SSE: first(overSse),
    'SSE by GET': first(overSseByGet),
  };
};

describe.each(Object.entries(waysOf(() => api)))('over %s', (_name, answers) => {
  it('agents of accounts of agents are refused before any statement, with the cost and the limit', async () => {
    let errors: any[] = [];
    const made = await statements(world, async () => {
      ({ errors } = await answers('{supportAccounts{agents{account{agents{account{agents{id}}}}}}}'));
    });
    expect(made).toEqual([]);
    expect(errors).toEqual([
      {
        message: expect.stringMatching(/may cost \d+; at most 50000/),
        extensions: { code: 'OPERATION_TOO_COSTLY', requestId: expect.any(String), retryable: false },
      },
    ]);
  });

  it('a result with more objects than estimated is stopped', async () => {
    const { data, errors } = await answers('{supportAccounts{agents{account{agents{id}}}}}');
    expect([data ?? null, codesOf(errors)]).toEqual([null, ['RESULT_TOO_LARGE']]);
  });

  it.each([
    [
      '20,000 representations',
      `query($r:[_Any!]!){_entities(representations:$r){__typename}}`,
      'TOO_MANY_REPRESENTATIONS',
    ],
    [
      '__schema eleven times',
      `{${Array.from({ length: 11 }, (_, i) => `a${i}:__schema{__typename}`).join(' ')}}`,
      'TOO_MUCH_INTROSPECTION',
    ],
  ])('%s are refused', async (_what, query, code) => {
    // This many do not fit into a URL.
    if (_name === 'SSE by GET' && query.includes('$r')) return;
    const variables = query.includes('$r')
      ? { r: Array.from({ length: 20_000 }, () => ({ __typename: 'User', id: 'u' })) }
      : {};
    expect(codesOf((await answers(query, variables)).errors)).toEqual([code]);
  });

  it('a persisted query is answered in the way that routers expect', async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } };
    if (_name === 'HTTP') {
      const answer = await post(api.url, JSON.stringify({ extensions }), caller('gateway'));
      expect([answer.status, answer.errors]).toEqual([
        200,
        [
          expect.objectContaining({
            message: 'PersistedQueryNotSupported',
            extensions: expect.objectContaining({ code: 'PERSISTED_QUERY_NOT_SUPPORTED' }),
          }),
        ],
      ]);
    } else if (_name === 'WebSocket') {
      const client = createClient({
        url: api.wsUrl,
        webSocketImpl: WebSocket,
        connectionParams: caller('gateway'),
        retryAttempts: 0,
      });
      const errors = await new Promise(resolve =>
        client.subscribe(
          { query: '', extensions },
          { next: resolve, complete: () => resolve('complete'), error: resolve },
        ),
      );
      await client.dispose();
      expect(errors).toEqual([
        expect.objectContaining({
          message: 'PersistedQueryNotSupported',
          extensions: expect.objectContaining({ code: 'PERSISTED_QUERY_NOT_SUPPORTED' }),
        }),
      ]);
    } else {
      const byGet = _name === 'SSE by GET';
      const stream = await fetch(
        byGet ? `${api.url}?${new URLSearchParams({ extensions: JSON.stringify(extensions) })}` : api.url,
        {
          method: byGet ? 'GET' : 'POST',
          headers: {
            accept: 'text/event-stream',
            ...caller('gateway'),
            ...(!byGet && { 'content-type': 'application/json' }),
          },
          ...(!byGet && { body: JSON.stringify({ extensions }) }),
        },
      );
      expect(await stream.text()).toContain(
        '"message":"PersistedQueryNotSupported","extensions":{"code":"PERSISTED_QUERY_NOT_SUPPORTED"',
      );
    }
  });

  it('a subscription whose only field is skipped is refused with the reason', async () => {
    const { errors } = await answers('subscription { conversationStatus(sessionId: "x") @skip(if: true) { seq } }');
    expect(errors).toEqual([
      expect.objectContaining({
        extensions: {
          code: _name === 'HTTP' ? 'SUBSCRIPTION_NEEDS_STREAM' : 'GRAPHQL_VALIDATION_FAILED',
          requestId: expect.any(String),
          retryable: false,
        },
      }),
    ]);
  });
});

describe('a list of setup data', () => {
  it('is paged by first and after, in a fixed order', async () => {
    const seen: string[] = [];
    for (let after: string | null = null; ; ) {
      const { data }: any = await api.run(
        'query ($after: ID) { supportAccounts { agents(first: 128, after: $after) { id } } }',
        { after },
      );
      const page: { id: string }[] = data.supportAccounts[0].agents;
      seen.push(...page.map(({ id }) => id));
      if (page.length < 128) break;
      after = page.at(-1)!.id;
    }
    const { data } = await api.run('{ supportAgents { id } }');
    expect(seen).toEqual(data.supportAgents.map(({ id }: any) => id));
    expect(new Set(seen).size).toBeGreaterThanOrEqual(AGENTS);
  });

  it.each([
    ['first: 0', 'INPUT_INVALID'],
    ['first: 1001', 'INPUT_INVALID'],
    ['after: "x"', 'CURSOR_INVALID'],
  ])('refuses %s', async (args, code) => {
    expect(codesOf((await api.run(`{ supportAgents(${args}) { id } }`)).errors)).toEqual([code]);
  });

  it('longer than the limit of one call is refused without first, and never cut silently', async () => {
    await world.pool.query(
      `insert into agent (id, organization_id, account_id, external_id, name, role)
      select gen_random_uuid(), $1, (select id from support_account limit 1), 'more-' || n, 'More ' || n, 'AGENT' from generate_series(1, 1000) n`,
      [ORG],
    );
    try {
      expect(codesOf((await api.run('{ supportAgents { id } }')).errors)).toEqual(['INPUT_INVALID']);
      expect((await api.run('{ supportAgents(first: 1000) { id } }')).data.supportAgents).toHaveLength(1_000);
    } finally {
      await world.pool.query("delete from agent where external_id like 'more-%'");
    }
  });
});

describe('a large result', () => {
  /** 300 × 140 agents, each of two fields. */
  const LARGE = '{supportAccounts{agents{account{agents(first:140){id name}}}}}';

  it('lets the event loop run, and other calls be answered, while it is built', async () => {
    let rounds = 0;
    let answeredInBetween = 0;
    let isOver = false;
    const count = (): void => {
      rounds += 1;
      if (!isOver) setImmediate(count);
    };
    const others = async (): Promise<void> => {
      while (!isOver) {
        await api.run('{ supportTeams { id } }');
        if (!isOver) answeredInBetween += 1;
      }
    };
    const large = api.run(LARGE);
    setImmediate(count);
    const asking = others();
    const { data, errors } = await large.finally(() => {
      isOver = true;
    });
    await asking;
    expect(errors).toBeUndefined();
    expect(data.supportAccounts[0].agents[7].account.agents).toHaveLength(140);
    // 84,000 fields of 42,000 list items in slices of 1,000.
    expect(rounds).toBeGreaterThanOrEqual(120);
    expect(answeredInBetween).toBeGreaterThanOrEqual(1);
  });

  it('never exceeds the byte limit', async () => {
    const small = await startGraphqlApi(world, { maxResultBytes: 20_000 });
    try {
      const { data, errors } = await small.run('{ supportAgents { id name externalId email role } }');
      expect([data ?? null, codesOf(errors)]).toEqual([null, ['RESULT_TOO_LARGE']]);
      expect((await small.run('{ supportAgents(first: 50) { id name } }')).errors).toBeUndefined();
    } finally {
      await small.stop();
    }
  });
});

describe('an operation that exceeds its time limit', () => {
  let slow: GraphqlApi;
  beforeAll(async () => {
    slow = await startGraphqlApi(world, { operationMs: 200 });
  });
  afterAll(() => slow.stop());
  const SESSIONS = 'query ($id: ID!) { supportSession(id: $id) { id inbox { id } } }';

  /** Holds reads of sessions or messages by id until the test releases them. */
  async function whileHeld(name: 'sessions' | 'messages', work: (letGo: () => void) => Promise<void>): Promise<void> {
    const store = world.stores[name] as any;
    const getMany = store.getMany;
    let letGo: () => void = () => undefined;
    const held = new Promise<void>(resolve => {
      letGo = resolve;
    });
    store.getMany = async function (...args: unknown[]) {
      await held;
      return getMany.apply(this, args);
    };
    try {
      await work(letGo);
    } finally {
      letGo();
      store.getMany = getMany;
    }
  }

  it.each(Object.entries(waysOf(() => slow)))(
    'gets its code over %s, and runs no statement afterwards',
    async (_way, answers) => {
      const { id } = await world.open();
      await whileHeld('sessions', async letGo => {
        const { data, errors } = await answers(SESSIONS, { id });
        expect([data ?? null, errors]).toEqual([
          null,
          [
            expect.objectContaining({
              extensions: { code: 'OPERATION_TIMED_OUT', requestId: expect.any(String), retryable: true },
            }),
          ],
        ]);
        const later = await statements(world, async () => {
          letGo();
          await world.pool.query('select 1');
          for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
        });
        expect(later.filter(text => text.includes('from inbox'))).toEqual([]);
      });
    },
  );

  it.each(Object.entries({ WebSocket: overWebSocket, SSE: overSse }))(
    'stops only one event of a subscription over %s, and the next event arrives',
    async (_way, over) => {
      const { id } = await world.open();
      const status = over(slow.url, caller('bot'))(
        'subscription ($id: ID!) { supportSessionEvents(sessionId: $id) { seq event { __typename ... on SupportMessageRecorded { message { session { id } } } } } }',
        { id },
      );
      await status.until(results => results.length === 1);
      await whileHeld('messages', async () => {
        await world.user(id, 'one');
        await status.until(results => results.length === 2);
      });
      expect(codesOf(status.results[1].errors)).toEqual(['OPERATION_TIMED_OUT']);
      await world.user(id, 'two');
      await status.until(results => results.length === 3);
      expect(status.results[2].data.supportSessionEvents.event.message.session.id).toBe(id);
      await status.leave();
    },
  );

  it("has the provider's time limit while it waits for the provider", async () => {
    const patient = await startGraphqlApi(world, { operationMs: 50, providerOperationMs: 1_000_000 });
    const { provider } = world;
    const listTeams = provider.listTeams.bind(provider);
    provider.listTeams = async (...args) => {
      await new Promise(resolve => setTimeout(resolve, 150));
      return listTeams(...args);
    };
    try {
      const { data } = await patient.run(
        'mutation { refreshSupportDirectory(input: { accountId: "x" }) { userErrors { code } } }',
        {},
        caller('operator'),
      );
      expect(codesOf(data.refreshSupportDirectory.userErrors.map((extensions: object) => ({ extensions })))).toEqual([
        'ACCOUNT_NOT_FOUND',
      ]);
      const [{ id }] = (await api.run('{ supportAccounts { id } }')).data.supportAccounts;
      const refreshed = await patient.run(
        'mutation ($accountId: ID!) { refreshSupportDirectory(input: { accountId: $accountId }) { userErrors { code } } }',
        { accountId: id },
        caller('operator'),
      );
      expect(refreshed.body).toEqual({ data: { refreshSupportDirectory: { userErrors: [] } } });
    } finally {
      provider.listTeams = listTeams;
      await patient.stop();
    }
  });
});

describe('a caller who disconnects', () => {
  it.each([
    ['HTTP', {}],
    ['SSE', { accept: 'text/event-stream' }],
  ])('over %s ends a query of theirs: nothing more of it is read', async (_way, headers) => {
    const { id } = await world.open();
    const store = world.stores.sessions as any;
    const { getMany } = store;
    const leaving = new AbortController();
    let letGo: () => void = () => undefined;
    const held = new Promise<void>(resolve => {
      letGo = resolve;
    });
    const reached = new Promise<void>(resolve => {
      store.getMany = async function (...args: unknown[]) {
        resolve();
        await held;
        return getMany.apply(this, args);
      };
    });
    // Of this request alone: one of an earlier test may arrive late.
    const mark = { 'x-request-id': randomUUID() };
    const closed = new Promise<void>(resolve => {
      api.server.on('request', ({ headers: arrived }, response) => {
        if (arrived['x-request-id'] === mark['x-request-id']) response.once('close', resolve);
      });
    });
    try {
      const asking = fetch(api.url, {
        method: 'POST',
        signal: leaving.signal,
        headers: { ...caller('bot'), ...headers, ...mark, 'content-type': 'application/json' },
        body: JSON.stringify({
          query: 'query ($id: ID!) { supportSession(id: $id) { inbox { name } } }',
          variables: { id },
        }),
      });
      await reached;
      leaving.abort();
      // The head of an event stream may have arrived before the caller left.
      await expect(asking.then(response => response.text())).rejects.toThrow();
      await closed;
      const later = await statements(world, async () => {
        letGo();
        await world.pool.query('select 1');
        for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
      });
      expect(later.filter(text => text.includes('from inbox'))).toEqual([]);
    } finally {
      letGo();
      store.getMany = getMany;
    }
  });
});

describe('a subscription without a stream', () => {
  const SUBSCRIPTION = 'subscription { conversationStatus(sessionId: "x") { seq } }';
  it.each([
    ['a plain POST', { accept: 'application/json' }, {}],
    ['nothing said', {}, {}],
    ['multipart/mixed', { accept: 'multipart/mixed;subscriptionSpec=1.0, application/json' }, {}],
    ['multipart/mixed alone', { accept: 'multipart/mixed;subscriptionSpec=1.0' }, {}],
    [
      'a callback',
      { accept: 'application/json;callbackSpec=1.0' },
      { extensions: { subscription: { callbackUrl: 'https://router/callback', subscriptionId: 'x', verifier: 'y' } } },
    ],
  ])('by %s is refused with a list of the possible transports', async (_how, headers, more) => {
    const answer = await post(api.url, JSON.stringify({ query: SUBSCRIPTION, ...more }), {
      ...caller('gateway'),
      ...headers,
    });
    expect([answer.status, answer.errors]).toEqual([
      400,
      [
        {
          message: expect.stringMatching(/graphql-transport-ws.*text\/event-stream/s),
          extensions: {
            code: 'SUBSCRIPTION_NEEDS_STREAM',
            requestId: answer.headers.get('x-request-id'),
            retryable: false,
          },
        },
      ],
    ]);
    expect(api.log.filter(({ message }) => message === 'operation failed')).toEqual([]);
  });
});

describe("the gateway's secret without an organization", () => {
  const nobody = { 'x-support-gateway-secret': SECRET };
  const run = (query: string, more: Record<string, string> = {}) => api.run(query, {}, { ...nobody, ...more });

  it('allows reading the schema, as composition and its tools do', async () => {
    expect((await run('{ _service { sdl } }')).data._service.sdl).toContain('@listSize');
    expect(
      (
        await run(
          'query { __typename ...S } fragment S on Query { __schema { queryType { name } } t: __type(name: "Handoff") { name } }',
        )
      ).body,
    ).toEqual({ data: { __typename: 'Query', __schema: { queryType: { name: 'Query' } }, t: { name: 'Handoff' } } });
  });

  it.each([
    ['a query', '{ supportAccounts { id } }'],
    ['one beside the schema', '{ _service { sdl } supportAccounts { id } }'],
    ['entities', '{ _entities(representations: []) { __typename } }'],
    ['one in a fragment', '{ __typename ... on Query { ...F } } fragment F on Query { supportTeams { id } }'],
    ['a mutation', 'mutation { __typename }'],
  ])('is refused for %s', async (_what, query) => {
    const { status, errors } = await run(query);
    expect([status, codesOf(errors)]).toEqual([403, ['FORBIDDEN']]);
  });

  it("is refused for a role other than the gateway's, and over an event stream", async () => {
    expect((await run('{ _service { sdl } }', { 'x-support-role': 'ui' })).status).toBe(403);
    const stream = await fetch(api.url, {
      method: 'POST',
      headers: { ...nobody, 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: '{ supportTeams { id } }' }),
    });
    expect(await stream.text()).toContain('FORBIDDEN');
  });
});
