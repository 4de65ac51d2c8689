import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { BodyReader } from './body-reader';

/** A request for handlers that respond with a complete body. */
export interface PlainRequest {
  readonly method: string;
  /** As sent: neither decoded nor resolved. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** One string for each name. */
  readonly plainHeaders: Readonly<Record<string, string | undefined>>;
  readonly remoteAddress: string | undefined;
  /**
   * Reads the whole body, inflated. Call it at most once, after the sender is identified.
   * @throws BodyRefusedError, OverloadedError, ClientGoneError
   */
  readBody(limitBytes: number, sender: string): Promise<Buffer>;
}

export function plainRequest(request: IncomingMessage, bodies: BodyReader): PlainRequest {
  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
  return {
    method: request.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: request.headers,
    plainHeaders: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    ),
    remoteAddress: request.socket.remoteAddress,
    readBody: (limitBytes, sender) => bodies.read(request, limitBytes, sender),
  };
}
