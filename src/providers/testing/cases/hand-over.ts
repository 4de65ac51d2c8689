import { isUpTo } from '../../../core/ids';
import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { ProviderStatus } from '../../../core/conversation-view';
import type { ContractFixture } from '../contract-fixture';

const NOBODY = { agentId: null, teamId: null, priority: null };

export function handOverCases(fixture: ContractFixture): void {
  const state = (conversation: ConversationAccess) => fixture.harness.conversationState(conversation);
  const newTeam = async (name: string) => {
    await fixture.harness.addTeam(fixture.account, name);
    const team = (await fixture.provider.listTeams(fixture.account, fixture.signal())).find(one => one.name === name);
    if (!team) throw new Error(`The harness added team "${name}", and listTeams does not show it.`);
    return team;
  };

  it('opens a conversation to everybody when no target is given, and again the same', async () => {
    const conversation = await fixture.newConversation();
    await fixture.openForAgents(conversation);
    await fixture.harness.restart();
    await fixture.openForAgents(conversation);
    expect(await state(conversation)).toEqual({ status: 'OPEN', ...NOBODY });
  });

  it('leaves a conversation with an agent who took it before the repeat', async () => {
    const conversation = await fixture.newConversation();
    await fixture.openForAgents(conversation);
    await fixture.harness.agentAssignsSelf(conversation, fixture.ada);
    await fixture.openForAgents(conversation);
    expect(await state(conversation)).toEqual({ status: 'OPEN', ...NOBODY, agentId: fixture.ada.externalId });
  });

  it('opens a conversation to one agent', async () => {
    const conversation = await fixture.newConversation();
    await fixture.openForAgents(conversation, { agentId: fixture.bob.externalId });
    await fixture.openForAgents(conversation, { agentId: fixture.bob.externalId });
    expect(await state(conversation)).toEqual({ status: 'OPEN', ...NOBODY, agentId: fixture.bob.externalId });
  });

  it('refuses an unknown agent and does not open the conversation', async () => {
    const conversation = await fixture.newConversation();
    await expect(fixture.openForAgents(conversation, { agentId: '987654321' })).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
    });
    expect(await state(conversation)).toEqual({ status: 'BOT_HELD', ...NOBODY });
  });

  if (fixture.capabilities.teams) {
    it('opens a conversation to a team', async () => {
      const team = await newTeam('asked team');
      const conversation = await fixture.newConversation();
      await fixture.openForAgents(conversation, { teamId: team.externalId });
      await fixture.openForAgents(conversation, { teamId: team.externalId });
      expect(await state(conversation)).toEqual({ status: 'OPEN', ...NOBODY, teamId: team.externalId });
    });

    it('refuses an unknown team and does not open the conversation', async () => {
      const conversation = await fixture.newConversation();
      await expect(fixture.openForAgents(conversation, { teamId: '987654321' })).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
      });
      expect(await state(conversation)).toEqual({ status: 'BOT_HELD', ...NOBODY });
    });
  }

  if (fixture.capabilities.priorities)
    it.each(['LOW', 'MEDIUM', 'HIGH', 'URGENT'] as const)('opens a conversation with priority %s', async priority => {
      const conversation = await fixture.newConversation();
      await fixture.openForAgents(conversation, { priority });
      expect(await state(conversation)).toEqual({ status: 'OPEN', ...NOBODY, priority });
    });

  it('returns a conversation to the bot and clears what an earlier handoff left', async () => {
    const conversation = await fixture.newConversation();
    await fixture.openForAgents(conversation, {
      teamId: fixture.capabilities.teams ? (await newTeam('left-over team')).externalId : null,
      priority: fixture.capabilities.priorities ? 'HIGH' : null,
    });
    await fixture.harness.agentAssignsSelf(conversation, fixture.ada);
    await fixture.harness.resolves(conversation, fixture.ada);
    await fixture.provider.returnToBot(conversation, fixture.signal());
    await fixture.harness.restart();
    await fixture.provider.returnToBot(conversation, fixture.signal());
    expect(await state(conversation)).toEqual({ status: 'BOT_HELD', ...NOBODY });
  });

  it('handles a second handoff like the first', async () => {
    const conversation = await fixture.newConversation();
    for (const round of ['first', 'second']) {
      await fixture.provider.returnToBot(conversation, fixture.signal());
      await fixture.openForAgents(conversation);
      expect({ round, ...(await state(conversation)) }).toEqual({ round, status: 'OPEN', ...NOBODY });
      await fixture.harness.agentAssignsSelf(conversation, fixture.ada);
      await fixture.harness.agentReplies(conversation, fixture.ada, round);
      await fixture.harness.resolves(conversation, fixture.ada);
    }
    expect(await fixture.agentSays(conversation)).toEqual(['first', 'second']);
  });

  it.each(['returnToBot', 'resolve'] as const)(
    'returns with %s, if it can, the newest message: what was said before is included, what is said after is not',
    async verb => {
      const conversation = await fixture.conversationWithAgents();
      await fixture.harness.agentReplies(conversation, fixture.ada, 'before');
      const reported: (string | null)[] = [];
      await fixture.provider[verb](conversation, fixture.signal(), newest => {
        reported.push(newest);
      });
      await fixture.harness.agentReplies(conversation, fixture.ada, 'after');
      if (reported.length === 0) return;
      expect(reported).toEqual([expect.any(String)]);
      const ids = (await fixture.listMessages(conversation)).observations.flatMap(one =>
        one.kind === 'agentMessage' ? [{ text: one.text, isUpTo: isUpTo(one.id, reported[0]!) }] : [],
      );
      expect(ids).toEqual([
        { text: 'before', isUpTo: true },
        { text: 'after', isUpTo: false },
      ]);
    },
  );

  it('resolves a conversation, and a repeat changes nothing', async () => {
    const conversation = await fixture.conversationWithAgents();
    await fixture.provider.resolve(conversation, fixture.signal());
    await fixture.provider.resolve(conversation, fixture.signal());
    expect((await state(conversation)).status).toBe('RESOLVED');
  });

  it.each<[string, (conversation: ConversationAccess) => Promise<void>, ProviderStatus, boolean]>([
    ['nothing yet', async () => {}, 'OPEN', false],
    ['assigning oneself', c => fixture.harness.agentAssignsSelf(c, fixture.ada), 'OPEN', true],
    ['snoozing', c => fixture.harness.snoozes(c, fixture.ada), 'ON_HOLD', false],
    ['resolving', c => fixture.harness.resolves(c, fixture.ada), 'RESOLVED', false],
    ['returning it to the bot', c => fixture.harness.returnsToBot(c, fixture.ada), 'BOT_HELD', false],
  ])("reads the state after an agent's %s", async (_what, act, status, assigned) => {
    const conversation = await fixture.conversationWithAgents();
    await act(conversation);
    const { agentsReadAt: _, ...view } = await fixture.provider.readConversation(conversation, fixture.signal());
    const held = await state(conversation);
    expect(view).toEqual({
      status,
      agent: held.agentId === null ? null : { externalId: held.agentId, name: expect.any(String) },
      teamId: held.teamId,
    });
    if (assigned) expect(view.agent).toEqual({ externalId: fixture.ada.externalId, name: fixture.ada.name });
  });

  it('reads a conversation that the bot has', async () => {
    const conversation = await fixture.newConversation();
    const { agentsReadAt, ...view } = await fixture.provider.readConversation(conversation, fixture.signal());
    expect(view).toEqual({ status: 'BOT_HELD', agent: null, teamId: null });
    expect(agentsReadAt ?? null).toBeNull();
  });

  if (fixture.capabilities.teams)
    it('reads the team of a conversation', async () => {
      const team = await newTeam('read team');
      const conversation = await fixture.newConversation();
      await fixture.openForAgents(conversation, { teamId: team.externalId });
      expect((await fixture.provider.readConversation(conversation, fixture.signal())).teamId).toBe(team.externalId);
    });
}
