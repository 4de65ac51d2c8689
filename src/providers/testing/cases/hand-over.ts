import { isUpTo } from '../../../core/ids';
import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { ProviderStatus } from '../../../core/conversation-view';
import type { ContractFixture } from '../contract-fixture';

const NOBODY = { agentId: null, teamId: null, priority: null };

export function handOverCases(stage: ContractFixture): void {
  const state = (conversation: ConversationAccess) => stage.harness.conversationState(conversation);
  const newTeam = async (name: string) => {
    await stage.harness.addTeam(stage.account, name);
    const team = (await stage.provider.listTeams(stage.account, stage.signal())).find(one => one.name === name);
    if (!team) throw new Error(`The harness added team "${name}", and listTeams does not show it.`);
    return team;
  };

  it('opens a conversation to everybody when no target is given, and again the same', async () => {
    const conversation = await stage.newConversation();
    await stage.openForAgents(conversation);
    await stage.harness.restart();
    await stage.openForAgents(conversation);
    expect(await state(conversation)).toEqual({ status: 'OPEN', ...NOBODY });
  });

  it('leaves a conversation with the agent who was quicker than the repeat', async () => {
    const conversation = await stage.newConversation();
    await stage.openForAgents(conversation);
    await stage.harness.agentAssignsSelf(conversation, stage.ada);
    await stage.openForAgents(conversation);
    expect(await state(conversation)).toEqual({ status: 'OPEN', ...NOBODY, agentId: stage.ada.externalId });
  });

  it('opens a conversation to one agent', async () => {
    const conversation = await stage.newConversation();
    await stage.openForAgents(conversation, { agentId: stage.bob.externalId });
    await stage.openForAgents(conversation, { agentId: stage.bob.externalId });
    expect(await state(conversation)).toEqual({ status: 'OPEN', ...NOBODY, agentId: stage.bob.externalId });
  });

  it('refuses an unknown agent and does not open the conversation', async () => {
    const conversation = await stage.newConversation();
    await expect(stage.openForAgents(conversation, { agentId: '987654321' })).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
    });
    expect(await state(conversation)).toEqual({ status: 'BOT_HELD', ...NOBODY });
  });

  if (stage.capabilities.teams) {
    it('opens a conversation to a team', async () => {
      const team = await newTeam('asked team');
      const conversation = await stage.newConversation();
      await stage.openForAgents(conversation, { teamId: team.externalId });
      await stage.openForAgents(conversation, { teamId: team.externalId });
      expect(await state(conversation)).toEqual({ status: 'OPEN', ...NOBODY, teamId: team.externalId });
    });

    it('refuses an unknown team and does not open the conversation', async () => {
      const conversation = await stage.newConversation();
      await expect(stage.openForAgents(conversation, { teamId: '987654321' })).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
      });
      expect(await state(conversation)).toEqual({ status: 'BOT_HELD', ...NOBODY });
    });
  }

  if (stage.capabilities.priorities)
    it.each(['LOW', 'MEDIUM', 'HIGH', 'URGENT'] as const)('opens a conversation with priority %s', async priority => {
      const conversation = await stage.newConversation();
      await stage.openForAgents(conversation, { priority });
      expect(await state(conversation)).toEqual({ status: 'OPEN', ...NOBODY, priority });
    });

  it('holds for the bot and clears what an earlier handoff left', async () => {
    const conversation = await stage.newConversation();
    await stage.openForAgents(conversation, {
      teamId: stage.capabilities.teams ? (await newTeam('left-over team')).externalId : null,
      priority: stage.capabilities.priorities ? 'HIGH' : null,
    });
    await stage.harness.agentAssignsSelf(conversation, stage.ada);
    await stage.harness.resolves(conversation, stage.ada);
    await stage.provider.returnToBot(conversation, stage.signal());
    await stage.harness.restart();
    await stage.provider.returnToBot(conversation, stage.signal());
    expect(await state(conversation)).toEqual({ status: 'BOT_HELD', ...NOBODY });
  });

  it('goes through a second handoff as through the first', async () => {
    const conversation = await stage.newConversation();
    for (const round of ['first', 'second']) {
      await stage.provider.returnToBot(conversation, stage.signal());
      await stage.openForAgents(conversation);
      expect({ round, ...(await state(conversation)) }).toEqual({ round, status: 'OPEN', ...NOBODY });
      await stage.harness.agentAssignsSelf(conversation, stage.ada);
      await stage.harness.agentReplies(conversation, stage.ada, round);
      await stage.harness.resolves(conversation, stage.ada);
    }
    expect(await stage.agentSays(conversation)).toEqual(['first', 'second']);
  });

  it.each(['returnToBot', 'resolve'] as const)(
    'tells with %s, if it does, which message was the newest: what is said before is up to it, what is said after is not',
    async verb => {
      const conversation = await stage.conversationWithAgents();
      await stage.harness.agentReplies(conversation, stage.ada, 'before');
      const reported: (string | null)[] = [];
      await stage.provider[verb](conversation, stage.signal(), newest => {
        reported.push(newest);
      });
      await stage.harness.agentReplies(conversation, stage.ada, 'after');
      if (reported.length === 0) return;
      expect(reported).toEqual([expect.any(String)]);
      const ids = (await stage.listMessages(conversation)).observations.flatMap(one =>
        one.kind === 'agentMessage' ? [{ text: one.text, isUpTo: isUpTo(one.id, reported[0]!) }] : [],
      );
      expect(ids).toEqual([
        { text: 'before', isUpTo: true },
        { text: 'after', isUpTo: false },
      ]);
    },
  );

  it('resolves, and again the same', async () => {
    const conversation = await stage.conversationWithAgents();
    await stage.provider.resolve(conversation, stage.signal());
    await stage.provider.resolve(conversation, stage.signal());
    expect((await state(conversation)).status).toBe('RESOLVED');
  });

  it.each<[string, (conversation: ConversationAccess) => Promise<void>, ProviderStatus, boolean]>([
    ['nothing yet', async () => {}, 'OPEN', false],
    ['assigning oneself', c => stage.harness.agentAssignsSelf(c, stage.ada), 'OPEN', true],
    ['snoozing', c => stage.harness.snoozes(c, stage.ada), 'ON_HOLD', false],
    ['resolving', c => stage.harness.resolves(c, stage.ada), 'RESOLVED', false],
    ['returning it to the bot', c => stage.harness.returnsToBot(c, stage.ada), 'BOT_HELD', false],
  ])('reads the state that an agent left by %s', async (_what, act, status, assigned) => {
    const conversation = await stage.conversationWithAgents();
    await act(conversation);
    const { agentsReadAt: _, ...view } = await stage.provider.readConversation(conversation, stage.signal());
    const held = await state(conversation);
    expect(view).toEqual({
      status,
      agent: held.agentId === null ? null : { externalId: held.agentId, name: expect.any(String) },
      teamId: held.teamId,
    });
    if (assigned) expect(view.agent).toEqual({ externalId: stage.ada.externalId, name: stage.ada.name });
  });

  it('reads a conversation that the bot holds', async () => {
    const conversation = await stage.newConversation();
    const { agentsReadAt, ...view } = await stage.provider.readConversation(conversation, stage.signal());
    expect(view).toEqual({ status: 'BOT_HELD', agent: null, teamId: null });
    expect(agentsReadAt ?? null).toBeNull();
  });

  if (stage.capabilities.teams)
    it('reads the team of a conversation', async () => {
      const team = await newTeam('read team');
      const conversation = await stage.newConversation();
      await stage.openForAgents(conversation, { teamId: team.externalId });
      expect((await stage.provider.readConversation(conversation, stage.signal())).teamId).toBe(team.externalId);
    });
}
