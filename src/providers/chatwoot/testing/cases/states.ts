import { begin, handOver, settleScene, type RecordedCase } from './run-case';
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
  effect: { told: ['QUEUED'], control: 'NONE', handoff: 'QUEUED', view: 'OPEN' },
};
export const ended = (reason: 'AGENT_RESOLVED' | 'AGENT_RETURNED'): Pick<RecordedCase, 'requestedSync' | 'effect'> => ({
  requestedSync: 'ALL',
  effect: {
    told: [`OUTCOME ENDED ${reason}`],
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
      leads: 'says open, is looked at, and is held by the bot',
      given: [begin, settleScene],
      act: [],
      isUntrue: true,
      requestedSync: 'ALL',
    }),
  ),
  {
    file: 'conversation_status_changed.open.inbox',
    leads: 'out of its sleep it is in the queue again',
    given: [handOver, scene => scene.rooted.snooze(), settleScene],
    act: [openedByRoot],
    ...queued,
  },
  {
    file: 'conversation_status_changed.open.inbox',
    leads: "opened by nobody's name it stands in the queue",
    given: [begin, settleScene],
    act: [openedByRoot],
    ...queued,
  },
  {
    file: 'conversation_status_changed.pending.inbox',
    leads: 'the bot has it back',
    given: [handOver, settleScene],
    act: [scene => scene.rooted.returnToPending()],
    ...ended('AGENT_RETURNED'),
  },
  {
    file: 'conversation_status_changed.snoozed.inbox',
    leads: 'the handoff is on hold',
    given: [handOver, settleScene],
    act: [scene => scene.rooted.snooze()],
    requestedSync: 'ALL',
    effect: { told: ['ON_HOLD'], control: 'HUMAN', handoff: 'ON_HOLD', view: 'ON_HOLD' },
  },
  ...[
    'conversation_status_changed.resolved.inbox',
    'conversation_updated.resolved.inbox',
    'agent_bot.conversation_resolved',
  ].map(
    (file): RecordedCase => ({
      file,
      leads: 'the handoff ends',
      given: [handOver, settleScene],
      act: [resolved],
      ...ended('AGENT_RESOLVED'),
    }),
  ),
  {
    file: 'conversation_status_changed.reopened.inbox',
    leads: 'Alice, who still had it, takes it over again',
    given: [handOver, taken, settleScene, scene => scene.alice.resolve(), scene => scene.finish()],
    act: [scene => scene.alice.reopen()],
    requestedSync: 'ALL',
    effect: { told: ['ASSIGNED'], control: 'HUMAN', handoff: 'ASSIGNED Alice', view: 'OPEN, agent 4' },
  },
  {
    file: 'conversation_status_changed.reopened.inbox',
    leads: "by the end-user's own words is the bot's",
    given: [handOver, taken, settleScene, scene => scene.alice.resolve(), scene => scene.finish()],
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
    leads: 'our own opening is no news',
    given: [begin, settleScene],
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
      leads: 'what somebody else opened stands in the queue',
      given: [begin, settleScene],
      act: [openedByRoot],
      ...queued,
    }),
  ),
  {
    file: 'conversation_updated.assigned.inbox',
    leads: 'Bob has it instead of Alice',
    given: [handOver, taken, settleScene],
    act: [scene => scene.rooted.assign({ agentId: BOB })],
    requestedSync: 'ALL',
    effect: { told: ['ASSIGNED'], handoff: 'ASSIGNED Bob', view: 'OPEN, agent 5' },
  },
  {
    file: 'conversation_updated.unassigned.inbox',
    leads: 'another team has it, and nobody of it',
    given: [
      handOver,
      team('one', [ALICE]),
      team('two', [BOB]),
      scene => scene.rooted.assign({ agentId: BOB }),
      scene => scene.rooted.assign({ teamId: 2 }),
      settleScene,
    ],
    act: [scene => scene.rooted.assign({ teamId: 1 })],
    requestedSync: 'ALL',
    effect: { told: ['QUEUED'], control: 'NONE', handoff: 'QUEUED', view: 'OPEN, team 1' },
  },
  {
    file: 'conversation_updated.team_assigned.inbox',
    leads: 'the team is known, and the queue is the queue',
    given: [handOver, team('one'), settleScene],
    act: [scene => scene.rooted.assign({ teamId: 1 })],
    requestedSync: 'ALL',
    effect: { view: 'OPEN, team 1' },
  },
  {
    file: 'conversation_updated.agent_bot_assigned.inbox',
    leads: 'who gives it to our agent bot has given it back',
    given: [handOver, settleScene],
    act: [scene => scene.act('/assignments', { assignee_id: AGENT_BOT, assignee_type: 'AgentBot' })],
    requestedSync: 'ALL',
    effect: { ...ended('AGENT_RETURNED').effect, status: 'pending' },
  },
];
