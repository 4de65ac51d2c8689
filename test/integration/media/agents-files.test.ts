import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createChatwootWorld, ORG, type ChatwootWorld } from '../../../src/providers/chatwoot/testing/chatwoot-world';
import { runFileWork } from '../../../src/providers/chatwoot/testing/run-file-work';
import { ARCHIVE_TIMES } from '../../../src/core/flows/archive-file';
import { LINK_MS, MediaLinks } from '../../../src/media/media-links';
import { createFileServer, OPEN_RETRIES } from '../../../src/media/serve-file';
import { until } from '../../support/until';

const OF_FILES = /^\/rails\//;

describe("an agent's file", () => {
  let world: ChatwootWorld;
  let server: Server;
  let providerMessageId: number;
  let act: Awaited<ReturnType<ChatwootWorld['acting']>>;
  const time = { ms: Date.now() };
  const links = new MediaLinks(Buffer.alloc(32, 7), () => time.ms);
  let lastMessageId: () => Promise<string>;
  let url: (file?: { index?: number; organizationId?: string; messageId?: string }) => string;
  const asked = () => world.double.requests().filter(({ path }) => OF_FILES.test(path)).length;

  beforeEach(async () => {
    world = await createChatwootWorld();
    const serve = createFileServer({
      links,
      files: world.deps.files!,
      stores: world.stores,
      clock: world.deps.clock,
      readerStallMs: 60_000,
    });
    server = createServer((request, response) => void serve(request, response));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    act = await world.acting(alice, sessionId);
    providerMessageId = await act.attach({ filename: 'bill 1.pdf', contentType: 'application/pdf', bytes: 'the bill' });
    await world.runDueSyncs();
    lastMessageId = async () =>
      (await world.inboxOf(sessionId))
        .flatMap(({ notice }) => (notice.kind === 'MESSAGE' ? [notice.messageId] : []))
        .at(-1)!;
    const first = await lastMessageId();
    url = ({ index = 0, organizationId = ORG, messageId = first } = {}) =>
      `http://127.0.0.1:${(server.address() as AddressInfo).port}${links.createPath({ organizationId, messageId, index }, 'bill 1.pdf')}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    await world.close();
  });

  it('is fetched once, stored, and served as a download under our own link', async () => {
    const first = await fetch(url());
    expect([first.status, first.headers.get('content-type'), await first.text()]).toEqual([
      200,
      'application/pdf',
      'the bill',
    ]);
    expect(first.headers.get('content-disposition')).toContain('attachment');
    await world.double.outage('web');
    expect(await (await fetch(url())).text()).toBe('the bill');
    await world.double.outage(null);
    expect(readdirSync(world.mediaFolder, { recursive: true }).filter(name => String(name).includes('.part'))).toEqual(
      [],
    );
  });

  it('is served from our store, also when the support system has lost it since', async () => {
    expect(await runFileWork(world)).toEqual(['done']);
    world.double.clearRequests();
    await world.double.outage('web');
    const head = await fetch(url(), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '8', '']);
    expect(await (await fetch(url())).text()).toBe('the bill');
    expect(asked()).toBe(0);
    await world.double.outage(null);
  });

  it('is fetched once, however many open it at the same moment together with the worker', async () => {
    const opened = Array.from({ length: 5 }, async () => (await fetch(url())).text());
    expect(await runFileWork(world)).toEqual(['done']);
    expect(await Promise.all(opened)).toEqual(Array(5).fill('the bill'));
    // The address in the message, and the target of its redirect.
    expect(asked()).toBe(2);
  });

  it.each([
    ['voice', 'audio/ogg', Buffer.from('OggS and what an agent says'), 'audio/ogg'],
    ['photo', 'image/png', Buffer.from('89504e470d0a1a0a', 'hex'), 'image/png'],
  ])(
    'without an extension has the type of its bytes, not a guessed one: %s',
    async (filename, contentType, bytes, type) => {
      await act.attach({ filename, contentType, bytes });
      await world.runDueSyncs();
      const messageId = await lastMessageId();
      const response = await fetch(url({ messageId }));
      expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
      expect((await world.stores.messages.get(ORG, messageId))!.attachments).toEqual([
        expect.objectContaining({
          name: `${filename}.${type.split('/')[1]}`,
          contentType: type,
          sizeBytes: bytes.length,
        }),
      ]);
    },
  );

  it('of an end-user is served by the same kind of link', async () => {
    const host = createServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'image/png' }).end('a photo'),
    );
    await new Promise<void>(resolve => host.listen(0, '127.0.0.1', resolve));
    const sessionId = (await world.open()).id;
    const { message } = await world.user(sessionId, 'look', {
      attachments: [
        {
          url: `http://127.0.0.1:${(host.address() as AddressInfo).port}/photo`,
          name: 'photo',
          contentType: 'image/png',
          sizeBytes: null,
        },
      ],
    });
    expect(await (await fetch(url({ messageId: message.id }))).text()).toBe('a photo');
    host.closeAllConnections();
    await new Promise(resolve => host.close(resolve));
    expect(await (await fetch(url({ messageId: message.id }))).text()).toBe('a photo');
  });

  it('is awaited briefly when it does not exist yet', async () => {
    world.double.failNext({ mode: 'status:404', times: 2, match: { path: OF_FILES } });
    expect(await (await fetch(url())).text()).toBe('the bill');
  });

  it('is to be requested later when it does not exist for longer, or gone when its message is old', async () => {
    world.double.failNext({ mode: 'status:404', times: OPEN_RETRIES.attempts + 1, match: { path: OF_FILES } });
    const later = await fetch(url());
    expect([later.status, later.headers.get('retry-after')]).toEqual([503, String(OPEN_RETRIES.retryAfterSeconds)]);
    world.time.aheadMs += ARCHIVE_TIMES.appearsWithinMs;
    expect((await fetch(url())).status).toBe(410);
    expect(asked()).toBe(OPEN_RETRIES.attempts + 1);
  });

  it.each([
    ['setup.exe', 'the program', 415],
    ['large.pdf', 'x'.repeat(1_000_001), 413],
  ])('is not served when it exceeds our limits: %s', async (filename, bytes, status) => {
    await act.attach({ filename, contentType: 'application/pdf', bytes });
    await world.runDueSyncs();
    expect((await fetch(url({ messageId: await lastMessageId() }))).status).toBe(status);
    expect(await (await fetch(url())).text()).toBe('the bill');
  });

  it('of a deleted message is no longer served or stored', async () => {
    expect((await fetch(url())).status).toBe(200);
    await act.deleteMessage(providerMessageId);
    await world.runDueSyncs();
    expect((await fetch(url())).status).toBe(404);
    await runFileWork(world);
    expect(readdirSync(world.mediaFolder, { recursive: true }).filter(name => String(name).length > 3)).toEqual([]);
  });

  it('is refused for a changed link, an expired link, or another organization', async () => {
    const good = url();
    expect((await fetch(good.replace(/\/files\/(..)/, '/files/AA'))).status).toBe(404);
    expect((await fetch(url({ organizationId: 'org-2' }))).status).toBe(404);
    expect((await fetch(url({ index: 1 }))).status).toBe(404);
    time.ms += LINK_MS;
    expect((await fetch(good)).status).toBe(404);
    expect((await fetch(url())).status).toBe(200);
  });

  it('gets a 502 while Chatwoot is down, stores nothing, and works afterwards', async () => {
    await world.double.outage('web');
    expect((await fetch(url())).status).toBe(502);
    await world.double.outage(null);
    expect((await fetch(url())).status).toBe(200);
  });
});

