import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { discardBody } from './discard-body';

export interface PlainResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A response that continues until its reader disconnects. */
export interface StreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: AsyncIterableIterator<string>;
  /** The sender whose share of the streams it uses; if omitted, no sender's. */
  readonly sender?: string;
}

/** Resolves when the reader can take more, or has left. */
const drained = (response: ServerResponse): Promise<void> =>
  new Promise(resolve => {
    if (!response.writableNeedDrain || response.destroyed) {
      resolve();
      return;
    }
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });

/**
 * Sends what comes, as it comes, and ends the source when the reader has left, also before this is called. Never throws
 * for a reader who leaves.
 */
export async function sendStream(response: ServerResponse, { status, headers, stream }: StreamResponse): Promise<void> {
  const leave = (): void => {
    void stream.return?.();
  };
  // Nothing tells it any more.
  if (response.destroyed) {
    leave();
    return;
  }
  response.once('close', leave);
  response.writeHead(status, headers);
  for await (const text of stream) {
    if (response.destroyed) return;
    if (!response.write(text)) await drained(response);
  }
  response.end();
}

export const jsonResponse = (
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): PlainResponse => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  body: `${JSON.stringify(value)}\n`,
});

export const errorResponse = (
  status: number,
  code: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): PlainResponse => jsonResponse(status, { error: { code, message } }, headers);

/** Formats a response for a connection that requested an upgrade, which has no ServerResponse. */
function rawResponse({ status, headers, body = '' }: PlainResponse): string {
  const lines = Object.entries({
    ...headers,
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body.toString()}`;
}

/**
 * Refuses an upgrade and destroys the socket, because a peer that does not close its half would keep the permit
 * forever.
 */
export function refuseSocket(socket: Duplex, answer: PlainResponse): void {
  socket.once('finish', () => socket.destroy());
  socket.end(rawResponse(answer));
}

/** Resolves when the operating system has taken the whole response, or its reader disconnected. */
const sent = (response: ServerResponse): Promise<void> =>
  new Promise(resolve => {
    if (response.writableFinished || response.destroyed) {
      resolve();
      return;
    }
    response.once('finish', resolve).once('close', resolve);
  });

/**
 * Sends a complete response. Resolves once it is over or its reader disconnected. Closes the connection if the
 * request's body was not read to its end.
 * @param onTaken called when the operating system has taken the response, perhaps twice; the rest of an unread body is
 *   discarded afterwards
 */
export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: PlainResponse,
  lingerMs: number,
  onTaken: () => void = () => undefined,
): Promise<void> {
  const body = Buffer.from(answer.body ?? '');
  const isUnread =
    !request.complete &&
    (request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0);
  const mayHaveBody = answer.status >= 200 && answer.status !== 204 && answer.status !== 304;
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(mayHaveBody ? { 'content-length': String(body.length) } : {}),
    ...(isUnread ? { connection: 'close' } : {}),
  });
  if (isUnread) {
    if (mayHaveBody) response.write(body, onTaken);
    else onTaken();
    await discardBody(request, lingerMs);
    response.end();
  } else {
    response.end(mayHaveBody ? body : undefined);
  }
  await sent(response);
  onTaken();
}
