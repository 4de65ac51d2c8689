import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startApp, type App } from '../../src/app';
import { loadConfig } from '../../src/config';
import { createLogger } from '../../src/logging';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';

/** A server in the operator's network: it must not be called for a tenant. */
let inside: Server;
let insideUrl: string;
let insideCalls = 0;
let database: TestDatabase;
const apps: App[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  inside = createServer((_request, response) => {
    insideCalls += 1;
    response.writeHead(404).end();
  });
  await new Promise<void>(resolve => inside.listen(0, '127.0.0.1', resolve));
  insideUrl = `http://127.0.0.1:${(inside.address() as AddressInfo).port}`;
});
beforeEach(() => {
  insideCalls = 0;
});
afterAll(async () => {
  for (const app of apps) await app.stop();
  inside.closeAllConnections();
  await new Promise(resolve => {
    inside.close(resolve);
  });
  await database?.drop();
});

async function start(
  env: Readonly<Record<string, string>>,
): Promise<
  (
    organizationId: string,
    baseUrl: string,
    settings?: Readonly<Record<string, unknown>>,
  ) => ReturnType<App['flows']['enableSupport']>
> {
  const config = loadConfig({
    PORT: '0',
    DATABASE_URL: database.url,
    SUPPORT_SECRET_KEY: randomBytes(32).toString('base64'),
    LOG_LEVEL: 'silent',
    ...env,
  });
  const app = await startApp(config, createLogger({ level: 'silent' }));
  apps.push(app);
  return (organizationId, baseUrl, settings = {}) =>
    app.flows.enableSupport(
      { organizationId },
      {
        provider: 'chatwoot',
        name: 'Acme',
        baseUrl,
        settings,
        credentials: { platformToken: 'a-token' },
        owners: [],
      },
    );
}
const IDENTITY = { SUPPORT_GATEWAY_SECRET: 'a'.repeat(32) };

it('no tenant can make a public service call its own network', async () => {
  const enable = await start(IDENTITY);
  for (const baseUrl of [
    insideUrl,
    insideUrl.replace('127.0.0.1', 'localhost'),
    insideUrl.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
    insideUrl.replace('127.0.0.1', '0x7f.1'),
    'http://db:5432',
    'http://169.254.169.254',
  ])
    await expect(enable('org-1', baseUrl)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      field: 'baseUrl',
      message: expect.stringContaining('SUPPORT_ALLOW_PRIVATE_ADDRESSES'),
    });
  for (const baseUrl of [
    'https://chatwoot.example.com/admin#',
    'https://chatwoot.example.com/admin?',
    'https://me@chatwoot.example.com',
    'https://chatwoot.example.com\\admin',
    ' https://chatwoot.example.com',
  ])
    await expect(enable('org-1', baseUrl)).rejects.toMatchObject({ code: 'INPUT_INVALID', field: 'baseUrl' });
  await expect(enable('org-1', 'https://93.184.216.34', { allowPrivateAttachments: true })).rejects.toMatchObject({
    field: 'settings.allowPrivateAttachments',
  });
  expect(insideCalls).toBe(0);
});

it('a name that cannot be resolved is reported without internal detail', async () => {
  const enable = await start(IDENTITY);
  const { account } = await enable('org-2', 'http://nobody.support.invalid');
  expect(account).toMatchObject({
    state: 'FAILED',
    problem: { code: 'PROVIDER_UNAVAILABLE', message: expect.stringContaining('cannot be reached') },
  });
  expect(account.problem?.message).not.toMatch(/ENOTFOUND|EAI_AGAIN|\d+\.\d+\.\d+\.\d+/);
});

it.each([
  ['the operator of a service that others call', { ...IDENTITY, SUPPORT_ALLOW_PRIVATE_ADDRESSES: '127.0.0.1' }],
  ['a first start, which serves only this machine', {}],
])('%s may use a support system on this machine', async (_what, env) => {
  const enable = await start(env);
  const { account } = await enable(`org-${apps.length + 2}`, insideUrl);
  expect(account.state).toBe('FAILED');
  expect(insideCalls).toBeGreaterThan(0);
});
