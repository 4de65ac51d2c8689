import { isPrivateHost } from '../../../addresses';
import { createTestFetch } from '../../../testing/tenant-fetch';
import { MediaStoreError } from '../../../core/file-errors';
import { postedFile } from '../../testing/posted-file';
import { stageUploads } from '../stage-uploads';
import { ChatwootFixture } from './fixture';

describe('files of a post', () => {
  it('are copied with their names and types, one that is empty too', async () => {
    const { files, omittedNames, release } = await stageUploads(
      [postedFile('cat.png', 'image/png', 'meow'), postedFile('nothing.txt', 'text/plain', '')],
      AbortSignal.timeout(170_000),
    );
    expect(
      await Promise.all(files.map(async ({ name, contentType, body }) => [name, contentType, await body.text()])),
    ).toEqual([
      ['cat.png', 'image/png', 'meow'],
      ['nothing.txt', 'text/plain', ''],
    ]);
    expect(omittedNames).toEqual([]);
    await release();
  });

  it('that cannot be read for a moment leave the post to its next attempt', async () => {
    const away = { ...postedFile(), open: () => Promise.reject(new MediaStoreError('away')) };
    await expect(stageUploads([postedFile(), away], AbortSignal.timeout(170_000))).rejects.toMatchObject({
      code: 'MEDIA_STORE_UNAVAILABLE',
    });
  });
});

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '0.0.0.0',
    '100.64.0.1',
    '[::1]',
    '[fe80::1]',
    '[fd00::1]',
    '[::ffff:10.0.0.1]',
    'localhost',
    'a.localhost',
    'db',
    'x.internal',
  ])('%s is private', async host => {
    expect([isPrivateHost(host), await createTestFetch().addressProblem(`http://${host}/`)]).toEqual([
      true,
      expect.any(String),
    ]);
  });
  it.each(['8.8.8.8', '93.184.216.34', '[2606:2800:220:1::1]', '172.32.0.1'])('%s is public', async host => {
    expect([isPrivateHost(host), await createTestFetch().addressProblem(`http://${host}/`)]).toEqual([false, null]);
  });
});

describe('messages with files', () => {
  let fixture: ChatwootFixture;
  beforeAll(async () => {
    fixture = await ChatwootFixture.ready();
  });
  afterAll(() => fixture.stop());

  it.each(['END_USER', 'BOT'] as const)('of %s show agents the files, once', async author => {
    const conversation = await fixture.conversation();
    const id = '6f0a2d8e-7a86-4ad4-8ac7-0d9f4d5f0c01';
    const more = { id, author, attachments: [postedFile('cat.png', 'image/png', 'meow')] };
    const first = await fixture.post(conversation, 'look {{contact.name}}', more);
    expect(await fixture.post(conversation, 'look {{contact.name}}', more, true)).toBe(first);
    expect(await fixture.messages(conversation)).toEqual([
      expect.objectContaining({
        content: 'look {{contact.name}}',
        message_type: author === 'BOT' ? 1 : 0,
        private: false,
        source_id: id,
        content_attributes: { support_message_id: id },
        attachments: [expect.objectContaining({ file_type: 'image', file_size: 4 })],
      }),
    ]);
  });

  it('keep line breaks unchanged, and the part of their names that every file system accepts', async () => {
    const conversation = await fixture.conversation();
    const text = 'one\ntwo\r\nthree\n\nKäse --support-subgraph';
    await fixture.post(conversation, text, { attachments: [postedFile('Käse "1"\n.png')] });
    const [message] = await fixture.messages(conversation);
    expect(message.content).toBe(text);
    expect(decodeURIComponent(message.attachments[0].data_url)).toMatch(/\/Käse -1- \.png$/);
  });

  it('of agents only stay among agents', async () => {
    const conversation = await fixture.conversation();
    await fixture.post(conversation, '', {
      author: 'BOT',
      visibility: 'INTERNAL',
      attachments: [postedFile('cat.png')],
    });
    expect(await fixture.messages(conversation)).toEqual([
      expect.objectContaining({ private: true, message_type: 1, attachments: [expect.anything()] }),
    ]);
  });
});
