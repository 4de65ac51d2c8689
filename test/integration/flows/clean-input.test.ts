import { MAX_TEXT_LENGTH, type Attachment } from '../../../src/core/message';
import { createFlowWorld, scope, type FlowWorld } from '../../../src/testing/flow-world';

let world: FlowWorld;
let sessionId: string;
beforeAll(async () => {
  world = await createFlowWorld();
});
beforeEach(async () => {
  sessionId = (await world.open()).id;
});
afterAll(() => world.close());

const file = (change: Partial<Attachment> = {}): Attachment => ({
  url: 'https://files.example/a.png',
  name: 'a.png',
  contentType: 'image/png',
  sizeBytes: 3,
  ...change,
});
const say = (more: object = {}) =>
  world.flows.recordEndUserMessage(scope, {
    sessionId,
    text: 'see',
    attachments: [],
    messageId: null,
    idempotencyKey: world.nextKey(),
    ...more,
  });
const refusal = async (act: Promise<unknown>): Promise<unknown> =>
  act.then(
    () => null,
    ({ code, field }: { code: string; field: string }) => [code, field],
  );

describe('an attachment', () => {
  it.each([
    ['holds its bytes', `data:image/png;base64,${'A'.repeat(200_000)}`],
    ['is a script', 'javascript:alert(1)'],
    ['is a file of the server', 'file:///etc/passwd'],
    ['holds a password', 'https://me:secret@files.example/a.png'],
    ['holds a line break', 'https://files.example/a.png\r\nHost: b'],
    ['has no host', 'https:///a.png'],
    ['is too long', `https://files.example/${'x'.repeat(8_000)}`],
  ])('is refused by field name when its address %s, and nothing is stored', async (_what, url) => {
    const before = (await world.events(sessionId)).length;
    const { epoch } = await world.session(sessionId);
    expect(await refusal(say({ attachments: [file(), file({ url })] }))).toEqual([
      'INPUT_INVALID',
      'attachments.1.url',
    ]);
    expect(
      await refusal(
        world.flows.sendBotMessage(scope, {
          sessionId,
          epoch,
          text: 'x',
          attachments: [file({ url })],
          messageId: null,
          onControlLost: 'REJECT',
          idempotencyKey: world.nextKey(),
        }),
      ),
    ).toEqual(['INPUT_INVALID', 'attachments.0.url']);
    expect(await world.events(sessionId)).toHaveLength(before);
  });

  it('is accepted from a store that signs with a session token', async () => {
    const url = `https://files.example/a.png?X-Amz-Security-Token=${'x'.repeat(3_000)}`;
    expect((await say({ attachments: [file({ url })] })).message.attachments).toEqual([file({ url })]);
  });

  it('is recorded with a file name that every remote accepts, and a type', async () => {
    const given = [
      file({ name: ' ' }),
      file({ name: '\t\n', contentType: 'audio/mpeg' }),
      file({ name: 'a\u0000b\ud800.png' }),
      file({ name: 'x', contentType: 'nonsense\r\nx' }),
    ];
    const { message } = await say({ attachments: given });
    expect((await world.stores.messages.get('org-1', message.id))!.attachments).toEqual([
      file({ name: 'file.png' }),
      file({ name: 'file.mp3', contentType: 'audio/mpeg' }),
      file({ name: 'ab\ufffd.png' }),
      file({ name: 'x', contentType: 'application/octet-stream' }),
    ]);
  });
});

it('a file with an invalid size is refused by field name', async () => {
  expect(await refusal(say({ attachments: [file(), file({ sizeBytes: -1 })] }))).toEqual([
    'INPUT_INVALID',
    'attachments.1.sizeBytes',
  ]);
});