it('a file whose reader reads nothing is abandoned, and its slot is free again', async () => {
  const links = new MediaLinks(Buffer.alloc(32, 7), Date.now);
  const messageId = randomUUID();
  let isGivenUp = false;
  async function* endless() {
    try {
      for (;;) yield Buffer.alloc(64 * 1024);
    } finally {
      isGivenUp = true;
    }
  }
  const media = { read: async () => ({ sizeBytes: 1e12, body: endless() }) };
  const message = {
    deletedAt: null,
    createdAt: new Date().toISOString(),
    attachments: [{ name: 'a', contentType: 'text/plain', url: '', sizeBytes: null }],
  };
  const serve = createFileServer({
    links,
    clock: { now: Date.now },
    readerStallMs: 300,
    stores: { messages: { get: async () => message } } as never,
    files: { archive: async () => 'archived', media } as never,
  });
  let isOver = false;
  const server = createServer(
    (request, response) =>
      void serve(request, response).then(() => {
        isOver = true;
      }),
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const reader = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  reader.pause();
  reader.write(
    `GET ${links.createPath({ organizationId: ORG, messageId, index: 0 }, 'a')} HTTP/1.1\r\nHost: x\r\n\r\n`,
  );
  await until(() => isOver && isGivenUp).finally(() => {
    reader.destroy();
    server.closeAllConnections();
    server.close();
  });
});
