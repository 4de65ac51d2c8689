import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';
import { runFileWork } from './run-file-work';
import { plainTextOf } from '../../../core/content/plain-text';
import type { ContentBody } from '../../../core/content';
import type { ReactionSide } from '../../../core/message';
import { CONTENTS } from '../../testing/cases/kinds';

type Becomes = 'native' | 'rendered' | 'refused' | '–';
type Kind = (by: ReactionSide) => Promise<Becomes>;

const scope = { organizationId: ORG };
let world: ChatwootWorld;
let sessionId: string;
let filesUrl: string;
const files = createServer((request, response) => {
  const isThere = !request.url!.startsWith('/gone');
  response.writeHead(isThere ? 200 : 404).end(request.url!.startsWith('/big') ? Buffer.alloc(300_000) : 'content');
});
beforeAll(async () => {
  world = await createChatwootWorld({ messagesPerMinute: 100_000 });
  await new Promise<void>(resolve => files.listen(0, '127.0.0.1', resolve));
  filesUrl = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
});
beforeEach(async () => {
  sessionId = await world.openMirroredSession('first');
});
afterAll(async () => {
  files.closeAllConnections();
  files.close();
  await world.close();
});

const say = (by: ReactionSide, text: string, more: object = {}) =>
  by === 'BOT' ? world.bot(sessionId, text, more) : world.user(sessionId, text, more);
const rows = async () => {
  expect(await world.deliverAll()).toEqual([]);
  return world.messages(sessionId);
};
/** Posts a message and returns its row in Chatwoot, after checking the sender. */
async function said(by: ReactionSide, text: string, more: object = {}): Promise<any> {
  await say(by, text, more);
  const row = (await rows()).at(-1);
  expect([row.message_type, row.sender.type ?? 'contact', row.private]).toEqual(
    by === 'BOT' ? [1, 'agent_bot', false] : [0, 'contact', false],
  );
  return row;
}

const asText =
  (text: string): Kind =>
  async by =>
    (await said(by, text)).content === text ? 'native' : 'rendered';
const file = (name: string, contentType: string, folder = 'here') => ({
  url: `${filesUrl}/${folder}/${name}`,
  name,
  contentType,
  sizeBytes: null,
});
const asFile =
  (...given: readonly [type: string, name: string, contentType: string][]): Kind =>
  async by => {
    const { attachments } = await said(by, 'see', { attachments: given.map(([, name, type]) => file(name, type)) });
    expect(attachments.map((one: any) => [one.file_type, one.data_url.split('/').at(-1)])).toEqual(
      given.map(([type, name]) => [type, name]),
    );
    return 'native';
  };
const asContent =
  (content: ContentBody): Kind =>
  async by => {
    const row = await said(by, 'Look:', { content });
    expect(row.content).toBe(plainTextOf('Look:', content));
    // Agents' screens join the lines of an input_select and of a form, and show none of their items.
    expect([row.content_type, row.content_attributes.items]).toEqual(['text', undefined]);
    return 'rendered';
  };
/** Expects an act to fail with this code and to store nothing. */
const refused =
  (code: string, act: (by: ReactionSide) => Promise<unknown>): Kind =>
  async by => {
    const before = (await world.session(sessionId)).lastEventSeq;
    await expect(act(by)).rejects.toMatchObject({ code });
    expect((await world.session(sessionId)).lastEventSeq).toBe(before);
    return 'refused';
  };
const named = async (by: ReactionSide, messageId: string) => ({
  sessionId,
  messageId,
  callerMessageId: null,
  epoch: by === 'BOT' ? (await world.session(sessionId)).epoch : null,
  idempotencyKey: world.nextKey(),
});

