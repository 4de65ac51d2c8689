import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openRemoteFile } from '../../../src/media/remote-file';
import { createTestFetch } from '../../../src/testing/tenant-fetch';

let files: Server;
let url: string;
beforeAll(async () => {
  files = createServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/cat.png') response.writeHead(200, { 'content-type': 'image/png' }).end('meow');
    else if (path === '/nothing') response.end();
    else if (path === '/moved') response.writeHead(302, { location: '/cat.png' }).end();
    else if (path === '/moved-inside')
      response
        .writeHead(302, { location: `http://${request.socket.localAddress}:${request.socket.localPort}/cat.png` })
        .end();
    else if (path === '/around') response.writeHead(302, { location: '/around' }).end();
    else if (path === '/to-file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    else if (path === '/cut')
      response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
    else if (/^\/\d+$/.test(path)) response.writeHead(Number(path.slice(1))).end('no');
    else response.writeHead(404).end('missing');
  });
  await new Promise<void>(resolve => files.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
});
afterAll(async () => {
  files.closeAllConnections();
  await new Promise(resolve => files.close(resolve));
});

async function fetched(link: string, through: typeof fetch = fetch): Promise<string> {
  const { body, contentType, sizeBytes } = await openRemoteFile(
    through,
    link.startsWith('/') ? url + link : link,
    AbortSignal.timeout(170_000),
  );
  let text = '';
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return `${contentType} ${sizeBytes}: ${text}`;
}

describe('the file behind a link', () => {
  it.each([
    ['/cat.png', 'image/png null: meow'],
    ['/moved', 'image/png null: meow'],
    ['/nothing', 'null 0: '],
  ])('is read: %s', async (path, outcome) => {
    expect((await fetched(path)).replace(' 4:', ' null:')).toBe(outcome);
  });

  it.each([
    '/404',
    '/403',
    '/410',
    '/around',
    '/to-file',
    '',
    'ftp://127.0.0.1/x',
    'data:image/png;base64,AAAA',
    'no address: at all',
  ])('is missing: %s', async link => {
    await expect(fetched(link)).rejects.toMatchObject({ code: 'FILE_MISSING' });
  });

  it.each(['/500', '/503', '/429', '/cut', 'http://127.0.0.1:1/nobody'])('may come later: %s', async link => {
    await expect(fetched(link)).rejects.toMatchObject({ code: 'FILE_UNAVAILABLE' });
  });

  it('is never named by an error, because links contain secrets', async () => {
    for (const link of ['/404?token=secret', '/503?token=secret', 'http://secret@127.0.0.1:1/secret', 'secret'])
      await expect(fetched(link)).rejects.toMatchObject({ message: expect.not.stringContaining('secret') });
  });

  it('is not fetched from private addresses, unless the operator allows them', async () => {
    for (const link of ['/cat.png', 'http://localhost/x', 'http://169.254.169.254/latest/meta-data'])
      await expect(fetched(link, createTestFetch().fetch)).rejects.toMatchObject({ code: 'FILE_MISSING' });
    expect(await fetched('/cat.png', createTestFetch({ networks: ['127.0.0.0/8'] }).fetch)).toContain('meow');
  });

  it('is not fetched from a private network by a name that changes after its lookup', async () => {
    const host = `http://rebinding.example:${new URL(url).port}`;
    // Public at the first lookup, this machine at each later one.
    let lookups = 0;
    let time = 0;
    const guarded = createTestFetch(
      {},
      async () => [{ address: lookups++ === 0 ? '93.184.216.34' : '127.0.0.1', family: 4 }],
      () => (time += 3_600_000),
    );
    expect(await guarded.addressProblem(`${host}/cat.png`)).toBeNull();
    await expect(fetched(`${host}/cat.png`, guarded.fetch)).rejects.toMatchObject({
      code: 'FILE_MISSING',
      message: expect.not.stringMatching(/127|rebinding/),
    });
    expect(lookups).toBe(2);
  });

  it('is not followed from a public address to a private one', async () => {
    // The first server represents a public one: the operator allows its name, and not the address that it redirects to.
    const host = `http://files.example.com:${new URL(url).port}`;
    const { fetch: guarded } = createTestFetch({ hosts: ['files.example.com'] }, async () => [
      { address: '127.0.0.1', family: 4 },
    ]);
    expect(await fetched(`${host}/moved`, guarded)).toContain('meow');
    await expect(fetched(`${host}/moved-inside`, guarded)).rejects.toMatchObject({ code: 'FILE_MISSING' });
  });
});
