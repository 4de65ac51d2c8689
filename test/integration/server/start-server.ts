import { connect, type Socket } from 'node:net';
import { Health, type HealthSources } from '../../../src/health';
import { createLogger } from '../../../src/logging';
import { createHttpServer, type HttpLimits, type HttpServer, type ServerOptions } from '../../../src/server';
import { TEST_BODIES } from '../../support/bodies';
import { TIME_LIMITS } from '../../../src/time-limits';

export interface RunningServer {
  readonly server: HttpServer;
  readonly port: number;
  readonly url: string;
  /** Parsed log lines so far. */
  readonly lines: Record<string, unknown>[];
  readonly log: string[];
}

/** The health of a process whose start is complete. */
export function started(sources: HealthSources, limitMs?: number): Health {
  const health = new Health(sources, limitMs);
  health.markStarted();
  return health;
}

/** The HTTP side with components that return something recognizable. */
export async function startServer({
  host = '127.0.0.1',
  port: wanted = 0,
  limits = {},
  ...options
}: Partial<Omit<ServerOptions, 'limits'>> & {
  host?: string;
  port?: number;
  limits?: Partial<HttpLimits>;
} = {}): Promise<RunningServer> {
  const log: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({
    level: 'debug',
    destination: {
      write: line => {
        log.push(line);
        lines.push(JSON.parse(line) as Record<string, unknown>);
      },
    },
  });
  const server = createHttpServer({
    graphql: {
      handle: (_request, response) => {
        response.end('graphql');
        return Promise.resolve();
      },
      upgrade: (_request, socket) => {
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n');
      },
      stop: () => Promise.resolve(),
    },
    webhooks: () => Promise.resolve({ status: 200, body: 'webhook' }),
    files: (_request, response) => {
      response.writeHead(404).end();
      return Promise.resolve();
    },
    providerPages: new Map(),
    providerBodyLimitBytes: 1_000_000,
    identify: () => Promise.resolve({ organizationId: 'org-a', role: 'ui', userId: null }),
    health: started({ isWritable: () => Promise.resolve(true) }),
    page: null,
    logger,
    limits: { ...TIME_LIMITS.http, ...TIME_LIMITS.stop, ...limits },
    fileOwner: () => null,
    maxSockets: 100,
    maxStrangers: 100,
    readers: TIME_LIMITS.reader,
    maxWebhooks: 100,
    maxFiles: 100,
    maxPages: 100,
    bodies: TEST_BODIES,
    ...options,
  });
  const port = await server.listen(host, wanted);
  return { server, port, url: `http://127.0.0.1:${port}`, lines, log };
}

/** A raw connection that keeps what it receives. */
export function rawConnection(port: number): { socket: Socket; received: () => string; closed: Promise<void> } {
  let text = '';
  const socket = connect(port, '127.0.0.1');
  socket
    .on('data', part => {
      text += part.toString('latin1');
    })
    .on('error', () => {});
  return { socket, received: () => text, closed: new Promise(resolve => socket.once('close', () => resolve())) };
}
