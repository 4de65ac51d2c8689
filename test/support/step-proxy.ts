import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A proxy between the service and Chatwoot. It knows the session of each writing call, and can stop time after a call
 * has taken effect there and before its response arrives here. Reads pass, because they leave nothing behind: a kill
 * after a read is equivalent to a kill before the next write.
 */
export interface StepProxy {
  readonly url: string;
  /** The writes of one session since the proxy started, by name and in order. */
  writesOf(sessionId: string): readonly string[];
  /** Lets the session's next write that matches `isIt` take effect and holds its response. Resolves with its name. */
  holdNext(sessionId: string, isIt: (count: number, name: string) => boolean): Promise<string>;
  /** Drops what is held, as a dead process does; from now on everything passes. */
  release(): void;
  stop(): Promise<void>;
}

interface Hold {
  count: number;
  isIt(count: number, name: string): boolean;
  reached(name: string): void;
}

export async function startStepProxy(target: string): Promise<StepProxy> {
  const writes = new Map<string, string[]>();
  const holds = new Map<string, Hold>();
  const sessions = new SessionsByAddress();

  const server = createServer(
    (incoming, outgoing) =>
      void (async () => {
        const body = await bytesOf(incoming);
        const [method, path] = [incoming.method!, incoming.url!];
        const sent = jsonOf(body);
        const sessionId = method === 'GET' ? null : sessions.of(path, sent);
        const name = nameOf(method, path, sent);
        const isHeld = sessionId !== null && counts(sessionId, name);
        const forwarded = request(
          `${target}${path}`,
          { method, headers: { ...incoming.headers, host: new URL(target).host } },
          answer =>
            void bytesOf(answer).then(bytes => {
              sessions.learn(path, sessionId, jsonOf(bytes));
              if (isHeld) holds.get(sessionId)?.reached(name);
              else outgoing.writeHead(answer.statusCode!, answer.headers).end(bytes);
            }),
        );
        forwarded.on('error', () => outgoing.destroy());
        forwarded.end(body);
      })(),
  );

  /** Returns whether to hold this write. */
  function counts(sessionId: string, name: string): boolean {
    writes.set(sessionId, [...(writes.get(sessionId) ?? []), name]);
    const hold = holds.get(sessionId);
    return hold?.isIt(hold.count++, name) ?? false;
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    writesOf: sessionId => writes.get(sessionId) ?? [],
    holdNext: (sessionId, isIt) =>
      new Promise(reached => {
        holds.set(sessionId, { count: 0, isIt, reached });
      }),
    release() {
      holds.clear();
      server.closeAllConnections();
    },
    async stop() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** Contacts and conversations have numbers; their session is learned when they are created. */
class SessionsByAddress {
  private readonly known = new Map<string, string>();

  of(path: string, sent: any): string | null {
    const made = sent?.identifier ?? sent?.source_id;
    if (/\/(contacts|conversations)$/.test(path) && typeof made === 'string') return made;
    const [address] = /\/(contacts|conversations)\/\d+/.exec(path) ?? [];
    return (address && this.known.get(address)) ?? null;
  }

  learn(path: string, sessionId: string | null, answer: any): void {
    if (sessionId === null) return;
    if (path.endsWith('/contacts')) this.known.set(`/contacts/${answer?.payload?.contact?.id}`, sessionId);
    if (path.endsWith('/conversations')) this.known.set(`/conversations/${answer?.id}`, sessionId);
  }
}

/** Names the call, without numbers. */
function nameOf(method: string, path: string, sent: any): string {
  const where = `${method} ${path.replace(/^.*\/accounts\/\d+/, '').replace(/\/\d+/g, '')}`;
  if (sent === null) return `${where} with a file`;
  if (typeof sent.content === 'string') return `${where}: ${sent.content.split('\n')[0]}`;
  if (/assignments$|toggle_/.test(path))
    return `${where}: ${Object.entries(sent)
      .map(([key, value]) => `${key} ${typeof value === 'number' && value > 0 ? 'n' : value}`)
      .join(', ')}`;
  return where;
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function jsonOf(bytes: Buffer): any {
  try {
    return bytes.length === 0 ? {} : JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}
