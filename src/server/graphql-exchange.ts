import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { refuseSocket, send, type PlainResponse } from './plain-response';
import type { BodyReader } from './body-reader';

/** Functions of the HTTP server that the GraphQL handlers use for one request. */
export interface GraphqlExchange {
  /**
   * Called before a response without an end begins.
   * @param sender whom it counts for
   * @throws OverloadedError
   */
  openStream(sender: string): void;
  /** See {@link PlainRequest.readBody}. */
  readBody(limitBytes: number, sender: string): Promise<Buffer>;
  /** Sends a complete response, even if the request's body was not read to its end. */
  respond(answer: PlainResponse): Promise<void>;
}

export interface ExchangeParts {
  readonly bodies: BodyReader;
  readonly lingerMs: number;
  openStream(response: ServerResponse, sender: string): void;
}

export const createGraphqlExchange = (
  request: IncomingMessage,
  response: ServerResponse,
  { bodies, lingerMs, openStream }: ExchangeParts,
): GraphqlExchange => ({
  openStream: sender => {
    openStream(response, sender);
    bodies.release(request);
  },
  readBody: (limitBytes, sender) => bodies.read(request, limitBytes, sender),
  respond: answer => send(request, response, answer, lingerMs),
});

/** Functions of the HTTP server that the GraphQL handlers use for one upgrade. */
export interface SocketDoor {
  /**
   * Counts the socket for its sender after identification; until then it counts as anonymous.
   * @param sender whom it counts for
   * @throws OverloadedError
   */
  enter(sender: string): void;
  /** Responds instead of upgrading, and closes the socket. */
  refuse(answer: PlainResponse): void;
}

export const socketDoor = (socket: Duplex, enter: (sender: string) => void): SocketDoor => ({
  enter,
  refuse: answer => refuseSocket(socket, answer),
});
