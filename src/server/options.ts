import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Caller } from '../core/caller';
import type { Health } from '../health';
import type { Logger } from '../logging';
import type { BodyLimits, StartInterval } from './body-reader';
import type { GraphqlExchange, SocketDoor } from './graphql-exchange';
import type { PlainRequest } from './plain-request';
import type { PlainResponse } from './plain-response';
import type { ProviderPage } from './provider-pages';
import type { ReaderLimits } from './watch-reader';

/** Milliseconds. */
export interface HttpLimits {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly checkMs: number;
  readonly keepAliveMs: number;
  /** For the rest of a refused body, so that its sender reads the response. */
  readonly lingerMs: number;
  /** At a stop: for requests in progress. */
  readonly finishMs: number;
  /** At a stop: for sockets and streams to close. */
  readonly closeMs: number;
}

/** The HTTP handlers of GraphQL. */
export interface GraphqlEndpoint {
  handle(request: IncomingMessage, response: ServerResponse, exchange: GraphqlExchange): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, exchange: SocketDoor): void;
  /** Ends every socket and stream so that clients reconnect. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly graphql: GraphqlEndpoint;
  /** Handles every request below `/webhooks/`. */
  webhooks(request: PlainRequest): Promise<PlainResponse>;
  /** Handles every request below `/files/`. */
  files(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Returns the organization of a file below `/files/` if the link proves it, otherwise null. */
  fileOwner(path: string): string | null;
  /** By the provider's name. */
  readonly providerPages: ReadonlyMap<string, ProviderPage>;
  readonly providerBodyLimitBytes: number;
  /** Returns whether a provider's path needs no identification; if omitted, none. */
  isOpenPage?(provider: string, path: string): boolean;
  identify(credentials: {
    readonly headers: IncomingHttpHeaders;
    readonly remoteAddress: string | undefined;
  }): Promise<Caller>;
  readonly health: Health;
  /** Serves the page at `/`: returns a response, or null if it has none for the request. */
  readonly page: ((request: PlainRequest) => Promise<PlainResponse | null>) | null;
  readonly logger: Logger;
  readonly limits: HttpLimits;
  /**
   * WebSockets and event streams at once; one more is answered 503. Of these and the next three each sender has the
   * share that it has of bodies, and more while more than a share is free.
   */
  readonly maxSockets: number;
  /** Additional WebSockets whose callers are not identified yet; the next one gets 503. */
  readonly maxStrangers: number;
  /** Maximum number of concurrent webhooks; the next one gets 503. */
  readonly maxWebhooks: number;
  /** Maximum number of concurrent file downloads; the next one gets 503. */
  readonly maxFiles: number;
  /** Maximum number of concurrent requests to provider pages; the next one gets 503. */
  readonly maxPages: number;
  readonly bodies: BodyLimits;
  readonly readers: ReaderLimits;
  /** Timer of the speed checks of bodies and readers; if omitted, Node's. */
  readonly startInterval?: StartInterval;
}

export interface HttpServer {
  /** @returns the port, a free one for port 0 @throws ConfigError if the address cannot be used */
  listen(host: string, port: number): Promise<number>;
  /**
   * Reports not ready, stops accepting after `graceMs`, finishes requests, closes sockets. Never throws; every call
   * returns the same promise.
   */
  stop(graceMs?: number): Promise<void>;
}