/** The rows of docs/message-kinds.md that come from the runtime. Each has its case here, and each case has its row. */
const KINDS: Readonly<Record<string, Kind>> = {
  text: asText('Hello {{ contact.name }}'),
  Markdown: asText('**bold** [link](https://a.example)\n\n* one'),
  image: asFile(['image', 'a.png', 'image/png']),
  audio: asFile(['audio', 'a.ogg', 'audio/ogg']),
  video: asFile(['video', 'a.mp4', 'video/mp4']),
  file: asFile(['file', 'a.pdf', 'application/pdf']),
  'several files': asFile(['image', 'a.png', 'image/png'], ['file', 'b.pdf', 'application/pdf']),
  'file that cannot be fetched': async by => {
    const gone = file('a.png', 'image/png', 'gone');
    expect((await said(by, 'see', { attachments: [gone] })).content).toBe(
      'see\n[a.png] could not be fetched yet; it follows as soon as it can be.',
    );
    return 'rendered';
  },
  'file too large': async by => {
    const large = { ...file('film.mov', 'video/quicktime'), sizeBytes: 500_001 };
    expect((await said(by, 'see', { attachments: [large] })).content).toBe(
      'see\n[film.mov] is not shown here: it is too large.',
    );
    return 'rendered';
  },
  'more files than fit in one post': async by => {
    const { content, attachments } = await said(by, 'see', {
      attachments: [file('a.png', 'image/png', 'big'), file('b.png', 'image/png', 'big')],
    });
    expect([content, attachments.length]).toEqual(['see\n[b.png] follows.', 1]);
    await runFileWork(world);
    expect((await rows()).at(-1).attachments.map((one: any) => one.data_url.split('/').at(-1))).toEqual(['b.png']);
    return 'native';
  },
  location: asContent(CONTENTS.LOCATION),
  'contact card': asContent(CONTENTS.CONTACT_CARD),
  buttons: asContent(CONTENTS.CHOICES),
  'quick replies': asContent({ ...CONTENTS.CHOICES, style: 'QUICK_REPLIES' } as ContentBody),
  cards: asContent(CONTENTS.CARDS),
  form: asContent(CONTENTS.FORM),
  'choice made, form filled in': async by => {
    if (by === 'BOT') return '–';
    const { message } = await say('BOT', 'Which?', { content: CONTENTS.CHOICES });
    const row = await said(by, 'Blue', { replyTo: message.id });
    expect([row.content, row.content_attributes.in_reply_to]).toEqual(['Blue', (await rows()).at(-2).id]);
    return 'native';
  },
  suggestion: async by => {
    if (by === 'END_USER') return '–';
    await world.ask(sessionId);
    await say(by, 'perhaps', { onControlLost: 'SUGGEST', content: CONTENTS.CHOICES });
    expect((await rows()).at(-1)).toMatchObject({
      private: true,
      content: plainTextOf('perhaps', CONTENTS.CHOICES),
      content_type: 'text',
    });
    return 'native';
  },
  'reply to a message': async by => {
    const { message } = await say('END_USER', 'When?');
    expect((await said(by, 'Now', { replyTo: message.id })).content_attributes.in_reply_to).toBe(
      (await rows()).at(-2).id,
    );
    return 'native';
  },
  'time at which it was said': async by => {
    const saidAt = '2026-01-02T03:04:05.000Z';
    const row = await said(by, 'Then', { saidAt });
    expect(row).toMatchObject({
      content: '[said 2026-01-02 03:04 UTC]\nThen',
      content_attributes: { external_created_at: Date.parse(saidAt) / 1_000 },
    });
    return 'rendered';
  },
  edit: async by => {
    const { message } = await say(by, 'the 14th');
    await rows();
    await world.flows.editMessage(scope, { ...(await named(by, message.id)), text: 'the 15th' });
    const [original, line] = (await rows()).slice(-2);
    expect([original.content, line.content, line.content_attributes.in_reply_to]).toEqual([
      'the 14th',
      'Edited: the 15th',
      original.id,
    ]);
    return 'rendered';
  },
  reaction: async by => {
    const { message } = await say('END_USER', 'done');
    await rows();
    for (const emoji of ['👍', '👍', null]) {
      await world.flows.reactToMessage(scope, { ...(await named(by, message.id)), by, emoji });
      await rows();
    }
    const [original, ...lines] = (await rows()).slice(-3);
    expect(lines.map(line => [line.content, line.content_attributes.in_reply_to, line.message_type])).toEqual(
      ['Reacted with 👍.', 'Took the reaction 👍 back.'].map(text => [text, original.id, by === 'BOT' ? 1 : 0]),
    );
    return 'rendered';
  },
  deletion: async by => {
    const { message } = await say(by, 'card 4711', { attachments: [file('a.png', 'image/png')] });
    await rows();
    await world.flows.editMessage(scope, { ...(await named(by, message.id)), text: 'card 4712' });
    await rows();
    await world.flows.deleteMessage(scope, await named(by, message.id));
    const left = (await rows()).slice(-2);
    expect(left.map(row => row.content_attributes)).toEqual([{ deleted: true }, { deleted: true }]);
    expect(JSON.stringify(left)).not.toMatch(/card 471|a\.png/);
    return 'native';
  },
  'delivered, read, failed': async by => {
    if (by === 'BOT') return '–';
    const alice = await world.addPerson(`Alice${world.nextKey()}`);
    await (await world.acting(alice, sessionId)).reply('hello Eve');
    await world.runDueSyncs();
    const [messageId] = (await world.inboxOf(sessionId)).flatMap(({ notice }) =>
      notice.kind === 'MESSAGE' ? [notice.messageId] : [],
    );
    await world.flows.reportChannelDelivery(scope, {
      sessionId,
      messageId: messageId!,
      state: 'READ',
      error: null,
      idempotencyKey: world.nextKey(),
    });
    expect((await rows()).at(-1).status).toBe('read');
    return 'native';
  },
  'more than 64,000 characters': refused('TEXT_TOO_LONG', by =>
    say(by, 'x'.repeat(64_001), { content: CONTENTS.FORM }),
  ),
  'neither text, content nor file': refused('TEXT_EMPTY', by => say(by, ' ')),
  'more than 15 files': refused('TOO_MANY_ATTACHMENTS', by =>
    say(by, '', { attachments: Array.from({ length: 16 }, () => file('a.png', 'image/png')) }),
  ),
  'content that does not fit': refused('INPUT_INVALID', by => say(by, '', { content: { kind: 'CARDS', cards: [] } })),
  'edit of a message that was deleted': async by => {
    const { message } = await say(by, 'hi');
    await world.flows.deleteMessage(scope, await named(by, message.id));
    return refused('MESSAGE_DELETED', async () =>
      world.flows.editMessage(scope, { ...(await named(by, message.id)), text: 'ho' }),
    )(by);
  },
};

