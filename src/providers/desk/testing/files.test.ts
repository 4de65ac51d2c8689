import { randomUUID } from 'node:crypto';
import type { PostedFile } from '../../../core/ports/provider/post-verbs';
import { postedFile } from '../../testing/posted-file';
import { MAX_FILES_BYTES } from '../api/input';
import { MAX_POSTED_BYTES } from '../read-posted-files';
import { openDesk, to, type DeskFixture } from './stand';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const file = (name: string, contentType: string, content: Buffer) => ({
  name,
  contentType,
  content: content.toString('base64'),
});

describe('files that end-users and bots send', () => {
  let desk: DeskFixture;
  beforeAll(async () => {
    desk = await openDesk();
  });
  afterAll(() => desk.world.stop());

  const post = async (...attachments: PostedFile[]) => {
    const conversation = await desk.newConversation();
    const message = {
      id: randomUUID(),
      author: 'END_USER' as const,
      visibility: 'PUBLIC' as const,
      text: 'see this',
      attachments,
      authorName: null,
      createdAt: new Date().toISOString(),
    };
    await desk.provider.postMessage({ conversation, message, mayExist: false, lookupAfter: null }, desk.signal());
    return (await desk.call({ path: `/api/conversations/${conversation.conversationId}` })).body.messages.at(-1);
  };

  it('are stored by the desk, so that agents see them long after their links expired', async () => {
    const {
      text,
      attachments: [photo],
    } = await post(postedFile('photo.png', 'image/png', PNG));
    expect([text, photo.name, photo.sizeBytes]).toEqual(['see this', 'photo.png', PNG.length]);
    const fetched = await desk.call({
      path: photo.url.slice('/providers/desk'.length),
      organizationId: null,
      agent: '',
    });
    expect([fetched.status, fetched.headers['content-type'], fetched.raw.equals(PNG)]).toEqual([
      200,
      'image/png',
      true,
    ]);
  });

  it('are named beyond the size limit, whatever their declared size', async () => {
    const half = Buffer.alloc(MAX_POSTED_BYTES / 2 + 1);
    const { text, attachments } = await post(
      postedFile('one.png', 'image/png', half),
      { ...postedFile('two.png', 'image/png', half), sizeBytes: 1 },
      postedFile('three.png', 'image/png', PNG),
    );
    expect(text).toBe('see this\n[two.png] is too large for the desk.');
    expect(attachments.map(({ name }: { name: string }) => name)).toEqual(['one.png', 'three.png']);
  });
});

