import { randomUUID } from 'node:crypto';
import type { DeepPartial } from '../../../src/core/flows/api/setup';
import type { EditMessageInput, ReactToMessageInput } from '../../../src/core/flows/api/messages';
import type { PostMessage } from '../../../src/core/ports/provider/post-verbs';
import type { SupportPolicy } from '../../../src/core/setup';
import { codeOf, createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';

let world: FlowWorld;
const start = async (policy: DeepPartial<SupportPolicy> = {}) => {
  world = await createFlowWorld(policy);
};
afterEach(() => world.close());

const edit = (sessionId: string, messageId: string, text: string, more: Partial<EditMessageInput> = {}) =>
  world.flows.editMessage(scope, {
    sessionId,
    messageId,
    callerMessageId: null,
    text,
    epoch: null,
    idempotencyKey: world.nextKey(),
    ...more,
  });
const react = (sessionId: string, messageId: string, emoji: string | null, more: Partial<ReactToMessageInput> = {}) =>
  world.flows.reactToMessage(scope, {
    sessionId,
    messageId,
    callerMessageId: null,
    by: 'END_USER',
    emoji,
    epoch: null,
    idempotencyKey: world.nextKey(),
    ...more,
  });
const takeBack = (sessionId: string, messageId: string, more: object = {}) =>
  world.flows.deleteMessage(scope, {
    sessionId,
    messageId,
    callerMessageId: null,
    epoch: null,
    idempotencyKey: world.nextKey(),
    ...more,
  });
const record = async (id: string) => (await world.stores.messages.get(ORG, id))!;
const eventsOf = async (sessionId: string) =>
  (await world.events(sessionId))
    .map(({ body }) => body.type)
    .filter(type => type.startsWith('MESSAGE_') && type !== 'MESSAGE_RECORDED');
/** A session whose first message is at the agents. */
async function posted(text = 'the 14th'): Promise<{ sessionId: string; id: string }> {
  const { id: sessionId } = await world.open();
  const {
    message: { id },
  } = await world.user(sessionId, text);
  expect(await world.deliverAll()).toEqual([]);
  return { sessionId, id };
}

describe('an edit', () => {
  beforeEach(() => start());

  it('keeps the new text, and posts one line that answers the old message', async () => {
    const { sessionId, id } = await posted();
    const input = {
      sessionId,
      messageId: id,
      callerMessageId: null,
      text: 'the 15th',
      epoch: null,
      idempotencyKey: 'edit-1',
    };
    const first = await world.flows.editMessage(scope, input);
    expect(first.message).toMatchObject({ id, text: 'the 15th', version: 2, editedAt: expect.any(String) });
    expect(await world.flows.editMessage(scope, input)).toEqual({ ...first, replayed: true });
    await edit(sessionId, id, 'the 15th');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: the 14th', 'END_USER: Edited: the 15th']);
    expect(world.provider.answers()).toEqual([null, 'the 14th']);
    expect(await eventsOf(sessionId)).toEqual(['MESSAGE_EDITED']);
    expect(await record(id)).toMatchObject({ text: 'the 15th', seq: 1 });
    expect((await world.session(sessionId)).lastMessageSeq).toBe(1);
  });

  it('of an unposted message changes only the text', async () => {
    const { id: sessionId } = await world.open();
    const { message } = await world.user(sessionId, 'the 14th');
    await edit(sessionId, message.id, 'the 15th');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: the 15th']);
  });

  it('that was replaced by a newer edit before it was posted is posted as the newest only', async () => {
    const { sessionId, id } = await posted();
    for (const day of ['15th', '16th', '17th']) await edit(sessionId, id, `the ${day}`);
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: the 14th', 'END_USER: Edited: the 17th']);
  });

  it.each(['before', 'after'] as const)(
    'is posted once when the response to its line is lost %s it was written',
    async fault => {
      const { sessionId, id } = await posted();
      await edit(sessionId, id, 'the 15th');
      world.provider.failNext('postMessage', fault);
      await world.deliverAll();
      expect(world.provider.shown()).toEqual(['END_USER: the 14th', 'END_USER: Edited: the 15th']);
    },
  );

  it('is looked up after its message when the response is lost and a sync has passed it', async () => {
    const { sessionId, id } = await posted();
    const { providerMessageId } = await record(id);
    await edit(sessionId, id, 'the 15th');
    const asked: PostMessage[] = [];
    const { postMessage } = world.provider;
    world.provider.postMessage = async request => {
      asked.push(request);
      const post = await postMessage.call(world.provider, request);
      if (asked.length > 1) return post;
      await world.read(sessionId);
      throw new Error('cut');
    };
    await world.deliverAll();
    expect(asked).toMatchObject([{ mayExist: false }, { mayExist: true, lookupAfter: providerMessageId }]);
    expect(world.provider.shown()).toEqual(['END_USER: the 14th', 'END_USER: Edited: the 15th']);
  });

  it('during the post of the message itself is posted after it', async () => {
    const { id: sessionId } = await world.open();
    const { message } = await world.user(sessionId, 'the 14th');
    world.provider.hooks.set('postMessage', async () => {
      await edit(sessionId, message.id, 'the 15th');
    });
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: the 14th', 'END_USER: Edited: the 15th']);
  });

  it('is posted after a message whose posted text is unknown', async () => {
    const { id: sessionId } = await world.open();
    const { message } = await world.user(sessionId, 'the 14th');
    world.provider.failNext('postMessage', 'after');
    world.provider.hooks.set('postMessage', async () => {
      await edit(sessionId, message.id, 'the 15th');
    });
    await world.deliverAll();
    expect(world.provider.shown()).toEqual(['END_USER: the 14th', 'END_USER: Edited: the 15th']);
  });

  it("names the message by our id or the runtime's, and is refused for every message of another author", async () => {
    const { id: sessionId } = await world.open();
    await world.flows.recordEndUserMessage(scope, {
      sessionId,
      text: 'hi',
      attachments: [],
      messageId: 'turn-1',
      idempotencyKey: 'k',
    });
    const named = { sessionId, text: 'ho', epoch: null };
    expect(
      (
        await world.flows.editMessage(scope, {
          ...named,
          messageId: null,
          callerMessageId: 'turn-1',
          idempotencyKey: 'e1',
        })
      ).message.text,
    ).toBe('ho');
    expect(
      await codeOf(
        world.flows.editMessage(scope, { ...named, messageId: null, callerMessageId: null, idempotencyKey: 'e2' }),
      ),
    ).toBe('INPUT_INVALID');
    expect(
      await codeOf(
        world.flows.editMessage(scope, { ...named, messageId: null, callerMessageId: 'turn-2', idempotencyKey: 'e3' }),
      ),
    ).toBe('INPUT_INVALID');
    expect(await codeOf(edit(sessionId, randomUUID(), 'ho'))).toBe('INPUT_INVALID');
    expect(await codeOf(edit(randomUUID(), randomUUID(), 'ho'))).toBe('SESSION_NOT_FOUND');
    await world.ask(sessionId);
    await world.deliverAll();
    world.provider.agentSays('hello');
    await world.read(sessionId);
    for (const { notice } of await world.inbox(sessionId))
      if (notice.kind === 'MESSAGE')
        expect(await codeOf(edit(sessionId, notice.messageId, 'mine now'))).toBe('INPUT_INVALID');
  });

  it('does not turn a repeated message into another one', async () => {
    const { id: sessionId } = await world.open();
    const turn = { sessionId, text: 'hi', attachments: [], messageId: 'turn-1' };
    const { message } = await world.flows.recordEndUserMessage(scope, { ...turn, idempotencyKey: 'k1' });
    await edit(sessionId, message.id, 'ho');
    expect((await world.flows.recordEndUserMessage(scope, { ...turn, idempotencyKey: 'k2' })).message).toMatchObject({
      id: message.id,
      text: 'ho',
    });
  });

  it('of the bot is a bot message: it needs the epoch, and control', async () => {
    const { id: sessionId } = await world.open();
    const { message } = await world.bot(sessionId, 'EUR 10');
    expect(await codeOf(edit(sessionId, message.id, 'EUR 12'))).toBe('INPUT_INVALID');
    await edit(sessionId, message.id, 'EUR 12', { epoch: 1 });
    await world.ask(sessionId);
    const before = (await world.events(sessionId)).length;
    expect(await codeOf(edit(sessionId, message.id, 'EUR 13', { epoch: 1 }))).toBe('CONTROL_LOST');
    expect(await codeOf(edit(sessionId, message.id, 'EUR 13', { epoch: 2 }))).toBe('CONTROL_LOST');
    expect(await record(message.id)).toMatchObject({ text: 'EUR 12', version: 2 });
    expect(await world.events(sessionId)).toHaveLength(before);
    const { message: suggestion } = await world.bot(sessionId, 'perhaps', 1, 'SUGGEST');
    expect(await codeOf(edit(sessionId, suggestion.id, 'surely', { epoch: 2 }))).toBe('INPUT_INVALID');
  });
});

describe('a reaction', () => {
  beforeEach(() => start());

  it('set, changed and removed is one line each, in reply to the message; a repeat is none', async () => {
    const { sessionId, id } = await posted();
    for (const emoji of ['👍', '👍', '❤️', null, null]) {
      await react(sessionId, id, emoji);
      expect(await world.deliverAll()).toEqual([]);
    }
    expect(world.provider.shown().slice(1)).toEqual([
      'END_USER: Reacted with 👍.',
      'END_USER: Changed the reaction from 👍 to ❤️.',
      'END_USER: Took the reaction ❤️ back.',
    ]);
    expect(world.provider.answers().slice(1)).toEqual(['the 14th', 'the 14th', 'the 14th']);
    expect(await eventsOf(sessionId)).toEqual(['MESSAGE_REACTED', 'MESSAGE_REACTED', 'MESSAGE_REACTED']);
    expect((await record(id)).reactions).toEqual([]);
  });

  it('that was removed before it was posted is not posted, and one that was set again is posted in its newest form', async () => {
    const { sessionId, id } = await posted();
    for (const emoji of ['👍', null]) await react(sessionId, id, emoji);
    await world.deliverAll();
    expect(world.provider.shown()).toHaveLength(1);
    for (const emoji of ['👍', '❤️', '👍']) await react(sessionId, id, emoji);
    await world.deliverAll();
    expect(world.provider.shown().slice(1)).toEqual(['END_USER: Reacted with 👍.']);
  });

  it('is posted once when the response to its line is lost, although it has changed since', async () => {
    const { sessionId, id } = await posted();
    await react(sessionId, id, '👍');
    world.provider.failNext('postMessage', 'after');
    world.provider.hooks.set('postMessage', async () => {
      await react(sessionId, id, '❤️');
    });
    await world.deliverAll();
    expect(world.provider.shown().slice(1)).toEqual([
      'END_USER: Reacted with 👍.',
      'END_USER: Changed the reaction from 👍 to ❤️.',
    ]);
  });

  it("to an agent's message and to our own line reaches the agents too", async () => {
    const { sessionId } = await posted();
    await world.ask(sessionId);
    await world.deliverAll();
    world.provider.agentSays('hello');
    await world.read(sessionId);
    for (const { notice } of await world.inbox(sessionId))
      if (notice.kind === 'MESSAGE') await react(sessionId, notice.messageId, '👍');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown().slice(1)).toEqual([
      'END_USER: Reacted with 👍 (the message of 2026-11-22 12:00 UTC).',
      'END_USER: Reacted with 👍.',
    ]);
    expect(world.provider.answers().slice(1)).toEqual([null, 'hello']);
  });

  it("of the bot needs the epoch, and exists beside the end-user's", async () => {
    const { sessionId, id } = await posted();
    await react(sessionId, id, '👍');
    expect(await codeOf(react(sessionId, id, '👀', { by: 'BOT' }))).toBe('INPUT_INVALID');
    expect(await codeOf(react(sessionId, id, '👀', { by: 'BOT', epoch: 9 }))).toBe('CONTROL_LOST');
    await react(sessionId, id, '👀', { by: 'BOT', epoch: 1 });
    expect((await record(id)).reactions).toMatchObject([
      { by: 'END_USER', emoji: '👍' },
      { by: 'BOT', emoji: '👀' },
    ]);
    await world.deliverAll();
    expect(world.provider.shown().slice(1)).toEqual(['END_USER: Reacted with 👍.', 'BOT: Reacted with 👀.']);
  });

  it.each([
    ['nothing', ' '],
    ['a line break', 'a\nb'],
    ['too much', 'x'.repeat(101)],
  ])('is refused when it is %s', async (_what, emoji) => {
    const { sessionId, id } = await posted();
    expect(await codeOf(react(sessionId, id, emoji))).toBe('INPUT_INVALID');
  });
});

