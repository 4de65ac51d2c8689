import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGraphqlHttp, type GraphqlHttp, type GraphqlLimits, type TypingSource } from '../../../src/graphql';
import { createIdentify } from '../../../src/identity/identify';
import { PostgresWake } from '../../../src/persistence';
import { createFlowWorld, ORG, type FlowWorld } from '../../../src/testing/flow-world';
import { BodyReader } from '../../../src/server/body-reader';
import { createGraphqlExchange, socketDoor } from '../../../src/server/graphql-exchange';
import { TIME_LIMITS } from '../../../src/time-limits';
import { TEST_BODIES } from '../../support/bodies';

export const SECRET = 'gateway-secret-of-the-tests-0123456789';
/** The headers of a caller. They are also its `connection_init` payload. */
export const caller = (role: string, organizationId: string = ORG): Record<string, string> => ({
  'x-support-gateway-secret': SECRET,
  'x-organization-id': organizationId,
  'x-support-role': role,
});

export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
  readonly data: any;
  readonly errors: any[] | undefined;
}
export interface LoggedLine {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** The GraphQL component on a plain server, over real flows and a real Postgres. */
export interface GraphqlApi {
  readonly url: string;
  readonly wsUrl: string;
  readonly graphql: GraphqlHttp;
  readonly server: Server;
  readonly log: LoggedLine[];
  run(query: string, variables?: object, as?: Record<string, string>): Promise<ApiResponse>;
  stop(): Promise<void>;
}

export async function startGraphqlApi(
  world: FlowWorld,
  limits: Partial<GraphqlLimits> = {},
  typing?: TypingSource,
): Promise<GraphqlApi> {
  const log: LoggedLine[] = [];
  const identify = createIdentify({ jwt: null, gatewaySecret: SECRET, botKeys: [] }, TIME_LIMITS.identity);
  const wake = new PostgresWake('postgres://nowhere', { pollMs: 1_000_000, silenceMs: 10_000 });
  const graphql = await createGraphqlHttp({
    flows: world.flows,
    stores: world.stores,
    clock: world.deps.clock,
    wake,
    ...(typing && { typing }),
    identify: (headers, connectionParams, remoteAddress) => identify({ headers, connectionParams, remoteAddress }),
    log: (fields, message) => {
      log.push({ fields, message });
    },
    // The flow world sends no wake-ups, so these tests rely on polling.
    limits: { pollMs: 20, ...limits },
  });
  const bodies = new BodyReader(TEST_BODIES);
  const server = createServer((request, response) => {
    void graphql.handlers.http(
      request,
      response,
      createGraphqlExchange(request, response, { bodies, lingerMs: 2_000, openStream: () => undefined }),
    );
  });
  server.on('upgrade', (request, socket, head) =>
    graphql.handlers.upgrade(
      request,
      socket,
      head,
      socketDoor(socket, () => undefined),
    ),
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  return {
    url,
    wsUrl: url.replace('http', 'ws'),
    graphql,
    server,
    log,
    run: (query, variables = {}, as = caller('bot')) => post(url, JSON.stringify({ query, variables }), as),
    async stop() {
      await graphql.stop();
      await new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

export async function post(url: string, body: string, headers: Record<string, string>): Promise<ApiResponse> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const text = await response.text();
  const parsed: any = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, body: parsed, data: parsed.data, errors: parsed.errors };
}

/** How many statements reach Postgres while `work` runs. */
export async function statements(world: FlowWorld, work: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const { pool } = world as unknown as { pool: { query: (...args: any[]) => unknown } };
  const query = pool.query;
  pool.query = function (this: unknown, ...args: any[]) {
    seen.push(typeof args[0] === 'string' ? args[0] : args[0].text);
    return query.apply(this, args);
  };
  try {
    await work();
  } finally {
    pool.query = query;
  }
  return seen;
}

export { createFlowWorld, ORG, type FlowWorld };