describe('the same message with newly signed links', () => {
  const signed = (signature: string) =>
    `https://files.example/a.png?X-Amz-Date=${signature}&X-Amz-Signature=${signature}`;
  const cards = (signature: string) => ({
    kind: 'CARDS',
    cards: [{ title: 'Shoe', description: null, pictureUrl: signed(signature), actions: [] }],
  });

  it('is one message under the same key and message id', async () => {
    const more = { messageId: 'turn-1', idempotencyKey: 'signed-1' };
    const first = await say({ ...more, attachments: [file({ url: signed('1') })], content: cards('1') });
    const again = await say({ ...more, attachments: [file({ url: signed('2') })], content: cards('2') });
    expect([again.message.id, again.replayed]).toEqual([first.message.id, true]);
  });

  it('is one message under the same message id and another key', async () => {
    const first = await say({ messageId: 'turn-2', attachments: [file({ url: signed('1') })], content: cards('1') });
    const again = await say({ messageId: 'turn-2', attachments: [file({ url: signed('2') })], content: cards('2') });
    expect(again.message.id).toBe(first.message.id);
    expect(await refusal(say({ messageId: 'turn-2', text: 'another' }))).toEqual([
      'IDEMPOTENCY_KEY_REUSED',
      'messageId',
    ]);
  });

  it.each([
    ['another file', { attachments: [file({ url: 'https://files.example/b.png?X-Amz-Signature=1' })] }],
    ['another host', { attachments: [file({ url: 'https://other.example/a.png?X-Amz-Signature=1' })] }],
    ['another name', { attachments: [file({ url: signed('1'), name: 'b.png' })] }],
    ['another size', { attachments: [file({ url: signed('1'), sizeBytes: 4 })] }],
  ])('is a different message with %s', async (what, change) => {
    await say({ idempotencyKey: `another ${what}`, attachments: [file({ url: signed('1') })] });
    expect(await refusal(say({ idempotencyKey: `another ${what}`, ...change }))).toEqual([
      'IDEMPOTENCY_KEY_REUSED',
      'idempotencyKey',
    ]);
  });

  it("is recognized for the bot's messages, for links of a handoff, and for an edit that changes nothing", async () => {
    const { epoch } = await world.session(sessionId);
    const bot = (signature: string) =>
      world.flows.sendBotMessage(scope, {
        sessionId,
        epoch,
        text: 'x',
        attachments: [file({ url: signed(signature) })],
        messageId: 'b',
        onControlLost: 'REJECT',
        idempotencyKey: 'signed-bot',
      });
    expect((await bot('1')).message.id).toBe((await bot('2')).message.id);
    const { message } = await say({ content: cards('1') });
    const edit = (signature: string) =>
      world.flows.editMessage(scope, {
        sessionId,
        messageId: message.id,
        callerMessageId: null,
        text: 'see',
        content: cards(signature) as never,
        epoch: null,
        idempotencyKey: world.nextKey(),
      });
    expect((await edit('2')).message.version).toBe(1);
    const ask = (signature: string) =>
      world.ask(sessionId, { links: [{ label: 'Order', url: signed(signature) }], idempotencyKey: 'signed-ask' });
    expect((await ask('1')).handoff.id).toBe((await ask('2')).handoff.id);
  });
});

