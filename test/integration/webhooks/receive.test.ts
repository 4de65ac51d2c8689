import { randomBytes, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { WebhookRejectedError, type WebhookRejection } from '../../../src/core/request-errors';
import { accessOf } from '../../../src/core/flows/deps';
import type { WebhookHint, WebhookRequest } from '../../../src/core/ports/provider/webhook';
import type { SessionRecord } from '../../../src/core/session';
import type { AccountRecord } from '../../../src/core/setup';
import { createLogger, createRoomLog } from '../../../src/logging';
import { createPool, createStores, SecretBox } from '../../../src/persistence';
import { createWebhookReceiver, type WebhookDeps } from '../../../src/webhooks/receive-webhook';
import { createFlowWorld, ORG } from '../../../src/testing/flow-world';
import { rawConnection, startServer, type RunningServer } from '../server/start-server';
import { until } from '../../support/until';

let world: Awaited<ReturnType<typeof createFlowWorld>>;
let account: AccountRecord;
let session: SessionRecord;
let running: RunningServer;
let roomLog: string[];
let parsed: WebhookRequest[];
let parse: (request: WebhookRequest) => WebhookHint;

beforeAll(async () => {
  world = await createFlowWorld();
  [account] = (await world.stores.setup.listAccounts(ORG)) as [AccountRecord];
  session = await world.open();
  await world.stores.sessions.transact(ORG, session.id, tx =>
    tx.updateSession({ contactId: 'contact-1', conversationId: 'conversation-1' }),
  );
});
afterAll(() => world.close());

async function start(overrides: Partial<WebhookDeps> = {}): Promise<void> {
  roomLog = [];
  parsed = [];
  parse = () => ({ kind: 'conversation', conversationId: 'conversation-1' });
  running = await startServer({
    webhooks: createWebhookReceiver({
      stores: world.stores,
      clock: world.deps.clock,
      bodyLimitBytes: 1_048_576,
      accessOf: known => accessOf(world.deps, known),
      log: createRoomLog(
        createLogger({
          level: 'info',
          destination: {
            write: line => {
              roomLog.push(line);
            },
          },
        }),
        'webhooks',
      ),
      providerOf: () => ({
        parseWebhook: request => {
          parsed.push(request);
          return parse(request);
        },
      }),
      ...overrides,
    }),
  });
}
beforeEach(() => start());
afterEach(() => running.server.stop());

const post = (
  path: string,
  body: string | Buffer = '{"event":"message_created"}',
  headers: Record<string, string> = {},
) => fetch(running.url + path, { method: 'POST', body, headers });
const right = (): string => `/webhooks/${account.id}/${account.webhookSecret}`;
const outcomes = () => roomLog.map(line => (JSON.parse(line) as { outcome: string }).outcome);

/** Takes the due syncs, so that the next ones can be distinguished. */
async function dueReadings(): Promise<string[]> {
  const claimed = await world.stores.lanes.claimSyncs('HINT', 100, 60_000);
  for (const sync of claimed) await world.stores.lanes.finishSync(sync, null, false);
  return claimed.map(sync => sync.sessionId);
}
beforeEach(dueReadings);

describe('a webhook of a connected account', () => {
  it('that was compressed is verified as it was signed: its signature covers the inflated body', async () => {
    const said = '{"event":"message_created","id":1}';
    expect((await post(right(), gzipSync(said), { 'content-encoding': 'gzip' })).status).toBe(200);
    expect(parsed.map(({ rawBody }) => rawBody.toString())).toEqual([said]);
    const refused = await post(right(), said, { 'content-encoding': 'zstd' });
    expect([refused.status, refused.headers.get('accept-encoding')]).toEqual([415, 'gzip, deflate, br']);
    expect(outcomes()).toEqual(['recorded', 'CONTENT_ENCODING_UNSUPPORTED']);
  });

  it('has requested a sync of that conversation before the sender gets its 200', async () => {
    const response = await post(right());
    expect([response.status, await response.json()]).toEqual([200, { outcome: 'recorded' }]);
    expect(await dueReadings()).toEqual([session.id]);
  });

  it('is cheap when it is repeated, also at the same moment', async () => {
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await post(right())).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await dueReadings()).toEqual([session.id]);
  });

  it('reaches the provider as raw bytes with its headers, the account and the time, never parsed by the core', async () => {
    const body = randomBytes(5_000);
    expect((await post(right(), body, { 'x-signature': 'sha256=abc' })).status).toBe(200);
    expect(parsed).toEqual([
      expect.objectContaining({
        rawBody: body,
        receivedAt: world.time.ms,
        headers: expect.objectContaining({ 'x-signature': 'sha256=abc' }),
        account: expect.objectContaining({ accountId: account.id, webhookUrl: expect.stringContaining(right()) }),
      }),
    ]);
  });

  it("reaches the provider with the account's inboxes, since some servers sign each with its own secret", async () => {
    const [inbox] = await world.stores.setup.listInboxes(ORG, account.id);
    await post(right());
    expect(parsed[0]!.inboxes).toEqual([{ externalId: inbox!.externalId, providerData: inbox!.providerData }]);
  });

  it("may have a longer path and a query, for the provider's own use", async () => {
    expect((await post(`${right()}/inbox/7?x=1`)).status).toBe(200);
    expect(await dueReadings()).toEqual([session.id]);
  });

  it('about a foreign conversation gets 200 and has no effect', async () => {
    parse = () => ({ kind: 'conversation', conversationId: 'conversation-9' });
    const response = await post(right());
    expect([response.status, await response.json()]).toEqual([200, { outcome: 'unknownConversation' }]);
    expect(await dueReadings()).toEqual([]);
  });

  it('that the provider does not use gets 200 and has no effect', async () => {
    parse = () => ({ kind: 'ignored', reason: 'typing' });
    const response = await post(right());
    expect([response.status, await response.json()]).toEqual([200, { outcome: 'ignored' }]);
    expect(await dueReadings()).toEqual([]);
  });

  it("cannot affect another account's conversation, whatever it names", async () => {
    const other = await world.stores.setup.insertAccount({
      ...account,
      id: randomUUID(),
      organizationId: 'org-2',
      webhookSecret: 'other-secret',
    });
    const response = await post(`/webhooks/${other.id}/${other.webhookSecret}`);
    expect(await response.json()).toEqual({ outcome: 'unknownConversation' });
    expect(await dueReadings()).toEqual([]);
  });
});

