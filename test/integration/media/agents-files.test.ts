import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createChatwootWorld, ORG, type ChatwootWorld } from '../../support/chatwoot-world';
import { accessOf } from '../../../src/core/flows/deps';
import { FolderMediaStore } from '../../../src/media/folder-store';
import { LINK_MS, MediaLinks } from '../../../src/media/links';
import { fileServer } from '../../../src/media/serve-file';
import { FILE_LIMITS, openFile } from '../../../src/providers/chatwoot/file-download';

describe('an agent\'s file', () => {
  let world: ChatwootWorld;
  let server: Server;
  let folder: string;
  const time = { ms: Date.now() };
  const links = new MediaLinks(Buffer.alloc(32, 7), () => time.ms);
  let url: (file?: { index?: number; organizationId?: string }) => string;

  beforeEach(async () => {
    world = await createChatwootWorld();
    folder = mkdtempSync(path.join(tmpdir(), 'media-'));
    const serve = fileServer({ links, media: new FolderMediaStore(folder), stores: world.stores, providerOf: () => world.provider, accessOf: (account) => accessOf(world.deps, account) });
    server = createServer((request, response) => void serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    await (await world.acting(alice, sessionId)).attach({ filename: 'bill 1.pdf', contentType: 'application/pdf', bytes: 'the bill' });
    await world.readHinted();
    const notice = (await world.inboxOf(sessionId)).map((one) => one.notice).filter((one) => one.kind === 'MESSAGE').at(-1)!;
    const messageId = (notice as { messageId: string }).messageId;
    url = ({ index = 0, organizationId = ORG } = {}) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${links.pathOf({ organizationId, messageId, index }, 'bill 1.pdf')}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
    await world.close();
  });

  it('is fetched once, kept, and served as a download under our own link', async () => {
    const first = await fetch(url());
    expect([first.status, first.headers.get('content-type'), await first.text()]).toEqual([200, 'application/pdf', 'the bill']);
    expect(first.headers.get('content-disposition')).toContain('attachment');
    await world.double.outage('web');
    expect(await (await fetch(url())).text()).toBe('the bill');
    await world.double.outage(null);
    expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).includes('.part'))).toEqual([]);
  });

  it('is not given to who changed the link, came too late, or asks in another organization\'s name', async () => {
    const good = url();
    expect((await fetch(good.replace(/\/files\/(..)/, '/files/AA'))).status).toBe(404);
    expect((await fetch(url({ organizationId: 'org-2' }))).status).toBe(404);
    expect((await fetch(url({ index: 1 }))).status).toBe(404);
    time.ms += LINK_MS;
    expect((await fetch(good)).status).toBe(404);
    expect((await fetch(url())).status).toBe(200);
  });

  it('answers 502 while Chatwoot is away, keeps nothing, and works afterwards', async () => {
    await world.double.outage('web');
    expect((await fetch(url())).status).toBe(502);
    await world.double.outage(null);
    expect((await fetch(url())).status).toBe(200);
  });
});

describe('fetching', () => {
  const access = { accountId: 'a', externalId: '1', baseUrl: 'https://chatwoot.example', settings: {}, credentials: { botToken: 'secret' }, webhookUrl: '' };
  const attachment = { url: 'https://chatwoot.example/rails/x/a.png', name: 'a.png', contentType: 'image/png', sizeBytes: null };
  const asked: { url: string; headers: unknown }[] = [];
  const answering = (...answers: (() => Response)[]) => (async (address: URL, init?: RequestInit) => {
    asked.push({ url: String(address), headers: init?.headers });
    return (answers.length > 1 ? answers.shift()! : answers[0]!)();
  }) as typeof fetch;
  const to = (location: string) => () => new Response(null, { status: 302, headers: { location } });
  const found = () => new Response('bytes');
  const missing = () => new Response(null, { status: 404 });
  const read = async (fetch: typeof globalThis.fetch) => {
    let text = '';
    for await (const chunk of await openFile(fetch, access, attachment, AbortSignal.timeout(20_000))) text += Buffer.from(chunk).toString();
    return text;
  };
  beforeEach(() => { asked.length = 0; });

  it('tries again while the file is not there yet, and gives up by name', async () => {
    expect(await read(answering(missing, missing, found))).toBe('bytes');
    const gone = answering(missing);
    await expect(read(gone)).rejects.toMatchObject({ code: 'PROVIDER_REFUSED', gone: true });
    expect(asked.length).toBe(3 + FILE_LIMITS.missingTries);
  }, 20_000);

  it('follows one redirect, without a token, and not into a private network', async () => {
    expect(await read(answering(to('https://203.0.113.9/bucket/a.png'), found))).toBe('bytes');
    expect(JSON.stringify(asked)).not.toContain('secret');
    for (const hidden of ['http://127.0.0.1/x', 'http://169.254.169.254/latest', 'http://10.0.0.1/', 'file:///etc/passwd'])
      await expect(read(answering(to(hidden), found))).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
    await expect(read(answering(to('https://203.0.113.9/1'), to('https://203.0.113.9/2'), found))).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });

  it('ends at the size limit, whether it was announced or not', async () => {
    const announced = () => new Response('x', { headers: { 'content-length': String(FILE_LIMITS.bytes + 1) } });
    await expect(read(answering(announced))).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
    const chunk = new Uint8Array(8 * 1024 * 1024);
    let left = 20;
    const endless = () => new Response(new ReadableStream({ pull(controller) { if (left-- > 0) controller.enqueue(chunk); else controller.close(); } }));
    const size = openFile(answering(endless), access, attachment, AbortSignal.timeout(20_000)).then(async (body) => { for await (const _one of body); });
    await expect(size).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });
});