const page = readFileSync(path.join(__dirname, '../../../../docs/message-kinds.md'), 'utf8')
  .split('## From end-users and bots to agents')[1]!
  .split('### ')[0]!;
const PUBLISHED = new Map(
  [...page.matchAll(/^\| ([^|]+) \| (native|rendered|refused|–) \| (native|rendered|refused|–) \|/gm)].map(
    ([, kind, endUser, bot]) => [kind!.trim(), [endUser!, bot!]],
  ),
);

describe('messages from the runtime', () => {
  it('all kinds are in the published table, and nothing else is', () => {
    expect([...PUBLISHED.keys()].sort()).toEqual(Object.keys(KINDS).sort());
  });

  it.each(Object.entries(KINDS))('%s', async (name, kind) => {
    const endUser = await kind('END_USER');
    sessionId = await world.openMirroredSession('again');
    expect([endUser, await kind('BOT')]).toEqual(PUBLISHED.get(name));
  });
});

describe('a deleted message', () => {
  it('is not reported again by its own webhook, a sync, or a full scan', async () => {
    await world.ask(sessionId);
    const { message } = await say('END_USER', 'card 4711');
    await rows();
    await world.runDueSyncs();
    await world.pool.query("update session set sync_cursor = '999999' where id = $1", [sessionId]);
    await world.flows.deleteMessage(scope, await named('END_USER', message.id));
    await rows();
    expect(await world.runDueSyncs()).toBeGreaterThan(0);
    await world.pool.query('update session set sync_cursor = null where id = $1', [sessionId]);
    await world.read(sessionId);
    expect((await world.collected(sessionId)).filter(line => /DELETED|4711/.test(line))).toEqual([]);
    const events = (await world.stores.events.listBySession(ORG, sessionId, 0, 100)).map(({ body }) => body.type);
    expect(events.filter(type => type === 'MESSAGE_DELETED')).toHaveLength(1);
  });

  it('is complete when Chatwoot no longer has it, and the conversation continues', async () => {
    const { message } = await say('END_USER', 'card 4711');
    await rows();
    await world.pool.query("update message set provider_message_id = '99999999' where id = $1", [message.id]);
    await world.flows.deleteMessage(scope, await named('END_USER', message.id));
    expect((await said('END_USER', 'next')).content).toBe('next');
  });

  it('that was part of a transcript is reported with the time at which it was said', async () => {
    sessionId = (await world.open()).id;
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    try {
      const { message } = await say('END_USER', 'card 4711');
      for (let n = 0; n < 60; n++) await say('END_USER', `line ${n}`);
      await world.ask(sessionId);
      await rows();
      await world.flows.deleteMessage(scope, await named('END_USER', message.id));
      expect((await rows()).at(-1).content).toMatch(
        /^Took this message back \(the message of \d{4}-\d\d-\d\d \d\d:\d\d UTC\)\.$/,
      );
    } finally {
      await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ALWAYS' });
    }
  });
});