describe('a webhook under an unknown address', () => {
  it.each([
    ['an unknown account', () => `/webhooks/${randomUUID()}/${account.webhookSecret}`],
    ['a wrong secret', () => `/webhooks/${account.id}/${'x'.repeat(43)}`],
    ['a secret that goes on', () => `${right()}x`],
    ['a secret that stops early', () => right().slice(0, -1)],
    ['no secret', () => `/webhooks/${account.id}`],
    ['an empty secret', () => `/webhooks/${account.id}/`],
    ['an account that is no id', () => `/webhooks/1%27%20or%201=1/${account.webhookSecret}`],
    ['an escaped NUL', () => `/webhooks/${account.id}/%00`],
    ['a very long secret', () => `/webhooks/${account.id}/${'x'.repeat(8_000)}`],
  ])('always gets the same 404, is not parsed and has no effect: %s', async (_what, path) => {
    const [response, unknown] = await Promise.all([post(path()), post(`/webhooks/${randomUUID()}/y`)]);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe(await unknown.text());
    expect(parsed).toEqual([]);
    expect(await dueReadings()).toEqual([]);
  });
});

it.each(['GET', 'PUT', 'DELETE'])('%s gets 405, without a lookup of the account', async method => {
  const response = await fetch(running.url + right(), { method });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  expect(parsed).toEqual([]);
});

