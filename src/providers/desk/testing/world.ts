import { randomUUID } from 'node:crypto';
import type { ProviderHost, ProviderHttpRequest, ProviderHttpResponse } from '../../../core/ports/provider/definition';
import { createRoutes } from '../api/routes';
import { openTestDatabase, type TestDatabase } from './database';

/** The process around a desk, as tests control it. */
export interface DeskWorld {
  readonly database: TestDatabase;
  readonly host: ProviderHost;
  /** All hints that the desk gave: `account/conversation`, and the number of transactions committed by then. */
  readonly hints: { readonly place: string; readonly committed: number }[];
  /** Number of transactions that the desk has committed. */
  committed: number;
  /** Called before and after each database call of the desk; may throw. */
  between: { before?: () => void; after?: () => void };
  /** How many milliseconds the desk's clock is ahead. */
  ahead: number;
  /** Sends one request to the mounted API: JSON in, JSON out. */
  call(request: DeskCall): Promise<{
    readonly status: number;
    readonly headers: ProviderHttpResponse['headers'];
    readonly body: any;
    readonly raw: Buffer;
  }>;
  stop(): Promise<void>;
}

export interface DeskCall {
  readonly method?: string;
  /** Path and query below the mount point. */
  readonly path: string;
  readonly organizationId?: string | null;
  readonly role?: string;
  readonly agent?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function openWorld(): Promise<DeskWorld> {
  const database = await openTestDatabase();
  const hints: DeskWorld['hints'] = [];
  const around = async <T>(work: () => Promise<T>): Promise<T> => {
    world.between.before?.();
    const answer = await work();
    world.between.after?.();
    return answer;
  };
  const world: DeskWorld = {
    database,
    hints,
    committed: 0,
    between: {},
    ahead: 0,
    host: {
      hint: (accountId, conversationId) => {
        hints.push({ place: `${accountId}/${conversationId}`, committed: world.committed });
      },
      database: {
        query: (text, values) => around(() => database.query(text, values)),
        transaction: work =>
          around(async () => {
            const answer = await database.transaction(work);
            world.committed += 1;
            return answer;
          }),
      },
      fetch: () => {
        throw new Error('The desk must not fetch anything.');
      },
      replicas: () => 1,
      now: () => Date.now() + world.ahead,
      log: () => {},
    },
    async call({ method = 'GET', path, organizationId = null, role = 'ui', agent, body, headers }) {
      const url = new URL(path, 'http://desk');
      const request: ProviderHttpRequest = {
        method,
        path: url.pathname,
        query: url.searchParams,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(agent === undefined ? {} : { 'x-desk-agent': agent }),
          ...headers,
        },
        readBody: async () =>
          Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)),
        caller: organizationId === null ? null : { organizationId, role, userId: null },
      };
      const answer = await answerRequest(request);
      const raw = Buffer.from(answer.body as string);
      const isJson = answer.headers['content-type']?.startsWith('application/json');
      return {
        status: answer.status,
        headers: answer.headers,
        raw,
        body: isJson ? JSON.parse(raw.toString('utf8')) : raw.toString('utf8'),
      };
    },
    stop: () => database.stop(),
  };
  const answerRequest = createRoutes(world.host);
  return world;
}

/** Returns a new organization that no other test uses. */
export function newOrganization(settings: Readonly<Record<string, unknown>> = {}) {
  const accountId = randomUUID();
  return {
    access: { accountId, externalId: null, baseUrl: null, settings, credentials: {}, webhookUrl: '' },
    organizationId: `org-${accountId}`,
    name: 'Acme',
    owners: ['Ada', 'Bob'].map(name => ({ name, email: `${name.toLowerCase()}@${accountId}.example` })),
  };
}
