import type { ContentBody } from '../../../src/core/content';
import { CONTENT_LIMITS } from '../../../src/core/content/validate-content';
import type { EndUser } from '../../../src/core/session';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

const numbered = (count: number, from = 0) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`key-${from + at}`, `value ${from + at}`]));
const notes = () =>
  world.provider.onlyConversation.entries.filter(({ author }) => author === 'NOTE').map(({ text }) => text);

describe('an end-user with more data than a session stores', () => {
  const open = async (endUser: Partial<EndUser>, externalId = 'visitor') =>
    (await world.flows.openSession(scope, { chatbotId: 'bot-1', channel: 'web', externalId, endUser })).session.endUser;

  it('has a session with the first 50 attributes, in the given order', async () => {
    expect((await open({ attributes: numbered(51) })).attributes).toEqual(numbered(50));
  });

  it('keeps known attributes when later calls bring others, and updates their values', async () => {
    await open({ attributes: numbered(49) });
    const { attributes } = await open({ attributes: { ...numbered(50, 100), 'key-0': 'new' } });
    expect(attributes).toEqual({ ...numbered(49), 'key-0': 'new', 'key-100': 'value 100' });
  });

  it('has attributes whose names and values are cut to the limit', async () => {
    const { attributes } = await open({
      attributes: { [`${'n'.repeat(100)}1`]: 'one', [`${'n'.repeat(100)}2`]: 'two', note: 'v'.repeat(2_001) },
    });
    expect(attributes).toEqual({ [`${'n'.repeat(99)}…`]: 'one', note: `${'v'.repeat(1_999)}…` });
  });

  it('has a name that is cut; an address, number or language is dropped instead, because a cut one would be another one', async () => {
    const long = 'x'.repeat(501);
    expect(await open({ name: long, email: `${long}@users.example`, phone: long, locale: long })).toMatchObject({
      name: `${'x'.repeat(499)}…`,
      email: null,
      phone: null,
      locale: null,
    });
  });

  it('keeps what is known when a later call brings something too long', async () => {
    await open({ email: 'jane@users.example' });
    expect(await open({ email: `${'x'.repeat(500)}@users.example` })).toMatchObject({ email: 'jane@users.example' });
  });
});

describe('a handoff with more data than its context note holds', () => {
  const ask = async (more: Parameters<FlowWorld['ask']>[1]) => {
    const { id } = await world.open();
    await world.user(id, 'I want my money back');
    const { handoff } = await world.ask(id, more);
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
    return world.handoff(handoff.id);
  };

  it('posts the first 50 fields in the note, and the others in a second note', async () => {
    const handoff = await ask({ fields: numbered(53) });
    expect(handoff.fields).toEqual(numbered(50));
    expect(notes()).toHaveLength(2);
    expect(notes()[1]).toBe(
      'More than the first note holds was handed over:\nkey-50: value 50\nkey-51: value 51\nkey-52: value 52',
    );
  });

  it('posts the first 20 links in the note, and the others in a second one; a long label is cut', async () => {
    const links = Array.from({ length: 21 }, (_, at) => ({
      label: at === 0 ? 'x'.repeat(201) : at === 1 ? ' ' : `Page ${at}`,
      url: `https://shop.example/${at}`,
    }));
    const handoff = await ask({ links });
    expect(handoff.links.slice(0, 3).map(({ label }) => label)).toEqual([
      `${'x'.repeat(199)}…`,
      'https://shop.example/1',
      'Page 2',
    ]);
    expect(handoff.links).toHaveLength(20);
    expect(notes()[1]).toBe('More than the first note holds was handed over:\nPage 20: https://shop.example/20');
  });

  it.each(['reason', 'summary', 'intent'] as const)('posts the beginning of a %s that is too long', async field => {
    const handoff = await ask({ [field]: 'x'.repeat(10_001) });
    expect(handoff[field]).toBe(`${'x'.repeat(9_999)}…`);
    expect(notes()).toHaveLength(1);
  });

  it('posts fields with names and values that are cut to the limit', async () => {
    expect((await ask({ fields: { ['n'.repeat(201)]: 'v'.repeat(10_001) } })).fields).toEqual({
      [`${'n'.repeat(199)}…`]: `${'v'.repeat(9_999)}…`,
    });
  });

  it('posts no second note when everything fits', async () => {
    await ask({ fields: numbered(50) });
    expect(notes()).toHaveLength(1);
  });
});

it('text beside cards is recorded and posted, however long the plain text of the cards is', async () => {
  const { id } = await world.open();
  const url = `https://a.example/${'x'.repeat(1_900)}`;
  const content: ContentBody = {
    kind: 'CARDS',
    cards: Array.from({ length: CONTENT_LIMITS.cards }, (_, at) => ({
      title: `Card ${at}`,
      description: 'x'.repeat(2_000),
      pictureUrl: url,
      actions: [{ title: 'Open', url, value: null }],
    })),
  };
  const { message } = await world.flows.sendBotMessage(scope, {
    sessionId: id,
    epoch: 1,
    text: 'These fit:',
    content,
    attachments: [],
    messageId: null,
    onControlLost: 'REJECT',
    idempotencyKey: 'cards',
  });
  expect(await world.deliverAll()).toEqual([]);
  const [shown] = world.provider.shown();
  expect(shown).toBe(`BOT: ${message.text}`);
  expect(shown).toMatch(/^BOT: These fit:\nCard 0\n[^]*\nCard 19\n/);
  expect((await world.stores.messages.get(ORG, message.id))?.text).toBe(message.text);
});

it('a failure of the channel is recorded however long its error text is', async () => {
  const { id } = await world.open();
  const { message } = await world.bot(id, 'hello');
  const reported = await world.flows.reportChannelDelivery(scope, {
    sessionId: id,
    messageId: message.id,
    state: 'FAILED',
    error: 'x'.repeat(501),
    idempotencyKey: 'failed',
  });
  expect(reported.message.channelState).toBe('FAILED');
});
