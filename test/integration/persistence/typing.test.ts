import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { AgentTyping } from '../../../src/core/ports/typing';
import { PostgresTyping, PostgresWake } from '../../../src/persistence';
import { encodePayloads } from '../../../src/persistence/notify/postgres-typing';
import { createEmptyDatabase, type TestDatabase } from '../../../src/testing/database';
import { until } from '../../support/until';

let database: TestDatabase;
let stranger: Client;
const wakes: PostgresWake[] = [];
beforeAll(async () => {
  database = await createEmptyDatabase();
  stranger = new Client({ connectionString: database.url });
  await stranger.connect();
});
afterEach(() => Promise.all(wakes.splice(0).map(wake => wake.stop())));
afterAll(async () => {
  await stranger.end();
  await database.drop();
});

const sessionId = randomUUID();
const typing = (more: Partial<AgentTyping> = {}): AgentTyping => ({
  organizationId: 'org-1',
  chatbotId: 'bot-1',
  sessionId,
  externalId: '4',
  agentId: null,
  isTyping: true,
  at: '2026-11-22T12:00:00.000Z',
  ...more,
});

async function replica() {
  const wake = new PostgresWake(database.url, { pollMs: 600_000, silenceMs: 10_000 });
  wakes.push(wake);
  const woken: unknown[] = [];
  wake.onWake(ids => {
    woken.push(ids);
  });
  const board = new PostgresTyping(wake);
  const received: AgentTyping[] = [];
  const forget = board.onTyping({ sessionId }, one => {
    received.push(one);
  });
  await wake.start();
  woken.length = 0;
  return { wake, woken, board, heard: received, forget };
}

it('the typing state is known at once here and soon on other replicas, in its newest form per agent, and wakes nobody', async () => {
  const [one, other] = [await replica(), await replica()];
  one.board.agentTyping(typing());
  one.board.agentTyping(typing({ isTyping: false }));
  one.board.agentTyping(typing({ externalId: '5' }));
  expect(one.heard).toHaveLength(3);
  await until(() => other.heard.length > 0);
  expect(other.heard).toEqual([typing({ isTyping: false }), typing({ externalId: '5' })]);
  // It does not receive its own: by the time the other's own typing is here, its echo would be.
  other.board.agentTyping(typing({ externalId: '6' }));
  await until(() => one.heard.length > 3);
  expect(one.heard.slice(3)).toEqual([typing({ externalId: '6' })]);
  expect([one.woken, other.woken]).toEqual([[], []]);
});

it('only subscribers of the Session receive it', async () => {
  const { board, heard: received, forget } = await replica();
  board.agentTyping(typing({ sessionId: randomUUID() }));
  forget();
  board.agentTyping(typing());
  expect(received).toEqual([]);
});

it("a chatbot's and an organization's typing come from all of their sessions, here and on other replicas, and from no others", async () => {
  const [one, other] = [await replica(), await replica()];
  const received: Record<string, string[]> = { chatbot: [], organization: [], remote: [] };
  const note =
    (list: string) =>
    ({ externalId }: AgentTyping) => {
      received[list]!.push(externalId);
    };
  one.board.onTyping({ organizationId: 'org-1', chatbotId: 'bot-1' }, note('chatbot'));
  one.board.onTyping({ organizationId: 'org-1', chatbotId: null }, note('organization'));
  other.board.onTyping({ organizationId: 'org-1', chatbotId: 'bot-1' }, note('remote'));
  one.board.agentTyping(typing({ externalId: 'a', sessionId: randomUUID() }));
  one.board.agentTyping(typing({ externalId: 'b', chatbotId: 'bot-2' }));
  // Another organization may give its chatbot the same id.
  one.board.agentTyping(typing({ externalId: 'c', organizationId: 'org-2' }));
  one.board.agentTyping(typing({ externalId: 'd', organizationId: 'org-1","bot-1' }));
  one.board.agentTyping(typing({ externalId: 'e' }));
  await until(() => received.remote!.length > 1);
  expect(received).toEqual({ chatbot: ['a', 'e'], organization: ['a', 'b', 'e'], remote: ['a', 'e'] });
});

it('an unreadable payload is skipped, and later ones arrive', async () => {
  const one = await replica();
  for (const payload of [
    '',
    'x',
    '{}',
    '[1, null, {"sessionId": 4}]',
    JSON.stringify([{ ...typing(), isTyping: 'yes' }]),
  ])
    await stranger.query('select pg_notify($1, $2)', ['support_typing', payload]);
  await stranger.query('select pg_notify($1, $2)', ['support_typing', JSON.stringify([typing()])]);
  await until(() => one.heard.length > 0);
  expect(one.heard).toEqual([typing()]);
});

it('typing reaches nobody while the database is down, and nothing breaks', () => {
  const board = new PostgresTyping(
    new PostgresWake('postgres://nobody@127.0.0.1:1/nothing', { pollMs: 600_000, silenceMs: 10_000 }),
  );
  const received: AgentTyping[] = [];
  board.onTyping({ sessionId }, one => {
    received.push(one);
  });
  board.agentTyping(typing());
  expect(received).toHaveLength(1);
});

it('a payload is never longer than Postgres accepts, and holds only the agent and the typing state', () => {
  const all = Array.from({ length: 300 }, (_, n) => typing({ externalId: `agent ${n}` }));
  const texts = encodePayloads([...all, typing({ externalId: 'x'.repeat(9_000) })]);
  expect(Math.max(...texts.map(text => Buffer.byteLength(text)))).toBeLessThan(7_900);
  expect(texts.flatMap(text => JSON.parse(text) as AgentTyping[])).toEqual(all);
  expect(Object.keys(typing()).sort()).toEqual([
    'agentId',
    'at',
    'chatbotId',
    'externalId',
    'isTyping',
    'organizationId',
    'sessionId',
  ]);
});
