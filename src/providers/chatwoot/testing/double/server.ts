import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { admit } from './http/access';
import type { Call } from './http/call';
import { parseBody, parseQuery } from './http/parameters';
import type { RawRequest } from './http/raw-request';
import { Refusal, refuse, type Reply } from './http/replies';
import { findRoute, type Route } from './http/router';
import { faultReply } from './control/faults';
import type { Journal } from './control/journal';
import type { Outage } from './outage';
import type { World } from './world';

/** The steps between the socket and the routes: faults, outages, rate limits, admission. */
export class DoubleServer {
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();

  constructor(
    private readonly world: World,
    private readonly routes: Route[],
    private readonly outage: Outage,
    private readonly journal: Journal,
    private readonly control: (request: RawRequest) => Promise<Reply | undefined>,
  ) {}

  async listen(port: number): Promise<number> {
    const server = createServer((request, response) => void this.serve(request, response));
    server.on('connection', socket => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.server = server;
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    const closed = new Promise<void>(resolve => server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Returns the response, without the network, faults and the journal. */
  async answer(request: RawRequest): Promise<Reply> {
    const { method, path } = request;
    if (path === '/api' && method === 'GET') return this.outage.health(this.world);
    const instead = this.outage.before(method, path);
    if (instead) return instead;
    if (this.world.limits.exceeded(method, path, request.address)) return refuse.tooMany().reply;
    return this.outage.after(method, path, await this.routed(request));
  }

  private async routed(request: RawRequest): Promise<Reply> {
    try {
      const found = findRoute(this.routes, request.method, request.path);
      const call: Call = {
        world: this.world,
        method: request.method,
        path: request.path,
        at: found?.at ?? {},
        params: {},
        headers: request.headers,
        address: request.address,
      };
      if (!found || found.route.rules.when?.(call) === false) throw refuse.barelyAbsent();
      call.params = request.params ?? {
        ...parseQuery(request.search),
        ...parseBody(request.headers['content-type'] ?? '', request.body),
      };
      admit(call, found.route);
      return await found.route.handle(call);
    } catch (error) {
      if (error instanceof Refusal) return error.reply;
      console.error(`chatwoot double: ${request.method} ${request.path} failed`, error);
      return refuse.crash().reply;
    }
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    if (!request) return;
    if (request.path.startsWith('/_double')) {
      send(response, (await this.control(request)) ?? refuse.barelyAbsent().reply);
      return;
    }
    const entry = this.journal.open(request);
    const fault = this.world.faults.take(
      request.method,
      `${request.path}${incoming.url?.includes('?') ? `?${request.search}` : ''}`,
    );
    if (fault?.latencyMs) await new Promise(resolve => setTimeout(resolve, fault.latencyMs));
    const mode = fault?.mode ?? 'slow';
    if (mode === 'hang') {
      entry.status = 'hung';
    } else if (mode === 'cutBeforeApply') {
      entry.status = 'cut';
      incoming.socket.destroy();
    } else if (mode.startsWith('status:')) {
      this.finish(entry, response, faultReply(mode, fault?.body));
    } else {
      const reply = await this.answer(request);
      if (mode !== 'applyThenCut') {
        this.finish(entry, response, mode === 'applyThen500' ? refuse.crash().reply : reply);
        return;
      }
      entry.status = 'cut';
      incoming.socket.destroy();
    }
  }

  private finish(entry: ReturnType<Journal['open']>, response: ServerResponse, reply: Reply): void {
    entry.status = reply.status;
    send(response, reply);
  }
}

async function readRequest(incoming: IncomingMessage): Promise<RawRequest | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  const url = new URL(incoming.url ?? '/', 'http://double');
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    search: url.searchParams,
    headers,
    body: Buffer.concat(chunks),
    address: headers['x-forwarded-for']?.split(',')[0]?.trim() ?? incoming.socket.remoteAddress ?? '',
  };
}

function send(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, reply.headers);
  response.end(reply.body);
}
