import { randomBytes } from 'node:crypto';
import { startApp, type App } from '../../src/app';
import { loadConfig } from '../../src/config';
import { createLogger } from '../../src/logging';
import { createTestDatabase, type TestDatabase } from '../support/database';

describe('the whole service', () => {
  let database: TestDatabase;
  let app: App;
  const called: string[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    app = await startApp(
      loadConfig({ PORT: '0', DATABASE_URL: database.url, SUPPORT_SECRET_KEY: randomBytes(32).toString('base64'), LOG_LEVEL: 'silent' }), createLogger({ level: 'silent' }),
      { fetch: async (input) => { called.push(new URL(input instanceof Request ? input.url : input).hostname); throw new TypeError('fetch failed'); } },
    );
  });
  afterAll(async () => {
    await app?.stop();
    await database?.drop();
  });
  const enable = (organizationId: string, baseUrl: string) => app.flows.enableSupport({ organizationId }, {
    provider: 'chatwoot', name: 'Acme', baseUrl, settings: {}, credentials: { platformToken: 'a-token' }, owners: [],
  });

  it('calls no support system whose name has not been found in its turn', async () => {
    const { account } = await enable('org-1', 'http://nobody.support.invalid');
    expect(account).toMatchObject({ state: 'FAILED', problem: { code: 'PROVIDER_UNAVAILABLE' } });
    expect(called).toEqual([]);
    await enable('org-2', 'http://127.0.0.1:9');
    expect(new Set(called)).toEqual(new Set(['127.0.0.1']));
  });
});
