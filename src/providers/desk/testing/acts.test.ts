import type { ConversationAccess } from '../../../core/ports/provider/access';
import { openDesk, to, type DeskFixture } from './stand';

const reply = { text: 'Hello', visibility: 'PUBLIC' };

describe('what an agent does at the desk', () => {
  let desk: DeskFixture;
  let ada: string;
  let bob: string;
  beforeAll(async () => {
    desk = await openDesk({ teams: [{ name: 'support' }, { name: 'nobody', members: [] }] });
    ada = desk.agents.Ada!;
    bob = desk.agents.Bob!;
  });
  beforeEach(() => {
    desk.world.ahead = 0;
  });
  afterAll(() => desk.world.stop());

  const does = async (conversation: ConversationAccess, verb: string, body: unknown = {}, agent = ada) => {
    const answer = await desk.call({ ...to(conversation, verb, body), agent });
    if (answer.status >= 300) throw new Error(`${verb} was answered ${answer.status} ${answer.raw.toString()}`);
    return answer.body;
  };
  const isRefused = async (conversation: ConversationAccess, verb: string, body: unknown = {}) => {
    const before = await desk.view(conversation);
    const answer = await desk.call(to(conversation, verb, body));
    expect([answer.status, answer.body.error.code]).toEqual([409, 'TRANSITION_REFUSED']);
    expect(await desk.view(conversation)).toEqual(before);
  };
  const view = (conversation: ConversationAccess) => desk.view(conversation);
  const resolved = async () => {
    const conversation = await desk.waiting();
    await does(conversation, 'resolve');
    return conversation;
  };

  it('takes a conversation of the bot by replying', async () => {
    const conversation = await desk.newConversation();
    await does(conversation, 'messages', reply);
    expect(await view(conversation)).toEqual({ status: 'OPEN', agentId: ada, teamId: null });
  });

  it("takes a waiting conversation by replying, and leaves a colleague's conversation assigned", async () => {
    const conversation = await desk.waiting();
    await does(conversation, 'messages', reply);
    await does(conversation, 'messages', reply, bob);
    expect(await view(conversation)).toEqual({ status: 'OPEN', agentId: ada, teamId: null });
  });

  it('reopens a resolved conversation by replying, assigned to the writer', async () => {
    const conversation = await desk.waiting();
    await does(conversation, 'assign', { agentId: bob });
    await does(conversation, 'resolve');
    await does(conversation, 'messages', reply);
    expect(await view(conversation)).toEqual({ status: 'OPEN', agentId: ada, teamId: null });
  });

  it.each(['BOT_HELD', 'RESOLVED'] as const)('changes nothing by a note while it is %s', async status => {
    const conversation = status === 'BOT_HELD' ? await desk.newConversation() : await resolved();
    await does(conversation, 'messages', { text: 'look at this', visibility: 'INTERNAL' });
    expect(await view(conversation)).toEqual({ status, agentId: null, teamId: null });
  });

  it('shows in the list who waits, until an agent replies', async () => {
    const conversation = await desk.waiting();
    const shown = async () =>
      (await desk.call({ path: `/api/conversations/${conversation.conversationId}` })).body.conversation;
    expect(await shown()).toMatchObject({ isWaiting: true, waitingSince: expect.any(String) });
    await does(conversation, 'messages', reply);
    expect(await shown()).toMatchObject({ isWaiting: false, waitingSince: null });
    await desk.says(conversation, 'END_USER', 'and now?');
    expect(await shown()).toMatchObject({ isWaiting: true });
  });

  it('passes it to a team, which unassigns the agent', async () => {
    const conversation = await desk.waiting();
    await does(conversation, 'assign', { agentId: ada });
    await does(conversation, 'assign', { teamId: desk.teams.nobody });
    expect(await view(conversation)).toEqual({ status: 'OPEN', agentId: null, teamId: desk.teams.nobody });
  });

  it('keeps it when it goes to a team that the agent is in', async () => {
    const conversation = await desk.waiting();
    await does(conversation, 'assign', { agentId: ada });
    await does(conversation, 'assign', { teamId: desk.teams.support });
    expect(await view(conversation)).toEqual({ status: 'OPEN', agentId: ada, teamId: desk.teams.support });
  });

  it('puts it back in the queue', async () => {
    const conversation = await desk.waiting();
    await does(conversation, 'assign', { agentId: ada });
    await does(conversation, 'assign', { agentId: null });
    expect(await view(conversation)).toEqual({ status: 'OPEN', agentId: null, teamId: null });
  });

  it('asks for no agent by unassigning a conversation of the bot', async () => {
    const conversation = await desk.newConversation();
    await does(conversation, 'assign', { agentId: null });
    expect((await view(conversation)).status).toBe('BOT_HELD');
  });

  it('returns it to the bot, unassigned', async () => {
    const conversation = await desk.waiting();
    await does(conversation, 'assign', { agentId: ada, teamId: desk.teams.support });
    await does(conversation, 'return');
    expect(await view(conversation)).toEqual({ status: 'BOT_HELD', agentId: null, teamId: null });
  });

  it('puts it on hold and takes it off again', async () => {
    const conversation = await desk.waiting();
    await does(conversation, 'snooze');
    expect((await view(conversation)).status).toBe('ON_HOLD');
    await does(conversation, 'wake');
    expect((await view(conversation)).status).toBe('OPEN');
  });

  it('has it off hold as soon as the visitor writes', async () => {
    const conversation = await desk.waiting();
    await does(conversation, 'snooze', { until: new Date(Date.now() + 3_600_000).toISOString() });
    await desk.says(conversation, 'BOT', 'still here');
    expect((await view(conversation)).status).toBe('ON_HOLD');
    await desk.says(conversation, 'END_USER', 'hello?');
    expect((await view(conversation)).status).toBe('OPEN');
  });

  it('has it off hold once the time is over, everywhere at once', async () => {
    const conversation = await desk.waiting();
    await does(conversation, 'snooze', { until: new Date(Date.now() + 3_600_000).toISOString() });
    const listed = async (status: string) =>
      (await desk.call({ path: `/api/conversations?status=${status}&limit=200` })).body.conversations
        .map((one: any) => one.id)
        .includes(conversation.conversationId);
    expect([await listed('ON_HOLD'), await listed('OPEN')]).toEqual([true, false]);
    desk.world.ahead = 3_600_001;
    expect([await listed('ON_HOLD'), await listed('OPEN')]).toEqual([false, true]);
    expect((await view(conversation)).status).toBe('OPEN');
    await does(conversation, 'messages', { text: 'noted', visibility: 'INTERNAL' });
    desk.world.ahead = 0;
    expect((await view(conversation)).status).toBe('OPEN');
  });

  it('refuses a hold until a time in the past', async () => {
    const conversation = await desk.waiting();
    const { status } = await desk.call(
      to(conversation, 'snooze', { until: new Date(Date.now() - 1_000).toISOString() }),
    );
    expect([status, (await view(conversation)).status]).toEqual([400, 'OPEN']);
  });

  it('reopens a resolved conversation, assigned to itself', async () => {
    const conversation = await resolved();
    await does(conversation, 'reopen');
    expect(await view(conversation)).toEqual({ status: 'OPEN', agentId: ada, teamId: null });
  });

  it.each(['resolve', 'return', 'snooze', 'wake', 'reopen'])(
    'may repeat "%s" without a second activity line',
    async verb => {
      const conversation = verb === 'reopen' ? await resolved() : await desk.waiting();
      if (verb === 'wake') await does(conversation, 'snooze');
      await does(conversation, verb);
      const lines = async () =>
        (await desk.call({ path: `/api/conversations/${conversation.conversationId}` })).body.messages.length;
      const before = await lines();
      await does(conversation, verb);
      expect(await lines()).toBe(before);
    },
  );

  it.each(['resolve', 'snooze', 'wake', 'reopen'])('cannot "%s" a conversation of the bot', async verb => {
    await isRefused(await desk.newConversation(), verb);
  });
  it.each(['return', 'snooze', 'wake'])('cannot "%s" a resolved conversation', async verb => {
    await isRefused(await resolved(), verb);
  });

  it.each<[string, unknown]>([
    ['no text', { text: ' \n', visibility: 'PUBLIC' }],
    ['no visibility', { text: 'x' }],
    ['too much text', { text: 'x'.repeat(100_001), visibility: 'PUBLIC' }],
    ['another visibility', { text: 'x', visibility: 'SECRET' }],
  ])('cannot send %s', async (_what, body) => {
    const conversation = await desk.newConversation();
    const answer = await desk.call(to(conversation, 'messages', body));
    expect([answer.status, answer.body.error.code]).toEqual([400, 'INPUT_INVALID']);
    expect((await view(conversation)).status).toBe('BOT_HELD');
  });

  it('sends the core a hint after each commit, and none after a refusal', async () => {
    const conversation = await desk.waiting();
    const place = `${desk.accountId}/${conversation.conversationId}`;
    const { hints } = desk.world;
    hints.length = 0;
    const begun = desk.world.committed;
    await does(conversation, 'messages', reply);
    await does(conversation, 'resolve');
    expect(hints).toEqual([
      { place, committed: begun + 1 },
      { place, committed: begun + 2 },
    ]);
    await desk.call(to(conversation, 'snooze'));
    expect(hints).toHaveLength(2);
  });
});
