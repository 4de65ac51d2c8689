import { startEndless, type EndlessServer } from '../../../testing/endless-server';
import { createTestFetch } from '../../../testing/tenant-fetch';
import { RESPONSE_LIMIT_BYTES, ChatwootClient } from '../client';
import { openFile } from '../file-download';

const { fetch } = createTestFetch({ all: true });
const servers: EndlessServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
async function endless(...of: Parameters<typeof startEndless>): Promise<EndlessServer> {
  const server = await startEndless(...of);
  servers.push(server);
  return server;
}
const errorOf = (server: EndlessServer, method: 'GET' | 'POST', signal = AbortSignal.timeout(280_000)) =>
  new ChatwootClient(fetch, server.url, 'token', 'agentBot', 16_000).json({ method, path: '/messages' }, signal).then(
    () => null,
    (error: Error) => error,
  );

describe('an endless response of Chatwoot', () => {
  it.each([200, 302, 401, 404, 422, 500])(
    'with status %i costs no more than the limit, and its connection is cut',
    async status => {
      const server = await endless(status, 'flood', status === 302 ? { location: '/elsewhere' } : {});
      expect(await errorOf(server, 'GET')).toMatchObject({
        code: 'PROVIDER_UNAVAILABLE',
        delivered: 'no',
        message: expect.stringContaining('larger than this service reads'),
      });
      await server.cut();
      expect(server.sent()).toBeLessThan(RESPONSE_LIMIT_BYTES + 16 * 1024 * 1024);
    },
  );

  it('counts after inflation', async () => {
    const server = await endless(200, 'bomb');
    expect(await errorOf(server, 'GET')).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: expect.stringContaining('larger than this service reads'),
    });
    await server.cut();
    expect(server.sent()).toBeLessThan(RESPONSE_LIMIT_BYTES);
  });

  it('to a write leaves its outcome unknown', async () => {
    expect(await errorOf(await endless(200, 'flood'), 'POST')).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      delivered: 'unknown',
      ambiguousForMs: expect.any(Number),
    });
  });

  it('ends with the time of the call when it trickles', async () => {
    const limit = new AbortController();
    const server = await endless(200, 'trickle');
    const error = errorOf(server, 'POST', limit.signal);
    while (server.sent() === 0) await new Promise(setImmediate);
    limit.abort();
    expect(await error).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', delivered: 'unknown' });
    await server.cut();
  });

  it('is aborted when no file is returned', async () => {
    for (const [status, code] of [
      [500, 'PROVIDER_UNAVAILABLE'],
      [404, 'PROVIDER_REFUSED'],
    ] as const) {
      const server = await endless(status, 'flood');
      await expect(
        openFile(
          fetch,
          { url: server.url, name: 'a.png', contentType: 'image/png', sizeBytes: null },
          AbortSignal.timeout(280_000),
        ),
      ).rejects.toMatchObject({ code });
      await server.cut();
    }
  });
});
