import { AccessError } from '../../../src/core/request-errors';
import { createPlayground } from '../../../src/playground';
import { MAX_PLAYGROUND_FILE_BYTES, PlaygroundFiles } from '../../../src/playground/files';
import { startServer, type RunningServer } from './start-server';

describe('files of the example page', () => {
  let running: RunningServer;
  let isKnown = true;
  beforeEach(async () => {
    isKnown = true;
    running = await startServer({
      page: createPlayground({
        describe: () => Promise.reject(new Error('Nobody asks.')),
        identify: () => (isKnown ? Promise.resolve() : Promise.reject(new AccessError('FORBIDDEN', 'no'))),
      }),
    });
  });
  afterEach(() => running.server.stop());

  const send = (
    body: string | Buffer,
    { name = 'cat.png', type = 'image/png', as = 'application/octet-stream' } = {},
  ) =>
    fetch(`${running.url}/playground/files?${new URLSearchParams({ name })}`, {
      method: 'POST',
      headers: { 'content-type': as, 'x-file-type': type },
      body,
    });

  it('are stored as they are, and served under an unguessable link', async () => {
    const response = await send('meow');
    const { path, sizeBytes } = (await response.json()) as { path: string; sizeBytes: number };
    expect([response.status, sizeBytes]).toEqual([201, 4]);
    expect(path).toMatch(/^\/playground\/files\/[\w-]{32}\/cat\.png$/);
    const file = await fetch(running.url + path);
    expect([file.status, file.headers.get('content-type'), await file.text()]).toEqual([200, 'image/png', 'meow']);
    expect(file.headers.get('content-security-policy')).toContain('sandbox');
    expect((await fetch(`${running.url}/playground/files/${'a'.repeat(32)}/cat.png`)).status).toBe(404);
  });

  it("never run in this page's origin", async () => {
    const { path } = (await (await send('<script>1</script>', { name: 'x.html', type: 'text/html' })).json()) as {
      path: string;
    };
    const file = await fetch(running.url + path);
    expect(file.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(file.headers.get('content-security-policy')).toContain("default-src 'none'; sandbox");
  });

  it.each([
    ['a request that a form of another site can send', { as: 'text/plain' }, 415],
    ['an invalid type', { type: 'image' }, 400],
  ])('are refused as %s', async (_what, given, status) => {
    expect((await send('x', given)).status).toBe(status);
  });

  it('are refused when they are too large, and for callers without access to this service', async () => {
    expect((await send(Buffer.alloc(MAX_PLAYGROUND_FILE_BYTES + 1))).status).toBe(413);
    isKnown = false;
    expect((await send('x')).status).toBe(403);
  });
});

it('are removed, oldest first, beyond a number of bytes', () => {
  const files = new PlaygroundFiles();
  const paths = Array.from({ length: 6 }, (_, n) =>
    files.add(`${n}.bin`, 'application/octet-stream', Buffer.alloc(MAX_PLAYGROUND_FILE_BYTES)),
  );
  expect(paths.map(path => files.at(path) !== null)).toEqual([false, true, true, true, true, true]);
});
