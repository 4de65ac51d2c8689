import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTestFetch } from '../../../testing/tenant-fetch';
import { openFile } from '../file-download';

const attachment = {
  url: 'https://chatwoot.example/rails/x/a.png',
  name: 'a.png',
  contentType: 'image/png',
  sizeBytes: null,
};
const asked: { url: string; headers: unknown }[] = [];
beforeEach(() => {
  asked.length = 0;
});

const answering = (...answers: (() => Response)[]) =>
  (async (address: URL, init?: RequestInit) => {
    asked.push({ url: String(address), headers: init?.headers });
    return (answers.length > 1 ? answers.shift()! : answers[0]!)();
  }) as typeof fetch;
const to = (location: string) => () => new Response(null, { status: 302, headers: { location } });
const found =
  (headers: Record<string, string> = {}) =>
  () =>
    new Response('bytes', { headers });
const status = (code: number) => () => new Response(null, { status: code });
const open = (through: typeof fetch, url = attachment.url) =>
  openFile(through, { ...attachment, url }, AbortSignal.timeout(170_000));
async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return text;
}

describe("opening an agent's file", () => {
  it('follows redirects, without a token, and not without end', async () => {
    const { body } = await open(answering(to('https://93.184.215.14/bucket/a.png'), found()));
    expect(await textOf(body)).toBe('bytes');
    expect(asked.map(({ url }) => url)).toEqual([attachment.url, 'https://93.184.215.14/bucket/a.png']);
    expect(asked.map(({ headers }) => headers)).toEqual([undefined, undefined]);
    await expect(open(answering(to('https://chatwoot.example/again')))).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      gone: false,
    });
  });

  it.each([
    'http://127.0.0.1/x',
    'http://169.254.169.254/latest',
    'http://10.0.0.1/',
    'http://[::1]/',
    'file:///etc/passwd',
    'http://',
  ])('does not connect to %s, whether the message or a redirect names it', async hidden => {
    const guarded = createTestFetch().fetch;
    const called: string[] = [];
    const redirecting = (async (address: URL, init?: RequestInit) => {
      if (String(address) === attachment.url) return to(hidden)();
      const response = await guarded(address, init);
      called.push(String(address));
      return response;
    }) as typeof fetch;
    await expect(open(redirecting)).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
    await expect(open(redirecting, hidden)).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
    expect(called).toEqual([]);
  });

  it('reaches no internal address by a name that changes after its lookup', async () => {
    let arrived = 0;
    const inside = createServer((_request, response) => {
      arrived += 1;
      response.end('secret');
    });
    await new Promise<void>(resolve => inside.listen(0, '127.0.0.1', resolve));
    const url = `http://rebinding.example:${(inside.address() as AddressInfo).port}/a.png`;
    // Public at the first name lookup, this machine at each later one.
    let lookups = 0;
    let time = 0;
    const guarded = createTestFetch(
      {},
      async () => [{ address: lookups++ === 0 ? '93.184.216.34' : '127.0.0.1', family: 4 }],
      () => (time += 3_600_000),
    );
    expect(await guarded.addressProblem(url)).toBeNull();
    await expect(open(guarded.fetch, url)).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      message: expect.not.stringMatching(/127|rebinding/),
    });
    expect([arrived, lookups]).toEqual([0, 2]);
    await new Promise(resolve => inside.close(resolve));
  });

  it.each([
    [404, { code: 'PROVIDER_REFUSED', gone: true }],
    [410, { code: 'PROVIDER_REFUSED', gone: true }],
    [403, { code: 'PROVIDER_REFUSED', gone: false }],
    [500, { code: 'PROVIDER_UNAVAILABLE' }],
    [429, { code: 'PROVIDER_UNAVAILABLE' }],
  ])('tries once, and maps %d to its meaning', async (code, error) => {
    await expect(open(answering(status(code)))).rejects.toMatchObject(error);
    expect(asked).toHaveLength(1);
  });

  it("returns size and type if they are known: the length of a compressed response is not the file's", async () => {
    const headers = { 'content-length': '5', 'content-type': 'image/png' };
    expect(await open(answering(found(headers)))).toMatchObject({ sizeBytes: 5, contentType: 'image/png' });
    expect(await open(answering(found({ ...headers, 'content-encoding': 'gzip' })))).toMatchObject({ sizeBytes: null });
  });

  it('reports a download that breaks off while it is read', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { body } = await openFile(fetch, { ...attachment, url: `${baseUrl}/a.png` }, AbortSignal.timeout(170_000));
    await expect(textOf(body)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    await new Promise(resolve => server.close(resolve));
  });
});
