import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ARCHIVE_TIMES } from '../../../src/core/flows/archive-file';
import {
  createChatwootWorld,
  ORG,
  type ChatwootWorld,
  type ChatwootWorldOptions,
} from '../../../src/providers/chatwoot/testing/chatwoot-world';
import { runFileWork } from '../../../src/providers/chatwoot/testing/run-file-work';

const PHOTO = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('the bytes of a photo')]);

/** The end-users' channel: its links contain a secret, and work for as long as the test says. */
let host: Server;
let links: (name: string) => string;
let state: { answers: 'file' | 403 | 503; bytes: Buffer; asked: number };
let world: ChatwootWorld;
let sessionId: string;
beforeEach(async () => {
  state = { answers: 'file', bytes: PHOTO, asked: 0 };
  host = createServer((_request, response) => {
    state.asked += 1;
    if (state.answers === 'file') response.writeHead(200, { 'content-type': 'image/png' }).end(state.bytes);
    else response.writeHead(state.answers).end('no');
  });
  await new Promise<void>(resolve => host.listen(0, '127.0.0.1', resolve));
  links = name => `http://127.0.0.1:${(host.address() as AddressInfo).port}/bot-SECRET/${name}?signature=SECRET`;
});
afterEach(async () => {
  host.closeAllConnections();
  await new Promise(resolve => host.close(resolve));
  await world?.close();
});

async function start(mirroring: 'ALWAYS' | 'ON_HANDOFF', options: Partial<ChatwootWorldOptions> = {}): Promise<void> {
  world = await createChatwootWorld({ policy: { mirroring }, messagesPerMinute: 100_000, ...options });
  sessionId = (await world.open()).id;
}
const file = (name = 'photo.png', sizeBytes: number | null = null) => ({
  url: links(name),
  name,
  contentType: 'image/png',
  sizeBytes,
});
const sends = (text: string, ...files: ReturnType<typeof file>[]) =>
  world.user(sessionId, text, { attachments: files });
/** What agents see: texts, and the names of the files. */
const shown = async () =>
  (await world.messages(sessionId)).map(({ content, attachments }) => [
    content,
    (attachments ?? []).map((one: any) => decodeURIComponent(one.data_url.split('/').at(-1))),
  ]);
const kept = () => readdirSync(world.mediaFolder, { recursive: true }).filter(name => String(name).length > 3);
const notices = async () =>
  (await world.inboxOf(sessionId)).map(({ notice }) => notice).filter(({ kind }) => kind === 'FILE_NOT_DELIVERED');
const everythingStored = async () =>
  JSON.stringify([
    (await world.pool.query('select * from message')).rows,
    (await world.pool.query('select * from delivery')).rows,
    (await world.pool.query('select * from event')).rows,
    (await world.pool.query('select * from idempotency_key')).rows,
    world.logged,
  ]);

