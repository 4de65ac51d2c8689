import {
  createServer,
  request as startRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { FaultPlan } from './faults';

export interface HttpProxyOptions {
  readonly plan: FaultPlan;
  /** The address to forward to, e.g. `http://127.0.0.1:4000`; null if there is none. */
  target(): string | null;
  /** Longest delay of `jitter`. Shorter than the callers' time limits, so that nothing arrives after they gave up. */
  readonly jitterMs: number;
  /**
   * When a `late` request arrives: after the callers' time limit and before the remote's. `lateError` only has to
   * respect the latter.
   */
  readonly lateMs?: readonly [number, number];
  readonly host?: string;
  readonly port?: number;
}

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}
interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'content-length'];
const SPELL_MS = 3_000;
const PAGE = '<html><body>Bad gateway</body></html>';

/** Injects the faults of networks and proxies into an HTTP hop. Web sockets are forwarded, and cut. */
export class HttpFaultProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Duplex>();
  /** Exchanges that never get a response. */
  private readonly silent = new Set<ServerResponse>();
  private readonly held = new Set<() => void>();
  private slowUntil = 0;
  private isAway = false;

  private constructor(private readonly options: HttpProxyOptions) {
    this.server = createServer(
      (incoming, outgoing) => void this.serve(incoming, outgoing).catch(() => outgoing.destroy()),
    );
    this.server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.tunnel(incoming, socket, head),
    );
    this.server.on('connection', (socket: Socket) => socket.on('error', () => undefined));
    options.plan.whenCalm(() => this.letGo());
  }

  static async start(options: HttpProxyOptions): Promise<HttpFaultProxy> {
    const proxy = new HttpFaultProxy(options);
    await new Promise<void>((resolve, reject) =>
      proxy.server.once('error', reject).listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve),
    );
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** While away, every connection ends at once, as if nothing listened. */
  setAway(isAway: boolean): void {
    if (isAway) this.options.plan.count('outage');
    this.isAway = isAway;
    if (isAway) this.server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.letGo();
    for (const socket of this.sockets) socket.destroy();
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  private async serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (this.isAway) return void outgoing.destroy();
    const exchange: Exchange = {
      method: incoming.method!,
      path: incoming.url!,
      headers: incoming.headers,
      body: await bytesOf(incoming),
    };
    const { plan, jitterMs } = this.options;
    const fault = plan.draw();
    if (fault === 'latency') this.slowUntil = Date.now() + SPELL_MS;
    if (fault === 'jitter') await setTimeout(plan.random.between(0, jitterMs));
    if (plan.isActive && Date.now() < this.slowUntil) await setTimeout(jitterMs / 3);
    // A request must not be forwarded after its caller gave up, because the caller may have looked it up and found
    // nothing.
    if (outgoing.destroyed || this.isAway) return void outgoing.destroy();
    switch (fault) {
      case 'cut':
        return void outgoing.destroy();
      case 'appliedThenCut':
        await this.forward(exchange);
        return void outgoing.destroy();
      case 'halfOpen':
        if (plan.random.chance(0.5)) await this.forward(exchange);
        if (!plan.isActive) return void outgoing.destroy();
        this.silent.add(outgoing);
        return void outgoing.once('close', () => this.silent.delete(outgoing));
      case 'serverError':
        return reply(outgoing, page(plan.random.pick([500, 502, 503, 504])));
      case 'tooMany':
        return reply(outgoing, {
          status: 429,
          headers: { 'content-type': 'text/plain' },
          body: Buffer.from('Retry later\n'),
        });
      case 'appliedThenError':
        await this.forward(exchange);
        return reply(outgoing, page(502));
      case 'wrongJson':
        return reply(outgoing, garbled(await this.forward(exchange)));
      case 'late':
        await this.later(plan.random.between(...this.options.lateMs!), () => this.forward(exchange));
        return void outgoing.destroy();
      case 'lateError':
        void this.later(plan.random.between(500, this.options.lateMs![1]), () => this.forward(exchange));
        return reply(outgoing, page(504));
      case 'duplicate': {
        const [answer] = await Promise.all([
          this.forward(exchange),
          setTimeout(plan.random.between(0, jitterMs)).then(() => this.forward(exchange)),
        ]);
        return reply(outgoing, answer);
      }
      case 'reorder':
        void this.later(plan.random.between(500, 5_000), () => this.forward(exchange));
        return reply(outgoing, TAKEN);
      case 'drop':
        return reply(outgoing, TAKEN);
      default:
        return reply(outgoing, await this.forward(exchange));
    }
  }

  /** Forwards an exchange. An unreachable remote becomes a gateway's error page. */
  private forward({ method, path, headers, body }: Exchange): Promise<Answer> {
    const target = this.options.target();
    if (target === null) return Promise.resolve(page(502));
    return new Promise(resolve => {
      const sent = startRequest(
        `${target}${path}`,
        {
          method,
          headers: { ...withoutHops(headers), host: new URL(target).host, 'content-length': body.length },
          agent: false,
        },
        answer => {
          bytesOf(answer).then(
            bytes => resolve({ status: answer.statusCode!, headers: answer.headers, body: bytes }),
            () => resolve(page(502)),
          );
        },
      );
      sent.on('error', () => resolve(page(502)));
      sent.end(body);
    });
  }

  /** Runs `act` after the delay, or at once when the faults end. */
  private async later(ms: number, act: () => Promise<unknown>): Promise<void> {
    const waiting = new AbortController();
    const letGo = () => waiting.abort();
    this.held.add(letGo);
    await setTimeout(ms, undefined, { signal: waiting.signal }).catch(() => undefined);
    this.held.delete(letGo);
    await act();
  }

  private tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = this.options.target();
    const { plan } = this.options;
    socket.on('error', () => socket.destroy());
    if (target === null || this.isAway) return void socket.destroy();
    const { hostname, port } = new URL(target);
    const remote = connect(Number(port), hostname);
    const close = () => {
      socket.destroy();
      remote.destroy();
      this.sockets.delete(socket);
    };
    remote
      .on('error', close)
      .on('close', close)
      .on('connect', () => {
        remote.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${rawHeaders(incoming)}\r\n\r\n`);
        remote.write(head);
        remote.pipe(socket).pipe(remote);
      });
    socket.on('close', close);
    this.sockets.add(socket);
    if (!plan.isActive) return;
    void setTimeout(plan.random.between(1_000, 20_000)).then(async () => {
      if (socket.destroyed || !plan.isActive) return;
      const isSilent = plan.random.chance(0.3);
      plan.count(isSilent ? 'halfOpen' : 'cut');
      if (isSilent) {
        remote.unpipe(socket).on('data', () => undefined);
        await this.later(15_000, async () => undefined);
      }
      close();
    });
  }

  private letGo(): void {
    for (const outgoing of this.silent) outgoing.destroy();
    for (const letGo of this.held) letGo();
  }
}

const TAKEN: Answer = { status: 200, headers: {}, body: Buffer.alloc(0) };
const page = (status: number): Answer => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: Buffer.from(PAGE),
});

/** Returns half of the response or a gateway's page, so that nothing can be taken for the response. */
function garbled({ headers, body }: Answer): Answer {
  const isLong = body.length > 20;
  return {
    status: 200,
    headers: isLong ? headers : { 'content-type': 'text/html' },
    body: isLong ? body.subarray(0, body.length >> 1) : Buffer.from(PAGE),
  };
}

function reply(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  if (outgoing.destroyed) return;
  outgoing.writeHead(status, { ...withoutHops(headers), 'content-length': body.length }).end(body);
}

const withoutHops = (headers: IncomingMessage['headers']) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)));

function rawHeaders({ rawHeaders: raw }: IncomingMessage): string {
  const lines: string[] = [];
  for (let i = 0; i < raw.length; i += 2) lines.push(`${raw[i]}: ${raw[i + 1]}`);
  return lines.join('\r\n');
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
