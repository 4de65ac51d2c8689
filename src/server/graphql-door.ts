import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { refuseSocket, send, type Answer } from './answer';
import type { Bodies } from './bodies';

/** What the GraphQL room gets of the server with each request. */
export interface GraphqlDoor {
  /**
   * Called before an answer without an end begins.
   * @param sender who it counts for; if omitted, whoever sent the body
   * @throws OverloadedError
   */
  enterStream(sender?: string): void;
  /** As PlainRequest.readBody. */
  readBody(limitBytes: number, sender: string): Promise<Buffer>;
  /** Sends a whole answer, also to a sender whose body was not read to its end. */
  answer(answer: Answer): Promise<void>;
}

export interface DoorParts {
  readonly bodies: Bodies;
  readonly lingerMs: number;
  enterStream(response: ServerResponse, sender: string | undefined): void;
}

export function graphqlDoor(request: IncomingMessage, response: ServerResponse, { bodies, lingerMs, enterStream }: DoorParts): GraphqlDoor {
  let senderOfBody: string | undefined;
  return {
    enterStream: sender => {
      enterStream(response, sender ?? senderOfBody);
      bodies.release(request);
    },
    readBody: (limitBytes, sender) => {
      senderOfBody = sender;
      return bodies.read(request, limitBytes, sender);
    },
    answer: answer => send(request, response, answer, lingerMs),
  };
}

/** What the GraphQL room gets of the server with each upgrade. */
export interface SocketDoor {
  /** Called once it is known who calls. Until then the socket counts among strangers. @param sender who it counts for @throws OverloadedError */
  enter(sender: string): void;
  /** Answers instead of upgrading, and closes. */
  refuse(answer: Answer): void;
}

export const socketDoor = (socket: Duplex, enter: (sender: string) => void): SocketDoor => ({ enter, refuse: answer => refuseSocket(socket, answer) });