describe('a deletion', () => {
  beforeEach(() => start());

  it('removes the message and every line with its text at the agents, once', async () => {
    world.provider.enableDelete();
    const { sessionId, id } = await posted('card 4711');
    await edit(sessionId, id, 'card 4712');
    await world.deliverAll();
    expect((await takeBack(sessionId, id)).alreadyDeleted).toBe(false);
    expect(await takeBack(sessionId, id)).toMatchObject({
      alreadyDeleted: true,
      message: { id, deletedAt: expect.any(String) },
    });
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: (deleted)', 'END_USER: (deleted)']);
    expect(await eventsOf(sessionId)).toEqual(['MESSAGE_EDITED', 'MESSAGE_DELETED']);
    await world.read(sessionId);
    expect(await world.collected(sessionId)).toEqual([]);
    expect(await eventsOf(sessionId)).toEqual(['MESSAGE_EDITED', 'MESSAGE_DELETED']);
  });

  it.each(['before', 'after'] as const)(
    'is performed once although the response is lost %s it was done',
    async fault => {
      world.provider.enableDelete();
      const { sessionId, id } = await posted('card 4711');
      await takeBack(sessionId, id);
      world.provider.failNext('deleteMessage', fault);
      await world.deliverAll();
      expect(world.provider.shown()).toEqual(['END_USER: (deleted)']);
    },
  );

  it('of an unposted message is visible as a deletion, without the text', async () => {
    const { id: sessionId } = await world.open();
    const file = { url: 'https://files.example/a.png', name: 'a.png', contentType: 'image/png', sizeBytes: 3 };
    const { message } = await world.flows.recordEndUserMessage(scope, {
      sessionId,
      text: 'card 4711',
      attachments: [file],
      messageId: null,
      idempotencyKey: 'k',
    });
    await takeBack(sessionId, message.id);
    await world.user(sessionId, 'never mind');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual([
      'END_USER: This message was taken back before it arrived here.',
      'END_USER: never mind',
    ]);
  });

  it('during the post of the message removes it afterwards, even when its outcome is unknown', async () => {
    world.provider.enableDelete();
    for (const fault of [undefined, 'after', 'before'] as const) {
      const { id: sessionId } = await world.open();
      const { message } = await world.user(sessionId, 'card 4711');
      if (fault !== undefined) world.provider.failNext('postMessage', fault);
      world.provider.hooks.set('postMessage', async () => {
        await takeBack(sessionId, message.id).catch(() => undefined);
      });
      await world.deliverAll();
      if (fault === 'before') {
        await takeBack(sessionId, message.id);
        await world.deliverAll();
      }
      expect([fault, world.provider.shown()]).toEqual([fault, ['END_USER: (deleted)']]);
    }
  });

  it('removes an edit of unknown outcome', async () => {
    world.provider.enableDelete();
    const { sessionId, id } = await posted('card 4711');
    await edit(sessionId, id, 'card 4712');
    world.provider.failNext('postMessage', 'after');
    world.provider.hooks.set('postMessage', async () => {
      await takeBack(sessionId, id);
    });
    await world.deliverAll();
    expect(world.provider.shown()).toEqual(['END_USER: (deleted)', 'END_USER: (deleted)']);
  });

  it('is posted as text where the provider has no verb for it, or refuses', async () => {
    const { sessionId, id } = await posted('card 4711');
    await takeBack(sessionId, id);
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: card 4711', 'END_USER: Took this message back.']);
    expect(world.provider.answers()).toEqual([null, 'card 4711']);
    world.provider.enableDelete();
    world.provider.failNext('deleteMessage', 'refused');
    const { message } = await world.bot(sessionId, 'EUR 10');
    await world.deliverAll();
    await takeBack(sessionId, message.id);
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown().slice(2)).toEqual(['BOT: EUR 10', 'BOT: Took this message back.']);
  });

  it('ends all changes of a message, and is still accepted once the session is closed', async () => {
    const { sessionId, id } = await posted();
    await world.flows.closeSession(scope, { sessionId, idempotencyKey: 'close' });
    expect(await codeOf(edit(sessionId, id, 'x'))).toBe('SESSION_CLOSED');
    expect(await codeOf(react(sessionId, id, '👍'))).toBe('SESSION_CLOSED');
    expect((await takeBack(sessionId, id)).message.deletedAt).not.toBeNull();
    const other = await posted();
    await takeBack(other.sessionId, other.id);
    expect(await codeOf(edit(other.sessionId, other.id, 'x'))).toBe('MESSAGE_DELETED');
    expect(await codeOf(react(other.sessionId, other.id, '👍'))).toBe('MESSAGE_DELETED');
  });

  it('of a bot message needs no control, unless the caller asks for that check', async () => {
    const { id: sessionId } = await world.open();
    const [one, other] = [
      (await world.bot(sessionId, 'EUR 10')).message.id,
      (await world.bot(sessionId, 'EUR 11')).message.id,
    ];
    await world.ask(sessionId);
    expect(await codeOf(takeBack(sessionId, one, { epoch: 1 }))).toBe('CONTROL_LOST');
    expect((await takeBack(sessionId, one, { epoch: 2 })).message.deletedAt).not.toBeNull();
    expect((await takeBack(sessionId, other)).message.deletedAt).not.toBeNull();
  });
});

