import type { IncomingMessage, ServerResponse } from 'node:http';
import { send, type Answer } from './answer';
import type { Bodies } from './bodies';

/** What the GraphQL room gets of the server with each request. */
export interface GraphqlDoor {
  /** Called before an answer without an end begins. @throws OverloadedError */
  enterStream(): void;
  /** As PlainRequest.readBody. */
  readBody(limitBytes: number, sender: string): Promise<Buffer>;
  /** Sends a whole answer, also to a sender whose body was not read to its end. */
  answer(answer: Answer): Promise<void>;
}

export interface DoorParts {
  readonly bodies: Bodies;
  readonly lingerMs: number;
  enterStream(response: ServerResponse): void;
}

export const graphqlDoor = (request: IncomingMessage, response: ServerResponse, { bodies, lingerMs, enterStream }: DoorParts): GraphqlDoor => ({
  enterStream: () => {
    enterStream(response);
    bodies.release(request);
  },
  readBody: (limitBytes, sender) => bodies.read(request, limitBytes, sender),
  answer: answer => send(request, response, answer, lingerMs),
});
