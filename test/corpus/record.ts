import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { buildSupportSchema, printSubgraphSchema } from '../../src/graphql';
import { composed, startHive } from '../e2e/gateway/subject';
import { startStranger } from '../support/stranger-subgraph';
import { CLIENT_OPERATIONS } from './client-operations';
import { apolloPlans, type Fetch, fetchOf } from './apollo-plans';

/** Values with which Hive's plan reaches our subgraph. */
const VARIABLES = {
  id: 'x',
  ids: ['bot-1', 'bot-2'],
  input: { sessionId: 'x', idempotencyKey: 'k', text: 'x' },
  chatbotId: 'bot-1',
};

/**
 * Writes the plans of two routers beside this file: run `npx ts-node -T test/corpus/record.ts` after the schema has
 * changed. Apollo's planner is called directly. Hive's gateway runs before a recorder that never responds, so only the
 * first fetches that it sends to us are known. Cosmo's router is a Go program; its planner writes fetches in Apollo's
 * form.
 */
async function record(): Promise<void> {
  const sdl = await printSubgraphSchema(await buildSupportSchema({} as never));
  const asked: string[] = [];
  const recorder = createServer((request, response) => {
    const parts: Buffer[] = [];
    request
      .on('data', (part: Buffer) => parts.push(part))
      .on('end', () => {
        asked.push((JSON.parse(Buffer.concat(parts).toString()) as { query: string }).query);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"_entities":[]}}');
      });
  });
  await new Promise<void>(resolve => recorder.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(recorder.address() as AddressInfo).port}/graphql`;
  const stranger = await startStranger();
  const supergraph = composed(sdl, url, stranger.url);
  write('apollo.json', apolloPlans(supergraph, CLIENT_OPERATIONS));
  const hive = await startHive('sse', supergraph, url);
  const fetches: Fetch[] = [];
  for (const [name, query] of Object.entries(CLIENT_OPERATIONS)) {
    if (query.startsWith('subscription')) continue;
    asked.length = 0;
    await fetch(hive.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: VARIABLES }),
    }).then(response => response.text());
    fetches.push(...asked.map((one, at) => fetchOf(`${name}.${at}`, one)));
  }
  write('hive.json', fetches);
  await hive.stop();
  await stranger.stop();
  recorder.close();
}

const write = (name: string, fetches: readonly Fetch[]): void =>
  writeFileSync(path.join(__dirname, name), `${JSON.stringify(fetches, null, 2)}\n`);

void record();
