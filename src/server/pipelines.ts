import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait for their turn. Clients that send ahead do so for a few. */
const MOST_WAITING = 32;

/**
 * Lets the requests of one connection take their turns. Node calls for a pipelined request at once, and its response
 * gets no event
 * at all when the connection ends before its turn: what was taken for it by then would never be given back.
 */
export class Pipelines {
  private readonly waiting = new WeakMap<Socket, number>();

  /** Whether an earlier response of the connection is not over yet. */
  mustWait(response: ServerResponse): boolean {
    return response.socket === null;
  }

  /**
   * Waits until all earlier responses of the connection are over. Ends the connection if too many wait.
   * @returns false if the connection has ended before that
   */
  async turn(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { socket } = request;
    const before = this.waiting.get(socket) ?? 0;
    if (before >= MOST_WAITING) {
      socket.destroy();
      return false;
    }
    this.waiting.set(socket, before + 1);
    const isServed = await new Promise<boolean>(resolve => {
      response.once('socket', () => resolve(true));
      request.once('close', () => resolve(false));
    });
    this.waiting.set(socket, this.waiting.get(socket)! - 1);
    return isServed && !request.destroyed;
  }
}
