import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { TIME_LIMITS } from '../../src/time-limits';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';
import { startForwarder, type Forwarder } from '../support/forwarder';
import { startReplica, type Replica } from '../support/replica';
import { until } from '../support/until';

/*
 * SIGTERM to a process whose remote or database has stopped responding silently. Only the limit of the wait is a time:
 * the process ends by itself, and as soon as its work ends.
 */
let database: TestDatabase;
let between: Forwarder;
let double: ChatwootDouble;
let replica: Replica;
beforeEach(async () => {
  [database, double] = await Promise.all([createTestDatabase(), startChatwootDouble()]);
  const url = new URL(database.url);
  between = await startForwarder(Number(url.port));
  url.port = String(between.port);
  replica = await startReplica({
    databaseUrl: url.href,
    // Longer than a stop may take: no call ends by its own limit.
    env: {
      SUPPORT_SECRET_KEY: randomBytes(32).toString('base64'),
      SUPPORT_PROVIDER_TIMEOUT_MS: '60000',
      SUPPORT_LEASE_SECONDS: '180',
      SUPPORT_STOP_GRACE_SECONDS: '1',
    },
  });
  await call(
    'mutation($input: EnableSupportInput!) { enableSupport(input: $input) { account { state } userErrors { message } } }',
    {
      provider: 'chatwoot',
      name: 'Acme',
      baseUrl: double.baseUrl,
      credentials: { platformToken: double.platformToken },
      owners: [],
    },
  );
  await call(
    'mutation($input: EnableChatbotSupportInput!) { enableChatbotSupport(input: $input) { inbox { state } userErrors { message } } }',
    { chatbotId: 'bot-1', name: 'Shop bot' },
  );
});
afterEach(async () => {
  await replica?.kill();
  await between?.stop();
  await double?.stop();
  await database?.drop();
});

async function call(query: string, input: object): Promise<any> {
  const response = await fetch(`${replica.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const { data, errors } = (await response.json()) as { data: Record<string, any>; errors?: unknown };
  const [answer] = Object.values(data ?? {});
  if (errors !== undefined || answer.userErrors.length > 0) throw new Error(JSON.stringify({ errors, answer }));
  return answer;
}
async function says(text: string): Promise<void> {
  const { session } = await call(
    'mutation($input: OpenSupportSessionInput!) { openSupportSession(input: $input) { session { id } userErrors { message } } }',
    { chatbotId: 'bot-1', channel: 'web', externalId: randomUUID(), endUser: { name: 'Eve' } },
  );
  await call(
    'mutation($input: RecordEndUserMessageInput!) { recordEndUserMessage(input: $input) { mayReply userErrors { message } } }',
    { sessionId: session.id, text, idempotencyKey: randomUUID() },
  );
}
async function ended(): Promise<number | null | 'still there'> {
  const over = new AbortController();
  const tooLong = setTimeout(TIME_LIMITS.stop.exitMs + 20_000, 'still there' as const, { signal: over.signal });
  return Promise.race([replica.stop(), tooLong]).finally(() => {
    over.abort();
  });
}

it('a service whose support system hangs ends its work, and itself', async () => {
  double.failNext({ mode: 'hang', times: 1_000 });
  await says('hello');
  await until(() => double.requests().some(({ path }) => path.includes('/contacts')));
  expect(await ended()).toBe(0);
  expect(replica.log()).not.toContain('took too long');
});

it('a service whose database has fallen silent halfway ends by its own limit at the latest', async () => {
  await says('hello');
  between.fallSilent();
  const late = says('nobody hears this').catch(() => 'gone');
  expect([0, 1]).toContain(await ended());
  expect(await late).toBe('gone');
});
