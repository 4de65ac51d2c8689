import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startApp, type App } from '../../src/app';
import { loadConfig } from '../../src/config';
import { createLogger } from '../../src/logging';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { ChatwootApi } from '../../src/providers/chatwoot/testing/remote';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';
import { S3Double } from '../support/s3-double';

const ORG = 'org-example';
const scope = { organizationId: ORG };
const ROOT = path.join(__dirname, '..', '..');

describe('the whole service, with files in a bucket', () => {
  let database: TestDatabase;
  let double: ChatwootDouble;
  let bucket: S3Double;
  let app: App;
  beforeAll(async () => {
    [database, double] = await Promise.all([createTestDatabase(), startChatwootDouble()]);
    bucket = new S3Double('files', 'key-1');
    app = await startApp(
      loadConfig({
        PORT: '0',
        DATABASE_URL: database.url,
        SUPPORT_SECRET_KEY: randomBytes(32).toString('base64'),
        LOG_LEVEL: 'silent',
        SUPPORT_S3_BUCKET: 'files',
        SUPPORT_S3_REGION: 'us-east-1',
        SUPPORT_S3_ENDPOINT: await bucket.start(),
        SUPPORT_S3_ACCESS_KEY_ID: 'key-1',
        SUPPORT_S3_SECRET_ACCESS_KEY: 'a-secret-for-the-test',
      }),
      createLogger({ level: 'silent' }),
    );
  });
  afterAll(async () => {
    await app?.stop();
    await Promise.all([bucket?.stop(), double?.stop()]);
    await database?.drop();
  });

  const found = async <T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> => {
    for (const end = Date.now() + 290_000; Date.now() < end; await setTimeout(20)) {
      const seen = await look();
      if (seen !== undefined) return seen;
    }
    throw new Error(`Never seen: ${look.toString()}`);
  };
  async function attachmentsOf(sessionId: string): Promise<{ url: string; name: string }[]> {
    const query =
      'query($id: ID!) { supportSession(id: $id) { messages { edges { node { author attachments { url name } } } } } }';
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { id: sessionId } }),
    });
    const { data } = (await response.json()) as { data: any };
    return data.supportSession.messages.edges
      .filter(({ node }: any) => node.author === 'AGENT')
      .flatMap(({ node }: any) => node.attachments);
  }

  it('stores what an agent sends, serves it under its own link, and removes it when the agent deletes it', async () => {
    const { account } = await app.flows.enableSupport(scope, {
      provider: 'chatwoot',
      name: 'Acme',
      baseUrl: double.baseUrl,
      settings: {},
      credentials: { platformToken: double.platformToken },
      owners: [{ name: 'Ada', email: 'ada@owners.example' }],
    });
    await app.flows.enableChatbot(scope, { chatbotId: 'bot-1', name: 'Shop bot', accountId: null, policy: {} });
    const { session } = await app.flows.openSession(scope, {
      chatbotId: 'bot-1',
      channel: 'web',
      externalId: randomUUID(),
      endUser: { name: 'Eve' },
    });
    await app.flows.recordEndUserMessage(scope, {
      sessionId: session.id,
      text: 'hello',
      attachments: [],
      messageId: null,
      idempotencyKey: 'one',
    });
    const conversationId = await found(
      async () => (await app.stores.sessions.get(ORG, session.id))!.conversationId ?? undefined,
    );
    const remote = new ChatwootApi(double.baseUrl, double.platformToken);
    const admin = (await remote.administratorOf(account.externalId!))!;
    const ada = (await remote.get(`/api/v1/accounts/${account.externalId}/agents`, admin)).find(
      ({ email }: { email: string }) => email === 'ada@owners.example',
    );
    const acting = double.agent(ada.id, {
      accountId: Number(account.externalId),
      conversationId: Number(conversationId),
    });

    const messageId = await acting.attach({ filename: 'bill.pdf', contentType: 'application/pdf', bytes: 'the bill' });
    const key = await found(() => [...bucket.objects.keys()][0]);
    expect(key).toMatch(/^support\/[0-9a-f-]{36}-0$/);
    const [file] = await attachmentsOf(session.id);
    expect(file!.url.startsWith(`${app.url}/files/`)).toBe(true);
    const response = await fetch(file!.url);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'application/pdf',
      'the bill',
    ]);

    await acting.deleteMessage(messageId);
    await found(() => (bucket.objects.size === 0 ? true : undefined));
    expect((await fetch(file!.url)).status).toBe(404);
  });
});

it('a start without a bucket does not load the library for it', () => {
  const look =
    "require('./src/media/open-store.ts').openMediaStore({ folder: 'x', s3: null }, {}).then(() => console.log(Object.keys(require.cache).filter((file) => file.includes('@aws-sdk')).length))";
  const options = { cwd: ROOT, encoding: 'utf8' as const };
  expect(execFileSync(process.execPath, ['-r', './test/support/run-typescript.cjs', '-e', look], options).trim()).toBe(
    '0',
  );
});
