import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { SECRET } from '../../integration/graphql/room';
import { createTestDatabase } from '../../../src/testing/database';
import { startReplica } from '../../support/replica';
import { startStranger, STRANGER_SDL } from '../../support/stranger-subgraph';

export const ORGANIZATION = 'org-1';
/** The caller's identity, as the platform's gateway forwards it. */
export const identity = (role = 'gateway', organization = ORGANIZATION): Record<string, string> => ({
  'x-organization-id': organization,
  'x-support-role': role,
});

export interface Subject {
  /** Two processes of the service over one Postgres, as a gateway would reach them. */
  readonly urls: readonly [string, string];
  readonly strangerUrl: string;
  readonly supergraphSdl: string;
  /** Directly at the subgraph. */
  run(query: string, variables?: object): Promise<any>;
  stop(): Promise<void>;
}

/** The service, a subgraph of another team, and both composed from their schemas. */
export async function startSubject(): Promise<Subject> {
  const database = await createTestDatabase();
  const env = { SUPPORT_GATEWAY_SECRET: SECRET, SUPPORT_SECRET_KEY: randomBytes(32).toString('base64') };
  const replicas = await Promise.all([0, 1].map(() => startReplica({ databaseUrl: database.url, env })));
  const urls = replicas.map(replica => `${replica.url}/graphql`) as [string, string];
  const stranger = await startStranger();
  const run = (query: string, variables: object = {}) =>
    post(urls[0], query, variables, { 'x-support-gateway-secret': SECRET, ...identity() });

  const supergraphSdl = composed((await run('{ _service { sdl } }')).data._service.sdl, urls[0], stranger.url);

  await run('mutation { enableSupport(input: { provider: "desk", name: "One" }) { userErrors { code message } } }');
  await run(
    'mutation { enableChatbotSupport(input: { chatbotId: "bot-1", name: "Bot one" }) { userErrors { code message } } }',
  );
  return {
    urls,
    strangerUrl: stranger.url,
    supergraphSdl,
    run,
    async stop() {
      await Promise.all(replicas.map(replica => replica.stop()));
      await stranger.stop();
      await database.drop();
    },
  };
}

export function composed(sdl: string, url: string, strangerUrl: string): string {
  const result = composeServices([
    { name: 'support', url, typeDefs: parse(sdl) },
    { name: 'stranger', url: strangerUrl, typeDefs: parse(STRANGER_SDL) },
  ]);
  if (result.errors) throw new Error(result.errors.join('\n'));
  return result.supergraphSdl;
}

export interface Hive {
  readonly url: string;
  stop(): Promise<void>;
}

/** A gateway that carries subscriptions. `transport`: how it subscribes at our subgraph, whose address is `url`. */
export async function startHive(
  transport: 'ws' | 'sse',
  supergraphSdl: string,
  url: string,
  secret = SECRET,
): Promise<Hive> {
  const folder = mkdtempSync(path.join(tmpdir(), 'supergraph-'));
  const file = path.join(folder, 'supergraph.graphql');
  writeFileSync(file, supergraphSdl);
  const child: ChildProcess = fork(
    path.join(__dirname, '..', '..', 'support', 'hive.mjs'),
    [transport, file, url, secret],
    { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message: { port: number }) => resolve(message.port));
    child.once('exit', code => reject(new Error(`The gateway ended with ${code}.`)));
  });
  rmSync(folder, { recursive: true });
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    stop: async () => {
      child.disconnect();
      await gone;
    },
  };
}

export { SECRET };

export async function post(
  url: string,
  query: string,
  variables: object,
  headers: Record<string, string>,
): Promise<any> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}
