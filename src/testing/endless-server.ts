import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createGzip } from 'node:zlib';

export interface EndlessServer {
  readonly url: string;
  /** Resolves when the caller has aborted the last response. */
  cut(): Promise<void>;
  /** The bytes of the last response that the network accepted. */
  sent(): number;
  close(): Promise<void>;
}

/**
 * Starts a server whose responses never end.
 * @param how `flood`: as fast as the network accepts them; `bomb`: the same, compressed; `trickle`: one byte, then
 * silence
 */
export async function startEndless(
  status: number,
  how: 'flood' | 'bomb' | 'trickle',
  headers: Readonly<Record<string, string>> = {},
): Promise<EndlessServer> {
  let isCut: Promise<void> = Promise.resolve();
  let last: Socket | undefined;
  const server = createServer((request, response) => {
    request.resume();
    last = request.socket;
    isCut = new Promise(resolve => {
      response.once('close', resolve);
    });
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(how === 'bomb' && { 'content-encoding': 'gzip' }),
      ...headers,
    });
    if (how === 'trickle') {
      response.write('"');
      return;
    }
    const out = how === 'bomb' ? createGzip() : response;
    if (how === 'bomb') (out as ReturnType<typeof createGzip>).pipe(response);
    const chunk = Buffer.alloc(256 * 1024, 'x');
    const more = (): void => {
      while (!response.destroyed && out.write(chunk));
      if (!response.destroyed) out.once('drain', more);
    };
    out.on('error', () => undefined);
    more();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => isCut,
    sent: () => last?.bytesWritten ?? 0,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
