import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { Caller } from '../../core/caller';
import type { Clock } from '../../core/ports/clock';
import { type ContextDeps, OperationContext } from '../context';
import { isAccessError, type Log, publicError, RequestRefusedError } from '../errors';
import type { GraphqlLimits } from '../limits';
import type { OperationRunner } from './operation';

/**
 * Finds out who calls, from the headers and, on a WebSocket, the payload of `connection_init`.
 * @throws AccessError when it is nobody we know
 */
export type Identify = (
  headers: IncomingHttpHeaders, connectionParams: Readonly<Record<string, unknown>> | undefined, remoteAddress: string | undefined,
) => Promise<Caller>;

export interface WebSocketDeps {
  readonly runner: OperationRunner;
  readonly context: ContextDeps;
  readonly identify: Identify;
  readonly clock: Clock;
  readonly limits: GraphqlLimits;
  readonly log: Log;
}

type Extra = { readonly request: IncomingMessage; caller?: Caller; gone?: AbortController };

/** The graphql-transport-ws protocol. The same operations, limits and errors as over HTTP. */
export class GraphqlWebSockets {
  readonly #sockets: WebSocketServer;
  readonly #dispose: () => Promise<void>;

  constructor(private readonly deps: WebSocketDeps) {
    const { limits, runner } = deps;
    this.#sockets = new WebSocketServer({ noServer: true, maxPayload: limits.maxBodyBytes, perMessageDeflate: false });
    const server = useServer<Record<string, unknown>, Extra>({
      connectionInitWaitTimeout: limits.connectionInitTimeoutMs,
      onConnect: async ({ extra, connectionParams }) => {
        try {
          extra.gone = new AbortController();
          extra.caller = await deps.identify(extra.request.headers, connectionParams, extra.request.socket.remoteAddress);
          return true;
        } catch (error) {
          // False closes with 4403. Anything but a refusal is our trouble, and the client may try again.
          if (!isAccessError(error)) {
            publicError(error, deps.clock.newId(), deps.log);
            extra.socket.close(1013, 'Try again later');
          }
          return false;
        }
      },
      onSubscribe: ({ extra, subscriptions }, _id, payload) => {
        const requestId = deps.clock.newId();
        try {
          // The one that is asked for is counted already.
          if (Object.keys(subscriptions).length > limits.maxSubscriptionsPerSocket)
            throw new RequestRefusedError('TOO_MANY_SUBSCRIPTIONS', `A socket carries at most ${limits.maxSubscriptionsPerSocket} operations; open another one.`);
          return runner.prepare(payload, new OperationContext(deps.context, extra.caller ?? null, requestId, extra.gone && { gone: extra.gone.signal }));
        } catch (error) {
          return [publicError(error, requestId, deps.log)];
        }
      },
      onClose: ({ extra }) => { extra.gone?.abort(); },
      execute: runner.execute,
      subscribe: runner.subscribe,
    }, this.#sockets, limits.pingIntervalMs);
    this.#dispose = async () => { await server.dispose(); };
    this.#sockets.on('connection', (socket) => {
      // The library prints a socket's errors; they are ordinary (a frame too large, a reset) and belong into the log.
      socket.removeAllListeners('error');
      socket.on('error', (error: NodeJS.ErrnoException) => deps.log({ code: error.code }, 'WebSocket failed', 'info'));
    });
  }

  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!offeredProtocols(request).includes(GRAPHQL_TRANSPORT_WS_PROTOCOL)) {
      // A peer that does not close its half would keep the connection, and its place, for ever.
      socket.once('finish', () => socket.destroy());
      socket.end(`HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\nsec-websocket-protocol: ${GRAPHQL_TRANSPORT_WS_PROTOCOL}\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#sockets.emit('connection', opened, request));
  };

  /** Says goodbye (1001) to every socket; whoever does not answer in time is cut off. */
  async stop(): Promise<void> {
    const cut = setTimeout(() => { for (const socket of this.#sockets.clients) socket.terminate(); }, this.deps.limits.closeGraceMs);
    await this.#dispose();
    clearTimeout(cut);
  }
}

const offeredProtocols = ({ headers }: IncomingMessage): readonly string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());