describe('files that agents send', () => {
  let desk: DeskFixture;
  beforeAll(async () => {
    desk = await openDesk();
  });
  afterAll(() => desk.world.stop());

  const send = async (...attachments: unknown[]) => {
    const conversation = await desk.newConversation();
    const answer = await desk.call(to(conversation, 'messages', { text: '', visibility: 'PUBLIC', attachments }));
    return { conversation, answer };
  };
  const shown = async (conversation: { conversationId: string }) =>
    (await desk.call({ path: `/api/conversations/${conversation.conversationId}` })).body.messages.flatMap(
      (message: any) => message.attachments,
    );
  const below = (url: string) => url.slice('/providers/desk'.length);

  it('are fetched as they were sent, by anybody who has the address and nobody else', async () => {
    const { conversation, answer } = await send(
      file('täst "1".png', 'image/png', PNG),
      file('list.csv', 'text/csv', Buffer.from('a,b\n')),
    );
    expect(answer.status).toBe(201);
    const [image, list] = await shown(conversation);
    const fetched = await desk.call({ path: below(image.url), organizationId: null, agent: '' });
    expect([fetched.status, fetched.headers['content-type'], fetched.raw.equals(PNG)]).toEqual([
      200,
      'image/png',
      true,
    ]);
    expect((await desk.call({ path: below(list.url), organizationId: null, agent: '' })).raw.toString()).toBe('a,b\n');

    const wrong = below(image.url).replace(/files\/.{43}/, `files/${'A'.repeat(43)}`);
    expect((await desk.call({ path: wrong, organizationId: null })).status).toBe(404);
    expect(image.url).toMatch(/^\/providers\/desk\/files\/[\w-]{43}\//);
  });

  it('are fetched by number within the organization only', async () => {
    const { conversation } = await send(file('a.png', 'image/png', PNG));
    const [{ id }] = await shown(conversation);
    const others = await desk.enable();
    expect((await desk.call({ path: `/api/attachments/${id}` })).raw.equals(PNG)).toBe(true);
    expect((await desk.call({ path: `/api/attachments/${id}`, organizationId: others.organizationId })).status).toBe(
      404,
    );
    expect((await desk.call({ path: `/api/attachments/${id}`, organizationId: null })).status).toBe(401);
    expect((await desk.call({ path: '/api/attachments/x' })).status).toBe(404);
  });

  it.each([
    ['page.html', 'text/html'],
    ['drawing.svg', 'image/svg+xml'],
    ['data.xml', 'text/xml'],
  ])("are never run in this service's name: %s", async (name, contentType) => {
    const { conversation } = await send(file(name, contentType, Buffer.from('<script>alert(1)</script>')));
    const [{ url }] = await shown(conversation);
    expect((await desk.call({ path: below(url) })).headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': expect.stringMatching(/^attachment;/),
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    });
  });

  it.each<[string, string | null, string, string]>([
    [
      'the address that the operator gave',
      'https://help.example.com/support/',
      'https://hooks.example.com/webhooks/x',
      'https://help.example.com/support/providers/desk/files/',
    ],
    [
      'the address of our webhooks',
      null,
      'https://hooks.example.com/webhooks/x',
      'https://hooks.example.com/providers/desk/files/',
    ],
    ['no address at all', null, '', '/providers/desk/files/'],
  ])('have an address for the core: %s', async (_what, baseUrl, webhookUrl, start) => {
    const { conversation } = await send(file('a.png', 'image/png', PNG));
    const inbox = { ...conversation.inbox, account: { ...conversation.inbox.account, baseUrl, webhookUrl } };
    const { observations } = await desk.provider.listMessages(
      { conversation: { ...conversation, inbox }, after: null },
      desk.signal(),
    );
    const said = observations.find(found => found.kind === 'agentMessage');
    expect(said).toMatchObject({
      text: '',
      attachments: [
        { url: expect.stringContaining(start), name: 'a.png', contentType: 'image/png', sizeBytes: PNG.length },
      ],
    });
    expect(said?.kind === 'agentMessage' && said.attachments[0]!.url.startsWith(start)).toBe(true);
  });

  it('may fill the limit together, and not a byte more', async () => {
    const half = Buffer.alloc(MAX_FILES_BYTES / 2, 7);
    const full = await send(
      file('a.bin', 'application/octet-stream', half),
      file('b.bin', 'application/octet-stream', half),
    );
    expect(full.answer.status).toBe(201);
    const over = await send(
      file('a.bin', 'application/octet-stream', half),
      file('b.bin', 'application/octet-stream', Buffer.concat([half, Buffer.from('x')])),
    );
    expect([over.answer.status, over.answer.body.error.code]).toEqual([413, 'FILE_TOO_LARGE']);
    expect(await shown(over.conversation)).toEqual([]);
    expect((await desk.view(over.conversation)).status).toBe('BOT_HELD');
  });

  it.each<[string, unknown]>([
    ['no base64', { name: 'a', contentType: 'image/png', content: '<svg>' }],
    ['a type that is none', { name: 'a', contentType: 'image', content: 'QQ==' }],
    ['a type that breaks the header', { name: 'a', contentType: 'image/png\r\nset-cookie: x', content: 'QQ==' }],
    ['a name that breaks the header', { name: 'a\r\nb', contentType: 'image/png', content: 'QQ==' }],
    ['no name', { name: ' ', contentType: 'image/png', content: 'QQ==' }],
  ])('are refused with %s', async (_what, attachment) => {
    expect((await send(attachment)).answer.body.error.code).toBe('INPUT_INVALID');
  });

  it('are ten at most', async () => {
    expect((await send(...Array.from({ length: 11 }, () => file('a', 'text/plain', PNG)))).answer.status).toBe(400);
  });
});
