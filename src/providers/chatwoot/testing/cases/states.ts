import { begin, handOver, collectAll, type RecordedCase } from './run-case';
import { AGENT_BOT, ALICE, BOB, type RecordedScene } from './scene';

export const openedByRoot = (scene: RecordedScene) => scene.rooted.reopen();
const resolved = (scene: RecordedScene) => scene.rooted.resolve();
const taken = (scene: RecordedScene) => scene.alice.assignSelf();
const team =
  (name: string, members: readonly number[] = []) =>
  (scene: RecordedScene) =>
    scene.world.addTeam(name, members);

export const queued: Pick<RecordedCase, 'requestedSync' | 'effect'> = {
  requestedSync: 'ALL',
  effect: { notices: ['QUEUED'], control: 'NONE', handoff: 'QUEUED', view: 'OPEN' },
};
export const ended = (reason: 'AGENT_RESOLVED' | 'AGENT_RETURNED'): Pick<RecordedCase, 'requestedSync' | 'effect'> => ({
  requestedSync: 'ALL',
  effect: {
    notices: [`OUTCOME ENDED ${reason}`],
    control: 'BOT',
    handoff: `ENDED ${reason}`,
    view: reason === 'AGENT_RESOLVED' ? 'RESOLVED' : 'BOT_HELD',
  },
});

/** Agents' changes to a conversation. */
export const states: readonly RecordedCase[] = [
  ...['conversation_created.inbox', 'conversation_created.account'].map(
    (file): RecordedCase => ({
      file,
      effectName: 'reports open; the sync finds that the bot has the conversation',
      given: [begin, collectAll],
      act: [],
      isUntrue: true,
      requestedSync: 'ALL',
    }),
  ),
  {
    file: 'conversation_status_changed.open.inbox',
    effectName: 'queues a conversation again that is no longer snoozed',
    given: [handOver, scene => scene.rooted.snooze(), collectAll],
    act: [openedByRoot],
    ...queued,
  },
  {
    file: 'conversation_status_changed.open.inbox',
    effectName: 'queues a conversation that was opened without an agent',
    given: [begin, collectAll],
    act: [openedByRoot],
    ...queued,
  },
  {
    file: 'conversation_status_changed.pending.inbox',
    effectName: 'returns the conversation to the bot',
    given: [handOver, collectAll],
    act: [scene => scene.rooted.returnToPending()],
    ...ended('AGENT_RETURNED'),
  },
  {
    file: 'conversation_status_changed.snoozed.inbox',
    effectName: 'puts the handoff on hold',
    given: [handOver, collectAll],
    act: [scene => scene.rooted.snooze()],
    requestedSync: 'ALL',
    effect: { notices: ['ON_HOLD'], control: 'HUMAN', handoff: 'ON_HOLD', view: 'ON_HOLD' },
  },
  ...[
    'conversation_status_changed.resolved.inbox',
    'conversation_updated.resolved.inbox',
    'agent_bot.conversation_resolved',
  ].map(
    (file): RecordedCase => ({
      file,
      effectName: 'ends the handoff',
      given: [handOver, collectAll],
      act: [resolved],
      ...ended('AGENT_RESOLVED'),
    }),
  ),
  {
    file: 'conversation_status_changed.reopened.inbox',
    effectName: 'is a new takeover by Alice, who was still assigned',
    given: [handOver, taken, collectAll, scene => scene.alice.resolve(), scene => scene.finish()],
    act: [scene => scene.alice.reopen()],
    requestedSync: 'ALL',
    effect: { notices: ['ASSIGNED'], control: 'HUMAN', handoff: 'ASSIGNED Alice', view: 'OPEN, agent 4' },
  },
  {
    file: 'conversation_status_changed.reopened.inbox',
    effectName: "leaves the conversation with the bot after the end-user's own message",
    given: [handOver, taken, collectAll, scene => scene.alice.resolve(), scene => scene.finish()],
    act: [
      scene =>
        scene.world.farSide.call('POST', `${scene.world.accountPath}/inboxes/1/set_agent_bot`, scene.world.admin, {
          agent_bot: null,
        }),
      async scene => {
        await scene.world.user(scene.sessionId, 'I am back');
        await scene.world.deliverAll();
      },
    ],
    requestedSync: 'ALL',
    effect: { view: 'BOT_HELD', status: 'pending' },
  },
  {
    file: 'conversation_status_changed.bot_handoff.inbox',
    effectName: 'reports our own opening, and changes nothing',
    given: [begin, collectAll],
    act: [
      async scene => {
        await scene.world.ask(scene.sessionId);
        await scene.world.deliverAll();
      },
    ],
    requestedSync: null,
  },
  ...['conversation_updated.bot_handoff.inbox', 'agent_bot.conversation_opened'].map(
    (file): RecordedCase => ({
      file,
      effectName: 'queues a conversation that another user opened',
      given: [begin, collectAll],
      act: [openedByRoot],
      ...queued,
    }),
  ),
  {
    file: 'conversation_updated.assigned.inbox',
    effectName: 'transfers the handoff from Alice to Bob',
    given: [handOver, taken, collectAll],
    act: [scene => scene.rooted.assign({ agentId: BOB })],
    requestedSync: 'ALL',
    effect: { notices: ['ASSIGNED'], handoff: 'ASSIGNED Bob', view: 'OPEN, agent 5' },
  },
  {
    file: 'conversation_updated.unassigned.inbox',
    effectName: 'moves the handoff to another team without an agent',
    given: [
      handOver,
      team('one', [ALICE]),
      team('two', [BOB]),
      scene => scene.rooted.assign({ agentId: BOB }),
      scene => scene.rooted.assign({ teamId: 2 }),
      collectAll,
    ],
    act: [scene => scene.rooted.assign({ teamId: 1 })],
    requestedSync: 'ALL',
    effect: { notices: ['QUEUED'], control: 'NONE', handoff: 'QUEUED', view: 'OPEN, team 1' },
  },
  {
    file: 'conversation_updated.team_assigned.inbox',
    effectName: 'reports a known team, and keeps the handoff queued',
    given: [handOver, team('one'), collectAll],
    act: [scene => scene.rooted.assign({ teamId: 1 })],
    requestedSync: 'ALL',
    effect: { view: 'OPEN, team 1' },
  },
  {
    file: 'conversation_updated.agent_bot_assigned.inbox',
    effectName: 'returns a conversation that an agent assigned to our agent bot',
    given: [handOver, collectAll],
    act: [scene => scene.act('/assignments', { assignee_id: AGENT_BOT, assignee_type: 'AgentBot' })],
    requestedSync: 'ALL',
    effect: { ...ended('AGENT_RETURNED').effect, status: 'pending' },
  },
];