describe('a photo that was sent to the bot', () => {
  it('reaches the agents although its link had expired at the handoff, under ON_HANDOFF', async () => {
    await start('ON_HANDOFF');
    await sends('my receipt', file());
    expect(await runFileWork(world)).toEqual(['done']);
    state.answers = 403;
    await world.ask(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    expect((await shown()).filter(([content]) => content === 'my receipt')).toEqual([['my receipt', ['photo.png']]]);
  });

  it('is fetched once, by the post or by the worker, and posted from our copy, under ALWAYS', async () => {
    await start('ALWAYS');
    await sends('my receipt', file());
    await world.bot(sessionId, 'like this?', { attachments: [file('sample.png')] });
    expect(await world.deliverAll()).toEqual([]);
    expect(await runFileWork(world)).toEqual(['done', 'done']);
    expect(state.asked).toBe(2);
    expect(await shown()).toEqual([
      ['my receipt', ['photo.png']],
      ['like this?', ['sample.png']],
    ]);
  });

  it('leaves its link nowhere once it is stored: not in our database, in the log, or with the agents', async () => {
    await start('ALWAYS');
    const { message } = await sends('my receipt', file());
    await world.deliverAll();
    await runFileWork(world);
    expect(await everythingStored()).not.toContain('SECRET');
    expect(JSON.stringify(await shown())).not.toContain('SECRET');
    expect((await world.stores.messages.get(ORG, message.id))!.attachments).toEqual([
      { url: '', name: 'photo.png', contentType: 'image/png', sizeBytes: PHOTO.length },
    ]);
  });

  it('is removed with the message when the end-user deletes it', async () => {
    await start('ON_HANDOFF');
    const { message } = await sends('my receipt', file());
    await runFileWork(world);
    expect(kept()).toHaveLength(1);
    await world.flows.deleteMessage(
      { organizationId: ORG },
      { sessionId, messageId: message.id, callerMessageId: null, epoch: null, idempotencyKey: world.nextKey() },
    );
    expect(await runFileWork(world)).toEqual(['done']);
    expect(kept()).toEqual([]);
  });

  it('that was deleted before it could be fetched is not fetched, and its link is removed', async () => {
    await start('ON_HANDOFF');
    const { message } = await sends('my receipt', file());
    await world.flows.deleteMessage(
      { organizationId: ORG },
      { sessionId, messageId: message.id, callerMessageId: null, epoch: null, idempotencyKey: world.nextKey() },
    );
    expect(await runFileWork(world)).toEqual(['done', 'done']);
    expect([state.asked, kept()]).toEqual([0, []]);
    expect(await everythingStored()).not.toContain('SECRET');
  });
});

describe('an outage of the host of a file', () => {
  beforeEach(async () => {
    await start('ALWAYS');
    state.answers = 503;
    await sends('my receipt', file());
    expect(await world.deliverAll()).toEqual([]);
  });

  it('does not delay the text; the file follows once the host is back', async () => {
    expect(await shown()).toEqual([
      ['my receipt\n[photo.png] could not be fetched yet; it follows as soon as it can be.', []],
    ]);
    expect(await runFileWork(world)).toEqual(['again FILE_UNAVAILABLE']);
    await world.user(sessionId, 'are you there?');
    expect(await world.deliverAll()).toEqual([]);
    state.answers = 'file';
    expect(await runFileWork(world)).toEqual(['done', 'done']);
    expect(await world.deliverAll()).toEqual([]);
    const rows = await world.messages(sessionId);
    expect((await shown()).slice(1)).toEqual([
      ['are you there?', []],
      ['[photo.png]', ['photo.png']],
    ]);
    expect(rows.at(-1)).toMatchObject({ message_type: 0, content_attributes: { in_reply_to: rows[0].id } });
    expect([await runFileWork(world), await world.deliverAll(), (await notices()).length]).toEqual([[], [], 0]);
  });

  it('that lasts loses the file: runtime and agents are notified, once, and nothing waits for an operator', async () => {
    expect(await runFileWork(world)).toEqual(['again FILE_UNAVAILABLE']);
    world.time.aheadMs += ARCHIVE_TIMES.linkRetryMs;
    expect(await runFileWork(world)).toEqual(['given up FILE_UNAVAILABLE', 'nothing owed']);
    expect(await world.deliverAll()).toEqual([]);
    expect(await notices()).toEqual([
      expect.objectContaining({ kind: 'FILE_NOT_DELIVERED', index: 0, code: 'FILE_MISSING' }),
    ]);
    expect((await shown()).slice(1)).toEqual([['The file photo.png does not follow: it could not be fetched.', []]]);
    expect(await world.stores.deliveries.countPending(ORG, sessionId)).toMatchObject({ parked: 0, provider: 0 });
    expect(await everythingStored()).not.toContain('SECRET');
  });

  it('that ends after the message was deleted brings no file', async () => {
    const [{ id }] = (await world.pool.query('select id from message')).rows;
    await world.flows.deleteMessage(
      { organizationId: ORG },
      { sessionId, messageId: id, callerMessageId: null, epoch: null, idempotencyKey: world.nextKey() },
    );
    state.answers = 'file';
    await runFileWork(world);
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.messages(sessionId)).flatMap(({ attachments }) => attachments ?? [])).toEqual([]);
    expect(kept()).toEqual([]);
  });

  it('is followed by the removal of the late file together with its message', async () => {
    state.answers = 'file';
    await runFileWork(world);
    await world.deliverAll();
    expect((await shown()).at(-1)).toEqual(['[photo.png]', ['photo.png']]);
    const [{ id }] = (await world.pool.query('select id from message')).rows;
    await world.flows.deleteMessage(
      { organizationId: ORG },
      { sessionId, messageId: id, callerMessageId: null, epoch: null, idempotencyKey: world.nextKey() },
    );
    expect(await world.deliverAll()).toEqual([]);
    expect(JSON.stringify(await shown())).not.toMatch(/receipt|photo/);
  });
});

describe('a file on its way to a conversation that is deleted meanwhile', () => {
  beforeEach(async () => {
    await start('ALWAYS', { policy: { mirroring: 'ALWAYS', lostConversation: 'REOPEN' } });
    state.answers = 503;
    await sends('my receipt', file());
    await world.ask(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    expect((await shown())[0]).toEqual([
      'my receipt\n[photo.png] could not be fetched yet; it follows as soon as it can be.',
      [],
    ]);
  });
  const loseConversation = async () => {
    await world.farSide.call(
      'DELETE',
      `${world.accountPath}/conversations/${(await world.session(sessionId)).conversationId}`,
      world.admin,
    );
    await world.double.whenIdle();
    await world.read(sessionId);
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'REQUESTED' });
  };
  const files = async () => (await shown()).flatMap(([, names]) => names);

  it('is not posted a second time after the message that posts it in the next conversation', async () => {
    await loseConversation();
    state.answers = 'file';
    expect(await runFileWork(world)).toEqual(['done', 'done']);
    expect(await world.deliverAll()).toEqual([]);
    expect(await shown()).toEqual([['my receipt', ['photo.png']]]);
  });

  it('is posted once after the next conversation when that was created before it could be fetched', async () => {
    await loseConversation();
    expect(await world.deliverAll()).toEqual([]);
    state.answers = 'file';
    expect(await runFileWork(world)).toEqual(['done', 'done', 'done']);
    expect(await world.deliverAll()).toEqual([]);
    expect(await files()).toEqual(['photo.png']);
  });

  it('is reported as lost only once', async () => {
    await loseConversation();
    expect(await world.deliverAll()).toEqual([]);
    expect(await runFileWork(world)).toEqual(['again FILE_UNAVAILABLE']);
    world.time.aheadMs += ARCHIVE_TIMES.linkRetryMs;
    await runFileWork(world);
    expect(await world.deliverAll()).toEqual([]);
    expect((await shown()).filter(([content]) => String(content).includes('does not follow'))).toHaveLength(1);
  });

  it('is dropped from the lane if it was pending', async () => {
    state.answers = 'file';
    expect(await runFileWork(world)).toEqual(['done', 'done']);
    await loseConversation();
    expect(await world.deliverAll()).toEqual([]);
    expect(await files()).toEqual(['photo.png']);
  });
});

