import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Headers that offer another protocol. */
const OFFER = /^(connection|upgrade|http2-settings)$/i;

export const wantsWebSocket = ({ headers }: IncomingMessage): boolean => /\bwebsocket\b/i.test(headers.upgrade ?? '');

/**
 * Serves a request that offers a protocol other than WebSocket as if it had not (RFC 9110, 7.8): Java's client offers
 * `h2c` with each
 * request. Node has taken its parser off by then, so the connection is given back to it with the request that it has
 * read, without the offer.
 */
export function ignoreUpgrade(
  http: Server,
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (!OFFER.test(rawHeaders[at]!)) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  // Node adds its own again, and takes off all others itself.
  socket.removeAllListeners('timeout');
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  http.emit('connection', socket);
}