describe('NUL and halves of surrogate pairs', () => {
  const bad = 'a\u0000b\ud800';
  const clean = 'ab\ufffd';

  it('are removed from everything that people read', async () => {
    const { session } = await world.flows.openSession(scope, {
      chatbotId: 'bot-1',
      channel: 'web',
      externalId: 'cleaned',
      endUser: { name: bad, email: 'a\u0000@b.example', attributes: { [bad]: bad, orderId: bad } },
    });
    expect(session.endUser).toMatchObject({
      name: clean,
      email: 'a@b.example',
      attributes: { [clean]: clean, orderId: clean },
    });
    const { handoff } = await world.ask(session.id, {
      reason: bad,
      summary: bad,
      intent: bad,
      resumeTarget: bad,
      fields: { [bad]: bad },
      links: [{ label: bad, url: 'https://a.example/' }],
    });
    expect(await world.handoff(handoff.id)).toMatchObject({
      reason: clean,
      summary: clean,
      intent: clean,
      resumeTarget: clean,
      fields: { [clean]: clean },
      links: [{ label: clean }],
    });
    const { message } = await world.flows.recordEndUserMessage(scope, {
      sessionId: session.id,
      text: bad,
      content: { kind: 'CHOICES', style: 'BUTTONS', items: [{ title: bad, value: bad }] },
      attachments: [],
      messageId: null,
      idempotencyKey: world.nextKey(),
    });
    expect(message).toMatchObject({
      text: `${clean}\n1. ${clean}`,
      content: { caption: clean, items: [{ title: clean, value: clean }] },
    });
    expect(
      (
        await world.flows.enableChatbot(scope, {
          chatbotId: 'bot-1',
          name: bad,
          accountId: null,
          policy: { lines: { queued: bad } },
        })
      ).inbox,
    ).toMatchObject({ name: clean, policy: { lines: { queued: clean } } });
  });

  it.each([
    [
      'externalId',
      () => world.flows.openSession(scope, { chatbotId: 'bot-1', channel: 'web', externalId: bad, endUser: {} }),
    ],
    [
      'channel',
      () => world.flows.openSession(scope, { chatbotId: 'bot-1', channel: bad, externalId: 'x', endUser: {} }),
    ],
    [
      'chatbotId',
      () => world.flows.openSession(scope, { chatbotId: bad, channel: 'web', externalId: 'x', endUser: {} }),
    ],
    [
      'endUser.externalId',
      () =>
        world.flows.openSession(scope, {
          chatbotId: 'bot-1',
          channel: 'web',
          externalId: 'x',
          endUser: { externalId: bad },
        }),
    ],
    ['messageId', () => say({ messageId: bad })],
    ['idempotencyKey', () => say({ idempotencyKey: bad })],
    ['replyTo', () => say({ replyTo: bad })],
    ['attachments.0.url', () => say({ attachments: [file({ url: `https://a.example/${bad}` })] })],
    ['target.team', () => world.ask(sessionId, { target: { team: bad, agent: null } })],
    ['chatbotId', () => world.flows.updatePolicy(scope, bad, {})],
    ['ids.0', () => world.flows.acknowledge(scope, [bad])],
    [
      'credentials.platformToken',
      () =>
        world.flows.enableSupport(scope, {
          provider: 'scripted',
          name: 'One',
          baseUrl: null,
          settings: {},
          credentials: { platformToken: bad },
          owners: [],
        }),
    ],
  ])('are refused in %s', async (field, act) => {
    expect(await refusal(act())).toEqual(['INPUT_INVALID', field]);
  });
});

describe('texts of a setup', () => {
  const policy = (lines: object) => world.flows.updatePolicy(scope, 'bot-1', { lines });
  it.each(['queued', 'rejected', 'failed', 'ended'])(
    'a blank or too long line "%s" is refused by field name',
    async name => {
      expect(await refusal(policy({ [name]: ' \n' }))).toEqual(['TEXT_EMPTY', `policy.lines.${name}`]);
      expect(await refusal(policy({ [name]: 'x'.repeat(MAX_TEXT_LENGTH + 1) }))).toEqual([
        'TEXT_TOO_LONG',
        `policy.lines.${name}`,
      ]);
      expect(
        await refusal(
          world.flows.enableChatbot(scope, {
            chatbotId: 'bot-1',
            name: 'Bot',
            accountId: null,
            policy: { lines: { [name]: '' } },
          }),
        ),
      ).toEqual(['TEXT_EMPTY', `policy.lines.${name}`]);
      expect((await policy({ [name]: null })).policy.lines).toMatchObject({ [name]: null });
    },
  );

  it('a blank owner is refused by field name', async () => {
    const enable = (owner: { name: string; email: string }) =>
      world.flows.enableSupport(scope, {
        provider: 'scripted',
        name: 'One',
        baseUrl: null,
        settings: {},
        credentials: {},
        owners: [{ name: 'Ada', email: 'ada@a.example' }, owner],
      });
    expect(await refusal(enable({ name: ' ', email: 'b@b.example' }))).toEqual(['INPUT_INVALID', 'owners.1.name']);
    expect(await refusal(enable({ name: 'Bob', email: 'nobody' }))).toEqual(['INPUT_INVALID', 'owners.1.email']);
  });
});