describe('a file that is too large for agents', () => {
  it.each([
    ['is known before it is fetched', 500_001],
    ['is known only while it comes', null],
  ])("%s: agents get the text and the file's name, the runtime a notification", async (_when, sizeBytes) => {
    await start('ALWAYS');
    state.bytes = Buffer.alloc(500_001);
    const { message } = await sends('a film', file('film.mov', sizeBytes), file('photo.png', 10));
    state.bytes = PHOTO;
    if (sizeBytes === null) state.bytes = Buffer.alloc(500_001);
    else
      expect(await notices()).toEqual([
        { kind: 'FILE_NOT_DELIVERED', messageId: message.id, index: 0, code: 'FILE_TOO_LARGE' },
      ]);
    await runFileWork(world);
    expect(await world.deliverAll()).toEqual([]);
    const [[content, names]] = (await shown()) as any;
    expect(content).toContain('a film\n[film.mov] is not shown here: it is too large.');
    expect(names).not.toContain('film.mov');
    expect((await notices())[0]).toEqual({
      kind: 'FILE_NOT_DELIVERED',
      messageId: message.id,
      index: 0,
      code: 'FILE_TOO_LARGE',
    });
  });

  it("is a link for nobody, and has another limit than agents' files", async () => {
    await start('ON_HANDOFF');
    state.bytes = Buffer.alloc(500_000, 1);
    await sends('within', file());
    expect(await runFileWork(world)).toEqual(['done']);
    state.bytes = Buffer.alloc(500_001, 1);
    await sends('over', file());
    expect(await runFileWork(world)).toEqual(['given up FILE_TOO_LARGE']);
    expect(kept()).toHaveLength(1);
  });

  it('is posted alone when it comes with others', async () => {
    await start('ALWAYS');
    state.bytes = Buffer.alloc(300_000, 1);
    await sends('two films', file('one.png'), file('two.png'));
    expect(await world.deliverAll()).toEqual([]);
    await runFileWork(world);
    expect(await world.deliverAll()).toEqual([]);
    expect(await shown()).toEqual([
      ['two films\n[two.png] follows.', ['one.png']],
      ['[two.png]', ['two.png']],
    ]);
  });
});

describe('a long conversation that is handed over', () => {
  it('posts the newest files of its earlier part with the transcript, which has their names and no link', async () => {
    await start('ON_HANDOFF');
    for (let n = 1; n <= 25; n++) await sends(`photo ${n}`, file(`${n}.png`));
    for (let n = 1; n <= 50; n++) await world.user(sessionId, `line ${n}`);
    await runFileWork(world);
    state.answers = 403;
    await world.ask(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    const rows = await shown();
    const at = rows.findIndex(([, names]) => (names as string[]).includes('transcript.txt'));
    const files = rows.slice(0, at + 1).flatMap(([, names]) => names as string[]);
    expect(files.filter(name => name !== 'transcript.txt')).toEqual(
      Array.from({ length: 20 }, (_, n) => `${n + 6} ${n + 6}.png`),
    );
    // Notes about its files precede it, so that its lines stay next to later ones.
    expect(rows.slice(0, at + 1).map(([, names]) => (names as string[]).length)).toEqual([5, 16]);
    const transcript = (await world.messages(sessionId))
      .flatMap(({ attachments }) => attachments ?? [])
      .find(({ data_url }: any) => data_url.endsWith('transcript.txt'));
    const text = await (await fetch(transcript.data_url)).text();
    expect(text).toContain('[25 25.png] attached');
    expect(text).toContain('  [5.png]');
    expect(text).not.toMatch(/SECRET|http/);
  });

  it('posts a file that was late for the transcript after it', async () => {
    await start('ON_HANDOFF');
    state.answers = 503;
    await sends('photo', file());
    for (let n = 1; n <= 50; n++) await world.user(sessionId, `line ${n}`);
    await world.ask(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    state.answers = 'file';
    await runFileWork(world);
    expect(await world.deliverAll()).toEqual([]);
    expect((await shown()).at(-1)).toEqual([
      expect.stringMatching(/^\[photo\.png\] \(the message of .* UTC\)$/),
      ['photo.png'],
    ]);
  });
});
