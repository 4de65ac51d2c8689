import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isPrivateHost, leadsToPrivate } from '../../../addresses';
import { download } from '../attachments';
import { Workshop } from './workshop';

let files: Server;
let url: string;
beforeAll(async () => {
  files = createServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/cat.png') response.end('meow');
    else if (path === '/nothing') response.end();
    else if (path === '/moved') response.writeHead(302, { location: '/cat.png' }).end();
    else if (path === '/around') response.writeHead(302, { location: '/around' }).end();
    else if (path === '/to-file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    else if (path === '/cut') response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
    else if (path === '/huge') response.end(Buffer.alloc(40 * 1024 * 1024 + 1));
    else if (path === '/large') response.end(Buffer.alloc(40 * 1024 * 1024));
    else response.writeHead(404).end('missing');
  });
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
});
afterAll(async () => {
  files.closeAllConnections();
  await new Promise((resolve) => files.close(resolve));
});

const attachment = (path: string, name = 'cat.png') => ({ url: path.includes(':') ? path : url + path, name, contentType: 'image/png', sizeBytes: null });
const fetched = async (path: string, allowPrivate = true) => {
  const { files: got, links, release } = await download(fetch, { attachments: [attachment(path)], allowPrivate }, AbortSignal.timeout(170_000));
  try {
    return got[0] ? `${got[0].name} (${got[0].contentType}): ${await got[0].body.text()}` : `link ${links.length}`;
  } finally {
    await release();
  }
};

describe('files of a message', () => {
  it.each([['/cat.png', 'cat.png (image/png): meow'], ['/moved', 'cat.png (image/png): meow'], ['/nothing', 'cat.png (image/png): ']])('are fetched: %s', async (path, outcome) => {
    expect(await fetched(path)).toBe(outcome);
  });

  it.each(['/missing', '/around', '/to-file', '/cut', '/huge', 'http://127.0.0.1:1/nobody', 'ftp://127.0.0.1/x', 'data:image/png;base64,AAAA', 'no address: at all'])(
    'stay links when they cannot be fetched: %s', async (path) => { expect(await fetched(path)).toBe('link 1'); });

  it('are fetched up to what Chatwoot was seen to take', async () => {
    const { files: [file], release } = await download(fetch, { attachments: [attachment('/large')], allowPrivate: true, timeMs: 60_000 }, AbortSignal.timeout(170_000));
    expect(file?.body.size).toBe(40 * 1024 * 1024);
    await release();
  });

  it('have a share of the time that the whole call has', async () => {
    const limits = jest.spyOn(AbortSignal, 'timeout');
    try {
      const { release } = await download(fetch, { attachments: [attachment('/cat.png')], allowPrivate: true, timeMs: 30_000 }, new AbortController().signal);
      await release();
      expect(limits.mock.calls).toEqual([[10_000]]);
    } finally {
      limits.mockRestore();
    }
  });

  it('are not fetched from private addresses, unless that is allowed', async () => {
    const asked = jest.fn(fetch);
    await download(asked, { attachments: [attachment('/cat.png'), attachment('http://localhost/x'), attachment('http://169.254.169.254/latest/meta-data')], allowPrivate: false }, AbortSignal.timeout(170_000));
    expect(asked).not.toHaveBeenCalled();
  });

  it('are not followed from a public address to a private one', async () => {
    const asked = jest.fn(async () => new Response(null, { status: 302, headers: { location: `${url}/cat.png` } }));
    const { links } = await download(asked, { attachments: [attachment('http://93.184.216.34/cat.png')], allowPrivate: false }, AbortSignal.timeout(170_000));
    expect([links.length, asked.mock.calls.length]).toEqual([1, 1]);
  });
});

describe('addresses', () => {
  it.each(['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '0.0.0.0', '100.64.0.1', '[::1]', '[fe80::1]', '[fd00::1]', '[::ffff:10.0.0.1]', 'localhost', 'a.localhost', 'db', 'x.internal'])(
    '%s is private', async (host) => { expect([isPrivateHost(host), await leadsToPrivate(host)]).toEqual([true, true]); });
  it.each(['8.8.8.8', '93.184.216.34', '[2606:2800:220:1::1]', '172.32.0.1'])('%s is public', async (host) => {
    expect([isPrivateHost(host), await leadsToPrivate(host)]).toEqual([false, false]);
  });
});

describe('messages with files', () => {
  let workshop: Workshop;
  beforeAll(async () => { workshop = await Workshop.ready(); });
  afterAll(() => workshop.stop());

  it.each(['END_USER', 'BOT'] as const)('of %s show agents the files, and the rest as links', async (author) => {
    const conversation = await workshop.conversation();
    const id = '6f0a2d8e-7a86-4ad4-8ac7-0d9f4d5f0c01';
    const more = { id, author, attachments: [attachment('/cat.png'), attachment('/missing', 'dog.png')] };
    const first = await workshop.post(conversation, 'look {{contact.name}}', more);
    expect(await workshop.post(conversation, 'look {{contact.name}}', more, true)).toBe(first);
    expect(await workshop.messages(conversation)).toEqual([expect.objectContaining({
      content: `look {{contact.name}}\ndog.png: ${url}/missing`, message_type: author === 'BOT' ? 1 : 0, private: false,
      source_id: id, content_attributes: { support_message_id: id }, attachments: [expect.objectContaining({ file_type: 'image', file_size: 4 })],
    })]);
  });

  it('keep names and line breaks as they are', async () => {
    const conversation = await workshop.conversation();
    const text = 'one\ntwo\r\nthree\n\nKäse --support-subgraph';
    await workshop.post(conversation, text, { attachments: [attachment('/cat.png', 'Käse "1"\n.png')] });
    const [message] = await workshop.messages(conversation);
    expect(message.content).toBe(text);
    expect(decodeURIComponent(message.attachments[0].data_url)).toMatch(/Käse "1".*\.png$/);
  });

  it('of agents only stay among agents', async () => {
    const conversation = await workshop.conversation();
    await workshop.post(conversation, '', { author: 'BOT', visibility: 'INTERNAL', attachments: [attachment('/cat.png')] });
    expect(await workshop.messages(conversation)).toEqual([expect.objectContaining({ private: true, message_type: 1, attachments: [expect.anything()] })]);
  });
});
