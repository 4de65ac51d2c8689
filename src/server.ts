import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { ConfigError } from './config/config-error';
import type { Caller } from './core/caller';
import { ClientGoneError } from './core/request-errors';
import { OverloadedError } from './core/errors';
import type { Health } from './health';
import { ConcurrencyLimiter, type Permit } from './core/concurrency-limiter';
import { withRequestId, type Logger } from './logging';
import { maskPath } from './logging/mask-path';
import {
  errorResponse,
  jsonResponse,
  refuseSocket,
  send,
  sendStream,
  type PlainResponse,
  type StreamResponse,
} from './server/plain-response';
import { BodyReader, type BodyLimits, type StartInterval } from './server/body-reader';
import { InFlight } from './server/in-flight';
import { responseForError } from './server/errors';
import { createGraphqlExchange, type GraphqlExchange, socketDoor, type SocketDoor } from './server/graphql-exchange';
import { ignoreUpgrade, wantsWebSocket } from './server/other-upgrades';
import { Pipelines } from './server/pipelines';
import { type ReaderLimits, SlowReaders } from './server/watch-reader';
import { WebhookPlaces } from './server/webhook-limiter';
import { plainRequest, type PlainRequest } from './server/plain-request';
import { createProviderPages, type ProviderPage } from './server/provider-pages';
import { adoptRequestId } from './server/request-id';
import { setSecurityHeaders } from './server/security-headers';

/** Milliseconds. */
export interface HttpLimits {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly checkMs: number;
  readonly keepAliveMs: number;
  /** For the rest of a refused body, so that its sender reads the response. */
  readonly lingerMs: number;
  /** At a stop: for requests in progress. */
  readonly finishMs: number;
  /** At a stop: for sockets and streams to close. */
  readonly closeMs: number;
}

/** The HTTP handlers of GraphQL. */
export interface GraphqlEndpoint {
  handle(request: IncomingMessage, response: ServerResponse, exchange: GraphqlExchange): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, exchange: SocketDoor): void;
  /** Ends every socket and stream so that clients reconnect. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly graphql: GraphqlEndpoint;
  /** Handles every request below `/webhooks/`. */
  webhooks(request: PlainRequest): Promise<PlainResponse>;
  /** Handles every request below `/files/`. */
  files(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Returns the organization of a file below `/files/` if the link proves it, otherwise null. */
  fileOwner(path: string): string | null;
  /** By the provider's name. */
  readonly providerPages: ReadonlyMap<string, ProviderPage>;
  readonly providerBodyLimitBytes: number;
  /** Returns whether a provider's path needs no identification; if omitted, none. */
  isOpenPage?(provider: string, path: string): boolean;
  identify(credentials: {
    readonly headers: IncomingHttpHeaders;
    readonly remoteAddress: string | undefined;
  }): Promise<Caller>;
  readonly health: Health;
  /** Serves the page at `/`: returns a response, or null if it has none for the request. */
  readonly page: ((request: PlainRequest) => Promise<PlainResponse | null>) | null;
  readonly logger: Logger;
  readonly limits: HttpLimits;
  /** WebSockets and event streams at once; one more is answered 503. Of these and the next three each sender has the share that it has of bodies, and more while more than a share is free. */
  readonly maxSockets: number;
  /** Additional WebSockets whose callers are not identified yet; the next one gets 503. */
  readonly maxStrangers: number;
  /** Maximum number of concurrent webhooks; the next one gets 503. */
  readonly maxWebhooks: number;
  /** Maximum number of concurrent file downloads; the next one gets 503. */
  readonly maxFiles: number;
  /** Maximum number of concurrent requests to provider pages; the next one gets 503. */
  readonly maxPages: number;
  readonly bodies: BodyLimits;
  readonly readers: ReaderLimits;
  /** Timer of the speed checks of bodies and readers; if omitted, Node's. */
  readonly startInterval?: StartInterval;
}

export interface HttpServer {
  /** @returns the port, a free one for port 0 @throws ConfigError if the address cannot be used */
  listen(host: string, port: number): Promise<number>;
  /**
   * Reports not ready, stops accepting after `graceMs`, finishes requests, closes sockets. Never throws; every call
   * returns the same promise.
   */
  stop(graceMs?: number): Promise<void>;
}

