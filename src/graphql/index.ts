import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApolloServer } from '@apollo/server';
import type { GraphQLSchema } from 'graphql';
import { NoOrganizationError } from '../core/request-errors';
import type { Flows } from '../core/flows/api';
import type { Clock } from '../core/ports/clock';
import type { MessageRecord } from '../core/message';
import type { Stores } from '../core/ports/stores';
import { type ContextDeps, OperationContext } from './operation/context';
import { ClientGoneError } from '../core/request-errors';
import { type Log, toPublicError, RequestRefusedError } from './operation/errors';
import { DEFAULT_GRAPHQL_LIMITS, type GraphqlLimits } from './operation/limits';
import { NO_TYPING, OpenSubscriptions, type TypingSource, type WakeSource } from './live/wake-signal';
import { SessionPoller } from './live/session-poller';
import { buildSupportSchema } from './schema';
import { serveApollo, startApollo } from './transport/apollo';
import { createRunner } from './transport/create-runner';
import type { OperationRequest } from './transport/operation-runner';
import { errorResponse, requestIdFromHeaders, readJsonBody, sent } from './transport/request';
import { SseServer, wantsEventStream } from './transport/sse';
import { GraphqlWebSockets, type Identify, type SocketDoor } from './transport/web-socket';

export interface GraphqlDeps {
  readonly flows: Flows;
  readonly stores: Stores;
  readonly wake: WakeSource;
  /** If omitted: subscriptions never report that an agent types. */
  readonly typing?: TypingSource;
  readonly clock: Clock;
  readonly identify: Identify;
  /** Creates this service's link to a file. If omitted: clients get the file's recorded address. */
  readonly fileUrl?: (message: MessageRecord, index: number, name: string) => string;
  /** Logs masked errors, without message text. */
  readonly log: Log;
  readonly limits?: Partial<GraphqlLimits>;
}

/** Functions of the HTTP server for one request. */
export interface HttpExchange {
  /** Called before an event stream opens. @param sender whom it counts for @throws OverloadedError */
  openStream(sender: string): void;
  /**
   * Reads the whole body, inflated. Called once, after identification.
   * @throws BodyRefusedError, OverloadedError, ClientGoneError
   */
  readBody(limitBytes: number, sender: string): Promise<Buffer>;
  /** Sends a complete response, even if the request's body was not read to its end. */
  respond(answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }): Promise<void>;
}

export interface GraphqlHttp {
  readonly schema: GraphQLSchema;
  readonly apollo: ApolloServer<OperationContext>;
  readonly handlers: {
    /** Handles GET and POST of `/graphql`: queries, mutations, and every operation over SSE. Never rejects. */
    http(request: IncomingMessage, response: ServerResponse, exchange: HttpExchange): Promise<void>;
    /** Handles the upgrade of `/graphql` and `/ws`. */
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, exchange: SocketDoor): void;
  };
  /** Returns the number of open subscriptions. */
  subscriptionCount(): number;
  /** Ends all subscriptions, so that clients reconnect with their cursors, then stops Apollo. */
  stop(): Promise<void>;
}

/** The room's front door for a plain node:http server. */
export async function createGraphqlHttp(deps: GraphqlDeps): Promise<GraphqlHttp> {
  const limits: GraphqlLimits = { ...DEFAULT_GRAPHQL_LIMITS, ...deps.limits };
  const { stores, wake, typing = NO_TYPING, clock, identify, log } = deps;
  const open = new OpenSubscriptions();
  const { pollMs } = limits;
  const sessionPoller = new SessionPoller(stores, wake, pollMs, open);
  const context: ContextDeps = {
    stores,
    live: { stores, wake, typing, clock, pollMs, openSubscriptions: open, sessionPoller },
  };
  const schema = await buildSupportSchema(deps);
  const { runner, places } = await createRunner(schema, limits, log);
  const apollo = await startApollo(schema, runner, limits, log);
  const sse = new SseServer(runner, limits);
  const sockets = new GraphqlWebSockets({ runner, context, identify, clock, limits, log });

  const http: GraphqlHttp['handlers']['http'] = async (request, response, exchange) => {
    const requestId = requestIdFromHeaders(request.headers) ?? clock.newId();
    response.setHeader('x-request-id', requestId);
    try {
      if (request.method !== 'GET' && request.method !== 'POST')
        throw new RequestRefusedError('METHOD_NOT_ALLOWED', 'Use POST, or GET for queries and event streams.');
      // Before the body: unidentified callers and calls beyond the limit are refused before their body takes memory.
      const operation = await contextOf(context, identify, request, response, requestId);
      const { sender } = operation;
      places.acquire(sender)();
      // A body that is on its way takes no place: a place is taken when it is whole.
      const body =
        request.method === 'POST'
          ? await readJsonBody(request, () => exchange.readBody(limits.maxBodyBytes, sender))
          : undefined;
      // A stream takes a permit only while its operation starts; see OperationRunner.
      if (wantsEventStream(request)) {
        exchange.openStream(sender);
        await sse.serve(request, response, body ?? requestFromQuery(request), operation);
      } else await places.run(() => serveApollo(apollo, request, response, body, operation), sender);
    } catch (error) {
      if (error instanceof ClientGoneError) return;
      const refusal = toPublicError(error, requestId, log);
      if (response.headersSent) response.destroy();
      else await exchange.respond(errorResponse(refusal));
    }
  };

  return {
    schema,
    apollo,
    handlers: { http, upgrade: sockets.upgrade },
    subscriptionCount: () => open.count,
    stop: async () => {
      await Promise.all([sse.stop(), sockets.stop()]);
      await apollo.stop();
    },
  };
}

/** A gateway without an organization may read the schema; OperationCheck refuses everything else. */
async function contextOf(
  deps: ContextDeps,
  identify: Identify,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<OperationContext> {
  const more = {
    disconnected: disconnectSignal(response),
    whenSent: (work: () => void) => {
      void sent(response).then(work);
    },
  };
  try {
    return new OperationContext(
      deps,
      await identify(request.headers, undefined, request.socket.remoteAddress),
      requestId,
      more,
    );
  } catch (error) {
    if (!(error instanceof NoOrganizationError) || error.role !== 'gateway') throw error;
    return new OperationContext(deps, null, requestId, { ...more, tenantError: error });
  }
}

/** Returns a signal that aborts if the connection closes before the whole response was handed over. */
function disconnectSignal(response: ServerResponse): AbortSignal {
  const disconnected = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) disconnected.abort();
  });
  return disconnected.signal;
}

/** @throws RequestRefusedError BAD_REQUEST */
function requestFromQuery(request: IncomingMessage): OperationRequest {
  const search = new URL(request.url ?? '/', 'http://localhost').searchParams;
  const json = (name: string): Record<string, unknown> | null => {
    const text = search.get(name);
    try {
      return text === null ? null : (JSON.parse(text) as Record<string, unknown>);
    } catch {
      throw new RequestRefusedError('BAD_REQUEST', `${name} is not valid JSON. Send a JSON object.`);
    }
  };
  return {
    query: search.get('query'),
    operationName: search.get('operationName'),
    variables: json('variables'),
    extensions: json('extensions'),
  };
}

export { printSubgraphSchema } from './federation';
export { buildApiSchema, buildSupportSchema } from './schema';
export { DEFAULT_GRAPHQL_LIMITS, type GraphqlLimits } from './operation/limits';
export { TOP_LEVEL_CODES, USER_ERROR_CODES } from './operation/errors';
export type { Identify, SocketDoor } from './transport/web-socket';
export type { TypingSource, WakeListener, WakeSource } from './live/wake-signal';
