import type { IncomingMessage } from 'node:http';

const LINGER_BYTES = 16 * 1024 * 1024;

/**
 * Reads and discards the rest of a body, within limits. Closing a connection on which data still arrives resets it, and
 * then the sender never reads the response with the reason.
 */
export function discardBody(request: IncomingMessage, withinMs: number): Promise<void> {
  if (request.destroyed) return Promise.resolve();
  return new Promise(resolve => {
    let left = LINGER_BYTES;
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', done).off('close', done).off('error', done);
      resolve();
    };
    const onData = (part: Buffer): void => {
      if ((left -= part.length) < 0) done();
    };
    const timer = setTimeout(done, withinMs);
    request.on('data', onData).on('end', done).on('close', done).on('error', done).resume();
  });
}
