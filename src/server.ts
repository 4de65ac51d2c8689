import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { listenError } from './server/listen-error';
import type { HttpServer, ServerOptions } from './server/options';
import { ClientGoneError } from './core/request-errors';
import { OverloadedError } from './core/errors';
import { ConcurrencyLimiter, type Permit } from './core/concurrency-limiter';
import { withRequestId } from './logging';
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
import { BodyReader } from './server/body-reader';
import { InFlight } from './server/in-flight';
import { responseForError } from './server/errors';
import { createGraphqlExchange, socketDoor, type SocketDoor } from './server/graphql-exchange';
import { ignoreUpgrade, wantsWebSocket } from './server/other-upgrades';
import { Pipelines } from './server/pipelines';
import { SlowReaders } from './server/watch-reader';
import { WebhookPlaces } from './server/webhook-limiter';
import { plainRequest, type PlainRequest } from './server/plain-request';
import { createProviderPages } from './server/provider-pages';
import { adoptRequestId, setSecurityHeaders } from './server/headers';

export type { GraphqlEndpoint, HttpLimits, HttpServer, ServerOptions } from './server/options';

export const createHttpServer = (options: ServerOptions): HttpServer => new SupportHttpServer(options);

class SupportHttpServer implements HttpServer {
  private readonly pages: ReturnType<typeof createProviderPages>;
  private readonly inFlight: InFlight;
  // One limiter for each kind of request, so that overload of one does not block the others.
  private readonly webhooks: WebhookPlaces;
  private readonly files: ConcurrencyLimiter;
  private readonly pageCalls: ConcurrencyLimiter;
  private readonly bodies: BodyReader;
  private readonly pipelines = new Pipelines();
  private readonly http: Server;
  private stopping: Promise<void> | null = null;

  constructor(private readonly options: ServerOptions) {
    this.pages = createProviderPages({
      pages: options.providerPages,
      bodyLimitBytes: options.providerBodyLimitBytes,
      isOpen: (provider, path) => options.isOpenPage?.(provider, path) ?? false,
      identify: credentials => options.identify(credentials),
    });
    const shared = { share: options.bodies.shareOfOne, lends: true };
    this.inFlight = new InFlight(
      new ConcurrencyLimiter({ most: options.maxSockets, what: 'sockets and event streams open', ...shared }),
      new ConcurrencyLimiter({ most: options.maxStrangers, what: 'sockets open whose callers are not known yet' }),
    );
    this.webhooks = new WebhookPlaces(options.maxWebhooks, options.bodies.shareOfOne);
    this.files = new ConcurrencyLimiter({ most: options.maxFiles, what: 'files under way', ...shared });
    this.pageCalls = new ConcurrencyLimiter({
      most: options.maxPages,
      what: 'calls of provider pages under way',
      ...shared,
    });
    this.bodies = new BodyReader(options.bodies, options.startInterval);
    const readers = new SlowReaders(options.readers, options.startInterval);
    this.http = this.createServer();
    this.http.on('connection', connection => readers.watch(connection));
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
  }

  private createServer(): Server {
    const { limits } = this.options;
    return createServer(
      {
        headersTimeout: limits.headersMs,
        requestTimeout: limits.requestMs,
        connectionsCheckingInterval: limits.checkMs,
        keepAliveTimeout: limits.keepAliveMs,
      },
      (request, response) => {
        if (!this.pipelines.mustWait(response)) this.begin(request, response);
        else
          void this.pipelines.turn(request, response).then(isServed => {
            if (isServed) this.begin(request, response);
          });
      },
    );
  }

  listen(host: string, port: number): Promise<number> {
    const { http } = this;
    return new Promise((resolve, reject) => {
      const refuse = (error: Error): void => reject(listenError(error, host, port));
      http.once('error', refuse).listen(port, host, () => {
        http
          .off('error', refuse)
          .on('error', error => this.options.logger.error({ err: error }, 'accepting connections failed'));
        resolve((http.address() as AddressInfo).port);
      });
    });
  }

  stop(graceMs = 0): Promise<void> {
    return (this.stopping ??= this.finishAndClose(graceMs));
  }

  private async finishAndClose(graceMs: number): Promise<void> {
    this.options.health.startDraining();
    this.inFlight.startDraining();
    // Load balancers learn only from /readyz that this replica stops. Until then, their requests are served.
    if (graceMs > 0) await setTimeout(graceMs);
    const closed = new Promise<void>(resolve => this.http.close(() => resolve()));
    const unfinished = await this.inFlight.finish(this.options.limits.finishMs);
    if (unfinished > 0) this.options.logger.warn({ unfinished }, 'requests were still in progress at the stop');
    try {
      await waitAtMost(this.options.graphql.stop(), this.options.limits.closeMs);
    } catch (error) {
      this.options.logger.error({ err: error }, 'closing sockets failed');
    }
    this.inFlight.destroyPeers();
    this.http.closeAllConnections();
    await closed;
  }

