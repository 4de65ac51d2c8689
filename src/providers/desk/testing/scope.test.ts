import type { ConversationAccess } from '../../../core/ports/provider/access';
import { openDesk, to, type DeskFixture, type Stand } from './stand';
import type { DeskCall } from './world';

describe('who may do what at the desk', () => {
  let desk: DeskFixture;
  let others: Stand;
  let theirs: ConversationAccess;
  let ours: ConversationAccess;
  beforeAll(async () => {
    desk = await openDesk();
    others = await desk.enable();
    ours = await desk.waiting();
    theirs = await desk.newConversation(others.inbox);
    await desk.says(theirs, 'END_USER', 'a secret of theirs');
  });
  afterAll(() => desk.world.stop());

  it('responds with 401 to an unidentified caller', async () => {
    expect((await desk.call({ path: '/api/conversations', organizationId: null })).body.error.code).toBe(
      'UNAUTHENTICATED',
    );
  });

  it('responds with 403 to a bot', async () => {
    const { status, body } = await desk.call({ path: '/api/conversations', role: 'bot' });
    expect([status, body.error.code]).toEqual([403, 'FORBIDDEN']);
  });

  it('requires the agent before it does anything', async () => {
    const { status, body } = await desk.call({ ...to(ours, 'resolve'), agent: '' });
    expect([status, body.error.code]).toEqual([400, 'AGENT_REQUIRED']);
    expect((await desk.view(ours)).status).toBe('OPEN');
  });

  it.each<[string, (call: DeskCall) => DeskCall]>([
    ['another organization', call => ({ ...call, agent: others.agents.Ada! })],
    ['nowhere', call => ({ ...call, agent: '987654321' })],
    ['an id that is none', call => ({ ...call, agent: "1' or '1'='1" })],
  ])('does not know an agent of %s', async (_where, as) => {
    const { status, body } = await desk.call(as(to(ours, 'resolve')));
    expect([status, body.error.code]).toEqual([404, 'NOT_FOUND']);
    expect((await desk.view(ours)).status).toBe('OPEN');
  });

  it('does not let the BotAgent act as a person', async () => {
    const {
      rows: [bot],
    } = await desk.world.database.query(`select id from desk_agent where kind = 'BOT' and account_id = $1`, [
      ours.inbox.account.externalId,
    ]);
    expect((await desk.call({ ...to(ours, 'resolve'), agent: bot.id })).status).toBe(404);
    expect((await desk.call(to(ours, 'assign', { agentId: bot.id }))).status).toBe(404);
  });

  it('lists nothing of another organization', async () => {
    const listed = await Promise.all(
      ['/api/conversations', '/api/agents', '/api/teams'].map(async path => (await desk.call({ path })).body),
    );
    expect(listed[0].conversations.map((one: any) => one.id)).toEqual([ours.conversationId]);
    expect(listed[1].agents.map((one: any) => one.id).sort()).toEqual(Object.values(desk.agents).sort());
    expect(listed[2].teams.map((one: any) => one.id)).toEqual(Object.values(desk.teams));
    expect(JSON.stringify(listed)).not.toContain('secret');
  });

  it.each<[string, unknown]>([
    ['messages', { text: 'let me in', visibility: 'PUBLIC' }],
    ['assign', { agentId: null }],
    ['resolve', {}],
    ['return', {}],
    ['snooze', {}],
    ['wake', {}],
    ['reopen', {}],
  ])('treats a foreign conversation like an unknown one: %s', async (verb, body) => {
    const before = await desk.view(theirs);
    const foreign = await desk.call(to(theirs, verb, body));
    const unknown = await desk.call(to({ ...theirs, conversationId: '987654321' }, verb, body));
    const noId = await desk.call(to({ ...theirs, conversationId: 'x' }, verb, body));
    // The conversation is unknown as well to an agent of the caller's own organization.
    expect((await desk.call({ ...to(theirs, verb, body), agent: others.agents.Ada! })).status).toBe(404);
    expect([foreign.status, foreign.raw]).toEqual([404, unknown.raw]);
    expect(noId.raw).toEqual(unknown.raw);
    expect(await desk.view(theirs)).toEqual(before);
  });

  it('reads no foreign thread', async () => {
    const { status, raw } = await desk.call({ path: `/api/conversations/${theirs.conversationId}` });
    expect([status, raw]).toEqual([404, (await desk.call({ path: '/api/conversations/987654321' })).raw]);
  });

  it('assigns to no agent of another organization', async () => {
    const { agents, teams } = others;
    for (const body of [{ agentId: agents.Ada! }, { teamId: teams.support! }])
      expect((await desk.call(to(ours, 'assign', body))).status).toBe(404);
    expect(await desk.view(ours)).toEqual({ status: 'OPEN', agentId: null, teamId: null });
  });

  it.each<[string, DeskCall, number, string]>([
    ['an address that is none', { path: '/api/nothing' }, 404, 'NOT_FOUND'],
    ['a method that is none', { method: 'DELETE', path: '/api/conversations' }, 405, 'METHOD_NOT_ALLOWED'],
    ['an unknown filter value', { path: '/api/conversations?status=ASLEEP' }, 400, 'INPUT_INVALID'],
    ['a limit beyond the limit', { path: '/api/conversations?limit=100000' }, 400, 'INPUT_INVALID'],
    ['"mine" of nobody', { path: '/api/conversations?agent=me', agent: '' }, 400, 'AGENT_REQUIRED'],
    [
      'a body that is no JSON',
      { method: 'POST', path: '/api/conversations/1/resolve', body: '{' },
      400,
      'INPUT_INVALID',
    ],
    [
      'a body of another type',
      { method: 'POST', path: '/api/conversations/1/resolve', body: {}, headers: { 'content-type': 'text/plain' } },
      415,
      'JSON_REQUIRED',
    ],
    [
      'a field that is none',
      { method: 'POST', path: '/api/conversations/1/resolve', body: { force: true } },
      400,
      'INPUT_INVALID',
    ],
  ])('refuses %s', async (_what, call, status, code) => {
    const answer = await desk.call(call);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
    expect(answer.body.error.message).toEqual(expect.any(String));
  });

  it('returns the acting agent', async () => {
    expect((await desk.call({ path: '/api/me' })).body.agent).toMatchObject({ id: desk.agents.Ada, name: 'Ada' });
    expect((await desk.call({ path: '/api/me', agent: '' })).body).toEqual({ agent: null });
    expect((await desk.call({ path: '/api/me', agent: others.agents.Ada! })).status).toBe(404);
  });
});
