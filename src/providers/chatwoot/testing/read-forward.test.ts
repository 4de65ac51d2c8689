import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { Observation } from '../../../core/ports/provider/observation';
import { stableWatermark } from '../list-messages';
import type { WireMessage } from '../wire';
import { ChatwootFixture } from './fixture';

let fixture: ChatwootFixture;
afterEach(() => fixture?.stop());

/** Returns a clock that only the test advances. */
function clock() {
  let ms = Date.UTC(2026, 10, 22, 12);
  return {
    read: () => new Date(ms),
    forward: (seconds: number) => {
      ms += seconds * 1000;
    },
  };
}

async function readAll(conversation: ConversationAccess, after: string | null = null) {
  const observations: Observation[] = [];
  for (;;) {
    const page = await fixture.provider.listMessages({ conversation, after }, fixture.signal());
    observations.push(...page.observations);
    after = page.after;
    if (!page.hasMore)
      return {
        after,
        observations,
        said: observations.flatMap(found => (found.kind === 'agentMessage' ? [found.text] : [])),
      };
  }
}

it('reads 1,300 messages whose times run against their ids, each once and in order', async () => {
  fixture = await ChatwootFixture.ready({ messagesPerMinute: 100_000, activityDelayMs: 60_000 });
  const conversation = await fixture.conversation();
  const agent = fixture.createActingAgent(fixture.ownerId, conversation);
  const texts = Array.from({ length: 1300 }, (_, n) => `line ${n}`);
  for (const [n, text] of texts.entries()) {
    if (n % 3 === 0) fixture.double.skewNextMessage(((n * 7919) % 600_000) - 300_000);
    await agent.reply(text);
  }
  const { observations, said } = await readAll(conversation);
  const ids = observations.map(({ id }) => Number(id));
  expect(new Set(said).size).toBe(1300);
  expect(said.filter((text, index) => said.indexOf(text) === index)).toEqual(texts);
  expect(Math.max(...ids)).toBe(ids.at(-1));
});

it('finds changed messages that lie more than 1,000 rows apart, whatever lies between', async () => {
  fixture = await ChatwootFixture.ready({ messagesPerMinute: 100_000, activityDelayMs: 60_000 });
  const conversation = await fixture.conversation();
  const agent = fixture.createActingAgent(fixture.ownerId, conversation);
  const ids: number[] = [];
  for (let n = 0; n < 1_150; n++) ids.push(await agent.reply(`line ${n}`));
  const changed = [ids[0]!, ids[1_040]!, ids[1_149]!];
  for (const id of changed) await agent.deleteMessage(id);
  const found = await fixture.provider.readMessages!(conversation, changed.map(String), fixture.signal());
  expect(found).toEqual(changed.map(id => ({ kind: 'messageDeleted', id: String(id) })));
}, 60_000);

it('stays 15 s behind the newest message, and so finds a lower id that becomes visible late', async () => {
  const time = clock();
  fixture = await ChatwootFixture.ready({ clock: time.read });
  const conversation = await fixture.conversation();
  const agent = fixture.createActingAgent(fixture.ownerId, conversation);
  const old = await agent.reply('long ago');
  time.forward(60);
  const show = fixture.farSide.hide(await agent.reply('committed late'));
  time.forward(14);
  const latest = await agent.reply('first to be seen');

  const first = await readAll(conversation);
  expect(first).toMatchObject({ after: String(old), said: ['long ago', 'first to be seen'] });
  show();
  const second = await readAll(conversation, first.after);
  expect(second.said).toEqual(['committed late', 'first to be seen']);

  time.forward(60);
  await agent.reply('much later');
  expect((await readAll(conversation, second.after)).after).toBe(String(latest));
});

it('starts at the given cursor, and stays there if there is nothing', async () => {
  fixture = await ChatwootFixture.ready();
  const conversation = await fixture.conversation();
  expect(await readAll(conversation)).toMatchObject({ after: null, said: [] });
  const id = await fixture.createActingAgent(fixture.ownerId, conversation).reply('one');
  expect(await readAll(conversation, String(id))).toMatchObject({ after: String(id), said: [] });
});

it("forwards agents' public messages, and nothing else", async () => {
  fixture = await ChatwootFixture.ready();
  const conversation = await fixture.conversation();
  const agent = fixture.createActingAgent(fixture.ownerId, conversation);
  const token = fixture.admin;
  const post = (body: object) =>
    fixture.farSide.call(
      'POST',
      `${fixture.account}/conversations/${conversation.conversationId}/messages`,
      token,
      body,
    );
  await fixture.post(conversation, 'our end-user');
  await fixture.post(conversation, 'our bot', { author: 'BOT' });
  await post({ content: 'BotAgent1 by hand' });
  await post({ content: 'a template', message_type: 'template' });
  await post({ content: 'an activity', message_type: 'activity' });
  await post({ content: 'incoming from elsewhere', message_type: 'incoming' });
  await post({ content: 'as another bot', sender_type: 'AgentBot', sender_id: fixture.access.settings['agentBotId'] });
  await agent.note('not for the end-user');
  await agent.deleteMessage(await agent.reply('said and taken back'));
  await agent.reply('for the end-user');
  await agent.assignSelf();
  await agent.resolve();
  const { observations, said } = await readAll(conversation);
  expect(said).toEqual(['for the end-user']);
  expect(observations.map(({ kind }) => kind).filter(kind => kind === 'note' || kind === 'echo')).toEqual([
    'echo',
    'echo',
    'note',
  ]);
});

describe('the cursor of the next sync', () => {
  const at = (id: number, created_at: number) => ({ id, created_at }) as WireMessage;

  it.each<[string, WireMessage[], number | undefined]>([
    ['nothing was read', [], undefined],
    ['all is young', [at(1, 100), at(2, 110)], undefined],
    ['some is old', [at(1, 100), at(2, 101), at(3, 116), at(4, 117)], 2],
    ['a young one lies among the old', [at(1, 100), at(2, 116), at(3, 101), at(4, 117)], 1],
    ['the newest has a low id', [at(1, 117), at(2, 100)], undefined],
  ])('when %s', (_what, messages, expected) => {
    expect(stableWatermark(messages, 15)).toBe(expected);
  });
});
