import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openFile } from '../file-download';

const access = { accountId: 'a', externalId: '1', baseUrl: 'https://chatwoot.example', settings: {}, credentials: { botToken: 'secret' }, webhookUrl: '' };
const attachment = { url: 'https://chatwoot.example/rails/x/a.png', name: 'a.png', contentType: 'image/png', sizeBytes: null };
const asked: { url: string; headers: unknown }[] = [];
beforeEach(() => { asked.length = 0; });

const answering = (...answers: (() => Response)[]) => (async (address: URL, init?: RequestInit) => {
  asked.push({ url: String(address), headers: init?.headers });
  return (answers.length > 1 ? answers.shift()! : answers[0]!)();
}) as typeof fetch;
const to = (location: string) => () => new Response(null, { status: 302, headers: { location } });
const found = (headers: Record<string, string> = {}) => () => new Response('bytes', { headers });
const status = (code: number) => () => new Response(null, { status: code });
const open = (through: typeof fetch, url = attachment.url) => openFile(through, access, { ...attachment, url }, AbortSignal.timeout(170_000));
async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return text;
}

describe('opening an agent\'s file', () => {
  it('follows redirects, without a token, and not without end', async () => {
    const { body } = await open(answering(to('https://93.184.215.14/bucket/a.png'), found()));
    expect(await textOf(body)).toBe('bytes');
    expect(asked.map(({ url }) => url)).toEqual([attachment.url, 'https://93.184.215.14/bucket/a.png']);
    expect(JSON.stringify(asked)).not.toContain('secret');
    await expect(open(answering(to('https://chatwoot.example/again')))).rejects.toMatchObject({ code: 'PROVIDER_REFUSED', gone: false });
  });

  it.each(['http://127.0.0.1/x', 'http://169.254.169.254/latest', 'http://10.0.0.1/', 'http://[::1]/', 'file:///etc/passwd', 'http://'])(
    'asks nobody at %s, whether the message or a redirect names it', async (hidden) => {
      await expect(open(answering(to(hidden), found()))).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      expect(asked).toHaveLength(1);
      await expect(open(answering(found()), hidden)).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      expect(asked).toHaveLength(1);
    });

  it.each([
    [404, { code: 'PROVIDER_REFUSED', gone: true }], [410, { code: 'PROVIDER_REFUSED', gone: true }],
    [403, { code: 'PROVIDER_REFUSED', gone: false }], [500, { code: 'PROVIDER_UNAVAILABLE' }], [429, { code: 'PROVIDER_UNAVAILABLE' }],
  ])('tries once, and names what %d means', async (code, error) => {
    await expect(open(answering(status(code)))).rejects.toMatchObject(error);
    expect(asked).toHaveLength(1);
  });

  it('tells size and type where they are known: the length of a compressed answer is not the file\'s', async () => {
    const headers = { 'content-length': '5', 'content-type': 'image/png' };
    expect(await open(answering(found(headers)))).toMatchObject({ sizeBytes: 5, contentType: 'image/png' });
    expect(await open(answering(found({ ...headers, 'content-encoding': 'gzip' })))).toMatchObject({ sizeBytes: null });
  });

  it('that breaks off in the middle says so while it is read', async () => {
    const server = createServer((_request, response) => { response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy()); });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { body } = await openFile(fetch, { ...access, baseUrl }, { ...attachment, url: `${baseUrl}/a.png` }, AbortSignal.timeout(170_000));
    await expect(textOf(body)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    await new Promise((resolve) => server.close(resolve));
  });
});
