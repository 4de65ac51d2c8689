import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HoldingProxy {
  readonly url: string;
  /** The next matching request reaches the far side and takes effect there; its answer stays here. Resolves when that has happened. */
  holdNext(matches: (method: string, path: string, body: string) => boolean): Promise<void>;
  /** Drops what is held; from here on everything passes. */
  release(): void;
  stop(): Promise<void>;
}

/** Stands between the service and a provider, so that a test can stop time in the moment after a write and before its answer. */
export async function startHoldingProxy(target: string): Promise<HoldingProxy> {
  let hold: { matches(method: string, path: string, body: string): boolean; reached(): void } | null = null;
  const server = createServer((incoming, outgoing) => void (async () => {
    const body = await bytesOf(incoming);
    const [method, path] = [incoming.method!, incoming.url!];
    const mine = hold?.matches(method, path, body.toString()) ? hold : null;
    if (mine) hold = null;
    const forwarded = request(`${target}${path}`, { method, headers: { ...incoming.headers, host: new URL(target).host } }, (answer) => void bytesOf(answer).then((bytes) => {
      if (mine) mine.reached();
      else outgoing.writeHead(answer.statusCode!, answer.headers).end(bytes);
    }));
    forwarded.on('error', () => outgoing.destroy());
    forwarded.end(body);
  })());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    holdNext: (matches) => new Promise((reached) => { hold = { matches, reached }; }),
    release() { hold = null; server.closeAllConnections(); },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
