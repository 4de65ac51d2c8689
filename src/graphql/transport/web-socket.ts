import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL, type Context, type SubscribePayload } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { Caller } from '../../core/caller';
import type { Clock } from '../../core/ports/clock';
import { type ContextDeps, OperationContext } from '../operation/context';
import { isAccessError, type Log, toPublicError, RequestRefusedError } from '../operation/errors';
import type { GraphqlLimits } from '../operation/limits';
import type { AdmittedArgs, OperationRunner } from './operation-runner';

/**
 * Identifies the caller by the headers and, on a WebSocket, the payload of `connection_init`.
 * @throws AccessError when the caller is unknown
 */
export type Identify = (
  headers: IncomingHttpHeaders,
  connectionParams: Readonly<Record<string, unknown>> | undefined,
  remoteAddress: string | undefined,
) => Promise<Caller>;

/** Functions of the HTTP server for one upgrade. */
export interface SocketDoor {
  /**
   * Counts the socket for its sender after identification; until then it counts as anonymous.
   * @param sender whom it counts for
   * @throws OverloadedError
   */
  enter(sender: string): void;
  /** Responds instead of upgrading, and closes the socket. */
  refuse(answer: { readonly status: number; readonly headers: Readonly<Record<string, string>> }): void;
}

export interface WebSocketDeps {
  readonly runner: OperationRunner;
  readonly context: ContextDeps;
  readonly identify: Identify;
  readonly clock: Clock;
  readonly limits: GraphqlLimits;
  readonly log: Log;
}

type SocketExtra = { readonly request: IncomingMessage; caller?: Caller; gone?: AbortController };

type SocketContext = Context<Record<string, unknown>, Extra & Partial<SocketExtra>>;

/** Serves the graphql-transport-ws protocol, with the same operations, limits and errors as HTTP. */
export class GraphqlWebSockets {
  readonly #sockets: WebSocketServer;
  readonly #doors = new WeakMap<IncomingMessage, SocketDoor>();
  readonly #dispose: () => Promise<void>;

  constructor(private readonly deps: WebSocketDeps) {
    const { limits, runner } = deps;
    // closeTimeout is missing in the types. By default, a peer that does not answer a close occupies its socket for 30
    // seconds.
    const options: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      maxPayload: limits.maxBodyBytes,
      perMessageDeflate: false,
      closeTimeout: limits.closeGraceMs,
    };
    this.#sockets = new WebSocketServer(options);
    const server = useServer<Record<string, unknown>, SocketExtra>(
      {
        connectionInitWaitTimeout: limits.connectionInitTimeoutMs,
        onConnect: context => this.connect(context),
        onSubscribe: (context, _id, payload) => this.prepare(context, payload),
        // The arguments are those that onSubscribe returned, and graphql-ws always goes on with them.
        execute: args => runner.execute(args as AdmittedArgs),
        subscribe: args => runner.subscribe(args as AdmittedArgs),
      },
      this.#sockets,
      limits.pingIntervalMs,
    );
    this.#dispose = async () => {
      await server.dispose();
    };
    this.#sockets.on('connection', (socket, request) => {
      // The library answers each message whether the last answers were taken or not, also before it is known who calls.
      let bytesUntaken = 0;
      socket.on('message', (message: Buffer) => {
        bytesUntaken = request.socket.writableNeedDrain ? bytesUntaken + message.length : 0;
        if (bytesUntaken > limits.maxBodyBytes) socket.terminate();
      });
      // The library prints a socket's errors; they are ordinary (a frame too large, a reset) and belong into the log.
      socket.removeAllListeners('error');
      socket.on('error', (error: NodeJS.ErrnoException) => deps.log({ code: error.code }, 'WebSocket failed', 'info'));
    });
  }

  private async connect({ extra, connectionParams }: SocketContext): Promise<boolean> {
    try {
      const gone = (extra.gone = new AbortController());
      // The library's own hook waits until every stream has ended.
      extra.socket.once('close', () => gone.abort());
      extra.caller = await this.deps.identify(
        extra.request.headers,
        connectionParams,
        extra.request.socket.remoteAddress,
      );
      this.#doors.get(extra.request)?.enter(extra.caller.organizationId);
      return true;
    } catch (error) {
      // False closes with 4403. Any error except a refusal is a fault of this service, and the client may retry.
      if (!isAccessError(error)) {
        toPublicError(error, this.deps.clock.newId(), this.deps.log);
        extra.socket.close(1013, 'Try again later');
      }
      return false;
    }
  }

  private async prepare({ extra, subscriptions }: SocketContext, payload: SubscribePayload) {
    const { limits, runner } = this.deps;
    const requestId = this.deps.clock.newId();
    try {
      // `subscriptions` already includes the requested one.
      if (Object.keys(subscriptions).length > limits.maxSubscriptionsPerSocket)
        throw new RequestRefusedError(
          'TOO_MANY_SUBSCRIPTIONS',
          `A socket carries at most ${limits.maxSubscriptionsPerSocket} operations, and this one has them. Open another socket.`,
        );
      return await runner.prepare(
        payload,
        new OperationContext(
          this.deps.context,
          extra.caller ?? null,
          requestId,
          extra.gone && { disconnected: extra.gone.signal },
        ),
      );
    } catch (error) {
      return [toPublicError(error, requestId, this.deps.log)];
    }
  }

  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, door: SocketDoor): void => {
    if (!offeredProtocols(request).includes(GRAPHQL_TRANSPORT_WS_PROTOCOL)) {
      door.refuse({ status: 400, headers: { 'sec-websocket-protocol': GRAPHQL_TRANSPORT_WS_PROTOCOL } });
      return;
    }
    this.#doors.set(request, door);
    this.#sockets.handleUpgrade(request, socket, head, opened => this.#sockets.emit('connection', opened, request));
  };

  /** Closes every socket with 1001; terminates those whose peers do not respond in time. */
  async stop(): Promise<void> {
    const cut = setTimeout(() => {
      for (const socket of this.#sockets.clients) socket.terminate();
    }, this.deps.limits.closeGraceMs);
    await this.#dispose();
    clearTimeout(cut);
  }
}

const offeredProtocols = ({ headers }: IncomingMessage): readonly string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim());
