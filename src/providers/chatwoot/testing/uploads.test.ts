import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { RetainedBytes } from '../../../testing/retained-bytes';
import { ChatwootClient } from '../client';
import type { PostedFile } from '../../../core/ports/provider/post-verbs';
import { stageUploads } from '../stage-uploads';
import { multipart } from '../multipart';
import { ChatwootFixture } from './fixture';

const MB = 1024 * 1024;
const FILE_MB = 16;
/** How much may be in memory at once: chunks in streams and sockets, of the test's servers too. */
const HELD_MB = 4;

const servers: Server[] = [];
async function serve(listener: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  }
});

/** Returns a file that is read in chunks, as from the store; `watch` is called now and then. */
const bigFile = (watch: () => void = () => undefined): PostedFile => ({
  name: 'video.mp4',
  contentType: 'video/mp4',
  sizeBytes: FILE_MB * MB,
  async open() {
    return (async function* () {
      for (let n = 0; n < FILE_MB * 16; n++) {
        if (n % 48 === 0) watch();
        yield Buffer.alloc(MB / 16, n);
      }
    })();
  },
});

describe('a large file of an end-user', () => {
  let temporary: string;
  const uploadsGoTo = (folder: string) => jest.spyOn(os, 'tmpdir').mockReturnValue(folder);
  beforeEach(() => {
    temporary = mkdtempSync(path.join(os.tmpdir(), 'uploads-'));
    uploadsGoTo(temporary);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(temporary, { recursive: true, force: true });
  });

  it('is never whole in memory while it is received, stored, or sent', async () => {
    const held = {
      fetched: await RetainedBytes.now(),
      waiting: await RetainedBytes.now(),
      sent: await RetainedBytes.now(),
    };
    const { files, omittedNames, release } = await stageUploads(
      [bigFile(() => held.fetched.measure())],
      AbortSignal.timeout(170_000),
    );
    expect([files.length, omittedNames.length]).toEqual([1, 0]);
    held.waiting.measure();
    expect(readdirSync(temporary)).toHaveLength(1);

    const arrived = { bytes: 0, headers: {} as Record<string, unknown> };
    const chatwoot = await serve(async (request, response) => {
      arrived.headers = request.headers;
      let next = 4 * MB;
      for await (const chunk of request) {
        arrived.bytes += (chunk as Buffer).length;
        if (arrived.bytes < next) continue;
        next += 4 * MB;
        held.sent.measure();
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":1}');
    });
    const body = multipart({ content: 'look' }, 'attachments[]', files);
    await new ChatwootClient(fetch, chatwoot, 'token', 'agentBot', 16_000).json(
      { method: 'POST', path: '/messages', body },
      AbortSignal.timeout(170_000),
    );
    await release();

    expect(arrived.bytes).toBe(body.size);
    expect(arrived.headers).toMatchObject({ 'content-length': String(body.size) });
    expect(arrived.headers).not.toHaveProperty('transfer-encoding');
    expect(body.size).toBeGreaterThan(FILE_MB * MB);
    for (const { max, measurements } of Object.values(held)) {
      expect(measurements).toBeGreaterThan(0);
      expect(max / MB).toBeLessThan(HELD_MB);
    }
  });

  it('reaches agents whole, and nothing of it stays on our disk, also when Chatwoot refuses or fails', async () => {
    const fixture = await ChatwootFixture.ready();
    try {
      const conversation = await fixture.conversation();
      const attachments = [bigFile()];
      await fixture.post(conversation, 'look', { attachments });
      expect(await fixture.messages(conversation)).toEqual([
        expect.objectContaining({
          attachments: [expect.objectContaining({ file_type: 'video', file_size: FILE_MB * MB })],
        }),
      ]);
      expect(readdirSync(temporary)).toEqual([]);
      for (const mode of ['status:503', 'cutBeforeApply'] as const) {
        fixture.double.failNext({ mode, match: { method: 'POST', path: /\/messages$/ } });
        await expect(fixture.post(conversation, 'again', { attachments })).rejects.toMatchObject({
          code: expect.stringMatching(/^PROVIDER_/),
        });
        expect(readdirSync(temporary)).toEqual([]);
      }
      fixture.double.failNext({ mode: 'status:422', match: { method: 'POST', path: /\/messages$/ } });
      await fixture.post(conversation, 'words', { attachments });
      expect(readdirSync(temporary)).toEqual([]);
      expect((await fixture.messages(conversation)).at(-1)).toMatchObject({
        content: 'words\n[video.mp4] could not be uploaded.',
      });
    } finally {
      await fixture.stop();
    }
  });

  it('is named when our disk cannot store it, and the text is posted', async () => {
    uploadsGoTo(path.join(temporary, 'nowhere'));
    const { files, omittedNames } = await stageUploads([bigFile()], AbortSignal.timeout(170_000));
    expect([files, omittedNames]).toEqual([[], ['video.mp4']]);
  });
});

it("a form that is redirected gets the error of every call that is redirected: the base URL is not Chatwoot's own", async () => {
  const proxy = await serve((request, response) => {
    request.resume();
    response.writeHead(308, { location: 'https://elsewhere.example/' }).end();
  });
  const client = new ChatwootClient(fetch, proxy, 'token', 'agentBot', 16_000);
  const messageOf = (body: object | Blob) =>
    client
      .json({ method: 'POST', path: '/messages', body }, AbortSignal.timeout(170_000))
      .catch((error: Error) => error.message.replace(/\d{3}/, ''));
  expect(await messageOf(multipart({ content: 'x' }, 'attachments[]', []))).toBe(await messageOf({ content: 'x' }));
});