  private async serveFile(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.files.run(() => this.options.files(request, response), this.options.fileOwner(path) ?? undefined);
  }

  private async sendResponse(
    request: IncomingMessage,
    response: ServerResponse,
    answered: PlainResponse | StreamResponse,
    onTaken?: () => void,
  ): Promise<void> {
    if (!('stream' in answered)) return send(request, response, answered, this.options.limits.lingerMs, onTaken);
    try {
      this.inFlight.addPeer(response, answered.sender);
      this.bodies.release(request);
      await sendStream(response, answered);
    } finally {
      await answered.stream.return?.();
    }
  }

  /** Serves a page. The permit is held until the response was taken; a stream has a permit of its own. */
  private async servePage(request: IncomingMessage, response: ServerResponse, plain: PlainRequest): Promise<void> {
    const call = await this.pages(plain);
    if (call === null)
      return this.sendResponse(request, response, errorResponse(404, 'NOT_FOUND', 'Nothing is served here.'));
    const { sender } = call;
    await this.pageCalls.run(async place => {
      const answered = await call.answer(withoutPermit(place, plain));
      if ('stream' in answered) place.release();
      await this.sendResponse(request, response, 'stream' in answered ? { ...answered, sender } : answered, () =>
        place.release(),
      );
    }, sender);
  }

  /** Serves a webhook. The permit is held until the response was taken. */
  private serveWebhook(request: IncomingMessage, response: ServerResponse, plain: PlainRequest): Promise<void> {
    return this.webhooks.during(plain, async (within, leave) =>
      this.sendResponse(request, response, await this.options.webhooks(within), leave),
    );
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const plain = plainRequest(request, this.bodies);
    try {
      if (plain.path === '/graphql')
        await this.options.graphql.handle(
          request,
          response,
          createGraphqlExchange(request, response, {
            bodies: this.bodies,
            lingerMs: this.options.limits.lingerMs,
            openStream: (opened, sender) => this.inFlight.addPeer(opened, sender),
          }),
        );
      else if (plain.path.startsWith('/files/')) await this.serveFile(plain.path, request, response);
      else if (plain.path.startsWith('/webhooks/')) await this.serveWebhook(request, response, plain);
      else if (plain.path.startsWith('/providers/')) await this.servePage(request, response, plain);
      else await this.sendResponse(request, response, await this.route(plain));
    } catch (error) {
      if (error instanceof ClientGoneError) return;
      const failed = responseForError(error);
      if (failed.status >= 500 && !(error instanceof OverloadedError))
        this.options.logger.error({ err: error }, 'request failed');
      if (response.headersSent) response.destroy();
      else if (!response.destroyed) await send(request, response, failed, this.options.limits.lingerMs);
    } finally {
      this.bodies.release(request);
    }
  }

  private begin(request: IncomingMessage, response: ServerResponse): void {
    const requestId = adoptRequestId(request);
    const startedAt = performance.now();
    response.setHeader('x-request-id', requestId);
    setSecurityHeaders(response);
    this.inFlight.add(response);
    response.once('close', () =>
      withRequestId(requestId, () => {
        const isProbe = request.url === '/livez' || request.url === '/readyz';
        this.options.logger[isProbe ? 'debug' : 'info'](
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
    void withRequestId(requestId, () => this.serve(request, response));
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!wantsWebSocket(request)) {
      ignoreUpgrade(this.http, request, socket, head);
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
    if (this.inFlight.isDraining) {
      refuseSocket(socket, { status: 503, headers: { 'retry-after': '1' } });
      return;
    }
    let exchange: SocketDoor;
    try {
      exchange = socketDoor(socket, this.inFlight.addStranger(socket));
    } catch (error) {
      refuseSocket(socket, responseForError(error));
      return;
    }
    withRequestId(requestId, () => {
      try {
        this.options.graphql.upgrade(request, socket, head, exchange);
      } catch (error) {
        this.options.logger.error({ err: error }, 'upgrade failed');
        socket.destroy();
      }
    });
  }

  private async route(request: PlainRequest): Promise<PlainResponse> {
    const { path, method } = request;
    const isRead = method === 'GET' || method === 'HEAD';
    if (path === '/livez' || path === '/readyz') {
      if (!isRead)
        return errorResponse(405, 'METHOD_NOT_ALLOWED', 'Only GET and HEAD are accepted. Use one of them.', {
          allow: 'GET, HEAD',
        });
      if (path === '/livez') return jsonResponse(200, { alive: true });
      const readiness = await this.options.health.readiness();
      return jsonResponse(readiness.ready ? 200 : 503, readiness);
    }
    if (path === '/ws')
      return errorResponse(
        426,
        'UPGRADE_REQUIRED',
        'This path accepts only WebSockets with the subprotocol graphql-transport-ws.',
        { upgrade: 'websocket' },
      );
    return (await this.options.page?.(request)) ?? errorResponse(404, 'NOT_FOUND', 'Nothing is served here.');
  }
}

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

async function waitAtMost(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>(resolve => {
    timer = globalThis.setTimeout(resolve, limitMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