export function createHttpServer(options: ServerOptions): HttpServer {
  const { graphql, health, logger, limits } = options;
  const pages = createProviderPages({
    pages: options.providerPages,
    bodyLimitBytes: options.providerBodyLimitBytes,
    isOpen: (provider, path) => options.isOpenPage?.(provider, path) ?? false,
    identify: credentials => options.identify(credentials),
  });
  const shared = { share: options.bodies.shareOfOne, lends: true };
  const inFlight = new InFlight(
    new ConcurrencyLimiter({ most: options.maxSockets, what: 'sockets and event streams open', ...shared }),
    new ConcurrencyLimiter({ most: options.maxStrangers, what: 'sockets open whose callers are not known yet' }),
  );
  // One limiter for each kind of request, so that overload of one does not block the others.
  const webhooks = new WebhookPlaces(options.maxWebhooks, options.bodies.shareOfOne);
  const files = new ConcurrencyLimiter({ most: options.maxFiles, what: 'files under way', ...shared });
  const pageCalls = new ConcurrencyLimiter({
    most: options.maxPages,
    what: 'calls of provider pages under way',
    ...shared,
  });

  const bodies = new BodyReader(options.bodies, options.startInterval);
  const readers = new SlowReaders(options.readers, options.startInterval);
  const exchange = {
    bodies,
    lingerMs: limits.lingerMs,
    openStream: (response: ServerResponse, sender: string) => inFlight.addPeer(response, sender),
  };

  /** Releases the permit while a body arrives. */
  const withoutPermit = (place: Permit, request: PlainRequest): PlainRequest => ({
    ...request,
    readBody: async (limitBytes, sender) => {
      place.release();
      const body = await request.readBody(limitBytes, sender);
      place.acquire();
      return body;
    },
  });

  async function route(request: PlainRequest): Promise<PlainResponse> {
    const { path, method } = request;
    const isRead = method === 'GET' || method === 'HEAD';
    if (path === '/livez' || path === '/readyz') {
      if (!isRead)
        return errorResponse(405, 'METHOD_NOT_ALLOWED', 'Only GET and HEAD are accepted. Use one of them.', {
          allow: 'GET, HEAD',
        });
      if (path === '/livez') return jsonResponse(200, { alive: true });
      const readiness = await health.readiness();
      return jsonResponse(readiness.ready ? 200 : 503, readiness);
    }
    if (path === '/ws')
      return errorResponse(
        426,
        'UPGRADE_REQUIRED',
        'This path accepts only WebSockets with the subprotocol graphql-transport-ws.',
        { upgrade: 'websocket' },
      );
    return (await options.page?.(request)) ?? errorResponse(404, 'NOT_FOUND', 'Nothing is served here.');
  }

  async function serveFile(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    await files.run(() => options.files(request, response), options.fileOwner(path) ?? undefined);
  }

  async function sendResponse(
    request: IncomingMessage,
    response: ServerResponse,
    answered: PlainResponse | StreamResponse,
    onTaken?: () => void,
  ): Promise<void> {
    if (!('stream' in answered)) return send(request, response, answered, limits.lingerMs, onTaken);
    try {
      inFlight.addPeer(response, answered.sender);
      bodies.release(request);
      await sendStream(response, answered);
    } finally {
      await answered.stream.return?.();
    }
  }

  /** Serves a page. The permit is held until the response was taken; a stream has a permit of its own. */
  async function servePage(request: IncomingMessage, response: ServerResponse, plain: PlainRequest): Promise<void> {
    const call = await pages(plain);
    if (call === null)
      return sendResponse(request, response, errorResponse(404, 'NOT_FOUND', 'Nothing is served here.'));
    const { sender } = call;
    await pageCalls.run(async place => {
      const answered = await call.answer(withoutPermit(place, plain));
      if ('stream' in answered) place.release();
      await sendResponse(request, response, 'stream' in answered ? { ...answered, sender } : answered, () =>
        place.release(),
      );
    }, sender);
  }

  /** Serves a webhook. The permit is held until the response was taken. */
  const serveWebhook = (request: IncomingMessage, response: ServerResponse, plain: PlainRequest): Promise<void> =>
    webhooks.during(plain, async (within, leave) =>
      sendResponse(request, response, await options.webhooks(within), leave),
    );

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const plain = plainRequest(request, bodies);
    try {
      if (plain.path === '/graphql')
        await graphql.handle(request, response, createGraphqlExchange(request, response, exchange));
      else if (plain.path.startsWith('/files/')) await serveFile(plain.path, request, response);
      else if (plain.path.startsWith('/webhooks/')) await serveWebhook(request, response, plain);
      else if (plain.path.startsWith('/providers/')) await servePage(request, response, plain);
      else await sendResponse(request, response, await route(plain));
    } catch (error) {
      if (error instanceof ClientGoneError) return;
      const failed = responseForError(error);
      if (failed.status >= 500 && !(error instanceof OverloadedError)) logger.error({ err: error }, 'request failed');
      if (response.headersSent) response.destroy();
      else if (!response.destroyed) await send(request, response, failed, limits.lingerMs);
    } finally {
      bodies.release(request);
    }
  }

  function begin(request: IncomingMessage, response: ServerResponse): void {
    const requestId = adoptRequestId(request);
    const startedAt = performance.now();
    response.setHeader('x-request-id', requestId);
    setSecurityHeaders(response);
    inFlight.add(response);
    response.once('close', () =>
      withRequestId(requestId, () => {
        const isProbe = request.url === '/livez' || request.url === '/readyz';
        logger[isProbe ? 'debug' : 'info'](
          {
            method: request.method,
            path: maskPath(request.url ?? ''),
            status: response.statusCode,
            ms: Math.round(performance.now() - startedAt),
            ...(response.writableFinished ? {} : { aborted: true }),
          },
          'request',
        );
      }),
    );
    void withRequestId(requestId, () => serve(request, response));
  }

  const pipelines = new Pipelines();
  const http = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.checkMs,
      keepAliveTimeout: limits.keepAliveMs,
    },
    (request, response) => {
      if (!pipelines.mustWait(response)) begin(request, response);
      else
        void pipelines.turn(request, response).then(isServed => {
          if (isServed) begin(request, response);
        });
    },
  );

  http.on('connection', connection => readers.watch(connection));
  http.on('upgrade', (request, socket, head) => {
    if (!wantsWebSocket(request)) {
      ignoreUpgrade(http, request, socket, head);
      return;
    }
    const requestId = adoptRequestId(request);
    // Before a handler listens: a peer that resets the connection must not end the process.
    socket.on('error', () => socket.destroy());
    const [path] = (request.url ?? '/').split('?', 1);
    if (path !== '/graphql' && path !== '/ws') {
      refuseSocket(socket, { status: 404 });
      return;
    }
    if (inFlight.isDraining) {
      refuseSocket(socket, { status: 503, headers: { 'retry-after': '1' } });
      return;
    }
    let exchange: SocketDoor;
    try {
      exchange = socketDoor(socket, inFlight.addStranger(socket));
    } catch (error) {
      refuseSocket(socket, responseForError(error));
      return;
    }
    withRequestId(requestId, () => {
      try {
        graphql.upgrade(request, socket, head, exchange);
      } catch (error) {
        logger.error({ err: error }, 'upgrade failed');
        socket.destroy();
      }
    });
  });

  let stopping: Promise<void> | null = null;
  async function stop(graceMs: number): Promise<void> {
    health.startDraining();
    inFlight.startDraining();
    // Load balancers learn only from /readyz that this replica stops. Until then, their requests are served.
    if (graceMs > 0) await setTimeout(graceMs);
    const closed = new Promise<void>(resolve => http.close(() => resolve()));
    const unfinished = await inFlight.finish(limits.finishMs);
    if (unfinished > 0) logger.warn({ unfinished }, 'requests were still in progress at the stop');
    try {
      await waitAtMost(graphql.stop(), limits.closeMs);
    } catch (error) {
      logger.error({ err: error }, 'closing sockets failed');
    }
    inFlight.destroyPeers();
    http.closeAllConnections();
    await closed;
  }

  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        const refuse = (error: Error): void => reject(listenError(error, host, port));
        http.once('error', refuse).listen(port, host, () => {
          http.off('error', refuse).on('error', error => logger.error({ err: error }, 'accepting connections failed'));
          resolve((http.address() as AddressInfo).port);
        });
      }),
    stop: (graceMs = 0) => (stopping ??= stop(graceMs)),
  };
}

async function waitAtMost(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>(resolve => {
    timer = globalThis.setTimeout(resolve, limitMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const isPort = error.code === 'EADDRINUSE' || error.code === 'EACCES';
  const isHost = error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND';
  if (isPort)
    return new ConfigError([
      {
        key: 'PORT',
        given: String(port),
        expected: `a port of ${host} that is free and that this process may use`,
        example: `PORT=${port < 65_535 ? Math.max(port, 1024) + 1 : 4000}`,
      },
    ]);
  if (isHost)
    return new ConfigError([
      { key: 'HOST', given: host, expected: 'an address of this machine', example: 'HOST=127.0.0.1' },
    ]);
  return error;
}
