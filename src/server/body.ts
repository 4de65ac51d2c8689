import type { IncomingMessage } from 'node:http';

/** The caller went away before the request was whole; nobody is left to answer. */
export class ClientGoneError extends Error {}

/** The whole body, or null when it is larger than the limit; then the rest is left unread, for the answer to deal with. */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | null> {
  // Gone while something else was waited for: no event tells it any more.
  if (request.destroyed) return Promise.reject(new ClientGoneError());
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const settle = (): void => {
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
    };
    const onData = (part: Buffer): void => {
      size += part.length;
      if (size <= limitBytes) { parts.push(part); return; }
      settle();
      request.pause();
      resolve(null);
    };
    const onEnd = (): void => { settle(); resolve(Buffer.concat(parts)); };
    const onGone = (): void => { settle(); reject(new ClientGoneError()); };
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

const LINGER_BYTES = 16 * 1024 * 1024;

/**
 * Reads on and throws away, within limits. Closing a connection on which data still arrives resets it, and then the
 * sender never reads the answer that says why.
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
    const onData = (part: Buffer): void => { if ((left -= part.length) < 0) done(); };
    const timer = setTimeout(done, withinMs);
    request.on('data', onData).on('end', done).on('close', done).on('error', done).resume();
  });
}
