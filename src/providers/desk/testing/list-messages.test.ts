import { openDesk, to, type DeskFixture } from './stand';

describe('what an agent sees at the desk', () => {
  let desk: DeskFixture;
  beforeEach(async () => {
    desk = await openDesk();
  });
  afterEach(() => desk.world.stop());

  const list = async (query = '', agent = desk.agents.Ada!) =>
    (await desk.call({ path: `/api/conversations?${query}`, agent })).body;
  const ids = async (query = '', agent = desk.agents.Ada!): Promise<string[]> =>
    (await list(query, agent)).conversations.map((one: any) => one.id);

  it("lists by status and by agent, and counts the agents' conversations", async () => {
    const [held, open, mine, bobs, onHold, resolved] = [
      await desk.newConversation(),
      await desk.waiting(),
      await desk.waiting(),
      await desk.waiting(),
      await desk.waiting(),
      await desk.waiting(),
    ];
    await desk.call(to(mine, 'assign', { agentId: desk.agents.Ada }));
    await desk.call(to(bobs, 'assign', { agentId: desk.agents.Bob }));
    await desk.call(to(onHold, 'snooze'));
    await desk.call(to(resolved, 'resolve'));
    const idsOf = (...list: { conversationId: string }[]) => list.map(one => one.conversationId).sort();

    expect((await ids('status=OPEN,ON_HOLD')).sort()).toEqual(idsOf(open, mine, bobs, onHold));
    expect(await ids('status=BOT_HELD')).toEqual(idsOf(held));
    expect(await ids('status=RESOLVED')).toEqual(idsOf(resolved));
    expect(await ids('agent=me')).toEqual(idsOf(mine));
    expect(await ids('agent=me', desk.agents.Bob)).toEqual(idsOf(bobs));
    expect(await ids(`agent=${desk.agents.Bob}`)).toEqual(idsOf(bobs));
    expect(await ids('status=OPEN&agent=none')).toEqual(idsOf(open));
    expect((await ids()).sort()).toEqual(idsOf(held, open, mine, bobs, onHold, resolved));
    expect((await list()).counts).toEqual({ open: 4, unassigned: 1, mine: 1 });
  });

  it('lists unassigned conversations first, the longest waiting on top', async () => {
    const [first, second, taken] = [await desk.waiting(), await desk.waiting(), await desk.waiting()];
    await desk.call(to(taken, 'assign', { agentId: desk.agents.Bob }));
    desk.world.ahead = 1_000;
    const third = await desk.waiting();
    // A further message of an end-user who waits already changes no position.
    await desk.says(first, 'END_USER', 'still here');
    desk.world.ahead = 2_000;
    await desk.says(second, 'END_USER', 'me too');
    const idsOf = (...list: { conversationId: string }[]) => list.map(one => one.conversationId);
    const listed = await ids('status=OPEN');
    expect(listed.slice(0, 2).sort()).toEqual(idsOf(first, second).sort());
    expect(listed.slice(2)).toEqual(idsOf(third, taken));
  });

  it('lists assigned conversations by the longest wait for a reply, then by the newest activity', async () => {
    const [answered, quiet, asks] = [await desk.waiting(), await desk.waiting(), await desk.waiting()];
    for (const one of [answered, quiet, asks])
      await desk.call(to(one, 'messages', { text: 'Hello', visibility: 'PUBLIC' }));
    desk.world.ahead = 1_000;
    await desk.says(asks, 'END_USER', 'a question');
    desk.world.ahead = 2_000;
    await desk.call(to(answered, 'messages', { text: 'one more thing', visibility: 'PUBLIC' }));
    expect(await ids('status=OPEN')).toEqual([asks, answered, quiet].map(one => one.conversationId));
  });

  it('empties a deleted message, also on a page that shows it already, and marks it as deleted', async () => {
    const conversation = await desk.waiting();
    const [first, second] = [
      await desk.says(conversation, 'END_USER', 'hello'),
      await desk.says(conversation, 'END_USER', 'card 4711'),
    ];
    const thread = async (after: string) =>
      (await desk.call({ path: `/api/conversations/${conversation.conversationId}${after}` })).body;
    expect(await thread(`?after=${second}`)).toMatchObject({ messages: [], deletedIds: [] });
    await desk.provider.deleteMessage!({ conversation, messageId: second }, desk.signal());
    await desk.provider.deleteMessage!({ conversation, messageId: second }, desk.signal());
    const { messages, deletedIds } = await thread(`?after=${second}`);
    expect(messages).toMatchObject([{ kind: 'ACTIVITY', text: 'A message was deleted.' }]);
    expect(deletedIds).toEqual([second]);
    expect((await thread('')).messages.filter((one: any) => one.kind === 'SPEECH')).toMatchObject([
      { id: first, text: 'hello', isDeleted: false },
      { id: second, text: '', isDeleted: true },
    ]);
    expect((await list()).conversations.map((one: any) => one.lastMessage)).toEqual([
      { author: 'END_USER', text: 'hello' },
    ]);
  });

  it("never empties an agent's message", async () => {
    const conversation = await desk.waiting();
    const {
      body: { id },
    } = await desk.call(to(conversation, 'messages', { text: 'mine', visibility: 'PUBLIC' }));
    await desk.provider.deleteMessage!({ conversation, messageId: id }, desk.signal());
    expect(
      (await desk.call({ path: `/api/conversations/${conversation.conversationId}` })).body.messages.at(-1),
    ).toMatchObject({ text: 'mine', isDeleted: false });
  });

  it('reports that there are more than requested', async () => {
    for (let index = 0; index < 3; index++) await desk.waiting();
    expect([(await ids('limit=2')).length, (await list('limit=2')).hasMore, (await list('limit=3')).hasMore]).toEqual([
      2,
      true,
      false,
    ]);
  });

  it('shows the last public message', async () => {
    const conversation = await desk.newConversation();
    expect((await list()).conversations[0].lastMessage).toBeNull();
    await desk.says(conversation, 'END_USER', 'x'.repeat(500));
    await desk.call(to(conversation, 'messages', { text: 'careful', visibility: 'INTERNAL' }));
    expect((await list()).conversations[0].lastMessage).toEqual({ author: 'END_USER', text: 'x'.repeat(140) });
  });

  it('shows the end of a thread, then earlier messages, then new ones', async () => {
    const conversation = await desk.newConversation();
    for (let index = 0; index < 130; index++)
      await desk.says(conversation, index % 2 ? 'BOT' : 'END_USER', `line ${index}`);
    const thread = async (query = '') =>
      (await desk.call({ path: `/api/conversations/${conversation.conversationId}?${query}` })).body;
    const texts = (page: any) => page.messages.map((message: any) => message.text);

    const newest = await thread();
    expect([texts(newest)[0], texts(newest).at(-1), newest.messages.length, newest.hasEarlier]).toEqual([
      'line 30',
      'line 129',
      100,
      true,
    ]);
    const earlier = await thread(`before=${newest.messages[0].id}`);
    expect([texts(earlier), earlier.hasEarlier]).toEqual([
      Array.from({ length: 30 }, (_, index) => `line ${index}`),
      false,
    ]);
    await desk.says(conversation, 'END_USER', 'new');
    const after = await thread(`after=${newest.messages.at(-1).id}`);
    expect([texts(after), after.hasEarlier]).toEqual([['new'], undefined]);
    expect(
      (await desk.call({ path: `/api/conversations/${conversation.conversationId}?after=1&before=2` })).status,
    ).toBe(400);
  });

  it('distinguishes messages of the visitor, the bot, colleagues and the desk', async () => {
    const conversation = await desk.newConversation();
    await desk.says(conversation, 'END_USER', 'hello');
    await desk.provider.postNote(
      { conversation, noteId: 'handoff:1', text: 'context', mayExist: false, lookupAfter: null },
      desk.signal(),
    );
    await desk.call(to(conversation, 'messages', { text: 'hi', visibility: 'PUBLIC' }));
    await desk.call(to(conversation, 'messages', { text: 'careful', visibility: 'INTERNAL' }));
    const { messages } = (await desk.call({ path: `/api/conversations/${conversation.conversationId}` })).body;
    expect(
      messages.map((message: any) => [
        message.kind,
        message.author,
        message.visibility,
        message.authorName,
        message.text,
      ]),
    ).toEqual([
      ['SPEECH', 'END_USER', 'PUBLIC', null, 'hello'],
      ['SPEECH', 'BOT', 'INTERNAL', null, 'context'],
      ['ACTIVITY', 'SYSTEM', 'INTERNAL', 'Ada', 'Ada took the conversation.'],
      ['SPEECH', 'AGENT', 'PUBLIC', 'Ada', 'hi'],
      ['SPEECH', 'AGENT', 'INTERNAL', 'Ada', 'careful'],
    ]);
  });

  it('reveals no internal error, and logs neither texts nor addresses of files', async () => {
    const logged: unknown[] = [];
    Object.assign(desk.world.host, { log: (...line: unknown[]) => logged.push(line) });
    desk.world.between = {
      before: () => {
        throw Object.assign(new Error('password of the database'), { code: '28P01' });
      },
    };
    const token = 'T'.repeat(43);
    for (const path of ['/api/conversations', `/files/${token}/a.png`]) {
      const answer = await desk.call({ path });
      expect([answer.status, answer.body.error.code]).toEqual([500, 'INTERNAL']);
      expect(answer.raw.toString()).not.toContain('password');
    }
    expect(logged).toHaveLength(2);
    expect(JSON.stringify(logged)).not.toMatch(/password|TTTT/);
  });

  it.each(['57014', '55P03', '40P01', '40001'])(
    'lets the server respond when to retry while the database is too busy: %s',
    async code => {
      desk.world.between = {
        before: () => {
          throw Object.assign(new Error('canceling statement'), { code });
        },
      };
      await expect(desk.call({ path: '/api/conversations' })).rejects.toMatchObject({ code });
    },
  );
});
