import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { refuseSocket, send, type Answer } from './answer';
import type { Bodies } from './bodies';

/** Functions of the HTTP server that the GraphQL handlers use for one request. */
export interface GraphqlDoor {
  /**
   * Called before a response without an end begins.
   * @param sender whom it counts for
   * @throws OverloadedError
   */
  enterStream(sender: string): void;
  /** See {@link PlainRequest.readBody}. */
  readBody(limitBytes: number, sender: string): Promise<Buffer>;
  /** Sends a complete response, even if the request's body was not read to its end. */
  answer(answer: Answer): Promise<void>;
}

export interface DoorParts {
  readonly bodies: Bodies;
  readonly lingerMs: number;
  enterStream(response: ServerResponse, sender: string): void;
}

export const graphqlDoor = (request: IncomingMessage, response: ServerResponse, { bodies, lingerMs, enterStream }: DoorParts): GraphqlDoor => ({
  enterStream: sender => {
    enterStream(response, sender);
    bodies.release(request);
  },
  readBody: (limitBytes, sender) => bodies.read(request, limitBytes, sender),
  answer: answer => send(request, response, answer, lingerMs),
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
  refuse(answer: Answer): void;
}

export const socketDoor = (socket: Duplex, enter: (sender: string) => void): SocketDoor => ({ enter, refuse: answer => refuseSocket(socket, answer) });
