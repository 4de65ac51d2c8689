import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client, Pool } from 'pg';
import { startApp } from '../../src/app';
import { loadConfig } from '../../src/config';
import { createLogger } from '../../src/logging';
import { createTestDatabase } from '../../src/testing/database';

const scope = { organizationId: 'org-example' };

it('background work, including files and providers, takes no connection of the callers', async () => {
  const used: string[] = [];
  const { connect } = Pool.prototype;
  const spy = jest.spyOn(Pool.prototype, 'connect').mockImplementation(function (
    this: Pool & { options: { application_name: string } },
    ...args: unknown[]
  ) {
    used.push(this.options.application_name);
    return (connect as (...args: unknown[]) => unknown).apply(this, args) as never;
  } as never);
  const folder = mkdtempSync(path.join(tmpdir(), 'media-'));
  const held: (() => void)[] = [];
  const host = createServer((_request, response) => {
    held.push(() => response.writeHead(200, { 'content-type': 'image/png' }).end('a photo'));
  });
  await new Promise<void>(resolve => host.listen(0, '127.0.0.1', resolve));
  const database = await createTestDatabase();
  const look = new Client({ connectionString: database.url });
  await look.connect();
  const app = await startApp(
    loadConfig({
      PORT: '0',
      DATABASE_URL: database.url,
      SUPPORT_SECRET_KEY: randomBytes(32).toString('base64'),
      LOG_LEVEL: 'silent',
      SUPPORT_MEDIA_DIR: folder,
    }),
    createLogger({ level: 'silent' }),
  );
  try {
    await app.flows.enableSupport(scope, {
      provider: 'desk',
      name: 'Acme',
      baseUrl: null,
      settings: {},
      credentials: {},
      owners: [{ name: 'Ada', email: 'ada@owners.example' }],
    });
    await app.flows.enableChatbot(scope, { chatbotId: 'bot-1', name: 'Shop bot', accountId: null, policy: {} });
    const { session } = await app.flows.openSession(scope, {
      chatbotId: 'bot-1',
      channel: 'web',
      externalId: 'one',
      endUser: { name: 'Eve' },
    });
    const file = {
      url: `http://127.0.0.1:${(host.address() as AddressInfo).port}/photo.png`,
      name: 'photo.png',
      contentType: 'image/png',
      sizeBytes: null,
    };
    await app.flows.recordEndUserMessage(scope, {
      sessionId: session.id,
      text: 'look',
      attachments: [file],
      messageId: null,
      idempotencyKey: 'one',
    });
    while (held.length === 0) await setTimeout(10);
    // From here on only background work runs.
    used.length = 0;
    for (const answer of held) answer();
    const waiting = async () => (await look.query("select 1 from delivery where state = 'WAITING'")).rowCount;
    while ((await waiting()) !== 0) await setTimeout(10);
    const counted = [...used];
    expect(readdirSync(folder, { recursive: true }).filter(name => String(name).length > 3)).toHaveLength(1);
    expect((await look.query('select name, content from desk_attachment')).rows).toEqual([
      { name: 'photo.png', content: Buffer.from('a photo') },
    ]);
    expect(counted.filter(name => name === 'support')).toEqual([]);
    expect(counted.filter(name => name === 'support-work').length).toBeGreaterThan(0);
  } finally {
    await app.stop();
    await look.end();
    spy.mockRestore();
    host.closeAllConnections();
    host.close();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  }
});
