import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { Client } from 'pg';
import type { SupportClient } from '../../examples/support-client';
import { DeskDemoAdapter } from '../../scripts/demo/desk-adapter';
import { SETUP_STEPS, DemoContext } from '../../scripts/demo/demo-steps';
import { runSteps } from '../../scripts/demo/run-steps';
import { startEmbedded, type EmbeddedPostgres } from '../../src/persistence';
import { ReplicaSet } from '../support/replica-set';
import { startForwarder, type Forwarder } from '../support/forwarder';
import { startLoad, type Load } from '../support/load';
import type { Replica } from '../support/replica';
import { until } from '../support/until';

jest.setTimeout(600_000);

const ORGANIZATION = 'org-restarts';
const folder = mkdtempSync(path.join(tmpdir(), 'support-restarts-'));
let postgres: EmbeddedPostgres;
/** The database's address stays while the server behind it changes. */
let database: Forwarder;
let databaseUrl: string;
let fleet: ReplicaSet;
let chatbotId: string;

const portOf = (url: string): number => Number(new URL(url).port);
const isReady = ({ url }: Replica): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );

async function query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
  const sql = new Client({ connectionString: databaseUrl });
  await sql.connect();
  try {
    return (await sql.query(text, values)).rows as Row[];
  } finally {
    await sql.end();
  }
}

/** Each acknowledged message is there once and in its place; at most one more was recorded without a response. */
async function expectAllKept({ acknowledged }: Load): Promise<void> {
  for (const [sessionId, said] of acknowledged) {
    const kept = (
      await query<{ text: string }>(
        "select text from message where session_id = $1 and author = 'END_USER' order by seq",
        [sessionId],
      )
    ).map(({ text }) => text);
    expect(kept).toEqual(said);
  }
}

beforeAll(async () => {
  postgres = await startEmbedded(folder);
  database = await startForwarder(portOf(postgres.url));
  databaseUrl = postgres.url.replace(`:${portOf(postgres.url)}/`, `:${database.port}/`);
  fleet = new ReplicaSet(databaseUrl, [ORGANIZATION], { SUPPORT_STOP_GRACE_SECONDS: '2' });
  const replica = await fleet.add();
  const story = new DemoContext(
    new DeskDemoAdapter(replica.url, fleet.gateway(ORGANIZATION)),
    fleet.operator(replica, ORGANIZATION),
    fleet.bot(replica, ORGANIZATION),
  );
  const said: string[] = [];
  const collect = {
    log: (text: string) => {
      said.push(text);
    },
    error: (text: string) => {
      said.push(text);
    },
  };
  if ((await runSteps(SETUP_STEPS, story, collect)) !== 0) throw new Error(said.join('\n'));
  ({ chatbotId } = story);
});

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0)) await step();
});

afterAll(async () => {
  await fleet?.stop();
  await database?.stop();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('the service survives a restart of Postgres: not ready meanwhile, nothing acknowledged lost or doubled, and everything continues by itself', async () => {
  const [replica] = fleet.replicas as [Replica];
  const load = await startLoad(fleet.bot(replica, ORGANIZATION), chatbotId, 4);
  await load.more(20);
  await postgres.stop();
  database.aim(null);
  await until(async () => !(await isReady(replica)));
  const { status } = await fetch(`${replica.url}/livez`);
  expect(status).toBe(200);

  postgres = await startEmbedded(folder);
  database.aim(portOf(postgres.url));
  await until(() => isReady(replica));
  await load.more(20);
  await load.stop();
  await expectAllKept(load);
  await until(
    async () => (await query("select from delivery where state = 'WAITING' and destination = 'PROVIDER'")).length === 0,
  );
  expect(await query("select from delivery where state = 'PARKED'")).toEqual([]);
});

it('the service survives the repeated loss of all its connections', async () => {
  const [replica] = fleet.replicas as [Replica];
  const load = await startLoad(fleet.bot(replica, ORGANIZATION), chatbotId, 4);
  for (let i = 0; i < 5; i++) {
    await load.more(8);
    await query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'support%' and pid <> pg_backend_pid()",
    );
  }
  await load.more(8);
  await load.stop();
  await expectAllKept(load);
  expect(await isReady(replica)).toBe(true);
});

it('no mutation fails while two replicas are restarted one after the other behind a load balancer', async () => {
  const known = new Set<Replica>([...fleet.replicas, await fleet.add()]);
  const ready = new Set<Replica>(known);
  let number = 0;
  // A typical load balancer: it asks /readyz periodically, and sends new connections to the last ready replica.
  const balancer = await startForwarder(
    () => [...ready].sort((a, b) => a.port - b.port)[number++ % ready.size]?.port ?? null,
  );
  const probe = setInterval(() => {
    for (const replica of known)
      void isReady(replica).then(isSo => (isSo ? ready.add(replica) : ready.delete(replica)));
  }, 200);

  const failures: string[] = [];
  const address = `http://127.0.0.1:${balancer.port}/graphql`;
  // Only one attempt: a failure is counted, and ends the load.
  const once: Pick<SupportClient, 'call'> = {
    async call<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
      const body = JSON.stringify({ query: print(document), variables });
      const answer = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...fleet.gateway(ORGANIZATION) },
        body,
      }).then(
        response => response.json() as Promise<{ data?: Data; errors?: unknown }>,
        (error: Error) => ({ errors: String(error.cause ?? error) }),
      );
      if (answer.errors === undefined && 'data' in answer) return answer.data!;
      failures.push(JSON.stringify(answer.errors));
      throw new Error(failures.at(-1));
    },
  };
  undo.push(
    () => {
      clearInterval(probe);
    },
    () => balancer.stop(),
  );
  const load = await startLoad(once, chatbotId, 6);
  for (let round = 0; round < 2; round++) {
    await load.more(20);
    const old = fleet.replicas.shift()!;
    const stopping = old.stop();
    await until(async () => !ready.has(old));
    expect(await stopping).toBe(0);
    known.add(await fleet.add());
  }
  await load.more(20);
  await load.stop();
  expect(failures).toEqual([]);
  await expectAllKept(load);
});