it.each<[WebhookRejection, number]>([
  ['badSignature', 401],
  ['stale', 401],
  ['malformed', 400],
  ['unknownConnection', 404],
  ['tooLarge', 413],
])('what the provider rejects as %s gets %i and has no effect', async (why, status) => {
  parse = () => {
    throw new WebhookRejectedError(why, 'The webhook was rejected.');
  };
  const response = await post(right());
  expect([response.status, await response.json()]).toEqual([
    status,
    { error: { code: 'WEBHOOK_REJECTED', why, message: expect.any(String) } },
  ]);
  expect(await dueReadings()).toEqual([]);
  expect(outcomes()).toEqual([why]);
});

describe('a body that is too large', () => {
  const TWO_MEGABYTES = 2 * 1_048_576;

  it('gets 413, its connection is closed, and it is not parsed', async () => {
    const response = await post(right(), Buffer.alloc(TWO_MEGABYTES, 'a'));
    expect([response.status, response.headers.get('connection')]).toEqual([413, 'close']);
    expect(parsed).toEqual([]);
    expect(await dueReadings()).toEqual([]);
    expect(outcomes()).toEqual(['tooLarge']);
  });

  it('gets 413 as well when its size is not declared, and the sender can read the response', async () => {
    const raw = rawConnection(running.port);
    raw.socket.write(`POST ${right()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (let sent = 0; sent < TWO_MEGABYTES; sent += 0x10000) raw.socket.write(`10000\r\n${'a'.repeat(0x10000)}\r\n`);
    raw.socket.write('0\r\n\r\n');
    await raw.closed;
    expect(raw.received()).toMatch(/^HTTP\/1\.1 413/);
    expect(raw.received()).toContain('WEBHOOK_REJECTED');
    expect(parsed).toEqual([]);
  });

  it('is not awaited: an endless sender loses its connection', async () => {
    const raw = rawConnection(running.port);
    raw.socket.write(`POST ${right()} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000000\r\n\r\n`);
    const pump = setInterval(() => raw.socket.write('a'.repeat(1_000_000)), 1);
    await raw.closed;
    clearInterval(pump);
    expect(raw.received()).toMatch(/^HTTP\/1\.1 413/);
    expect(raw.socket.bytesWritten).toBeLessThan(100_000_000);
  });

  it('is accepted one byte below the limit', async () => {
    expect((await post(right(), Buffer.alloc(1_048_576, 'a'))).status).toBe(200);
    expect((await post(right(), Buffer.alloc(1_048_577, 'a'))).status).toBe(413);
  });
});

describe('a sender that disconnects halfway', () => {
  const half = () => `POST ${right()} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc`;
  const leave = async (raw: ReturnType<typeof rawConnection>) => {
    raw.socket.destroy();
    await until(() => running.lines.some(line => line.msg === 'request'));
  };
  const expectNothing = async () => {
    await until(() => roomLog.length === 1);
    expect(outcomes()).toEqual(['senderDisconnected']);
    expect(parsed).toEqual([]);
    expect(await dueReadings()).toEqual([]);
  };

  it('has no effect', async () => {
    let isKnown = false;
    await running.server.stop();
    await start({
      stores: {
        ...world.stores,
        setup: {
          ...world.stores.setup,
          listInboxes: () => Promise.resolve([]),
          findAccountForWebhook: () => {
            isKnown = true;
            return Promise.resolve(account);
          },
        },
      },
    });
    const raw = rawConnection(running.port);
    raw.socket.write(half());
    await until(() => isKnown);
    await leave(raw);
    await expectNothing();
  });

  it('has none either when it disconnects while its account is looked up, and nothing waits for it', async () => {
    let isAsked = false;
    let answer!: (known: AccountRecord) => void;
    await running.server.stop();
    await start({
      stores: {
        ...world.stores,
        setup: {
          ...world.stores.setup,
          listInboxes: () => Promise.resolve([]),
          findAccountForWebhook: () => {
            isAsked = true;
            return new Promise(resolve => {
              answer = resolve;
            });
          },
        },
      },
    });
    const raw = rawConnection(running.port);
    raw.socket.write(half());
    await until(() => isAsked);
    await leave(raw);
    answer(account);
    await expectNothing();
  });
});

it('a wrong signature has the account checked at once, but not repeatedly', async () => {
  const nextCheckInMs = async () =>
    Number(
      (
        await world.pool.query<{ ms: string }>(
          'select extract(epoch from next_check_at - now()) * 1000 as ms from support_account where id = $1',
          [account.id],
        )
      ).rows[0]!.ms,
    );
  await world.stores.setup.scheduleCheck(account.id, 900_000);
  parse = () => {
    throw new WebhookRejectedError('stale', 'old');
  };
  await post(right());
  expect(await nextCheckInMs()).toBeGreaterThan(800_000);
  parse = () => {
    throw new WebhookRejectedError('badSignature', 'no');
  };
  await world.pool.query(
    "update support_account set health = health || jsonb_build_object('checkedAt', $2::text) where id = $1",
    [account.id, new Date(world.deps.clock.now()).toISOString()],
  );
  expect((await post(right())).status).toBe(401);
  expect(await nextCheckInMs()).toBeGreaterThan(800_000);
  await world.pool.query(
    "update support_account set health = health || jsonb_build_object('checkedAt', $2::text) where id = $1",
    [account.id, new Date(world.deps.clock.now() - 120_000).toISOString()],
  );
  await post(right());
  expect(await nextCheckInMs()).toBeLessThanOrEqual(1);
});

describe('a webhook that cannot be recorded', () => {
  it('gets 503 so that the sender may retry: the database is down', async () => {
    await running.server.stop();
    const pool = createPool('postgres://support:hunter2@127.0.0.1:1/none', {});
    await start({
      stores: createStores(pool, {
        secretBox: new SecretBox(randomBytes(32)),
        clock: world.deps.clock,
        wake: { committed: () => undefined },
      }),
    });
    const response = await post(right());
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.text()).not.toContain('hunter2');
    expect(roomLog.join('')).toContain('ECONNREFUSED');
    expect(roomLog.join('')).not.toContain('hunter2');
    await pool.end();
  });

  it('gets 503 and no 200: the transaction fails after the Session was found', async () => {
    await running.server.stop();
    const { sessions } = world.stores;
    await start({
      stores: {
        ...world.stores,
        sessions: {
          findByConversation: () => Promise.resolve({ ...session, id: randomUUID() }),
          transact: (...work) => sessions.transact(...work),
        },
      },
    });
    expect((await post(right())).status).toBe(503);
    expect(await dueReadings()).toEqual([]);
  });

  it("gets 503: the provider's code fails", async () => {
    parse = () => {
      throw new TypeError('boom');
    };
    expect((await post(right())).status).toBe(503);
  });
});

it('a webhook is logged with account, outcome and size, and never with content, header or secret', async () => {
  await post(`${right()}/hunter2`, '{"content":"hunter2"}', { 'x-signature': 'hunter2' });
  parse = () => {
    throw new WebhookRejectedError('badSignature', 'hunter2');
  };
  await post(right(), 'hunter2');
  await post(`/webhooks/${account.id}/hunter2`, 'hunter2');
  await until(() => running.lines.filter(line => line.msg === 'request').length === 3);
  expect(roomLog.map(line => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ level: 'info', room: 'webhooks', accountId: account.id, outcome: 'recorded', bytes: 21 }),
    expect.objectContaining({ level: 'warn', accountId: account.id, outcome: 'badSignature', bytes: 7 }),
    expect.objectContaining({ level: 'warn', outcome: 'unknownConnection' }),
  ]);
  const everything = roomLog.join('') + running.log.join('');
  expect(everything).not.toContain('hunter2');
  expect(everything).not.toContain(account.webhookSecret);
});