describe('a history that agents get only at the handoff', () => {
  beforeEach(() => start({ mirroring: 'ON_HANDOFF' }));

  it('is posted in its newest form: current text, reactions, and deletions as deletions', async () => {
    const { id: sessionId } = await world.open();
    const ids: string[] = [];
    for (const text of ['the 14th', 'card 4711', 'thanks']) ids.push((await world.user(sessionId, text)).message.id);
    await edit(sessionId, ids[0]!, 'the 15th');
    await takeBack(sessionId, ids[1]!);
    await react(sessionId, ids[2]!, '👍');
    expect(world.provider.conversations).toEqual([]);
    await world.ask(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual([
      'END_USER: the 15th',
      'END_USER: This message was taken back before it arrived here.',
      'END_USER: thanks',
      'END_USER: Reacted with 👍.',
    ]);
  });

  it('is followed by later changes to it after the agents have left', async () => {
    const { id: sessionId } = await world.open();
    const { message } = await world.user(sessionId, 'the 14th');
    const { handoff } = await world.ask(sessionId);
    await world.deliverAll();
    await world.flows.endHandoff(scope, {
      handoffId: handoff.id,
      sessionId: null,
      reason: 'BOT_CANCELLED',
      idempotencyKey: 'end',
    });
    await world.deliverAll();
    await edit(sessionId, message.id, 'the 15th');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.shown()).toEqual(['END_USER: the 14th', 'END_USER: Edited: the 15th']);
  });
});
